"""Casts to Polars expressions, by Flink's rules; NULL where a value can't be converted."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

import polars as pl

from tailrace.expressions.decimals import fit, lit, rescale, toward_zero, unscaled
from tailrace.schema import BINARIES, FLOATS, INTEGERS, MAX_LENGTH, STRINGS, TIMESTAMPS, DataType, Kind

_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INT: 32, Kind.BIGINT: 64}
_SIZE = {Kind.TINYINT: pl.Int8, Kind.SMALLINT: pl.Int16, Kind.INT: pl.Int32, Kind.BIGINT: pl.Int64}


def cast(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    """Convert as Flink does; NULL where there is no conversion."""
    a, b = source.kind, target.kind
    if source.polars == target.polars and b not in (*STRINGS, *TIMESTAMPS, Kind.TIME):
        return value
    if b in STRINGS:
        return _sized(to_text(value, source, timezone), target)
    if a in STRINGS:
        return from_text(value, target, timezone)
    if b in INTEGERS:
        return to_integer(value, source, target)
    if b is Kind.DECIMAL:
        return to_decimal(value, source, target)
    if b in FLOATS:
        return (value.cast(pl.String) if a is Kind.DECIMAL else value).cast(target.polars)
    return value != 0 if b is Kind.BOOLEAN else _temporal(value, source, target, timezone)


def _sized(text: pl.Expr, target: DataType) -> pl.Expr:
    """Cut a text to the length of its type; CHAR is filled with spaces."""
    if not target.length or target.length == MAX_LENGTH:
        return text
    cut = text.str.slice(0, target.length)
    return cut.str.pad_end(target.length) if target.kind is Kind.CHAR else cut


def _temporal(value: pl.Expr, source: DataType, target: DataType, timezone: str) -> pl.Expr:
    a, b = source.kind, target.kind
    if b in TIMESTAMPS and a in TIMESTAMPS:
        return stamps(value, a, b, timezone, target)
    if a in TIMESTAMPS:
        local = stamps(value, a, Kind.TIMESTAMP, timezone, source)
        return local.dt.date() if b is Kind.DATE else local.dt.time()
    if a is Kind.DATE and b in TIMESTAMPS:
        out = value.cast(pl.Datetime(target.time_unit))
        return out.dt.replace_time_zone(timezone).dt.convert_time_zone("UTC") if b is Kind.TIMESTAMP_LTZ else out
    return value.cast(target.polars, strict=False)


def stamps(value: pl.Expr, a: Kind, b: Kind, timezone: str, target: DataType) -> pl.Expr:
    """Convert between timestamps with and without zone, and to another precision."""
    if a is not b:
        if b is Kind.TIMESTAMP:
            value = value.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
        else:
            value = value.dt.replace_time_zone(
                timezone, ambiguous="earliest", non_existent="null"
            ).dt.convert_time_zone("UTC")
    return value.dt.cast_time_unit(target.time_unit)


def to_integer(value: pl.Expr, source: DataType, target: DataType) -> pl.Expr:
    """Convert to an integer: toward zero, wrapping as Java does."""
    if source.kind is Kind.BOOLEAN:
        return value.cast(target.polars)
    if source.kind is Kind.DECIMAL:
        whole = toward_zero(unscaled(value, source), lit(10**source.scale))
        return whole.cast(target.polars, strict=False)
    if source.kind in FLOATS:
        size = _SIZE[target.kind]
        low, high = -(2 ** (_BITS[target.kind] - 1)), 2 ** (_BITS[target.kind] - 1) - 1
        clean = pl.when(value.is_nan()).then(pl.lit(0.0)).otherwise(value.cast(pl.Float64))
        return (
            pl.when(clean >= float(high))
            .then(pl.lit(high, dtype=size))
            .when(clean <= float(low))
            .then(pl.lit(low, dtype=size))
            .otherwise(clean.cast(size, strict=False))
        )
    if source.kind in INTEGERS:
        return value.cast(target.polars, wrap_numerical=True)
    return value.cast(target.polars, strict=False)


def to_decimal(value: pl.Expr, source: DataType, target: DataType) -> pl.Expr:
    """Convert to a decimal, rounding half up."""
    if source.kind in FLOATS:
        return from_text(value.cast(pl.String), target, "UTC")
    if source.kind is Kind.DECIMAL and source.scale > target.scale:
        return fit(rescale(unscaled(value, source), source.scale - target.scale), target)
    return value.cast(target.polars, strict=False)


def to_text(value: pl.Expr, source: DataType, timezone: str) -> pl.Expr:
    """Write a value as text, as Flink does."""
    k = source.kind
    if k in STRINGS:
        return value
    if k is Kind.BOOLEAN:
        return pl.when(value).then(pl.lit("TRUE")).when(~value).then(pl.lit("FALSE"))
    if k in TIMESTAMPS:
        local = value.dt.convert_time_zone(timezone).dt.replace_time_zone(None) if k is Kind.TIMESTAMP_LTZ else value
        digits = source.precision
        base = local.dt.to_string("%Y-%m-%d %H:%M:%S")
        if not digits:
            return base
        full = {"ms": 3, "us": 6, "ns": 9}[source.time_unit]
        return pl.concat_str([base, local.dt.to_string(f"%.{full}f").str.slice(0, digits + 1)])
    if k is Kind.TIME:
        return value.cast(pl.String).str.slice(0, 8 if not source.precision else 9 + source.precision)
    if k in BINARIES:
        return value.cast(pl.String, strict=False)
    if k in FLOATS:
        return value.map_batches(java_doubles, return_dtype=pl.String)
    return value.cast(pl.String)


def java_doubles(series: pl.Series) -> pl.Series:
    """Write doubles as Java does: 1.0E7 from ten million on, 1.0E-4 below a thousandth."""
    plain = series.cast(pl.String)
    size = series.abs()
    odd = (size != 0) & ((size >= 1e7) | (size < 1e-3)) | series.is_nan() | series.is_infinite()
    if not odd.fill_null(value=False).any():
        return plain
    return pl.Series(
        series.name, [java_double(v) if o else p for v, p, o in zip(series, plain, odd, strict=True)], dtype=pl.String
    )


def java_double(value: float) -> str:
    """Write a number as Java does."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if not value or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    number = Decimal(repr(value))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0") or "0"
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def from_text(value: pl.Expr, target: DataType, timezone: str) -> pl.Expr:
    """Read a value from text; NULL if it is none."""
    k = target.kind
    if k in BINARIES:
        return value.cast(pl.Binary)
    text = value.str.strip_chars()
    if k in INTEGERS:
        whole = text.str.extract(r"^([+-]?\d+)(?:\.\d*)?$", 1)
        return whole.str.strip_prefix("+").cast(target.polars, strict=False)
    if k in FLOATS:
        return text.cast(target.polars, strict=False)
    if k is Kind.DECIMAL:
        return text.map_batches(lambda s: decimals_of(s, target), return_dtype=target.polars)
    if k is Kind.BOOLEAN:
        low = text.str.to_lowercase()
        return (
            pl.when(low.is_in(["true", "t", "yes", "y", "1"]))
            .then(True)
            .when(low.is_in(["false", "f", "no", "n", "0"]))
            .then(False)
        )
    if k is Kind.DATE:
        return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    if k is Kind.TIME:
        return text.str.to_time("%H:%M:%S%.f", strict=False)
    full = (
        pl.when(text.str.len_chars() <= 10)
        .then(pl.concat_str([text, pl.lit(" 00:00:00")]))
        .otherwise(text.str.replace("T", " ", literal=True).str.strip_suffix("Z"))
    )
    out = full.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit=target.time_unit, strict=False)
    if k is Kind.TIMESTAMP_LTZ:
        return out.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return out


def decimals_of(series: pl.Series, target: DataType) -> pl.Series:
    """Read decimals from texts, rounding half up."""
    unit, context = Decimal(1).scaleb(-target.scale), Context(prec=90)
    limit = Decimal(10) ** (target.precision - target.scale)
    out: list[Decimal | None] = []
    for text in series.to_list():
        try:
            number = None if text is None else Decimal(text).quantize(unit, ROUND_HALF_UP, context)
        except InvalidOperation:
            number = None
        out.append(number if number is not None and number.is_finite() and abs(number) < limit else None)
    return pl.Series(series.name, out, dtype=target.polars)


def may_fail(source: DataType, target: DataType) -> bool:
    """Tell whether some value of a type can't be converted."""
    return (source.kind in STRINGS and target.kind not in (*STRINGS, *BINARIES)) or (
        target.kind in INTEGERS and source.kind in FLOATS and False
    )
