"""Arithmetic: integers wrap as in Java, decimals are exact."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from tailrace.expressions import decimals
from tailrace.expressions.decimals import fit, lit, toward_zero, unscaled
from tailrace.expressions.functions.time_arithmetic import is_temporal, temporal, temporal_type
from tailrace.expressions.nodes import Call, Cast, Expr
from tailrace.expressions.registry import (
    FUNCTIONS,
    NUMBER,
    Context,
    LowerCall,
    define,
    nullable,
    same,
    simple,
    takes,
    to,
    values,
)
from tailrace.expressions.types import DIGITS, NUMERIC, arithmetic_type, as_decimal
from tailrace.schema import FLOATS, INTEGERS, INTERVALS, DataType, Kind

_SIGNS = (*NUMBER, *INTERVALS)


def _numbers(args: list[Expr], op: str) -> list[Expr]:
    t = arithmetic_type(op)(args)
    if t.kind in INTEGERS and op == "%":
        return args
    if t.kind in (*INTEGERS, *FLOATS):
        return [to(a, t) for a in args]
    return [Cast(as_decimal(a.type).with_nullable(a.type.nullable), a) if a.type.kind in DIGITS else a for a in args]


def _converted(op: str) -> Callable[[list[Expr]], list[Expr]]:
    allowed = [k for k in NUMERIC if op != "%" or k not in FLOATS]

    def convert(args: list[Expr]) -> list[Expr]:
        if is_temporal(args):
            temporal_type(op, args)
            return args
        kinds = [a.type.kind for a in args]
        if not all(k in (*allowed, Kind.NULL) for k in kinds) or set(kinds) == {Kind.NULL}:
            raise ValueError(f"{args[0].type.sql()} {op} {args[1].type.sql()} is not defined")
        known = next(a.type for a in args if a.type.kind is not Kind.NULL)
        return _numbers([Cast(known.with_nullable(True), a) if a.type.kind is Kind.NULL else a for a in args], op)

    return convert


_DECIMAL: dict[str, Callable[..., pl.Expr]] = {
    "*": decimals.multiply,
    "/": decimals.divide,
    "%": decimals.remainder,
    "+": partial(decimals.add, sign=1),
    "-": partial(decimals.add, sign=-1),
}


def _unscaled(ctx: Context, e: Expr) -> pl.Expr:
    """Give a decimal as its unscaled integer; an integer that was made one is that already."""
    if isinstance(e, Cast) and e.arg.type.kind in INTEGERS and e.type.same_as(as_decimal(e.arg.type)):
        return ctx.lower(e.arg).cast(pl.Int128)
    return unscaled(ctx.lower(e), e.type)


def _lowered(op: str) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        if is_temporal(e.args):
            return temporal(ctx, e)
        decimal = e.type.kind is Kind.DECIMAL
        x, y = (_unscaled(ctx, a) for a in e.args) if decimal else values(ctx, e)
        if op in "/%" and e.type.kind not in FLOATS:
            ctx.check((y == 0) & x.is_not_null(), "division by zero", e.location)
        if decimal:
            return _DECIMAL[op](x, e.args[0].type, y, e.args[1].type, e.type)
        if e.type.kind in INTEGERS:
            return _whole(op, x, y).cast(e.type.polars, wrap_numerical=True)
        return {"+": x + y, "-": x - y, "*": x * y, "/": x / y}[op].cast(e.type.polars)

    return lower


def _whole(op: str, x: pl.Expr, y: pl.Expr) -> pl.Expr:
    if op == "/":
        return toward_zero(x, y)
    if op == "%":
        return x - toward_zero(x, y) * y
    return {"+": x + y, "-": x - y, "*": x * y}[op]


def _result(op: str) -> Callable[[list[Expr]], DataType]:
    def result(args: list[Expr]) -> DataType:
        t = temporal_type(op, args) if is_temporal(args) else arithmetic_type(op)(args)
        return t.with_nullable(nullable(args))

    return result


for _op in "+-*/%":
    define(
        _op,
        "arithmetic",
        f"a {_op} b",
        "Arithmetic; integers wrap and divide toward zero, decimals are exact.",
        _result(_op),
        _lowered(_op),
        2,
        convert=_converted(_op),
    )
FUNCTIONS["MOD"] = FUNCTIONS["%"]


def _negative(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        return fit(lit(0) - unscaled(x, e.type), e.type)
    return pl.lit(0, dtype=e.type.polars) - x if e.type.kind in INTEGERS else -x


define("NEGATE", "arithmetic", "-a", "The negative.", same, _negative, 1, convert=takes(_SIGNS))
define("POSITIVE", "arithmetic", "+a", "The same.", same, simple(lambda a: a), 1, convert=takes(_SIGNS))
