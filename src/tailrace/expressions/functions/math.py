"""Functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import polars as pl

from tailrace.expressions import casts as lo
from tailrace.expressions.casts import java_div, unscaled
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import (
    Context,
    constant,
    constant_value,
    define,
    doubles,
    fixed,
    never_null,
    same,
    simple,
)
from tailrace.schema import DOUBLE, INTEGERS, DataType, Kind, decimal

for _name, _m in (
    ("SQRT", "sqrt"),
    ("EXP", "exp"),
    ("LN", "log"),
    ("LOG10", "log10"),
    ("SIN", "sin"),
    ("COS", "cos"),
    ("TAN", "tan"),
    ("ASIN", "arcsin"),
    ("ACOS", "arccos"),
    ("ATAN", "arctan"),
    ("SINH", "sinh"),
    ("COSH", "cosh"),
    ("TANH", "tanh"),
    ("DEGREES", "degrees"),
    ("RADIANS", "radians"),
    ("COT", "cot"),
):
    define(
        _name,
        "math",
        f"{_name}(a)",
        "As in mathematics, in DOUBLE.",
        fixed(DOUBLE),
        simple(lambda a, m=_m: getattr(a, m)()),
        1,
        convert=doubles,
    )
define(
    "LOG2",
    "math",
    "LOG2(a)",
    "The logarithm to base 2.",
    fixed(DOUBLE),
    simple(lambda a: a.log(2.0)),
    1,
    convert=doubles,
)
define(
    "LOG",
    "math",
    "LOG([base,] a)",
    "The logarithm.",
    fixed(DOUBLE),
    simple(lambda a, b=None: a.log() if b is None else b.log() / a.log()),
    1,
    2,
    doubles,
)
define(
    "POWER",
    "math",
    "POWER(a, b)",
    "a to the power of b.",
    fixed(DOUBLE),
    simple(lambda a, b: a.pow(b)),
    2,
    convert=doubles,
)
define(
    "ATAN2",
    "math",
    "ATAN2(y, x)",
    "The angle.",
    fixed(DOUBLE),
    simple(pl.arctan2),
    2,
    convert=doubles,
)
define(
    "PI",
    "math",
    "PI()",
    "The circle's constant.",
    never_null(DOUBLE),
    lambda *_: pl.lit(3.141592653589793),
    0,
)
define(
    "E",
    "math",
    "E()",
    "Euler's number.",
    never_null(DOUBLE),
    lambda *_: pl.lit(2.718281828459045),
    0,
)
define(
    "SIGN",
    "math",
    "SIGN(a)",
    "-1, 0 or 1.",
    same,
    lambda ctx, e: ctx.lower(e.args[0]).cast(pl.Float64).sign().cast(e.type.polars),
    1,
)
define(
    "ABS",
    "math",
    "ABS(a)",
    "Without its sign.",
    same,
    lambda ctx, e: (
        lo.fit(unscaled(ctx.lower(e.args[0]), e.type).abs(), e.type)
        if e.type.kind is Kind.DECIMAL
        else ctx.lower(e.args[0]).abs()
    ),
    1,
)


_UNITS = {
    "SECOND": "1s",
    "MINUTE": "1m",
    "HOUR": "1h",
    "DAY": "1d",
    "WEEK": "1w",
    "MONTH": "1mo",
    "QUARTER": "1q",
    "YEAR": "1y",
    "MILLISECOND": "1ms",
}


def _edge(up: bool) -> Callable[[Context, Call], pl.Expr]:
    def lower_(ctx: Context, e: Call) -> pl.Expr:
        x = ctx.lower(e.args[0])
        if len(e.args) == 2:
            every = _UNITS[constant(e.args[1], "the unit")]
            down = x.dt.truncate(every)
            return pl.when(down == x).then(x).otherwise(down.dt.offset_by(every)) if up else down
        t = e.args[0].type
        if t.kind is Kind.DECIMAL:
            whole, unit = unscaled(x, t), pl.lit(10**t.scale, dtype=pl.Int128)
            zero, one = pl.lit(0, dtype=pl.Int128), pl.lit(1, dtype=pl.Int128)
            quotient = whole.abs() // unit
            exact = whole.abs() % unit == zero
            away = quotient + pl.when(exact).then(zero).otherwise(one)
            out = pl.when(whole < zero).then(zero - (quotient if up else away)).otherwise(away if up else quotient)
            return lo.fit(out, e.type)
        return x if t.kind in INTEGERS else (x.ceil() if up else x.floor())

    return lower_


def _edge_type(args: list[Expr]) -> DataType:
    t = args[0].type
    return decimal(t.precision, 0).with_nullable(t.nullable) if t.kind is Kind.DECIMAL else t


for _name, _up in (("CEIL", True), ("CEILING", True), ("FLOOR", False)):
    define(
        _name,
        "math",
        f"{_name}(a [TO unit])",
        "The next whole number, or whole unit of time.",
        _edge_type,
        _edge(_up),
        1,
        2,
    )


def _round_type(args: list[Expr]) -> DataType:
    t = args[0].type
    if t.kind is not Kind.DECIMAL:
        return t
    digits = args[1].value if len(args) > 1 and isinstance(args[1], Literal) else 0
    if digits >= t.scale:
        return t
    if digits < 0:
        return decimal(min(38, 1 + t.precision - t.scale), 0).with_nullable(t.nullable)
    return decimal(1 + t.precision - t.scale + digits, digits).with_nullable(t.nullable)


def _round(ctx: Context, e: Call) -> pl.Expr:
    t = e.args[0].type
    x = ctx.lower(e.args[0])
    digits = constant_value(e.args[1], 0) if len(e.args) > 1 else 0
    if t.kind is Kind.DECIMAL:
        if digits >= t.scale:
            return x
        unit = 10 ** (t.scale - digits)
        out = lo.divide_half_up(unscaled(x, t), pl.lit(unit, dtype=pl.Int128))
        return lo.fit(out * pl.lit(10**-digits, dtype=pl.Int128) if digits < 0 else out, e.type)
    if t.kind in INTEGERS:
        if digits >= 0:
            return x
        unit = 10**-digits
        half = pl.when(x < 0).then(-(unit // 2)).otherwise(unit // 2)
        return (java_div(x + half, pl.lit(unit)) * pl.lit(unit)).cast(e.type.polars)
    return x.map_batches(lambda s: _rounded(s, digits), return_dtype=e.type.polars)


def _rounded(s: pl.Series, digits: int, how: str = ROUND_HALF_UP) -> pl.Series:
    unit = Decimal(1).scaleb(-digits)
    out = [v if v is None or not math.isfinite(v) else float(Decimal(repr(v)).quantize(unit, how)) for v in s]
    return pl.Series(s.name, out, dtype=s.dtype)


define("ROUND", "math", "ROUND(a[, digits])", "Rounded half up.", _round_type, _round, 1, 2)


def _truncate(ctx: Context, e: Call) -> pl.Expr:
    digits = constant_value(e.args[1], 0) if len(e.args) > 1 else 0
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        t = e.type
        if digits >= t.scale:
            return x
        unit = pl.lit(10 ** (t.scale - digits), dtype=pl.Int128)
        whole = unscaled(x, t)
        cut = whole.abs() // unit * unit
        return lo.fit(
            pl.when(whole < pl.lit(0, dtype=pl.Int128)).then(pl.lit(0, dtype=pl.Int128) - cut).otherwise(cut), t
        )
    if e.type.kind in INTEGERS:
        return x
    return x.map_batches(lambda s: _rounded(s, digits, ROUND_DOWN), return_dtype=e.type.polars)


define("TRUNCATE", "math", "TRUNCATE(a[, digits])", "Cut off behind so many digits.", same, _truncate, 1, 2)
