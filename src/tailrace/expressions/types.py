"""Types of results: what two types have in common, and what arithmetic gives, by Flink's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tailrace.expressions.nodes import Expr
from tailrace.schema import (
    DOUBLE,
    FLOAT,
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
    if a.children and a.kind is b.kind and len(a.children) == len(b.children):
        return _merge_nested(a, b)
    if a.kind in NUMERIC and b.kind in NUMERIC:
        kinds = (a.kind, b.kind)
        if a.kind in FLOATS or b.kind in FLOATS:
            return DOUBLE if Kind.DOUBLE in kinds or Kind.DECIMAL in kinds else FLOAT
        if Kind.DECIMAL in kinds:
            x, y = as_decimal(a), as_decimal(b)
            whole, scale = max(x.precision - x.scale, y.precision - y.scale), max(x.scale, y.scale)
            return decimal(min(38, whole + scale), min(scale, 38 - whole))
        return a if _RANK[a.kind] >= _RANK[b.kind] else b
    if a.kind in STRINGS and b.kind in STRINGS:
        return varchar(max(a.length, b.length))
    if a.kind in TIMESTAMPS and b.kind in TIMESTAMPS:
        # of one with and one without a time zone, that with it
        kind = a.kind if a.kind is b.kind else Kind.TIMESTAMP_LTZ
        return replace(a, kind=kind, precision=max(a.precision, b.precision))
    return None


def _merge_nested(a: DataType, b: DataType) -> DataType | None:
    """Give the array, map or row of what its parts have in common; a row has the names of the first."""
    if a.class_name != b.class_name:
        return None
    children = [common_type(pair) for pair in zip(a.children, b.children, strict=True)]
    if None in children:
        return None
    return replace(a, children=tuple(c for c in children if c is not None))


def arithmetic_type(op: str) -> Callable[[list[Expr]], DataType]:
    """Give the rule for the result type of an operator on numbers."""

    def result(args: list[Expr]) -> DataType:
        a, b = args[0].type, args[1].type
        if a.kind in FLOATS or b.kind in FLOATS:
            # as Flink has it: FLOAT and DOUBLE give the type of the first of them
            first = a if a.kind in FLOATS else b
            return DOUBLE if Kind.DECIMAL in (a.kind, b.kind) else first
        if Kind.DECIMAL in (a.kind, b.kind):
            return _decimal_type(op, as_decimal(a), as_decimal(b))
        out = b if op == "%" else common_type([a, b])
        assert out is not None
        return out

    return result


def _decimal_type(op: str, x: DataType, y: DataType) -> DataType:
    p1, s1, p2, s2 = x.precision, x.scale, y.precision, y.scale
    if op == "*":
        return _adjust(p1 + p2 + 1, s1 + s2)
    if op == "/":
        s = max(6, s1 + p2 + 1)
        return _adjust(p1 - s1 + s2 + s, s)
    if op == "%":
        return decimal(min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2))
    s = max(s1, s2)
    return _adjust(max(p1 - s1, p2 - s2) + s + 1, s)


def _adjust(p: int, s: int) -> DataType:
    if p <= 38:
        return decimal(p, s)
    digits = p - s
    return decimal(38, max(38 - digits, min(s, 6)))


TEMPORAL = (Kind.DATE, Kind.TIME, *TIMESTAMPS)
