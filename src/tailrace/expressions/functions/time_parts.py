"""Parts of times and intervals."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.expressions.casts.times import day_of
from tailrace.expressions.decimals import toward_zero
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import Context, LowerCall, constant, define, fixed
from tailrace.expressions.zones import to_local
from tailrace.schema import BIGINT, INTERVALS, TIMESTAMPS, DataType, Kind

_DAY, _HOUR, _MINUTE, _SECOND = 86_400_000, 3_600_000, 60_000, 1000
Part = Callable[[pl.Expr], pl.Expr]
_OF_DAY: dict[str, Part] = {
    "YEAR": lambda d: d.dt.year(),
    "ISOYEAR": lambda d: d.dt.iso_year(),
    "DECADE": lambda d: d.dt.year() // 10,
    "CENTURY": lambda d: (d.dt.year() + 99) // 100,
    "MILLENNIUM": lambda d: (d.dt.year() + 999) // 1000,
    "QUARTER": lambda d: d.dt.quarter(),
    "MONTH": lambda d: d.dt.month(),
    "WEEK": lambda d: d.dt.week(),
    "DAY": lambda d: d.dt.day(),
    "DOY": lambda d: d.dt.ordinal_day(),
    "DOW": lambda d: d.dt.weekday() % 7 + 1,
    "ISODOW": lambda d: d.dt.weekday(),
}
_OF_CLOCK = {"HOUR": (_HOUR, 24), "MINUTE": (_MINUTE, 60), "SECOND": (_SECOND, 60), "MILLISECOND": (1, 1000)}
_SMALL = {"MICROSECOND": 1000, "NANOSECOND": 1_000_000}
_OF_TIME = (*_OF_CLOCK, *_SMALL)
_OF_INTERVAL = {
    Kind.INTERVAL_SECOND: ("DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"),
    Kind.INTERVAL_MONTH: ("YEAR", "QUARTER", "MONTH"),
}


def part(ctx: Context, e: Expr, unit: str) -> pl.Expr:
    """Lower a part of a time, date, timestamp (in the session's zone) or interval."""
    x, kind = ctx.lower(e), e.type.kind
    if kind in INTERVALS:
        return _of_interval(x.to_physical(), unit, kind).cast(pl.Int64)
    if kind is Kind.DATE:
        return _of_date(x, unit).cast(pl.Int64)
    if kind is Kind.TIME:
        nanos = x.to_physical()
        return _of_clock(nanos // 1_000_000, nanos % 1_000_000, unit)
    local = to_local(x, ctx.timezone) if kind is Kind.TIMESTAMP_LTZ else x
    return _of_timestamp(local, unit, e.type)


def _of_date(day: pl.Expr, unit: str) -> pl.Expr:
    if unit == "EPOCH":
        return day.to_physical().cast(pl.Int64) * (_DAY // 1000)
    return _OF_DAY[unit](day) if unit in _OF_DAY else pl.when(day.is_not_null()).then(pl.lit(0))


def _of_timestamp(local: pl.Expr, unit: str, t: DataType) -> pl.Expr:
    """Give a part of a timestamp; before 1970 Flink cuts toward it, so that a day begins where the next one does."""
    if unit in _OF_DAY:
        return _OF_DAY[unit](day_of(local)).cast(pl.Int64)
    millis = local.dt.cast_time_unit("ms").to_physical()
    if unit == "EPOCH":
        return toward_zero(millis, pl.lit(1000))
    rest = millis - toward_zero(millis, pl.lit(_DAY)) * _DAY
    below = local.dt.nanosecond() % 1_000_000 if t.time_unit != "ms" else pl.lit(0)
    return _of_clock(rest, below.cast(pl.Int64), unit)


def _of_clock(millis: pl.Expr, below: pl.Expr, unit: str) -> pl.Expr:
    """Give a part of a time of day, in milliseconds and what is below them in nanoseconds."""
    if unit in _SMALL:
        fraction = millis - toward_zero(millis, pl.lit(1000)) * 1000
        return fraction * _SMALL[unit] + below // (1_000_000 // _SMALL[unit])
    size, most = _OF_CLOCK[unit]
    whole = toward_zero(millis, pl.lit(size))
    return whole - toward_zero(whole, pl.lit(most)) * most


def _of_interval(number: pl.Expr, unit: str, kind: Kind) -> pl.Expr:
    if kind is Kind.INTERVAL_MONTH:
        months = number - toward_zero(number, pl.lit(12)) * 12
        return {"YEAR": toward_zero(number, pl.lit(12)), "MONTH": months, "QUARTER": months // 3 + 1}[unit]
    if unit == "DAY":
        return toward_zero(number, pl.lit(_DAY))
    return _of_clock(number, pl.lit(0), unit)


def _checked(kind: Kind, unit: str) -> None:
    known = _OF_INTERVAL.get(kind) or (_OF_TIME if kind is Kind.TIME else (*_OF_DAY, *_OF_TIME, "EPOCH"))
    if kind not in (Kind.DATE, Kind.TIME, *TIMESTAMPS, *INTERVALS):
        raise ValueError("it takes a time or an interval")
    if unit not in known:
        raise ValueError(f"{unit} is no part of it; there are {', '.join(known)}")


def _extract_convert(args: list[Expr]) -> list[Expr]:
    _checked(args[1].type.kind, constant(args[0], "the unit"))
    return args


define(
    "EXTRACT",
    "temporal",
    "EXTRACT(unit FROM t)",
    "A part of a time or interval; weeks are those of ISO, DOW is 1 on Sunday.",
    fixed(BIGINT),
    lambda ctx, e: part(ctx, e.args[1], constant(e.args[0], "the unit")),
    2,
    convert=_extract_convert,
)


def _named(unit: str) -> tuple[LowerCall, Callable[[list[Expr]], list[Expr]]]:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        return part(ctx, e.args[0], unit)

    def convert(args: list[Expr]) -> list[Expr]:
        _checked(args[0].type.kind, unit)
        return args

    return lower, convert


for _name, _unit in (
    *((u, u) for u in ("YEAR", "QUARTER", "MONTH", "WEEK", "HOUR", "MINUTE", "SECOND")),
    *(("DAYOFYEAR", "DOY"), ("DAYOFMONTH", "DAY"), ("DAYOFWEEK", "DOW")),
):
    _lower, _convert = _named(_unit)
    define(_name, "temporal", f"{_name}(t)", f"EXTRACT({_unit} FROM t).", fixed(BIGINT), _lower, 1, convert=_convert)
