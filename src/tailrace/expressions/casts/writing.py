"""Values as text."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import polars as pl

from tailrace.expressions.zones import to_local
from tailrace.schema import BINARIES, FLOATS, INTERVALS, MAX_LENGTH, STRINGS, TIMESTAMPS, DataType, Kind

_FRACTION = {"ms": 3, "us": 6, "ns": 9}


def sized(text: pl.Expr, target: DataType) -> pl.Expr:
    """Cut a text to the length of its type; CHAR is filled with spaces."""
    if not target.length or target.length == MAX_LENGTH:
        return text
    cut = text.str.head(target.length)
    return cut.str.pad_end(target.length) if target.kind is Kind.CHAR else cut


def to_text(value: pl.Expr, source: DataType, timezone: str) -> pl.Expr:
    """Write a value as text, as Flink does."""
    k = source.kind
    if k in STRINGS:
        return value
    if source.children:
        return _nested(value, source, timezone)
    if k is Kind.BOOLEAN:
        return pl.when(value).then(pl.lit("TRUE")).when(~value).then(pl.lit("FALSE"))
    if k in TIMESTAMPS:
        return _timestamp(to_local(value, timezone) if k is Kind.TIMESTAMP_LTZ else value, source)
    if k is Kind.TIME:
        return value.cast(pl.String).str.slice(0, 8 if not source.precision else 9 + source.precision)
    if k in BINARIES:
        return value.map_batches(_decoded, return_dtype=pl.String)
    if k in FLOATS:
        return value.map_batches(java_doubles, return_dtype=pl.String)
    return _interval(value, k) if k in INTERVALS else value.cast(pl.String)


def _timestamp(local: pl.Expr, source: DataType) -> pl.Expr:
    base = local.dt.to_string("%Y-%m-%d %H:%M:%S").str.strip_prefix("+")
    if not source.precision:
        return base
    fraction = local.dt.to_string(f"%.{_FRACTION[source.time_unit]}f").str.slice(0, source.precision + 1)
    return pl.concat_str([base, fraction])


def _decoded(values: pl.Series) -> pl.Series:
    """Read bytes as UTF-8, with a mark in place of what is none."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        texts = [None if v is None else v.decode(errors="replace") for v in values]
        return pl.Series(values.name, texts, dtype=pl.String)


def _interval(value: pl.Expr, kind: Kind) -> pl.Expr:
    number = value.to_physical()
    sign, size = pl.when(number < 0).then(pl.lit("-")).otherwise(pl.lit("+")), number.abs()
    if kind is Kind.INTERVAL_MONTH:
        parts: list[pl.Expr | str] = [size // 12, "-", _digits(size % 12, 2)]
    else:
        clock: list[pl.Expr | str] = [_digits(size // 3_600_000 % 24, 2), ":", _digits(size // 60_000 % 60, 2), ":"]
        parts = [size // 86_400_000, " ", *clock, _digits(size // 1000 % 60, 2), ".", _digits(size % 1000, 3)]
    return pl.concat_str([sign, *(pl.lit(p) if isinstance(p, str) else p for p in parts)])


def _digits(number: pl.Expr, count: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(count)


def _nested(value: pl.Expr, source: DataType, timezone: str) -> pl.Expr:
    """Write `[1, 2]`, `{k=v}` or `(1, a)`, with NULL for what is not there."""

    def part(inner: pl.Expr, t: DataType) -> pl.Expr:
        return to_text(inner, t, timezone).fill_null("NULL")

    if source.kind is Kind.ROW:
        fields = [part(value.struct.field(n), t) for n, t in zip(source.names, source.children, strict=True)]
        if source.class_name:
            fields = [pl.concat_str([pl.lit(f"{n}="), f]) for n, f in zip(source.names, fields, strict=True)]
        text = pl.concat_str([pl.lit("("), pl.concat_str(fields, separator=", "), pl.lit(")")])
        return pl.when(value.is_not_null()).then(text)
    if source.kind is Kind.ARRAY:
        texts = value.list.eval(part(pl.element(), source.children[0]))
        return pl.concat_str([pl.lit("["), texts.list.join(", "), pl.lit("]")])
    names = [f.name for f in source.polars.inner.fields]  # type: ignore[attr-defined] # a list of key and value
    types = (*source.children, DataType(Kind.INT))[:2]  # a multiset counts its values
    inside = [part(pl.element().struct.field(n), t) for n, t in zip(names, types, strict=True)]
    texts = value.list.eval(pl.concat_str(inside, separator="="))
    return pl.concat_str([pl.lit("{"), texts.list.join(", "), pl.lit("}")])


def java_doubles(series: pl.Series) -> pl.Series:
    """Write numbers as Java does: 1.0E7 from ten million on, 1.0E-4 below a thousandth."""
    plain = series.cast(pl.String)
    size = series.abs()
    odd = (size != 0) & ((size >= 1e7) | (size < 1e-3)) | series.is_nan() | series.is_infinite()
    if not odd.fill_null(value=False).any():
        return plain
    places = odd.arg_true()
    numbers = series.gather(places).to_numpy()
    return plain.scatter(places, [_java(v) for v in numbers])


def java_double(value: float) -> str:
    """
    Write a DOUBLE as Java does.

    >>> java_double(1e7), java_double(0.5)
    ('1.0E7', '0.5')
    """
    return _java(np.float64(value))


def _java(value: np.floating) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    number = Decimal(str(value))
    if not value or Decimal("1e-3") <= abs(number) < Decimal(10**7):
        return str(value)
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0") or "0"
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"
