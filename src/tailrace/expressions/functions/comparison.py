"""Comparison and logic, in three values."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    Context,
    define,
    fixed,
    never_null,
    simple,
    to,
    to_merged,
    values,
)
from tailrace.expressions.types import NUMERIC, TEMPORAL
from tailrace.schema import BOOLEAN, DOUBLE, STRINGS, TIMESTAMPS, Kind


def comparable(args: list[Expr]) -> list[Expr]:
    """Cast what is compared to one type."""
    kinds = [a.type.kind for a in args]
    other = next((a.type for a in args if a.type.kind not in (*STRINGS, Kind.NULL)), None)
    known = other is not None and (other.kind in (*TEMPORAL, *NUMERIC, Kind.BOOLEAN))
    if other is not None and known and any(k in STRINGS for k in kinds):
        target = DOUBLE if other.kind in NUMERIC else other
        return [to(a, target) if a.type.kind in STRINGS else a for a in args]
    if Kind.DATE in kinds and any(k in TIMESTAMPS for k in kinds):
        target = next(a.type for a in args if a.type.kind in TIMESTAMPS)
        return [to(a, target) for a in args]
    return to_merged(args)


_TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def compared(a: pl.Expr, b: pl.Expr, op: str) -> pl.Expr:
    """
    Compare by the method `op` of an expression, with a constant always on the right.

    Polars 2.1 gives one value instead of a column where a constant on the left meets a CASE that takes one constant
    branch for all rows.
    """
    if not a.meta.root_names() and b.meta.root_names():
        a, b, op = b, a, _TURNED.get(op, op)
    out: pl.Expr = getattr(a, op)(b)
    return out


def equal(args: list[Expr]) -> list[Expr]:
    """Cast what is compared for equality: as Flink does, a DOUBLE to the FLOAT on its left."""
    if [a.type.kind for a in args] == [Kind.FLOAT, Kind.DOUBLE]:
        return [args[0], to(args[1], args[0].type)]
    return comparable(args)


for _name, _op in (("=", "eq"), ("<>", "ne"), ("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge")):
    define(
        _name,
        "comparison",
        f"a {_name} b",
        "Compares; NULL if either is NULL.",
        fixed(BOOLEAN),
        simple(lambda a, b, op=_op: compared(a, b, op)),
        2,
        convert=equal if _name in ("=", "<>") else comparable,
    )
define(
    "IS NULL",
    "comparison",
    "a IS NULL",
    "TRUE for NULL.",
    never_null(BOOLEAN),
    simple(lambda a: a.is_null()),
    1,
)
define(
    "IS NOT NULL",
    "comparison",
    "a IS NOT NULL",
    "FALSE for NULL.",
    never_null(BOOLEAN),
    simple(lambda a: a.is_not_null()),
    1,
)
define(
    "IS DISTINCT FROM",
    "comparison",
    "a IS DISTINCT FROM b",
    "As <>, with NULL as a value.",
    never_null(BOOLEAN),
    simple(lambda a, b: compared(a, b, "ne_missing")),
    2,
    convert=comparable,
)
define(
    "IS NOT DISTINCT FROM",
    "comparison",
    "a IS NOT DISTINCT FROM b",
    "As =, with NULL as a value.",
    never_null(BOOLEAN),
    simple(lambda a, b: compared(a, b, "eq_missing")),
    2,
    convert=comparable,
)
for _word, _value in (("TRUE", True), ("FALSE", False)):
    define(
        f"IS {_word}",
        "logic",
        f"a IS {_word}",
        f"Whether it is {_word}; never NULL.",
        never_null(BOOLEAN),
        simple(lambda a, v=_value: a.eq_missing(pl.lit(v))),
        1,
    )
    define(
        f"IS NOT {_word}",
        "logic",
        f"a IS NOT {_word}",
        f"Whether it is not {_word}; never NULL.",
        never_null(BOOLEAN),
        simple(lambda a, v=_value: a.ne_missing(pl.lit(v))),
        1,
    )
define(
    "IS UNKNOWN",
    "logic",
    "a IS UNKNOWN",
    "TRUE for NULL.",
    never_null(BOOLEAN),
    simple(lambda a: a.is_null()),
    1,
)
define(
    "IS NOT UNKNOWN",
    "logic",
    "a IS NOT UNKNOWN",
    "FALSE for NULL.",
    never_null(BOOLEAN),
    simple(lambda a: a.is_not_null()),
    1,
)


def _and(ctx: Context, e: Call) -> pl.Expr:
    a = ctx.lower(e.args[0])
    return a & ctx.under(a.fill_null(value=True), e.args[1])


def _or(ctx: Context, e: Call) -> pl.Expr:
    a = ctx.lower(e.args[0])
    return a | ctx.under(~a.fill_null(value=False), e.args[1])


def _bools(args: list[Expr]) -> list[Expr]:
    for a in args:
        if a.type.kind not in (Kind.BOOLEAN, Kind.NULL):
            raise ValueError(f"expected BOOLEAN, not {a.type.sql()}")
    return [to(a, BOOLEAN) for a in args]


define("AND", "logic", "a AND b", "Both; NULL where neither decides.", fixed(BOOLEAN), _and, 2, convert=_bools)
define("OR", "logic", "a OR b", "Either; NULL where neither decides.", fixed(BOOLEAN), _or, 2, convert=_bools)
define("NOT", "logic", "NOT a", "The opposite; NULL for NULL.", fixed(BOOLEAN), simple(lambda a: ~a), 1, convert=_bools)


def _in(ctx: Context, e: Call) -> pl.Expr:
    x, *rest = values(ctx, e)
    out = x == rest[0]
    for other in rest[1:]:
        out = out | (x == other)
    return out


define("IN", "comparison", "a IN (b, ...)", "Whether it is one of them.", fixed(BOOLEAN), _in, 2, 10_000, comparable)
