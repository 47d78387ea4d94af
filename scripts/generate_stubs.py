"""Writes the types of the API's functions for editors, from the catalogue."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from tailrace.api.function_calls import UNIT_FIRST, UNIT_SECOND, Entry, entries

STUB = Path(__file__).resolve().parent.parent / "src" / "tailrace" / "api" / "functions.pyi"

HEAD = '''"""The functions of SQL's catalogue, as `functions.py` gives them. Written by scripts/docs."""

from typing import Any

from tailrace.api.expr import Expr, IntoExpr

def array(*elements: IntoExpr) -> Expr: ...
def row(*fields: IntoExpr) -> Expr: ...
def map_(entries: dict[Any, Any]) -> Expr: ...
def trim(text: IntoExpr, characters: IntoExpr = None, side: str = "BOTH") -> Expr: ...
'''


def stub() -> str:
    """Give the text of the stub."""
    return HEAD + "".join(_function(name, e) for name, e in entries().items())


def _function(name: str, entry: Entry) -> str:
    doc = f"{entry.signature}: {entry.doc}".replace("\\", "\\\\").replace('"""', "'''")
    return f'def {name}({parameters(entry)}) -> Expr:\n    """{doc}"""\n\n'


def parameters(entry: Entry) -> str:
    """
    Give the parameters of a function by its signature; `*arguments` where that is no plain list of names.

    >>> parameters(Entry("F", "F(a, start[, end])", ""))
    'a: IntoExpr, start: IntoExpr, end: IntoExpr = ..., /'
    """
    if entry.signature == entry.sql:
        return ""
    match = re.fullmatch(r"\w+\(((?:\w+|\[, |, |\[|\])*)\)", entry.signature)
    names = re.findall(r"\[?\s*,?\s*\[?(\w+)", match[1]) if match else []
    plain = match and not re.search(r"\[\w", match[1]) and not any(map(keyword.iskeyword, names))
    if not plain or len(set(names)) != len(names):
        return "*arguments: IntoExpr"
    if not names:
        return ""
    optional = match[1].partition("[")[2] if match else ""
    given = [_parameter(entry, i, n, needed=n not in re.findall(r"\w+", optional)) for i, n in enumerate(names)]
    return ", ".join([*given, "/"])


def _parameter(entry: Entry, place: int, name: str, *, needed: bool) -> str:
    unit = (place == 0 and entry.sql in UNIT_FIRST) or (place == 1 and entry.sql in UNIT_SECOND)
    return f"{name}: {'str' if unit else 'IntoExpr'}" + ("" if needed else " = ...")


def main() -> None:
    """Write the stub if it has changed."""
    if not STUB.exists() or STUB.read_text() != stub():
        STUB.write_text(stub())


if __name__ == "__main__":
    main()
