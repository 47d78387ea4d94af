"""Which columns tell the rows of a node apart, as far as the plan can know."""

from __future__ import annotations

from tailrace.expressions.nodes import Cast, Column, Expr
from tailrace.plan.nodes import (
    Aggregate,
    AssignWatermark,
    Calc,
    Deduplicate,
    Enforce,
    Join,
    JoinKind,
    Limit,
    LookupJoin,
    Materialize,
    Node,
    Normalize,
    OverUpdates,
    Rank,
    Scan,
    Sort,
    TemporalJoin,
    Versions,
    WindowAggregate,
    WindowJoin,
)
from tailrace.schema import INTEGERS

Keys = frozenset[frozenset[str]]
"""Sets of columns, each of which has different values in any two rows that are there at one time."""

_NONE: Keys = frozenset()


def unique_keys(node: Node) -> Keys:
    """
    Give the keys of a node's rows; an empty key tells that there is at most one row.

    A primary key that a table declares is believed, as Flink does.
    """
    match node:
        case Scan():
            return _within(frozenset([frozenset(node.table.primary_key)]) if node.table.primary_key else _NONE, node)
        case Calc():
            return _renamed(node)
        case AssignWatermark() | Limit() | Sort() | Enforce() | OverUpdates():
            return unique_keys(node.input)
        case Aggregate():
            return _within(frozenset([frozenset(node.keys)]), node)
        case WindowAggregate():
            return _of_window(node)
        case Deduplicate() | Versions() | Normalize() | Materialize():
            return _within(frozenset([frozenset(node.keys)]) | unique_keys(node.input), node)
        case Rank():
            return _within(_of_rank(node), node)
        case TemporalJoin() | LookupJoin():
            return _within(unique_keys(node.inputs[0]), node) if _finds_one(node) else _NONE
        case Join():
            return _within(_of_join(node), node)
    return _NONE


def _within(keys: Keys, node: Node) -> Keys:
    """Give the keys whose columns the node has."""
    return frozenset(k for k in keys if k <= set(node.schema.names))


def _renamed(node: Calc) -> Keys:
    plain: dict[str, str] = {}
    cast: dict[str, str] = {}
    for field, expr in zip(node.schema, node.exprs, strict=True):
        if isinstance(expr, Column):
            plain.setdefault(expr.name, field.name)
        elif (name := _widened(expr)) is not None:
            cast.setdefault(name, field.name)
    keys = unique_keys(node.input)
    both = ({**cast, **plain}, {**plain, **cast})
    return frozenset(frozenset(names[c] for c in k) for names in both for k in keys if k <= names.keys())


def _widened(expr: Expr) -> str | None:
    """Give the column that a cast makes a wider integer of: different values stay different."""
    if not isinstance(expr, Cast) or not isinstance(expr.arg, Column):
        return None
    kinds = [INTEGERS.index(t.kind) if t.kind in INTEGERS else -1 for t in (expr.arg.type, expr.type)]
    return expr.arg.name if 0 <= kinds[0] <= kinds[1] else None


def _of_window(node: WindowAggregate) -> Keys:
    edges = node.schema.names[len(node.keys) + len(node.aggregates) :]
    return frozenset(frozenset((*node.keys, edge)) for edge in edges)


def _of_rank(node: Rank) -> Keys:
    own = frozenset((*node.partition, *([node.number] if node.number else [])))
    return unique_keys(node.input) | (frozenset([own]) if node.by_place else _NONE)


def _finds_one(node: TemporalJoin | LookupJoin) -> bool:
    """Tell whether each row finds at most one."""
    if isinstance(node, TemporalJoin):
        return True
    return bool(node.table.primary_key) and set(node.table.primary_key) <= {k.column for k in node.keys}


def _of_join(node: Join) -> Keys:
    left, right = unique_keys(node.left), unique_keys(node.right)
    if node.kind.left_only:
        return left
    keys = {a | b for a in left for b in right}
    # where each row finds at most one on the other side, its own key is enough
    if node.kind in (JoinKind.INNER, JoinKind.LEFT) and joined_on_key(node, 1):
        keys |= left
    if node.kind in (JoinKind.INNER, JoinKind.RIGHT) and joined_on_key(node, 0):
        keys |= right
    return frozenset(keys)


def joined_on_key(node: Join, port: int) -> bool:
    """Tell whether no two rows of a side (0: left) have the same join key."""
    columns = {k.right if port else k.left for k in node.keys}
    if isinstance(node, WindowJoin):
        columns.add(node.edges[port])
    return any(k <= columns for k in unique_keys(node.inputs[port]))
