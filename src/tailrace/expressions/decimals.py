"""
Exact arithmetic of decimals, on their unscaled 128-bit integers.

Where an intermediate number may need more than 38 digits, the few rows for which it does are computed by Python.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.schema import DataType

_DIGITS = 37
_LARGE = 1e37
Int = Callable[[int, int], int | None]


def lit(number: int) -> pl.Expr:
    """Give a 128-bit constant."""
    return pl.lit(number, dtype=pl.Int128)


def unscaled(x: pl.Expr, t: DataType) -> pl.Expr:
    """Give a decimal as its unscaled integer."""
    return x.cast(pl.Decimal(38, t.scale), strict=False).to_physical()


def fit(number: pl.Expr, target: DataType) -> pl.Expr:
    """Read unscaled integers as decimals; NULL for too many digits."""
    return pl.when(number.abs() < lit(10**target.precision)).then(number).reinterpret(dtype=target.polars)


def divide_half_up(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Divide integers and round half away from zero; NULL for a division by zero."""
    size, divisor = number.abs(), pl.when(by != lit(0)).then(by.abs())
    quotient, rest = size // divisor, size % divisor
    rounded = quotient + pl.when(rest >= divisor - rest).then(lit(1)).otherwise(lit(0))
    return pl.when((number < lit(0)) != (by < lit(0))).then(lit(0) - rounded).otherwise(rounded)


def toward_zero(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Divide integers as Java does; NULL for a division by zero."""
    rest = number % by  # with the sign of `by`, as the quotient is rounded down
    up: pl.Expr = (rest != 0) & ((number < 0) != (by < 0))
    return number // by + up.cast(pl.Int8)


def half_up(number: int, by: int) -> int:
    """
    Divide as `divide_half_up` does.

    >>> half_up(-25, 10), half_up(24, 10)
    (-3, 2)
    """
    rounded = (2 * abs(number) + abs(by)) // (2 * abs(by))
    return -rounded if (number < 0) != (by < 0) else rounded


def rescale(number: pl.Expr, digits: int) -> pl.Expr:
    """Take so many digits of the fraction away, rounding half up; add zeros for a negative count."""
    return divide_half_up(number, lit(10**digits)) if digits > 0 else number * lit(10**-digits) if digits else number


def add(x: pl.Expr, a: DataType, y: pl.Expr, b: DataType, target: DataType, sign: int) -> pl.Expr:
    """Add unscaled numbers of these types, or subtract with `sign` -1."""
    scale = max(a.scale, b.scale)
    u: int = 10 ** (scale - a.scale)
    v: int = 10 ** (scale - b.scale)
    digits = max(a.precision + scale - a.scale, b.precision + scale - b.scale) + 1
    fewer = scale - target.scale

    def fast(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return rescale(left * lit(u) + right * lit(v * sign), fewer)

    def slow(left: int, right: int) -> int:
        return half_up(left * u + right * v * sign, 10**fewer)

    def size(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return left * u + right * v

    return _either(x, y, target, digits, fast, slow, size)


def multiply(x: pl.Expr, a: DataType, y: pl.Expr, b: DataType, target: DataType) -> pl.Expr:
    """Multiply unscaled numbers."""
    fewer = a.scale + b.scale - target.scale

    def fast(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return rescale(left * right, fewer)

    def slow(left: int, right: int) -> int:
        return half_up(left * right, 10**fewer)

    def size(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return left * right

    return _either(x, y, target, a.precision + b.precision, fast, slow, size)


def divide(x: pl.Expr, a: DataType, y: pl.Expr, b: DataType, target: DataType) -> pl.Expr:
    """Divide unscaled numbers; NULL for a division by zero."""
    shift = target.scale + b.scale - a.scale
    up, down = 10 ** max(shift, 0), 10 ** max(-shift, 0)

    def fast(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return divide_half_up(left * lit(up), right * lit(down))

    def slow(left: int, right: int) -> int | None:
        return half_up(left * up, right * down) if right else None

    def size(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return pl.max_horizontal(left * up, right * down)

    digits = max(a.precision + max(shift, 0), b.precision + max(-shift, 0))
    return _either(x, y, target, digits, fast, slow, size)


def remainder(x: pl.Expr, a: DataType, y: pl.Expr, b: DataType, target: DataType) -> pl.Expr:
    """Give what a division leaves, with the sign of the first; NULL for a division by zero."""
    scale = max(a.scale, b.scale)
    u: int = 10 ** (scale - a.scale)
    v: int = 10 ** (scale - b.scale)
    digits = max(a.precision + scale - a.scale, b.precision + scale - b.scale)

    def fast(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        rest = (left * lit(u)).abs() % pl.when(right != lit(0)).then((right * lit(v)).abs())
        return pl.when(left < lit(0)).then(lit(0) - rest).otherwise(rest)

    def slow(left: int, right: int) -> int | None:
        rest = abs(left * u) % abs(right * v) if right else None
        return rest if rest is None or left >= 0 else -rest

    def size(left: pl.Expr, right: pl.Expr) -> pl.Expr:
        return pl.max_horizontal(left * u, right * v)

    return _either(x, y, target, digits, fast, slow, size)


def _either(
    x: pl.Expr,
    y: pl.Expr,
    target: DataType,
    digits: int,
    fast: Callable[[pl.Expr, pl.Expr], pl.Expr],
    slow: Int,
    size: Callable[[pl.Expr, pl.Expr], pl.Expr],
) -> pl.Expr:
    """Compute by Polars; rows whose numbers may grow beyond 37 digits (`size` estimates them) by Python."""
    if digits <= _DIGITS:
        out = fast(x, y)
        return out.reinterpret(dtype=target.polars) if digits <= target.precision else fit(out, target)
    left, right = pl.col("left"), pl.col("right")
    estimate = size(left.cast(pl.Float64).abs(), right.cast(pl.Float64).abs())

    def batch(s: pl.Series) -> pl.Series:
        frame = s.struct.unnest().with_columns((estimate >= _LARGE).fill_null(value=False).alias("large"))
        small = pl.when(~pl.col("large"))
        out = frame.select(fit(fast(small.then(left), small.then(right)), target)).to_series()
        return _repaired(out, frame, slow, target) if frame["large"].any() else out

    packed = pl.struct(x.alias("left"), y.alias("right"))
    return packed.map_batches(batch, return_dtype=target.polars)


def _repaired(out: pl.Series, frame: pl.DataFrame, slow: Int, target: DataType) -> pl.Series:
    """Fill in what Python computes for the rows with large numbers."""
    limit = 10**target.precision
    places, exact = frame["large"].arg_true(), []
    for left, right in frame.filter("large").select("left", "right").iter_rows():
        number = slow(left, right)
        exact.append(number if number is not None and abs(number) < limit else None)
    return out.scatter(places, pl.Series(exact, dtype=pl.Int128).reinterpret(dtype=target.polars))
