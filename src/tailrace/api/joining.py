"""Joins of two queries."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.api import queries, trees
from tailrace.api.expr import Expr
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.schema import Schema
from tailrace.sql.dialect import nodes as n

LEFT, RIGHT = "l", "r"


def left(name: str) -> Expr:
    """Give a column of the left table in the condition of a join."""
    return Expr(trees.name(LEFT, name), name)


def right(name: str) -> Expr:
    """Give a column of the right table in the condition of a join."""
    return Expr(trees.name(RIGHT, name), name)


def joined(
    one: n.Query,
    one_schema: Schema,
    other: n.Query,
    other_schema: Schema,
    on: str | Sequence[str] | Expr | None,
    how: str,
    suffix: str,
) -> n.Query:
    """
    Give the join of two queries.

    Raises:
        ConfigError: a join that is not a cross join has no condition, or a cross join has one.
    """
    if (on is None) != (how == "cross"):
        hint = 'write on="id", or on=left("a") == right("b"); a cross join has none'
        raise ConfigError(f"a join with how='{how}' and on={on!r} can't be", hint=hint, location=place().location())
    names = _names(on)
    condition = None if on is None else _condition(on, names)
    if how in ("semi", "anti"):
        return _with_exists(one, other, condition, negated=how == "anti")
    sources = {"left": queries.source_of(one, LEFT), "right": queries.source_of(other, RIGHT)}
    join = placed(n.Join(**sources, kind=how.upper(), natural=False, condition=condition))
    hidden = () if how == "full" else names
    return queries.select(join, _columns(one_schema, other_schema, hidden, suffix, from_right=how == "right"))


def _names(on: str | Sequence[str] | Expr | None) -> tuple[str, ...]:
    """Give the names of columns to join on, if they were given so."""
    return (on,) if isinstance(on, str) else () if on is None or isinstance(on, Expr) else tuple(on)


def _condition(on: str | Sequence[str] | Expr, names: Sequence[str]) -> n.Node:
    condition = on if isinstance(on, Expr) else None
    for name in names:
        equal = left(name) == right(name)
        condition = equal if condition is None else condition & equal
    if condition is None:
        raise ConfigError("a join needs at least one column", location=place().location())
    return condition.tree.copy()


def _columns(one: Schema, other: Schema, hidden: Sequence[str], suffix: str, *, from_right: bool) -> list[n.Node]:
    """Give the columns of both sides; those of `hidden` once, from the side whose rows are all kept."""
    found: list[n.Node] = [queries.item(right(c) if from_right and c in hidden else left(c), c) for c in one.names]
    rest = [c for c in other.names if c not in hidden]
    return found + [queries.item(right(c), f"{c}{suffix}" if c in one else c) for c in rest]


def _with_exists(one: n.Query, other: n.Query, condition: n.Node | None, *, negated: bool) -> n.Query:
    """Give the rows of one query for which there is (not) a row of the other."""
    inner = queries.select(queries.source_of(other, RIGHT), where=condition)
    exists: n.Node = placed(n.Exists(query=inner))
    if negated:
        exists = placed(n.Unary(op="NOT", this=exists))
    return queries.select(queries.source_of(one, LEFT), where=exists)
