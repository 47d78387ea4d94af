"""Arithmetic: integers wrap as in Java, decimals are exact."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.expressions import casts as lo
from tailrace.expressions.casts import java_div, unscaled
from tailrace.expressions.nodes import Call, Cast, Expr
from tailrace.expressions.registry import FUNCTIONS, Context, Result, define, nullable, same, simple, to, values
from tailrace.expressions.types import DIGITS, NUMERIC, TEMPORAL, arithmetic_type, as_decimal
from tailrace.schema import FLOATS, INTEGERS, INTERVALS, TIMESTAMPS, DataType, Kind

MAX_DIGITS = 38


def _numbers(args: list[Expr], op: str) -> list[Expr]:
    t = arithmetic_type(op)(args)
    if t.kind in (*INTEGERS, *FLOATS):
        return [to(a, t) for a in args]
    if t.kind is Kind.DECIMAL:
        return [
            Cast(as_decimal(a.type).with_nullable(a.type.nullable), a) if a.type.kind in DIGITS else a for a in args
        ]
    return args


def _checked_kinds(args: list[Expr], op: str) -> None:
    kinds = [a.type.kind for a in args]
    numeric = all(k in (*NUMERIC, Kind.NULL) for k in kinds)
    temporal = (op in "+-" and any(k in INTERVALS for k in kinds)) or (
        op == "-" and all(k in TIMESTAMPS for k in kinds)
    )
    if not numeric and not temporal:
        raise ValueError(f"{args[0].type.sql()} {op} {args[1].type.sql()} is not defined")


def _converted(op: str) -> Callable[[list[Expr]], list[Expr]]:
    def convert(args: list[Expr]) -> list[Expr]:
        _checked_kinds(args, op)
        return _numbers(args, op)

    return convert


def _temporal(ctx: Context, e: Call, sign: int) -> pl.Expr:
    a, b = e.args
    if a.type.kind in INTERVALS and b.type.kind not in INTERVALS:
        a, b = b, a
    x, y = ctx.lower(a), ctx.lower(b)
    if b.type.kind is Kind.INTERVAL_MONTH:
        months = y if sign > 0 else -y
        return x.dt.offset_by(pl.concat_str([months.cast(pl.String), pl.lit("mo")]))
    if a.type.kind is Kind.DATE:
        x = x.cast(pl.Datetime("ms"))
    out = x + y if sign > 0 else x - y
    return out.cast(e.type.polars)


def _whole(ctx: Context, e: Expr) -> pl.Expr:
    """Give a decimal as its unscaled integer; an integer that was made one is that already."""
    if isinstance(e, Cast) and e.arg.type.kind in INTEGERS and e.type.same_as(as_decimal(e.arg.type)):
        return ctx.lower(e.arg).cast(pl.Int128)
    return unscaled(ctx.lower(e), e.type)


def _as_decimal(whole: pl.Expr, target: DataType) -> pl.Expr:
    """Read the outcome of +, - or *; only where its type was cut to 38 digits may a value have too many."""
    return whole.reinterpret(dtype=target.polars) if target.precision < MAX_DIGITS else lo.fit(whole, target)


def _decimalarithmetic_type(ctx: Context, e: Call, op: str) -> pl.Expr:
    a, b = e.args
    x, y = _whole(ctx, a), _whole(ctx, b)
    s1, s2, s = a.type.scale, b.type.scale, e.type.scale

    def lit(n: int) -> pl.Expr:
        return pl.lit(n, dtype=pl.Int128)

    if op in "+-%":
        wide = max(s1, s2)
        x, y = x * lit(10 ** (wide - s1)), y * lit(10 ** (wide - s2))
        if op == "%":
            ctx.check((y == lit(0)) & x.is_not_null(), "division by zero", e.location)
            safe = pl.when(y != lit(0)).then(y)
            rest = x.abs() % safe.abs()
            return lo.fit(pl.when(x < lit(0)).then(lit(0) - rest).otherwise(rest), e.type)
        out = x + y if op == "+" else x - y
        return _as_decimal(lo.divide_half_up(out, lit(10 ** (wide - s))) if wide > s else out, e.type)
    if op == "*":
        out = x * y
        return _as_decimal(lo.divide_half_up(out, lit(10 ** (s1 + s2 - s))) if s1 + s2 > s else out, e.type)
    ctx.check((y == lit(0)) & x.is_not_null(), "division by zero", e.location)
    safe = pl.when(y != lit(0)).then(y)
    shift = s + s2 - s1
    top = x * lit(10**shift) if shift >= 0 else x
    bottom = safe if shift >= 0 else safe * lit(10**-shift)
    return lo.fit(lo.divide_half_up(top, bottom), e.type)


def _arithmetic(op: str) -> Callable[[Context, Call], pl.Expr]:
    def lower_(ctx: Context, e: Call) -> pl.Expr:
        if e.type.kind in TEMPORAL:
            return _temporal(ctx, e, 1 if op == "+" else -1)
        if e.type.kind is Kind.DECIMAL:
            return _decimalarithmetic_type(ctx, e, op)
        x, y = values(ctx, e)
        if op in "/%" and e.type.kind in INTEGERS:
            ctx.check((y == 0) & x.is_not_null(), "division by zero", e.location)
            y = pl.when(y != 0).then(y)
            if op == "/":
                return java_div(x, y).cast(e.type.polars)
            rest = x.abs() % y.abs()
            return pl.when(x < 0).then(-rest).otherwise(rest).cast(e.type.polars)
        if op == "%":
            return x - (x / y).cast(pl.Int64, strict=False) * y
        out = {"+": x + y, "-": x - y, "*": x * y, "/": x / y}[op]
        return out.cast(e.type.polars)

    return lower_


def _result(op: str) -> Result:
    return lambda args: arithmetic_type(op)(args).with_nullable(nullable(args))


for _op in "+-*/%":
    define(
        _op,
        "arithmetic",
        f"a {_op} b",
        "Arithmetic; integers wrap and divide toward zero, decimals are exact.",
        _result(_op),
        _arithmetic(_op),
        2,
        convert=_converted(_op),
    )
FUNCTIONS["MOD"] = FUNCTIONS["%"]


def _negative(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        return lo.fit(pl.lit(0, dtype=pl.Int128) - unscaled(x, e.type), e.type)
    return (pl.lit(0, dtype=e.type.polars) - x) if e.type.kind in INTEGERS else -x


define("NEGATE", "arithmetic", "-a", "The negative.", same, _negative, 1)
define("POSITIVE", "arithmetic", "+a", "The same.", same, simple(lambda a: a), 1)
