"""Functions that round, cut off, and look at the sign."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.expressions.decimals import divide_half_up, fit, lit, toward_zero, unscaled
from tailrace.expressions.functions.time_rounding import check_unit, time_edge
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import (
    NUMBER,
    WHOLE,
    Context,
    LowerCall,
    constant,
    constant_value,
    define,
    nullable,
    same,
    takes,
)
from tailrace.schema import FLOATS, INTEGERS, DataType, Kind, decimal

_MOST_DIGITS = 38


def _abs(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        return fit(unscaled(x, e.type).abs(), e.type)
    if e.type.kind in INTEGERS:
        return pl.when(x < 0).then(pl.lit(0, dtype=e.type.polars) - x).otherwise(x)
    return x.abs()


def _sign(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        return fit(unscaled(x, e.type).sign() * lit(10**e.type.scale), e.type)
    return x.sign().cast(e.type.polars)


define("ABS", "math", "ABS(a)", "Without its sign.", same, _abs, 1, convert=takes(NUMBER))
define("SIGN", "math", "SIGN(a)", "-1, 0 or 1, in the type of a.", same, _sign, 1, convert=takes(NUMBER))


def _edge(up: bool) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        if len(e.args) == 2:
            return time_edge(ctx, e, up)
        x, t = ctx.lower(e.args[0]), e.args[0].type
        if t.kind is Kind.DECIMAL:
            whole, unit = unscaled(x, t), lit(10**t.scale)
            rest = (whole % unit != 0) & ((whole > 0) if up else (whole < 0))
            step = pl.when(rest).then(lit(1 if up else -1)).otherwise(lit(0))
            return fit(toward_zero(whole, unit) + step, e.type)
        if t.kind in FLOATS:
            return x.ceil() if up else x.floor()
        return x

    return lower


def _edge_convert(args: list[Expr]) -> list[Expr]:
    if len(args) == 1:
        return takes(NUMBER)(args)
    check_unit(args[0].type, constant(args[1], "the unit"))
    return args


def _edge_type(args: list[Expr]) -> DataType:
    t = args[0].type
    return decimal(t.precision, 0).with_nullable(t.nullable) if t.kind is Kind.DECIMAL else t


for _name, _up in (("CEIL", True), ("CEILING", True), ("FLOOR", False)):
    define(
        _name,
        "math",
        f"{_name}(a [TO unit])",
        f"The next whole number {'above' if _up else 'below'}, or whole unit of time.",
        _edge_type,
        _edge(_up),
        1,
        2,
        _edge_convert,
    )


def _rounded_type(args: list[Expr]) -> DataType:
    t = args[0].type
    digits = args[1] if len(args) > 1 else Literal(t, 0)
    if t.kind is not Kind.DECIMAL or not isinstance(digits, Literal) or digits.value is None:
        return t.with_nullable(nullable(args))
    whole = t.precision - t.scale
    if digits.value >= t.scale:
        return t
    if digits.value < 0:
        return decimal(min(_MOST_DIGITS, 1 + whole), 0).with_nullable(t.nullable)
    return decimal(min(_MOST_DIGITS, 1 + whole + digits.value), digits.value).with_nullable(t.nullable)


def _round(how: str) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        x, t = ctx.lower(e.args[0]), e.args[0].type
        fixed = len(e.args) == 1 or (isinstance(e.args[1], Literal) and e.args[1].value is not None)
        if not fixed:
            return _by_row(x, ctx.lower(e.args[1]), e, how)
        return rounded(x, t, e.type, constant_value(e.args[1], 0) if len(e.args) > 1 else 0, how)

    return lower


def rounded(x: pl.Expr, t: DataType, target: DataType, digits: int, how: str) -> pl.Expr:
    """Round (or cut, by `how`) to so many digits behind the point, or before it if negative."""
    if t.kind in FLOATS:
        return x.map_batches(partial(_rounded_floats, digits=digits, how=how), return_dtype=target.polars)
    scale = t.scale if t.kind is Kind.DECIMAL else 0
    if digits >= scale:
        return _decimal(unscaled(x, t), scale, target) if t.kind is Kind.DECIMAL else x
    divided = divide_half_up if how == ROUND_HALF_UP else toward_zero
    number = unscaled(x, t) if t.kind is Kind.DECIMAL else x.cast(pl.Int128)
    kept = divided(number, lit(10 ** min(scale - digits, _MOST_DIGITS)))
    if t.kind is not Kind.DECIMAL:
        return (kept * lit(10 ** min(-digits, _MOST_DIGITS))).cast(target.polars, wrap_numerical=True)
    return _decimal(kept, digits, target)


def _decimal(number: pl.Expr, scale: int, target: DataType) -> pl.Expr:
    """Read unscaled numbers of a scale, which may be below that of the target or negative, as decimals of the target."""
    return fit(number * lit(10 ** (target.scale - scale)) if target.scale > scale else number, target)


def _by_row(x: pl.Expr, digits: pl.Expr, e: Call, how: str) -> pl.Expr:
    """Round each row to digits of its own: the rows of one count of digits together."""
    t = e.args[0].type

    def batch(s: pl.Series) -> pl.Series:
        frame = s.struct.unnest().with_row_index("row")
        parts = [frame.clear().select("row", pl.lit(None, dtype=e.type.polars).alias("x"))]
        for (count,), part in frame.partition_by("digits", as_dict=True).items():
            value = pl.lit(None) if count is None else rounded(pl.col("x"), t, e.type, int(str(count)), how)
            parts.append(part.select("row", value.cast(e.type.polars).alias("x")))
        return pl.concat(parts).sort("row")["x"]

    packed = pl.struct(x.alias("x"), digits.alias("digits"))
    return packed.map_batches(batch, return_dtype=e.type.polars)


_EXACT = 2.0**51
_CLOSE = 2.0**-20


def _rounded_floats(s: pl.Series, digits: int, how: str) -> pl.Series:
    """Round the decimal form of each number; only those on the edge need it really."""
    if s.dtype == pl.Float32 or abs(digits) > 15:
        return pl.Series(s.name, [_rounded_float(v, digits, how) for v in _shown(s)], dtype=s.dtype)
    x, unit = s.to_numpy(), 10.0 ** abs(digits)
    with np.errstate(all="ignore"):
        scaled = np.abs(x) * unit if digits >= 0 else np.abs(x) / unit
        part = scaled - np.floor(scaled)
        whole = np.floor(scaled + 0.5) if how == ROUND_HALF_UP else np.floor(scaled)
        out = np.copysign(whole / unit if digits >= 0 else whole * unit, x) + 0.0
    out = np.where(out == 0, 0.0, out)
    edge = np.abs(part - 0.5) if how == ROUND_HALF_UP else np.minimum(part, 1 - part)
    doubtful = ~((edge > _CLOSE) & (scaled < _EXACT))
    out[doubtful] = [_rounded_float(repr(float(v)), digits, how) for v in x[doubtful]]
    found = pl.Series(s.name, out, dtype=s.dtype)
    return found.set(s.is_null(), None) if s.null_count() else found


def _shown(s: pl.Series) -> list[str | None]:
    numbers: npt.NDArray[np.float32] = s.to_numpy()
    return [None if null else str(v) for v, null in zip(numbers, s.is_null(), strict=True)]


def _rounded_float(text: str | None, digits: int, how: str) -> float | None:
    if text is None:
        return None
    number = Decimal(text)
    if not number.is_finite() or -number.as_tuple().exponent <= digits:  # type: ignore[operator] # finite: a number
        return float(number) + 0.0  # without a sign of zero
    if digits < -number.adjusted() - 1:
        return 0.0
    return float(_quantized(number, digits, how)) + 0.0


def _quantized(number: Decimal, digits: int, how: str) -> Decimal:
    unit = Decimal(1).scaleb(-digits)
    return (number / unit).to_integral_value(how) * unit


for _name, _how, _doc in (
    ("ROUND", ROUND_HALF_UP, "Rounded half up to so many digits behind the point (0)."),
    ("TRUNCATE", ROUND_DOWN, "Cut off behind so many digits behind the point (0)."),
):
    define(
        _name,
        "math",
        f"{_name}(a[, digits])",
        _doc,
        _rounded_type,
        _round(_how),
        1,
        2,
        takes(NUMBER, WHOLE),
    )
