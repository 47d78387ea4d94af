"""Times to times."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.zones import to_instant, to_local
from tailrace.schema import TIMESTAMPS, DataType, Kind

_DAY = 86_400_000
_MILLIS = 3


def to_time_type(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    """Convert a time to another type of time; TIMESTAMP_LTZ is seen in the session's zone."""
    if target.kind in TIMESTAMPS:
        return to_timestamp(value, source, target, timezone)
    if source.kind not in TIMESTAMPS:
        return value
    zoned = source.kind is Kind.TIMESTAMP_LTZ
    local = to_local(value, timezone) if zoned else value
    if target.kind is Kind.DATE:
        return local.dt.date() if zoned else day_of(local)
    return (millis_of(local) % _DAY // 1000 * 1_000_000_000).cast(pl.Time)


def to_timestamp(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    """Convert to a timestamp with or without zone, and of a precision; what is below it is cut off."""
    if source.kind is Kind.DATE:
        value = value.cast(pl.Datetime("ms"))
    elif source.kind is Kind.TIME:
        value = (value.to_physical() // 1_000_000).cast(pl.Datetime("ms"))
    zoned = source.kind is Kind.TIMESTAMP_LTZ
    if zoned and target.kind is Kind.TIMESTAMP:
        value = to_local(value, timezone)
    elif not zoned and target.kind is Kind.TIMESTAMP_LTZ:
        value = to_instant(value, timezone)
    value = value if source.kind in TIMESTAMPS and source.precision <= target.precision else _cut(value, target)
    return value.cast(pl.Datetime(target.time_unit, "UTC" if target.kind is Kind.TIMESTAMP_LTZ else None), strict=False)


def _cut(value: pl.Expr, target: DataType) -> pl.Expr:
    """Cut a timestamp to a precision: Flink cuts whole milliseconds toward 1970, and what is smaller downward."""
    if target.precision < _MILLIS:
        unit = 10 ** (_MILLIS - target.precision)
        millis = millis_of(value)
        cut = millis // unit * unit
        toward = pl.when((millis < 0) & (cut != millis)).then(cut + unit).otherwise(cut)
        return toward.cast(pl.Datetime("ms", "UTC" if target.kind is Kind.TIMESTAMP_LTZ else None))
    return value if target.precision % 3 == 0 else value.dt.truncate(f"{10 ** (9 - target.precision)}ns")


def millis_of(value: pl.Expr) -> pl.Expr:
    """Give the milliseconds since 1970 of a timestamp."""
    return value.dt.cast_time_unit("ms").to_physical()


def day_of(local: pl.Expr) -> pl.Expr:
    """Give the day of a timestamp as Flink counts it: before 1970 the day after, unless it is midnight."""
    millis = millis_of(local)
    later: pl.Expr = (millis < 0) & (millis % _DAY != 0)
    return (millis // _DAY + later.cast(pl.Int8)).cast(pl.Int32).cast(pl.Date)
