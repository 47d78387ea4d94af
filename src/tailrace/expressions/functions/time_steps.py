"""Functions that step from time to time: TIMESTAMPADD, TIMESTAMPDIFF, OVERLAPS."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.decimals import toward_zero
from tailrace.expressions.functions.time_arithmetic import moved, temporal_type
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import Context, constant, define, fixed, nullable
from tailrace.expressions.types import TEMPORAL
from tailrace.expressions.zones import to_local
from tailrace.schema import (
    BOOLEAN,
    INT,
    INTEGERS,
    INTERVALS,
    TIMESTAMPS,
    DataType,
    Kind,
    timestamp,
)

_MILLIS = {
    "MILLISECOND": 1,
    "SECOND": 1000,
    "MINUTE": 60_000,
    "HOUR": 3_600_000,
    "DAY": 86_400_000,
    "WEEK": 604_800_000,
}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "DECADE": 120, "CENTURY": 1200, "MILLENNIUM": 12_000}
_BELOW = {"MILLISECOND": 1000, "MICROSECOND": 1_000_000}
"""Differences in units below seconds are whole seconds too."""

_CLOCK = ("MILLISECOND", "SECOND", "MINUTE", "HOUR")


def _unit(args: list[Expr], others: tuple[str, ...] = ()) -> str:
    unit = constant(args[0], "the unit")
    if unit not in (*_MILLIS, *_MONTHS, *others):
        raise ValueError(f"{unit} is no unit here; there are {', '.join((*_MILLIS, *_MONTHS))}")
    return unit


def _add_type(args: list[Expr]) -> DataType:
    unit, t = _unit(args), args[2].type
    if t.kind not in TEMPORAL or args[1].type.kind not in INTEGERS:
        raise ValueError("it takes a whole number of units and a time")
    clock = t.kind is Kind.DATE and unit in _CLOCK
    return (timestamp(6) if clock else t).with_nullable(nullable(args))


def _add(ctx: Context, e: Call) -> pl.Expr:
    unit, n, x = constant(e.args[0], "the unit"), ctx.lower(e.args[1]), ctx.lower(e.args[2])
    if unit in _MONTHS:
        return moved(x, n.cast(pl.Int64) * _MONTHS[unit], e.args[2].type, Kind.INTERVAL_MONTH)
    interval = (n.cast(pl.Int64) * _MILLIS[unit]).cast(pl.Duration("ms"))
    if e.args[2].type.kind is Kind.DATE and unit in _CLOCK:
        return moved(x.cast(pl.Datetime("us")), interval, e.type, Kind.INTERVAL_SECOND)
    return moved(x, interval, e.args[2].type, Kind.INTERVAL_SECOND)


define(
    "TIMESTAMPADD",
    "temporal",
    "TIMESTAMPADD(unit, n, t)",
    "The time n units later; hours added to a DATE give a TIMESTAMP.",
    _add_type,
    _add,
    3,
)


def _diff_convert(args: list[Expr]) -> list[Expr]:
    _unit(args, ("MICROSECOND",))
    if any(a.type.kind not in (Kind.DATE, *TIMESTAMPS) for a in args[1:]):
        raise ValueError("it takes dates and timestamps")
    return args


def _diff(ctx: Context, e: Call) -> pl.Expr:
    """Lower a difference; as in Flink it is an INT that wraps, also on the way."""
    unit = constant(e.args[0], "the unit")
    a, b = (_millis(ctx, x) for x in e.args[1:])
    if unit in _MONTHS:
        months = _months(a, b)
        return toward_zero(months, pl.lit(_MONTHS[unit])).cast(pl.Int32, wrap_numerical=True)
    if unit in _BELOW:
        return (toward_zero(b - a, pl.lit(1000)) * _BELOW[unit]).cast(pl.Int32, wrap_numerical=True)
    if unit == "WEEK":
        seconds = toward_zero(b - a, pl.lit(1000)).cast(pl.Int32, wrap_numerical=True)
        return toward_zero(seconds, pl.lit(604_800, dtype=pl.Int32))
    return toward_zero(b - a, pl.lit(_MILLIS[unit])).cast(pl.Int32, wrap_numerical=True)


def _millis(ctx: Context, e: Expr) -> pl.Expr:
    x = ctx.lower(e)
    local = to_local(x, ctx.timezone) if e.type.kind is Kind.TIMESTAMP_LTZ else x
    return local.cast(pl.Datetime("ms")).to_physical()


def _months(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Give the whole months from a to b: of the days first, and one less where the time of day is not reached."""
    first, last = (x.cast(pl.Datetime("ms")) for x in (a, b))
    base = (last.dt.year().cast(pl.Int64) - first.dt.year()) * 12 + last.dt.month().cast(pl.Int64) - first.dt.month()
    ahead, behind = _days_missing(first, last), _days_missing(last, first)
    forward = first.dt.date() <= last.dt.date()
    months = pl.when(forward).then(base - (ahead > 0).cast(pl.Int64)).otherwise(base + (behind > 0).cast(pl.Int64))
    same = (months == base) & (ahead == 0)
    return months - (same & (b % _MILLIS["DAY"] < a % _MILLIS["DAY"])).cast(pl.Int64)


def _days_missing(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """Give how many days the month of `last` lacks to the day of `first`, or to its own end if that is earlier."""
    end = last.dt.month_end().dt.day()
    return pl.min_horizontal(first.dt.day(), end).cast(pl.Int64) - last.dt.day()


define(
    "TIMESTAMPDIFF",
    "temporal",
    "TIMESTAMPDIFF(unit, a, b)",
    "The whole units from a to b, as INT.",
    fixed(INT),
    _diff,
    3,
    convert=_diff_convert,
)


def _overlaps_convert(args: list[Expr]) -> list[Expr]:
    out = list(args)
    for start, end in ((0, 1), (2, 3)):
        if args[end].type.kind in INTERVALS:
            temporal_type("+", [args[start], args[end]])
            out[end] = Call(args[start].type.with_nullable(nullable(args)), "+", (args[start], args[end]))
    kinds = {a.type.kind for a in out}
    if len(kinds) != 1 or not kinds <= set(TEMPORAL):
        raise ValueError("it takes two pairs of times, or of a time and an interval")
    return out


def _overlaps(ctx: Context, e: Call) -> pl.Expr:
    """Lower (a, b) OVERLAPS (c, d): ends that touch overlap."""
    a, b, c, d = (ctx.lower(x) for x in e.args)
    (first, last), (start, end) = _sorted(a, b), _sorted(c, d)
    return (last >= start) & (end >= first)


def _sorted(a: pl.Expr, b: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    right = (a <= b).fill_null(value=False)
    return pl.when(right).then(a).otherwise(b), pl.when(right).then(b).otherwise(a)


define(
    "OVERLAPS",
    "temporal",
    "(a, b) OVERLAPS (c, d)",
    "Whether two periods have a moment in common; b and d are times or intervals.",
    fixed(BOOLEAN),
    _overlaps,
    4,
    convert=_overlaps_convert,
)
