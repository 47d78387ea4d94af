"""The condition of a join falls into keys, conditions of one side, and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tailrace.errors import ConfigError
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Call, Cast, Column, Expr, columns
from tailrace.plan.nodes import Calc, Join, JoinKey, JoinKind, Node, TemporalJoin
from tailrace.plan.rewrite.predicates import conjuncts, filtered, joined
from tailrace.schema import STRINGS, Field, Schema

_EQUAL = {"=": False, "IS NOT DISTINCT FROM": True}
_STRICT = frozenset(("=", "<>", "<", "<=", ">", ">=", "LIKE", "BETWEEN", "IS NOT NULL", "IS TRUE"))
"""Conditions that are not true where an argument is NULL."""
_MAY_FILTER = {
    JoinKind.INNER: (True, True),
    JoinKind.LEFT: (False, True),
    JoinKind.RIGHT: (True, False),
    JoinKind.FULL: (False, False),
    JoinKind.SEMI: (True, True),
    JoinKind.ANTI: (False, True),
}
"""Of which sides a row that its own part of the ON condition refuses may be dropped."""


def split_condition(node: Join) -> Join:
    """
    Move the parts of a join's condition to where they cost least.

    Equalities across the sides become keys, parts over one side filter it where the join lets them, the rest stays.
    """
    if node.condition is None:
        return node
    rest: list[Expr] = []
    made = node
    for part in conjuncts(node.condition):
        found = _as_filter(made, part) or _as_key(made, part)
        made, rest = (found, rest) if found is not None else (made, [*rest, part])
    return replace(made, condition=joined(rest))


def filter_join(node: Join, parts: Iterable[Expr]) -> tuple[Join, list[Expr]]:
    """Filter the rows that a join puts out by filtering what goes in; give the join, and the parts that stay above."""
    parts = list(parts)
    kind = _simplified(node, parts)
    if kind is JoinKind.INNER:
        made = replace(node, kind=kind, condition=joined([*conjuncts(node.condition), *parts]))
        return made, []
    below: list[list[Expr]] = [[], []]
    above: list[Expr] = []
    for part in parts:
        side = _side(node, part)
        keeps = side is not None and (kind.left_only or (kind is JoinKind.LEFT and side == 0))
        keeps = keeps or (kind is JoinKind.RIGHT and side == 1)
        (below[side] if keeps and side is not None else above).append(part)
    if kind is node.kind and not any(below):
        return node, above
    left, right = (filtered(n, joined(p)) for n, p in zip(node.inputs, below, strict=True))
    return replace(node, kind=kind, left=left, right=right), above


def _simplified(node: Join, parts: list[Expr]) -> JoinKind:
    """Give the kind of an outer join when rows that have no match on a side are refused later anyway."""
    refused = [any(_needs_row(p, set(n.schema.names)) for p in parts) for n in node.inputs]
    kind = node.kind
    if kind is JoinKind.FULL:
        table = {(False, False): kind, (True, False): JoinKind.LEFT, (False, True): JoinKind.RIGHT}
        return table.get((refused[0], refused[1]), JoinKind.INNER)
    drops = {JoinKind.LEFT: refused[1], JoinKind.RIGHT: refused[0]}
    return JoinKind.INNER if drops.get(kind) else kind


def _needs_row(part: Expr, names: set[str]) -> bool:
    """Tell whether a condition can't be true where the columns of these names are all NULL."""
    if not isinstance(part, Call) or part.function not in _STRICT:
        return False
    arguments = [a.arg if isinstance(a, Cast) else a for a in part.args]
    return any(isinstance(a, Column) and a.name in names for a in arguments)


def _side(node: Join, part: Expr) -> int | None:
    """Give the side that a condition is about: 0 is the left, None both or neither."""
    used = columns(part)
    for side, below in enumerate(node.inputs):
        if used and used <= set(below.schema.names):
            return side
    return None


def _as_filter(node: Join, part: Expr) -> Join | None:
    side = _side(node, part)
    if side is None or not _MAY_FILTER[node.kind][side] or (isinstance(node, TemporalJoin) and side == 1):
        # a version that is refused ends the one before it all the same
        return None
    inputs = list(node.inputs)
    inputs[side] = filtered(inputs[side], part)
    return replace(node, left=inputs[0], right=inputs[1])


def _as_key(node: Join, part: Expr) -> Join | None:
    if not isinstance(part, Call) or part.function not in _EQUAL:
        return None
    sides = [_side(node, a) for a in part.args]
    if sorted(s for s in sides if s is not None) != [0, 1]:
        return None
    _refuse_conversion(part)
    left, right = _of_one_type(part.args if sides == [0, 1] else part.args[::-1])
    if left is None or right is None:
        return None
    null_safe = _EQUAL[part.function]
    if (
        isinstance(left, Column)
        and isinstance(right, Column)
        and JoinKey(left.name, right.name, null_safe) in node.keys
    ):
        return node
    inputs, names = list(node.inputs), []
    for side, expr in enumerate((left, right)):
        used = [(k.left, k.right)[side] for k in node.keys]
        inputs[side], name = _with_column(inputs[side], expr, [n for i in inputs for n in i.schema.names], used)
        names.append(name)
    key = JoinKey(names[0], names[1], null_safe)
    return replace(node, left=inputs[0], right=inputs[1], keys=(*node.keys, key))


def _refuse_conversion(part: Call) -> None:
    """Refuse to join texts with what is no text, as Flink does."""
    given = [a.arg.type if isinstance(a, Cast) and a.location is None else a.type for a in part.args]
    if len({t.kind in STRINGS for t in given}) > 1:
        names = " and ".join(t.sql() for t in given)
        hint = "CAST one of them to the type of the other"
        raise ConfigError(f"a join can't compare {names}", hint=hint, location=part.location)


def _of_one_type(args: tuple[Expr, ...]) -> tuple[Expr | None, Expr | None]:
    """Cast both operands to what they are compared as."""
    common = catalogue.common_type([a.type for a in args])
    if common is None:
        return None, None
    left, right = (
        a if a.type.polars == common.polars else Cast(common.with_nullable(a.type.nullable), a) for a in args
    )
    return left, right


def _with_column(node: Node, expr: Expr, taken: list[str], used: list[str]) -> tuple[Node, str]:
    """Give a node that has a column with the value of an expression, and its name, which is none of those `used`."""
    if isinstance(expr, Column) and expr.name not in used:
        return node, expr.name
    number = 0
    while f"__j{number}" in taken:
        number += 1
    field = Field(f"__j{number}", expr.type)
    exprs = tuple(Column(f.type, f.name) for f in node.schema)
    schema = Schema((*node.schema.fields, field))
    return Calc(schema=schema, input=node, exprs=(*exprs, expr), location=node.location), field.name
