"""Joins of two queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tailrace.api import given, queries, trees
from tailrace.api.expr import Expr
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.schema import Schema
from tailrace.sql.binder import functions
from tailrace.sql.dialect import nodes as n
from tailrace.user_functions.declarations import Declaration

LEFT, RIGHT = "l", "r"
HOWS = ("inner", "left", "right", "full", "semi", "anti", "cross")


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
    as_of: str,
) -> n.Query:
    """
    Give the join of two queries.

    Raises:
        ConfigError: a join that is not a cross join has no condition, or a cross join has one; or it can't be `as_of`.
    """
    given.check_choice(
        "how", how, HOWS, {"outer": "full", "full_outer": "full", "left_outer": "left", "leftsemi": "semi"}
    )
    if (on is None) != (how == "cross"):
        hint = 'write on="id", or on=left("a") == right("b"); a cross join has none'
        raise ConfigError(f"a join with how='{how}' and on={on!r} can't be", hint=hint, location=place().location())
    if as_of and how not in ("inner", "left"):
        hint = "how is 'inner' or 'left' with as_of"
        raise ConfigError(f"a join with how='{how}' can't be as of a time", hint=hint, location=place().location())
    names = _names(on)
    condition = None if on is None else _condition(on, names)
    if how in ("semi", "anti"):
        return _with_exists(one, other, condition, negated=how == "anti")
    sources = {"left": queries.source_of(one, LEFT), "right": queries.source_of(other, RIGHT)}
    if as_of:
        sources["right"] = _version(sources["right"], as_of)
    join = placed(n.Join(**sources, kind=how.upper(), natural=False, condition=condition))
    hidden = () if how == "full" else names
    return queries.select(join, _columns(one_schema, other_schema, hidden, suffix, from_right=how == "right"))


def _version(source: n.Node, as_of: str) -> n.Node:
    """Give a table as it was at a time of the left one."""
    if not isinstance(source, n.TableSource):
        hint = 'give it a name before: versions = table.as_view("versions")'
        raise ConfigError("as_of needs a table or view by name", hint=hint, location=place().location())
    source.set("system_time", trees.name(LEFT, as_of))
    return source


def lateral(
    one: n.Query,
    function: Declaration[..., Any],
    arguments: Sequence[Expr],
    names: Sequence[str],
    *,
    keep_empty: bool,
) -> n.Query:
    """Give each row of a query with the rows that a table function makes of it."""
    call = placed(n.TableFunction(this=function.__name__, arguments=[a.tree.copy() for a in arguments]))
    functions.let_mean(call, function)
    made = placed(n.LateralSource(this=call, alias=trees.identifier("u"), columns=trees.texts(names)))
    return _each(queries.source_of(one, LEFT), made, keep_empty=keep_empty)


def exploded(one: n.Query, name: str, names: Sequence[str], number: str, *, keep_empty: bool) -> n.Query:
    """Give each row of a query with the elements of one of its arrays or maps."""
    columns = [*names, number] if number else names
    array = trees.name(LEFT, name)
    made = placed(n.UnnestSource(arguments=[array], ordinality=bool(number), alias=trees.identifier("u")))
    made.set("columns", trees.texts(columns))
    return _each(queries.source_of(one, LEFT), made, keep_empty=keep_empty)


def _each(left: n.Node, right: n.Node, *, keep_empty: bool) -> n.Query:
    kind = "LEFT" if keep_empty else "CROSS"
    condition = trees.literal(True) if keep_empty else None
    return queries.select(placed(n.Join(left=left, right=right, kind=kind, natural=False, condition=condition)))


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
