"""Functions between times and texts."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.batches import by_constants
from tailrace.expressions.casts.reading import date_of, timestamps_of
from tailrace.expressions.java_dates import (
    Pattern,
    PatternError,
    formatter,
    lenient_millis,
    simple,
    strict_timestamps,
    written,
)
from tailrace.expressions.names import NOW
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import NUMBER, TEXT, WHOLE, Context, LowerCall, define, fixed, takes
from tailrace.expressions.zones import Zone, time_zone, to_instant, to_local, zone_id
from tailrace.schema import BIGINT, DATE, FLOATS, INTEGERS, STRING, STRINGS, TIMESTAMPS, Kind, timestamp, timestamp_ltz

_DEFAULT = "yyyy-MM-dd HH:mm:ss"
_DAY = 86_400_000
_NO_TIME = -(2**63)
"""What UNIX_TIMESTAMP gives for a text that is no time."""

_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
"""The milliseconds from which and up to which there are times: the years 1 to 9999."""


def _by_pattern(
    ctx: Context, e: Call, x: pl.Expr, reader: Callable[[str], Pattern], f: Callable[[pl.Expr, Pattern], pl.Expr]
) -> pl.Expr:
    """Give `f(x, pattern)` for the pattern that is the second argument, which is a constant as a rule."""

    def found(value: pl.Expr, pattern: str) -> pl.Expr:
        try:
            return f(value, reader(pattern))
        except PatternError as error:
            raise ConfigError(f"{e.function}: {error}", location=e.location) from None

    def batch(values: pl.Series, pattern: str) -> pl.Series:
        return pl.select(found(pl.lit(values), pattern)).to_series()

    pattern = e.args[1]
    if isinstance(pattern, Literal) and pattern.value is not None:
        return found(x, pattern.value)
    return by_constants(ctx, e, batch, [pattern], x)


def _on_texts(
    f: Callable[[Pattern], Callable[[pl.Series], pl.Series]], dtype: pl.DataType
) -> Callable[[pl.Expr, Pattern], pl.Expr]:
    return lambda x, pattern: x.map_batches(f(pattern), return_dtype=dtype)


def _date_format(ctx: Context, e: Call) -> pl.Expr:
    x, kind = ctx.lower(e.args[0]), e.args[0].type.kind
    if kind not in STRINGS:
        local = to_local(x, ctx.timezone) if kind is Kind.TIMESTAMP_LTZ else x
        return _by_pattern(ctx, e, local, formatter, written)
    read = x.map_batches(_local_millis(simple(_DEFAULT)), return_dtype=pl.Int64).cast(pl.Datetime("ms"))
    return _by_pattern(ctx, e, read, simple, written)


def _local_millis(pattern: Pattern) -> Callable[[pl.Series], pl.Series]:
    read = lenient_millis(pattern)
    return lambda texts: read(texts)["local"]


define(
    "DATE_FORMAT",
    "temporal",
    "DATE_FORMAT(t, pattern)",
    "A timestamp, or a text `yyyy-MM-dd HH:mm:ss`, written by a pattern of Java.",
    fixed(STRING, always=True),
    _date_format,
    2,
    convert=takes((*TIMESTAMPS, *TEXT), TEXT),
)


def _to_date(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if len(e.args) == 1:
        return date_of(x)

    def days(pattern: Pattern) -> Callable[[pl.Series], pl.Series]:
        read = _local_millis(pattern)
        return lambda texts: (read(texts) // _DAY).cast(pl.Int32).cast(pl.Date)

    return _by_pattern(ctx, e, x, simple, _on_texts(days, pl.Date()))


define(
    "TO_DATE",
    "temporal",
    "TO_DATE(a[, pattern])",
    "A DATE from text, `yyyy-MM-dd` or by a pattern; NULL if it is none.",
    fixed(DATE, always=True),
    _to_date,
    1,
    2,
    takes(TEXT),
)


def _timestamps(pattern: Pattern) -> Callable[[pl.Series], pl.Series]:
    """Read timestamps by a pattern, or as they are written without one."""
    read = strict_timestamps(pattern)
    return lambda texts: pl.select(pl.coalesce(read(texts), timestamps_of(texts, timestamp(3)))).to_series()


def _to_timestamp(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if len(e.args) == 1:
        return x.map_batches(lambda s: timestamps_of(s, timestamp(3)), return_dtype=pl.Datetime("ms"))
    return _by_pattern(ctx, e, x, formatter, _on_texts(_timestamps, pl.Datetime("ms")))


define(
    "TO_TIMESTAMP",
    "temporal",
    "TO_TIMESTAMP(a[, pattern])",
    "A TIMESTAMP(3) from text, `yyyy-MM-dd HH:mm:ss.SSS` or by a pattern; NULL if it is none.",
    fixed(timestamp(3), always=True),
    _to_timestamp,
    1,
    2,
    takes(TEXT),
)


def _ltz_convert(args: list[Expr]) -> list[Expr]:
    if args[0].type.kind in STRINGS:
        return takes(TEXT)(args)
    found = takes(NUMBER, WHOLE)(args)
    precision = args[1] if len(args) > 1 else Literal(args[0].type, 3)
    if len(args) > 2 or not isinstance(precision, Literal) or precision.value not in (0, 3, None):
        raise ValueError("the precision is 0 for seconds or 3 for milliseconds")
    return found


def _to_timestamp_ltz(ctx: Context, e: Call) -> pl.Expr:
    x, kind = ctx.lower(e.args[0]), e.args[0].type.kind
    if kind in STRINGS:
        return _instant_of_text(ctx, e, x)
    precision = e.args[1].value if len(e.args) > 1 and isinstance(e.args[1], Literal) else 3
    if precision is None:
        return pl.lit(None, dtype=e.type.polars)
    whole = x if kind in (*INTEGERS, *FLOATS) else x.cast(pl.Float64)
    if kind not in FLOATS:
        whole = whole.cast(pl.Int64, strict=False)
    millis = (whole * (1 if precision else 1000)).cast(pl.Int64, strict=False)
    return pl.when(millis.is_between(_FIRST, _LAST)).then(millis).cast(pl.Datetime("ms", "UTC"))


def _instant_of_text(ctx: Context, e: Call, x: pl.Expr) -> pl.Expr:
    if len(e.args) == 1:
        local = x.map_batches(lambda s: timestamps_of(s, timestamp(3)), return_dtype=pl.Datetime("ms"))
        ctx.check(x.is_not_null() & local.is_null(), "TO_TIMESTAMP_LTZ: the text is no timestamp", e.location)
        return to_instant(local, "UTC")
    local = _by_pattern(ctx, e, x, formatter, _on_texts(_timestamps, pl.Datetime("ms")))
    if len(e.args) == 2:
        return to_instant(local, "UTC")
    return by_constants(ctx, e, _in_zone, e.args[2:], local)


def _in_zone(local: pl.Series, name: str) -> pl.Series:
    zone = zone_id(name)
    found = to_instant(pl.lit(local), "UTC" if zone is None else zone)
    return pl.select(pl.when(pl.lit(value=zone is not None)).then(found)).to_series()


define(
    "TO_TIMESTAMP_LTZ",
    "temporal",
    "TO_TIMESTAMP_LTZ(n[, 0|3]), TO_TIMESTAMP_LTZ(a[, pattern[, zone]])",
    "A TIMESTAMP_LTZ(3) from milliseconds (3) or seconds (0) since 1970, or from text in a zone (UTC).",
    fixed(timestamp_ltz(3), always=True),
    _to_timestamp_ltz,
    1,
    3,
    _ltz_convert,
)


def _from_unixtime(ctx: Context, e: Call) -> pl.Expr:
    instant = (ctx.lower(e.args[0]).cast(pl.Int64) * 1000).cast(pl.Datetime("ms", "UTC"))

    def text(t: pl.Expr, pattern: Pattern) -> pl.Expr:
        return written(to_local(t, ctx.timezone), pattern, t.dt.convert_time_zone(ctx.timezone))

    if len(e.args) == 1:
        return text(instant, simple(_DEFAULT))
    return _by_pattern(ctx, e, instant, simple, text)


define(
    "FROM_UNIXTIME",
    "temporal",
    "FROM_UNIXTIME(n[, pattern])",
    "The text of the time n seconds after 1970 in the session's zone.",
    fixed(STRING, always=True),
    _from_unixtime,
    1,
    2,
    takes(WHOLE, TEXT),
)


def _unix_timestamp(ctx: Context, e: Call) -> pl.Expr:
    if not e.args:
        return pl.col(NOW).dt.epoch("s")
    x = ctx.lower(e.args[0])

    def seconds(pattern: Pattern) -> Callable[[pl.Series], pl.Series]:
        read = lenient_millis(pattern)
        here = to_instant(pl.col("local").cast(pl.Datetime("ms")), ctx.timezone).to_physical()
        millis = pl.coalesce(pl.col("local") - pl.col("offset"), here)
        known = pl.when(pl.col("local").is_not_null()).then(millis // 1000)

        def of(texts: pl.Series) -> pl.Series:
            nothing = pl.when(pl.lit(texts).is_not_null()).then(pl.lit(_NO_TIME, dtype=pl.Int64))
            return read(texts).select(pl.coalesce(known, nothing)).to_series()

        return of

    on_texts = _on_texts(seconds, pl.Int64())
    return on_texts(x, simple(_DEFAULT)) if len(e.args) == 1 else _by_pattern(ctx, e, x, simple, on_texts)


define(
    "UNIX_TIMESTAMP",
    "temporal",
    "UNIX_TIMESTAMP([a[, pattern]])",
    "The seconds since 1970: now, or of a text in the session's zone; the least BIGINT for a text that is no time.",
    lambda args: BIGINT.with_nullable(any(a.type.nullable for a in args)),
    _unix_timestamp,
    0,
    2,
    takes(TEXT),
)


def _convert_tz(texts: pl.Series, source: str, target: str) -> pl.Series:
    there: Zone = time_zone(source)
    local = lenient_millis(simple(_DEFAULT))(texts).select(pl.col("local").cast(pl.Datetime("ms")))
    here = to_local(to_instant(pl.col("local"), there), time_zone(target))
    return local.select(written(here, simple(_DEFAULT))).to_series()


def _zones(function: Callable[..., pl.Series]) -> LowerCall:
    return lambda ctx, e: by_constants(ctx, e, function, e.args[1:], ctx.lower(e.args[0]))


define(
    "CONVERT_TZ",
    "temporal",
    "CONVERT_TZ(a, from, to)",
    "The text `yyyy-MM-dd HH:mm:ss` of a time in one zone as that in another; NULL if it is none.",
    fixed(STRING, always=True),
    _zones(_convert_tz),
    3,
    convert=takes(TEXT),
)
