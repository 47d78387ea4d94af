"""The functions that expressions may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.expressions.nodes import Call, Cast, Expr, Literal
from tailrace.schema import (BIGINT, BOOLEAN, DATE, DOUBLE, FLOATS, INT, INTEGERS, INTERVALS, NULL, STRING, STRINGS, TIMESTAMPS,
    DataType, Kind, decimal, timestamp, timestamp_ltz, varchar, MAX_LENGTH)

NUMERIC = (*INTEGERS, Kind.DECIMAL, *FLOATS)
_RANK = {k: i for i, k in enumerate(NUMERIC)}
_DIGITS = {Kind.TINYINT: 3, Kind.SMALLINT: 5, Kind.INT: 10, Kind.BIGINT: 19}


@dataclass(frozen=True)
class Function:
    name: str
    result: Callable[[list[Expr]], DataType]
    low: int
    high: int
    doc: str = ""


def as_decimal(t: DataType) -> DataType:
    return decimal(_DIGITS[t.kind], 0) if t.kind in _DIGITS else t


def common_type(types: Sequence[DataType]) -> DataType | None:
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
            return DOUBLE if Kind.DOUBLE in (a.kind, b.kind) or Kind.DECIMAL in (a.kind, b.kind) or Kind.BIGINT in (a.kind,b.kind) else (a if a.kind in FLOATS else b)
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


def _arith(op: str) -> Callable[[list[Expr]], DataType]:
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


_COMPARE = {"=", "<>", "<", "<=", ">", ">="}
_ARITH = {"+", "-", "*", "/", "%"}
_FUNCTIONS = {
    "UPPER": STRING, "LOWER": STRING, "CHAR_LENGTH": INT, "PROCTIME": timestamp_ltz(3), "ABS": None, "COALESCE": None, "NULLIF": None, "IF": None, "CONCAT": STRING,
}
AGGREGATES = ("COUNT", "SUM", "AVG", "MIN", "MAX")


def call(name: str, args: Sequence[Expr], location: Location | None = None) -> Expr:
    name = name.upper()
    args = list(args)
    nullable = any(a.type.nullable for a in args)
    if name == "BETWEEN":
        return call("AND", [call(">=", args[:2], location), call("<=", [args[0], args[2]], location)], location)
    if name in ("AND", "OR", "NOT"):
        return Call(BOOLEAN.with_nullable(nullable), name, tuple(args), location)
    if name.startswith("IS "):
        return Call(BOOLEAN.with_nullable(False), name, tuple(args), location)
    if name in _COMPARE or name == "IN":
        t = common_type([a.type for a in args])
        if t is None:
            raise ConfigError(f"can't compare {args[0].type.sql()} with {args[1].type.sql()}", location=location)
        return Call(BOOLEAN.with_nullable(nullable), name, tuple(_to(a, t) for a in args), location)
    if name in _ARITH:
        t = _arith(name)(args)
        return Call(t.with_nullable(nullable), name, tuple(_to(a, t) if t.kind in (*INTEGERS, *FLOATS) else _dec(a) for a in args), location)
    if name == "CASE":
        values = [*args[1:-1:2], args[-1]]
        t = common_type([v.type for v in values])
        assert t is not None
        out = [(_to(a, t) if (i % 2 == 1 or i == len(args) - 1) else a) for i, a in enumerate(args)]
        return Call(t, name, tuple(out), location)
    if name in _FUNCTIONS:
        t = _FUNCTIONS[name] or common_type([a.type for a in args])
        assert t is not None
        return Call(t, name, tuple(args), location)
    raise ConfigError(f"there is no function '{name}'", hint=did_you_mean(name, scalar_names()), location=location)


def _dec(a: Expr) -> Expr:
    return Cast(as_decimal(a.type), a) if a.type.kind in _DIGITS else a


def _to(a: Expr, t: DataType) -> Expr:
    return a if a.type.kind is t.kind and a.type.polars == t.polars else Cast(t.with_nullable(a.type.nullable), a)


def cast(arg: Expr, type: DataType, safe: bool, location: Location | None = None) -> Expr:
    return Cast(type, arg, safe, location)


def is_aggregate(name: str) -> bool:
    return name.upper() in AGGREGATES


def aggregate(name: str, arg: DataType | None, distinct: bool, location: Location | None = None) -> DataType:
    name = name.upper()
    if name == "COUNT":
        return BIGINT.with_nullable(False)
    assert arg is not None
    if name in ("SUM", "AVG") and arg.kind is Kind.DECIMAL:
        return decimal(38, arg.scale if name == "SUM" else max(6, arg.scale))
    return arg.with_nullable(True)


def functions() -> tuple[Function, ...]:
    return ()


def scalar_names() -> tuple[str, ...]:
    return tuple(_FUNCTIONS)
