"""Typed expressions to Polars expressions, with the checks that find rows for which they fail."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tailrace.errors import Location
from tailrace.expressions.nodes import Call, Cast, Column, Expr, Literal, walk
from tailrace.schema import Kind


@dataclass(frozen=True, slots=True)
class Check:
    mask: pl.Expr
    message: str
    location: Location | None = None
    operand: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Lowered:
    value: pl.Expr
    checks: tuple[Check, ...] = ()


OPS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "AND": lambda a, b: a & b, "OR": lambda a, b: a | b,
}


def lower(expr: Expr, timezone: str = "UTC") -> Lowered:
    return Lowered(_value(expr))


def _value(e: Expr) -> pl.Expr:
    if isinstance(e, Column):
        return pl.col(e.name)
    if isinstance(e, Literal):
        if e.type.kind is Kind.INTERVAL_SECOND:
            return pl.lit(e.value, dtype=pl.Int64).cast(pl.Duration("ms"))
        return pl.lit(e.value, dtype=e.type.polars)
    if isinstance(e, Cast):
        return _value(e.arg).cast(e.type.polars, strict=False)
    assert isinstance(e, Call)
    args = [_value(a) for a in e.args]
    return OPS[e.function](*args).cast(e.type.polars)


def needs(expr: Expr) -> set[str]:
    return set()
