"""The page of functions, from the catalogue."""

from __future__ import annotations

from tailrace.expressions.absent import ABSENT
from tailrace.expressions.aggregates import AGGREGATES
from tailrace.expressions.catalogue import functions

_TITLES = {
    "comparison": "Comparison",
    "logic": "Logic",
    "arithmetic": "Arithmetic",
    "conditional": "Conditional",
    "string": "Text",
    "math": "Numbers",
    "temporal": "Time",
    "json": "JSON",
    "hash": "Hashes",
    "collection": "Arrays, maps and rows",
}


def markdown() -> str:
    """
    Give the page as Markdown: a table for each family.

    >>> markdown().splitlines()[0]
    '# Functions'
    """
    out = [
        "# Functions",
        "",
        "Names are not case-sensitive. Results are NULL for NULL arguments unless said otherwise.",
        "",
    ]
    for family, title in _TITLES.items():
        found = sorted({(f.signature, f.doc) for f in functions() if f.family == family})
        out += [f"## {title}", "", "| function | what it gives |", "| --- | --- |"]
        out += [f"| `{_cell(signature)}` | {_cell(doc)} |" for signature, doc in found] + [""]
    out += ["## Aggregates", "", "NULLs do not count, unless said otherwise.", ""]
    out += ["| function | what it gives |", "| --- | --- |"]
    out += [f"| `{_cell(a.signature)}` | {_cell(a.doc)} |" for a in AGGREGATES.values()]
    out += ["", "## Absent", "", "What Flink has and Tailrace has not, and why:", ""]
    out += ["| function | why |", "| --- | --- |"]
    out += [f"| `{name}` | {_cell(why)} |" for name, why in sorted(ABSENT.items())]
    return "\n".join(out).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
