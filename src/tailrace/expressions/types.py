"""Types of results: what two types have in common, and what arithmetic gives, by Flink's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tailrace.expressions.nodes import Expr
from tailrace.schema import (
    DOUBLE,
    FLOATS,
    INTEGERS,
    NULL,
    STRINGS,
    TIMESTAMPS,
    DataType,
    Kind,
    decimal,
    varchar,
)

NUMERIC = (*INTEGERS, Kind.DECIMAL, *FLOATS)
_RANK = {k: i for i, k in enumerate(NUMERIC)}
DIGITS = {Kind.TINYINT: 3, Kind.SMALLINT: 5, Kind.INT: 10, Kind.BIGINT: 19}


def as_decimal(t: DataType) -> DataType:
    """Give the decimal that holds all values of an integer type."""
    return decimal(DIGITS[t.kind], 0) if t.kind in DIGITS else t


def common_type(types: Sequence[DataType]) -> DataType | None:
    """Give the type that holds the values of all these types; None if there is none."""
    real = [t for t in types if t.kind is not Kind.NULL]
    nullable = any(t.nullable for t in types) or len(real) < len(types)
    if not real:
        return NULL
    out = real[0]
    for t in real[1:]:
        merged = _merge(out, t)
        if merged is None:
            return None
        out = merged
    return out.with_nullable(nullable)


def _merge(a: DataType, b: DataType) -> DataType | None:
    if a.same_as(b):
        return a
    if a.kind in NUMERIC and b.kind in NUMERIC:
        if a.kind in FLOATS or b.kind in FLOATS:
            return (
                DOUBLE
                if Kind.DOUBLE in (a.kind, b.kind)
                or Kind.DECIMAL in (a.kind, b.kind)
                or Kind.BIGINT in (a.kind, b.kind)
                else (a if a.kind in FLOATS else b)
            )
        if Kind.DECIMAL in (a.kind, b.kind):
            x, y = as_decimal(a), as_decimal(b)
            s = max(x.scale, y.scale)
            return decimal(min(38, max(x.precision - x.scale, y.precision - y.scale) + s), s)
        return a if _RANK[a.kind] >= _RANK[b.kind] else b
    if a.kind in STRINGS and b.kind in STRINGS:
        return varchar(max(a.length, b.length))
    if a.kind is b.kind and a.kind in TIMESTAMPS:
        return a if a.precision >= b.precision else b
    return None


def arithmetic_type(op: str) -> Callable[[list[Expr]], DataType]:
    """Give the rule for the result type of an operator."""

    def result(args: list[Expr]) -> DataType:
        a, b = args[0].type, args[1].type
        if a.kind in TIMESTAMPS or a.kind is Kind.DATE:
            return a
        if b.kind in TIMESTAMPS:
            return b
        if Kind.DECIMAL in (a.kind, b.kind) and not (a.kind in FLOATS or b.kind in FLOATS):
            x, y = as_decimal(a), as_decimal(b)
            p1, s1, p2, s2 = x.precision, x.scale, y.precision, y.scale
            if op == "*":
                return _adjust(p1 + p2, s1 + s2)
            if op == "/":
                s = max(6, s1 + p2 + 1)
                return _adjust(p1 - s1 + s2 + s, s)
            if op == "%":
                return decimal(min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2))
            s = max(s1, s2)
            return _adjust(max(p1 - s1, p2 - s2) + s + 1, s)
        out = common_type([a, b])
        assert out is not None
        return out

    return result


def _adjust(p: int, s: int) -> DataType:
    if p <= 38:
        return decimal(p, s)
    digits = p - s
    return decimal(38, max(38 - digits, min(s, 6)))


TEMPORAL = (Kind.DATE, Kind.TIME, *TIMESTAMPS)
