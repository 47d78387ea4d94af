"""What the signs of arithmetic mean for times and intervals."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import Context
from tailrace.expressions.types import TEMPORAL
from tailrace.schema import INTEGERS, INTERVALS, TIMESTAMPS, DataType, Kind

DAY = 86_400_000
"""Milliseconds of a day."""


def is_temporal(args: Sequence[Expr]) -> bool:
    """Tell whether one of the operands is an interval or a time."""
    return any(a.type.kind in (*INTERVALS, *TEMPORAL) for a in args)


def temporal_type(op: str, args: Sequence[Expr]) -> DataType:
    """
    Give the type of a result.

    Raises:
        ValueError: the operator is not defined for these types.
    """
    a, b = (x.type for x in args)
    first, second = a.kind, b.kind
    if op in "+-" and first in TEMPORAL and second in INTERVALS:
        return a
    if op == "+" and first in INTERVALS and second in TEMPORAL:
        return b
    if op in "+-" and first is second and first in INTERVALS:
        return a
    if op == "*" and {first, second} & set(INTERVALS) and {first, second} & set(INTEGERS):
        return a if first in INTERVALS else b
    raise ValueError(f"{a.sql()} {op} {b.sql()} is not defined")


def temporal(ctx: Context, e: Call) -> pl.Expr:
    """Lower a sum, difference or product with an interval."""
    a, b = sorted(e.args, key=lambda x: x.type.kind in INTERVALS)
    x, y = ctx.lower(a), ctx.lower(b)
    if e.function == "*":
        return _times(x, y, e.type)
    if a.type.kind in INTERVALS:
        return (x + y if e.function == "+" else x - y).cast(e.type.polars)
    return moved(x, -y if e.function == "-" else y, a.type, b.type.kind)


def _times(count: pl.Expr, interval: pl.Expr, t: DataType) -> pl.Expr:
    whole = count.cast(pl.Int64) * interval.to_physical().cast(pl.Int64)
    return whole.cast(t.polars, wrap_numerical=True)


def moved(x: pl.Expr, interval: pl.Expr, t: DataType, kind: Kind) -> pl.Expr:
    """Move a time by an interval; the last day of a month stays within the month."""
    if kind is Kind.INTERVAL_MONTH:
        by = pl.concat_str([interval.cast(pl.String), pl.lit("mo")])
        return x if t.kind is Kind.TIME else x.dt.offset_by(by)
    if t.kind in TIMESTAMPS:
        return x + interval.cast(pl.Duration(t.time_unit))
    millis = interval.to_physical().cast(pl.Int64)
    if t.kind is Kind.TIME:
        return ((x.to_physical() // 1_000_000 + millis) % DAY * 1_000_000).cast(pl.Time)
    days = (x.to_physical().cast(pl.Int64) * DAY + millis) // DAY
    return days.cast(pl.Int32, wrap_numerical=True).cast(pl.Date)
