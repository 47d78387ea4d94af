"""Writes the page of the functions as Python calls them, each with an example that is run."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import tailrace as tr
from tailrace import col, functions
from tailrace.api.expr import Expr
from tailrace.api.function_calls import entries
from tailrace.expressions.aggregates import AGGREGATES

FILE = Path(__file__).resolve().parent / "api_examples" / "functions.txt"
RANKS = ("dense_rank", "rank", "row_number")
VARYING = frozenset(
    ("current_date", "current_row_timestamp", "current_time", "current_timestamp", "current_watermark", "localtime")
) | {"localtimestamp", "now", "proctime", "rand", "rand_integer", "uuid"}
"""Functions whose value is another one in each run."""

HEAD = """# Functions in Python

Every function of [the catalogue](../../functions.md), as `tailrace.functions` has it: in small letters, with `_` behind names that Python keeps for itself. Arguments are
expressions or Python values. What each gives and what its arguments are is told there, and by editors; the values below are those of the examples. Where SQL has clauses
(`JSON_VALUE(… DEFAULT 0 ON ERROR)`), write `tr.expr("…")`. What is wrong raises `ConfigError` with the line of your file when the expression becomes part of a table.

Aggregates are of a table with `v` = 1, 2, 4 and `s` = 'a', 'b', 'c'.

| Call | SQL | Value |
| --- | --- | --- |
"""


def calls() -> dict[str, str]:
    """Give the examples by the names of their functions; of one that stands in another, `name := ` stands before it."""
    found = {}
    for line in FILE.read_text().splitlines():
        name, mark, text = line.partition(" := ")
        found[name if mark else line.partition("(")[0]] = text if mark else line
    return found


def names() -> set[str]:
    """Give all functions that there are."""
    return {*entries(), "array", "map_", "row", "trim"}


def page() -> str:
    """Give the page; each example is run."""
    known = {name: text for name, text in calls().items() if name in names()}
    made = {name: _made(text) for name, text in known.items()}
    values = _values(made)
    lines = (f"| `functions.{known[n]}` | {_code(_sql(n, made[n]))} | {values[n]} |" for n in sorted(known))
    return HEAD + "\n".join(lines) + "\n"


def _made(text: str) -> Expr:
    scope = {"functions": functions, "col": col, "date": date, "datetime": datetime}
    made: Expr = eval(f"functions.{text}", scope)  # noqa: S307  the text stands beside this file
    return made


def _ranked(expr: Expr) -> Expr:
    return expr.over(order_by="v")


def _sql(name: str, expr: Expr) -> str:
    return str(_ranked(expr) if name in RANKS else expr)


def _values(made: dict[str, Expr]) -> dict[str, str]:
    times = [datetime(2026, 1, 1, hour=hour) for hour in (1, 2, 3)]
    rows = [{"v": v, "s": s, "t": t} for v, s, t in zip((1, 2, 4), "abc", times, strict=True)]
    table = tr.from_rows(rows, name="examples", time=tr.event_time("t"))
    aggregates = {a.name.lower() for a in AGGREGATES.values()}
    single = {n: e for n, e in made.items() if n not in aggregates and n not in RANKS}
    found = table.select(**single).collect({"table.local-time-zone": "UTC"}).to_dicts()[0]
    found |= table.agg(**{n: e for n, e in made.items() if n in aggregates}).collect().to_dicts()[0]
    for name in RANKS:
        ranked = table.select("v", n=_ranked(made[name]))
        ranked = ranked.filter(col("n") <= 3) if name == "row_number" else ranked
        found[name] = ranked.collect()["n"].to_list()
    return {name: "another each time" if name in VARYING else _code(_shown(v)) for name, v in found.items()}


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC) if value.tzinfo else value)
    if isinstance(value, list) and value and isinstance(value[0], dict):  # a MAP or MULTISET has no order
        value = sorted(value, key=str)
    return str(value) if isinstance(value, date) else repr(value)


def _code(text: str) -> str:
    mark = "``" if "`" in text else "`"
    return f"{mark} {text} {mark}".replace("|", "\\|") if mark != "`" else f"`{text}`".replace("|", "\\|")
