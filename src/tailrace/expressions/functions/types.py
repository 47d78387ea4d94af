"""Functions that tell about types."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import ANY, Context, define, fixed, takes
from tailrace.schema import INTERVALS, STRING, Kind


def _type_of(_: Context, e: Call) -> pl.Expr:
    t = e.args[0].type
    if t.kind in INTERVALS:
        unit = "MONTH" if t.kind is Kind.INTERVAL_MONTH else "SECOND(3)"
        return pl.lit(f"INTERVAL {unit}" + ("" if t.nullable else " NOT NULL"))
    return pl.lit(str(t))


define(
    "TYPEOF",
    "conditional",
    "TYPEOF(a[, serializable])",
    "The type of an expression, as text.",
    fixed(STRING, always=True),
    _type_of,
    1,
    2,
    takes(ANY),
)
