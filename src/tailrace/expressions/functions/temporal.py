"""Functions of times."""

from __future__ import annotations

import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.casts import reading as lo
from tailrace.expressions.decimals import toward_zero as java_div
from tailrace.expressions.names import NOW, WATERMARK
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    Context,
    LowerCall,
    constant,
    define,
    first_text,
    fixed,
    never_null,
    nullable,
    to,
)
from tailrace.schema import BIGINT, DATE, INT, STRING, STRINGS, Kind, timestamp, timestamp_ltz

_PARTS = {
    "YEAR": "year",
    "MONTH": "month",
    "DAY": "day",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
    "QUARTER": "quarter",
    "WEEK": "week",
    "DOY": "ordinal_day",
    "MILLISECOND": "millisecond",
}


def _part(x: pl.Expr, unit: str) -> pl.Expr:
    if unit in ("DOW", "DAYOFWEEK"):
        return (x.dt.weekday() % 7 + 1).cast(pl.Int64)
    if unit == "EPOCH":
        return x.dt.epoch("s").cast(pl.Int64)
    part: pl.Expr = getattr(x.dt, _PARTS[unit])()
    return part.cast(pl.Int64)


def _local(ctx: Context, e: Expr) -> pl.Expr:
    x = ctx.lower(e)
    return x.dt.convert_time_zone(ctx.timezone).dt.replace_time_zone(None) if e.type.kind is Kind.TIMESTAMP_LTZ else x


define(
    "EXTRACT",
    "temporal",
    "EXTRACT(unit FROM t)",
    "A part of a time.",
    fixed(BIGINT),
    lambda ctx, e: _part(_local(ctx, e.args[1]), constant(e.args[0], "the unit")),
    2,
)


def _part_of(unit: str) -> LowerCall:
    return lambda ctx, e: _part(_local(ctx, e.args[0]), unit)


for _name, _unit in (
    ("YEAR", "YEAR"),
    ("QUARTER", "QUARTER"),
    ("MONTH", "MONTH"),
    ("WEEK", "WEEK"),
    ("DAYOFYEAR", "DOY"),
    ("DAYOFMONTH", "DAY"),
    ("DAYOFWEEK", "DOW"),
    ("HOUR", "HOUR"),
    ("MINUTE", "MINUTE"),
    ("SECOND", "SECOND"),
):
    define(
        _name,
        "temporal",
        f"{_name}(t)",
        "A part of a time.",
        fixed(BIGINT),
        _part_of(_unit),
        1,
    )

