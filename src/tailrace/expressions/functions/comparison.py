"""Comparison and logic, in three values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tailrace.expressions.casts import cast
from tailrace.expressions.nodes import Call, Cast, Expr, Literal
from tailrace.expressions.registry import (
    UNORDERED,
    Context,
    WrongTypesError,
    define,
    fixed,
    never_null,
    nullable,
    simple,
    to,
    to_merged,
    values,
)
from tailrace.expressions.types import NUMERIC, TEMPORAL
from tailrace.schema import BOOLEAN, DOUBLE, STRINGS, DataType, Kind


def comparable(args: list[Expr]) -> list[Expr]:
    """Cast what is compared to one type; a text is read as the type of the others."""
    kinds = [a.type.kind for a in args]
    other = next((a.type for a in args if a.type.kind not in (*STRINGS, Kind.NULL)), None)
    if other is not None and other.kind in _READ and any(k in STRINGS for k in kinds):
        target = DOUBLE if other.kind in NUMERIC else other
        return [to(a, target) if a.type.kind in STRINGS else a for a in args]
    return to_merged(args)


_READ = (*TEMPORAL, *NUMERIC, Kind.BOOLEAN)


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
    """Cast what is compared for equality: as Flink does, a DOUBLE to the FLOAT on its left, and no number to a text."""
    kinds = [a.type.kind for a in args]
    if kinds == [Kind.FLOAT, Kind.DOUBLE]:
        return [args[0], to(args[1], args[0].type)]
    if any(k in STRINGS for k in kinds) and any(k in NUMERIC for k in kinds):
        shown = " and ".join(a.type.sql() for a in args)
        raise WrongTypesError(f"can't compare {shown}", "write CAST around one of them")
    return comparable(args)


def ordered(args: list[Expr]) -> list[Expr]:
    """Cast what is compared for its order, which arrays, maps, rows and variants have none of."""
    if any(a.type.kind in UNORDERED for a in args):
        raise ValueError("there is no order of arrays, maps, rows and variants")
    return comparable(args)


def equals(a: pl.Expr, b: pl.Expr, t: DataType) -> pl.Expr:
    """Compare two values of a type; rows are equal where all their fields are, so NULL counts in them too; in objects it equals NULL."""
    if t.kind is not Kind.ROW or t.class_name:
        return compared(a, b, "eq")
    pairs = ((a.struct.field(n), b.struct.field(n), c) for n, c in zip(t.names, t.children, strict=True))
    return pl.all_horizontal([equals(*p) for p in pairs])


def _equality(args: list[Expr]) -> DataType:
    return BOOLEAN.with_nullable(nullable(args) or any(_has_null(a.type) for a in args))


def _has_null(t: DataType) -> bool:
    return t.kind is Kind.ROW and any(c.nullable or _has_null(c) for c in t.children)


def _equal(ctx: Context, e: Call) -> pl.Expr:
    a, b = values(ctx, e)
    return equals(a, b, e.args[0].type)


def _unequal(ctx: Context, e: Call) -> pl.Expr:
    a, b = values(ctx, e)
    return a.ne_missing(b) if e.args[0].type.kind is Kind.ROW else compared(a, b, "ne")


for _name, _lower, _doc in (
    ("=", _equal, "Whether both are equal; NULL if either is NULL."),
    ("<>", _unequal, "Whether they differ; NULL if either is NULL."),
):
    define(_name, "comparison", f"a {_name} b", _doc, _equality, _lower, 2, convert=equal)
for _name, _op in (("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge")):
    define(
        _name,
        "comparison",
        f"a {_name} b",
        "Compares; NULL if either is NULL.",
        fixed(BOOLEAN),
        simple(lambda a, b, op=_op: compared(a, b, op)),
        2,
        convert=ordered,
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
    t, constants = e.args[0].type, _constants(e.args[1:], e.args[0].type, ctx.timezone)
    if constants is not None:
        return _one_of(ctx.lower(e.args[0]), constants)
    x, *rest = values(ctx, e)
    return _any([equals(x, other, t) for other in rest])


def _any(conditions: list[pl.Expr]) -> pl.Expr:
    """Join conditions by OR, as a tree that is as deep as its logarithm."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return _any(conditions[:half]) | _any(conditions[half:])


def _constants(args: Sequence[Expr], target: DataType, timezone: str) -> pl.Series | None:
    """Give the values of constants, cast as a whole; None if one is no constant, or can't be cast."""
    by_type: dict[DataType, list[Any]] = {}
    for arg in args:
        plain = arg.arg if isinstance(arg, Cast) and not arg.safe else arg
        if not isinstance(plain, Literal) or target.children:
            return None
        by_type.setdefault(plain.type.with_nullable(True), []).append(plain.value)
    found = [_cast_all(given, t, target, timezone) for t, given in by_type.items()]
    known = [series for series in found if series is not None]
    return pl.concat(known) if len(known) == len(found) else None


def _cast_all(given: list[Any], source: DataType, target: DataType, timezone: str) -> pl.Series | None:
    series = pl.Series("v", given, dtype=source.polars)
    if source.same_as(target):
        return series.cast(target.polars)
    made = series.to_frame().select(cast(pl.col("v"), source, target, timezone)).to_series()
    return made if made.null_count() == series.null_count() else None


def _one_of(x: pl.Expr, constants: pl.Series) -> pl.Expr:
    known = constants.drop_nulls()
    found = x.is_in(known.implode())
    return found if len(known) == len(constants) else pl.when(found).then(pl.lit(value=True))


define("IN", "comparison", "a IN (b, ...)", "Whether it is one of them.", _equality, _in, 2, 1_000_000, comparable)
