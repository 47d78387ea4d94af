"""FLOOR and CEIL of times to a unit."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import Context, constant
from tailrace.expressions.types import TEMPORAL
from tailrace.expressions.zones import to_instant, to_local
from tailrace.schema import DataType, Kind

_MILLIS = {"MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_EVERY = {"MONTH": "1mo", "QUARTER": "1q", "YEAR": "1y"}
_YEARS = {"DECADE": 10, "CENTURY": 100, "MILLENNIUM": 1000}


UNITS = (*_MILLIS, "WEEK", *_EVERY, *_YEARS)
"""What a time can be rounded to; a time of day only to the first of them."""


def check_unit(t: DataType, unit: str) -> None:
    """
    Refuse a unit to which a type can't be rounded.

    Raises:
        ValueError: it is none, or the type is no time.
    """
    known = tuple(_MILLIS) if t.kind is Kind.TIME else UNITS
    if t.kind not in TEMPORAL:
        raise ValueError(f"{t.sql()} has no units of time")
    if unit not in known:
        raise ValueError(f"{unit} is no unit here; there are {', '.join(known)}")


def time_edge(ctx: Context, e: Call, up: bool) -> pl.Expr:
    """Lower FLOOR or CEIL (`up`) of a time to a unit."""
    unit, t, x = constant(e.args[1], "the unit"), e.args[0].type, ctx.lower(e.args[0])
    if t.kind is Kind.TIMESTAMP_LTZ:
        return to_instant(_edge(to_local(x, ctx.timezone), unit, up, t.time_unit), ctx.timezone)
    if t.kind is Kind.TIME:
        return _of_day(x, unit, up)
    return _edge(x, unit, up, "ms" if t.kind is Kind.DATE else t.time_unit).cast(t.polars)


def _of_day(x: pl.Expr, unit: str, up: bool) -> pl.Expr:
    size = _MILLIS[unit] * 1_000_000
    nanos = x.to_physical()
    down = nanos // size * size
    edge = pl.when(down != nanos).then(down + size).otherwise(down) if up else down
    return (edge % 86_400_000_000_000).cast(pl.Time)


def _edge(x: pl.Expr, unit: str, up: bool, time_unit: str) -> pl.Expr:
    """Give the edge of a timestamp or date; what is below milliseconds does not count, as in Flink."""
    if unit in _MILLIS:
        millis, size = x.cast(pl.Datetime("ms")).to_physical(), _MILLIS[unit]
        down = millis // size * size
        edge = pl.when(down != millis).then(down + size).otherwise(down) if up else down
        return edge.cast(pl.Datetime("ms")).cast(pl.Datetime(time_unit))  # type: ignore[arg-type] # one of three words
    day = days(x)
    return (_next(day, _day_edge(day, unit), unit) if up else _day_edge(day, unit)).cast(pl.Datetime(time_unit))  # type: ignore[arg-type] # as above


def days(x: pl.Expr) -> pl.Expr:
    """Give the day of a time as Flink counts it: before 1970 the day after, unless it is midnight."""
    millis = x.cast(pl.Datetime("ms")).to_physical()
    day = millis // 86_400_000 + ((millis < 0) & (millis % 86_400_000 != 0)).cast(pl.Int8)
    return day.cast(pl.Int32).cast(pl.Date)


def _day_edge(day: pl.Expr, unit: str) -> pl.Expr:
    if unit == "WEEK":
        return day - pl.duration(days=day.dt.weekday() % 7)  # weeks begin on Sunday
    if unit in _EVERY:
        return day.dt.truncate(_EVERY[unit])
    size, first = _YEARS[unit], 0 if unit == "DECADE" else 1
    year = day.dt.year()
    return pl.date((year - first) // size * size + first, 1, 1)


def _next(day: pl.Expr, down: pl.Expr, unit: str) -> pl.Expr:
    every = "7d" if unit == "WEEK" else _EVERY.get(unit) or f"{_YEARS[unit]}y"
    after = down.dt.offset_by(every)
    return pl.when(down == day).then(down).otherwise(after)
