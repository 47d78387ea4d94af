"""The documentation's page of what is supported, written from the cases and their marks."""

from __future__ import annotations

from itertools import groupby

from cases import Case, all_cases

HEAD = """# Support of Flink SQL

What is listed here is shown by a case in `tests/conformance/`: a script with data, whose rows real Flink has given. Each case gives the same rows here with all
rows in one batch; with one row a batch; with seven, stopped hard and restored from a checkpoint on disk again and again; and in batches of random sizes with
hard stops at random. Where a query updates its rows, each retraction takes back a row that was there, and the rows that stand at the end are the same.

[Differences](differences.md) has the differences that stay. This page is written from the cases.
"""


def page() -> str:
    """Give the page."""
    areas = groupby(all_cases(), key=lambda c: c.area)
    return "\n".join([HEAD, *(section(area, list(cases)) for area, cases in areas)])


def section(area: str, cases: list[Case]) -> str:
    """Give what the cases of an area show."""
    same = [c for c in cases if not (c.differs or c.unsupported)]
    agreed = [c for c in same if not c.expected.refused and c.expected.oracle.startswith("Flink ")]
    other = [c for c in same if not c.expected.oracle.startswith("Flink ")]
    parts = [
        names("As on Flink", agreed),
        names("Refused, as by Flink", [c for c in same if c.expected.refused]),
        *(f"As its own oracle has it ({c.expected.oracle}): {name(c)}.\n" for c in other),
        *(f"Differs: {name(c)}. {c.differs}.\n" for c in cases if c.differs),
        *(f"Not supported: {name(c)}. {c.unsupported}.\n" for c in cases if c.unsupported),
    ]
    return f"## {area.replace('_', ' ').capitalize()}\n\n" + "\n".join(p for p in parts if p)


def names(what: str, cases: list[Case]) -> str:
    """List some cases, one a line, so that changes to the page by several people go together."""
    return "\n".join([f"{what}:", *map(name, cases)]) + "\n" if cases else ""


def name(case: Case) -> str:
    """Write the name of a case."""
    return f"`{case.path.stem}`"