_JAVA = (
    ("yyyy", "%Y"),
    ("uuuu", "%Y"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("SSSSSS", "%6f"),
    ("SSS", "%3f"),
    ("EEEE", "%A"),
    ("EEE", "%a"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("DDD", "%j"),
    ("a", "%p"),
)


def java_format(pattern: str) -> str:
    """Translate a Java date pattern."""
    out, i = [], 0
    ordered = sorted(_JAVA, key=lambda p: -len(p[0]))
    while i < len(pattern):
        if pattern[i] == "'":
            j = pattern.index("'", i + 1) if "'" in pattern[i + 1 :] else len(pattern)
            out.append(pattern[i + 1 : j].replace("%", "%%") or "'")
            i = j + 1
            continue
        known = next(((a, b) for a, b in ordered if pattern.startswith(a, i)), None)
        if known is None and pattern[i].isalpha():
            raise ConfigError(f"the date pattern '{pattern}' has a letter '{pattern[i]}' that is not supported")
        out.append(known[1] if known else pattern[i].replace("%", "%%"))
        i += len(known[0]) if known else 1
    return "".join(out)


def _date_format(ctx: Context, e: Call) -> pl.Expr:
    x = _local(ctx, e.args[0]) if e.args[0].type.kind not in STRINGS else ctx.lower(to(e.args[0], timestamp(3)))
    return x.dt.to_string(java_format(constant(e.args[1], "the pattern")))


define(
    "DATE_FORMAT", "temporal", "DATE_FORMAT(t, pattern)", "As text, by a Java pattern.", fixed(STRING), _date_format, 2
)


def _parse(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if len(e.args) == 1:
        return lo.from_text(x, e.type, ctx.timezone)
    pattern = java_format(constant(e.args[1], "the pattern"))
    return (
        x.str.to_date(pattern, strict=False)
        if e.type.kind is Kind.DATE
        else x.str.to_datetime(pattern.replace(".%3f", "%.3f"), time_unit="ms", strict=False)
    )


define(
    "TO_DATE",
    "temporal",
    "TO_DATE(a[, pattern])",
    "A DATE from text; NULL if it is none.",
    fixed(DATE, always=True),
    _parse,
    1,
    2,
    first_text,
)
define(
    "TO_TIMESTAMP",
    "temporal",
    "TO_TIMESTAMP(a[, pattern])",
    "A TIMESTAMP(3) from text; NULL if it is none.",
    fixed(timestamp(3), always=True),
    _parse,
    1,
    2,
    first_text,
)
define(
    "TO_TIMESTAMP_LTZ",
    "temporal",
    "TO_TIMESTAMP_LTZ(n, 0|3)",
    "A TIMESTAMP_LTZ(3) from seconds or milliseconds since 1970.",
    fixed(timestamp_ltz(3), always=True),
    lambda ctx, e: (
        ctx.lower(e.args[0]).cast(pl.Int64) * (1 if len(e.args) > 1 and getattr(e.args[1], "value", 3) == 3 else 1000)
    ).cast(pl.Datetime("ms", "UTC")),
    1,
    2,
)
define(
    "FROM_UNIXTIME",
    "temporal",
    "FROM_UNIXTIME(n[, pattern])",
    "Text of the time n seconds after 1970.",
    fixed(STRING),
    lambda ctx, e: (
        (ctx.lower(e.args[0]).cast(pl.Int64) * 1000)
        .cast(pl.Datetime("ms", "UTC"))
        .dt.convert_time_zone(ctx.timezone)
        .dt.to_string(java_format(constant(e.args[1], "the pattern")) if len(e.args) > 1 else "%Y-%m-%d %H:%M:%S")
    ),
    1,
    2,
)
define(
    "UNIX_TIMESTAMP",
    "temporal",
    "UNIX_TIMESTAMP([a])",
    "Seconds since 1970, now or of a text.",
    lambda args: BIGINT.with_nullable(bool(args)),
    lambda ctx, e: (
        pl.col(NOW).dt.epoch("s")
        if not e.args
        else lo.from_text(ctx.lower(e.args[0]), timestamp_ltz(3), ctx.timezone).dt.epoch("s")
    ),
    0,
    1,
)
for _name in ("NOW", "CURRENT_TIMESTAMP", "CURRENT_ROW_TIMESTAMP", "PROCTIME"):
    define(
        _name,
        "temporal",
        f"{_name}()",
        "The time of the wall clock.",
        never_null(timestamp_ltz(3)),
        lambda *_: pl.col(NOW),
        0,
    )
define(
    "LOCALTIMESTAMP",
    "temporal",
    "LOCALTIMESTAMP",
    "The time of the wall clock in the session's zone.",
    never_null(timestamp(3)),
    lambda ctx, _: pl.col(NOW).dt.convert_time_zone(ctx.timezone).dt.replace_time_zone(None),
    0,
)
define(
    "CURRENT_DATE",
    "temporal",
    "CURRENT_DATE",
    "The day of the wall clock in the session's zone.",
    never_null(DATE),
    lambda ctx, _: pl.col(NOW).dt.convert_time_zone(ctx.timezone).dt.date(),
    0,
)
define(
    "CURRENT_WATERMARK",
    "temporal",
    "CURRENT_WATERMARK(t)",
    "The watermark before the row; NULL before the first.",
    lambda args: args[0].type.with_nullable(True),
    lambda _, e: pl.col(WATERMARK).cast(pl.Datetime("ms")).cast(e.type.polars),
    1,
)
_MILLIS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000, "WEEK": 604_800_000}


def _add(ctx: Context, e: Call) -> pl.Expr:
    unit, n, x = constant(e.args[0], "the unit"), ctx.lower(e.args[1]), ctx.lower(e.args[2])
    if unit in _MILLIS:
        out = x.cast(pl.Datetime("ms")) if e.args[2].type.kind is Kind.DATE else x
        return (out + (n.cast(pl.Int64) * _MILLIS[unit]).cast(pl.Duration("ms"))).cast(e.type.polars)
    months = n * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    return x.dt.offset_by(pl.concat_str([months.cast(pl.String), pl.lit("mo")]))


define(
    "TIMESTAMPADD",
    "temporal",
    "TIMESTAMPADD(unit, n, t)",
    "The time n units later.",
    lambda args: args[2].type.with_nullable(nullable(args)),
    _add,
    3,
)


def _diff(ctx: Context, e: Call) -> pl.Expr:
    unit = constant(e.args[0], "the unit")
    a, b = (ctx.lower(x).cast(pl.Datetime("ms")) if x.type.kind is Kind.DATE else _local(ctx, x) for x in e.args[1:])
    if unit in _MILLIS:
        millis = b.dt.epoch("ms") - a.dt.epoch("ms")
        return java_div(millis, pl.lit(_MILLIS[unit])).cast(pl.Int32)
    months = (b.dt.year() - a.dt.year()) * 12 + b.dt.month().cast(pl.Int32) - a.dt.month().cast(pl.Int32)
    rest_a, rest_b = (x.dt.epoch("ms") - x.dt.truncate("1mo").dt.epoch("ms") for x in (a, b))
    months = months - pl.when((months > 0) & (rest_b < rest_a)).then(1).when((months < 0) & (rest_b > rest_a)).then(
        -1
    ).otherwise(0)
    return java_div(months, pl.lit({"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit])).cast(pl.Int32)


define("TIMESTAMPDIFF", "temporal", "TIMESTAMPDIFF(unit, a, b)", "Whole units from a to b.", fixed(INT), _diff, 3)
