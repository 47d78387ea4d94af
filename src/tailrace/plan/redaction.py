"""Which columns of a plan have values that must not be shown: those of given names, and all that comes of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from tailrace.expressions.nodes import AggregateCall, columns
from tailrace.plan.nodes import (
    Aggregate,
    Calc,
    LookupJoin,
    MatchRecognize,
    Node,
    OverAggregate,
    OverUpdates,
    Process,
    Sink,
    Unnest,
    WindowAggregate,
    walk,
)
from tailrace.plan.nodes.patterns import PatternValue, RowReference
from tailrace.schema import DataType

Names = frozenset[str]


def hidden_columns(sinks: Sequence[Sink], redacted: Collection[str]) -> dict[int, Names]:
    """
    Give the columns of each node (by its id) that must not be shown.

    A column is hidden if it has, or a field in it has, one of the `redacted` names, or if it is computed from a hidden one; a count of
    hidden values may be seen.
    """
    found: dict[int, Names] = {}
    for node in (n for sink in sinks for n in walk(sink)):
        named = {f.name for f in node.schema if f.name in redacted or has_field(f.type, redacted)}
        below = frozenset().union(*(found[id(i)] for i in node.inputs))
        found[id(node)] = frozenset(named) | _passed_on(node, below, redacted)
    return found


def has_field(type_: DataType, names: Collection[str]) -> bool:
    """Tell whether a type has a field of one of these names, at any depth."""
    return any(n in names for n in type_.names) or any(has_field(c, names) for c in type_.children)


def _passed_on(node: Node, hidden: Names, redacted: Collection[str]) -> Names:
    """Give the columns of a node that come of hidden ones of its inputs, or of a table that it asks."""
    if isinstance(node, LookupJoin):
        asked = hidden | {f.name for f in node.table.schema if f.name in redacted}
        pairs = zip(node.found, node.exprs, strict=True)
        return _same(node, hidden) | {f.name for f, e in pairs if columns(e) & asked}
    if not hidden:
        return hidden
    return _same(node, hidden) | _COMPUTED.get(type(node), _nothing)(node, hidden)


def _same(node: Node, hidden: Names) -> Names:
    return hidden & set(node.schema.names) if not isinstance(node, Calc) else frozenset()


def _nothing(_node: Node, _hidden: Names) -> Names:
    return frozenset()


def _calc(node: Calc, hidden: Names) -> Names:
    pairs = zip(node.schema.names, node.exprs, strict=True)
    return frozenset(name for name, expr in pairs if columns(expr) & hidden)


def _call(call: AggregateCall, hidden: Names) -> bool:
    return call.arg in hidden and call.function != "COUNT"


def _aggregate(node: Aggregate | WindowAggregate, hidden: Names) -> Names:
    names = node.schema.names
    keys = {name for name, key in zip(names, node.keys, strict=False) if key in hidden}
    calls = zip(names[len(node.keys) :], node.aggregates, strict=False)
    return frozenset(keys | {name for name, call in calls if _call(call, hidden)})


def _over(node: OverAggregate | OverUpdates, hidden: Names) -> Names:
    names = node.schema.names[-len(node.calls) :]
    return frozenset(name for name, call in zip(names, node.calls, strict=True) if _call(call, hidden))


def _unnest(node: Unnest, hidden: Names) -> Names:
    return frozenset(node.elements) if node.collection in hidden else frozenset()


def _matched(value: PatternValue, hidden: Names) -> bool:
    return value.column in hidden if isinstance(value, RowReference) else _call(value.call, hidden)


def _match(node: MatchRecognize, hidden: Names) -> Names:
    names = node.schema.names
    measured = zip(names[len(node.partition) :], node.measured, strict=False)
    keys = {name for name, key in zip(names, node.partition, strict=False) if key in hidden}
    return frozenset(keys | {name for name, value in measured if _matched(value, hidden)})


def _process(node: Process, _hidden: Names) -> Names:
    """A function of the user may put what it was given anywhere."""
    return frozenset(n for n in node.schema.names if n not in node.keys)


_COMPUTED: dict[type[Node], Callable[[Any, Names], Names]] = {
    Calc: _calc,
    Aggregate: _aggregate,
    WindowAggregate: _aggregate,
    OverAggregate: _over,
    OverUpdates: _over,
    Unnest: _unnest,
    MatchRecognize: _match,
    Process: _process,
}
