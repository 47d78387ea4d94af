"""Time attributes of what is computed."""

from __future__ import annotations

from tailrace.expressions.nodes import Call, Column, Expr
from tailrace.schema import Schema, TimeAttribute


def time_of(expr: Expr, schema: Schema) -> TimeAttribute | None:
    """Give the time attribute that an expression over a schema keeps: a plain column's own, and that of PROCTIME()."""
    if isinstance(expr, Column):
        return schema[expr.name].time
    return TimeAttribute.PROCTIME if isinstance(expr, Call) and expr.function == "PROCTIME" else None
