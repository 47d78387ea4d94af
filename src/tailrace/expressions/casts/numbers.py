"""Numbers to numbers."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.casts.reading import decimals_of
from tailrace.expressions.decimals import fit, lit, rescale, toward_zero, unscaled
from tailrace.schema import FLOATS, INTEGERS, DataType, Kind


def to_integer(value: pl.Expr, source: DataType, target: DataType) -> pl.Expr:
    """Convert to an integer: toward zero, wrapping as Java does."""
    if source.kind is Kind.DECIMAL:
        value = toward_zero(unscaled(value, source), lit(10**source.scale))
    elif source.kind in FLOATS:
        value = _cut(value, 64 if target.kind is Kind.BIGINT else 32)
    return value.cast(target.polars, wrap_numerical=True)


def _cut(value: pl.Expr, bits: int) -> pl.Expr:
    """Give what Java gives for a number with a fraction: the nearest integer of so many bits, 0 for NaN."""
    dtype, low, high = (pl.Int64, -(2**63), 2**63 - 1) if bits == 64 else (pl.Int32, -(2**31), 2**31 - 1)
    number = value.cast(pl.Float64).fill_nan(0.0)
    return (
        pl.when(number >= float(high))
        .then(pl.lit(high, dtype=dtype))
        .when(number <= float(low))
        .then(pl.lit(low, dtype=dtype))
        .otherwise(number.cast(dtype, strict=False))
    )


def to_decimal(value: pl.Expr, source: DataType, target: DataType) -> pl.Expr:
    """Convert to a decimal, rounding half up; NULL for too many digits."""
    if source.kind in FLOATS:
        text = value.cast(pl.String)
        return text.map_batches(lambda s: decimals_of(s, target), return_dtype=target.polars)
    if source.kind in (*INTEGERS, Kind.BOOLEAN):
        return fit(value.cast(pl.Int128) * lit(10**target.scale), target)
    if source.scale <= target.scale and source.precision - source.scale <= target.precision - target.scale:
        return value.cast(target.polars)
    return fit(rescale(unscaled(value, source), source.scale - target.scale), target)
