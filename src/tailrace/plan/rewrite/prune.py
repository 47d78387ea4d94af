"""Columns that nobody reads are not computed, and not read from the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tailrace.expressions.nodes import columns
from tailrace.plan.nodes import (
    MATCH_TIME,
    Aggregate,
    AssignWatermark,
    Calc,
    Deduplicate,
    IntervalJoin,
    Join,
    Limit,
    LookupJoin,
    MatchRecognize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Rank,
    Repeat,
    Scan,
    Sort,
    TemporalJoin,
    Unnest,
    Versions,
    WindowAggregate,
    WindowJoin,
    WindowTable,
    walk,
)
from tailrace.plan.rewrite.ranks import without_number
from tailrace.schema import Field, Kind, Schema

_WEIGHTS = {Kind.BOOLEAN: 1, Kind.TINYINT: 1, Kind.SMALLINT: 2, Kind.INT: 4, Kind.FLOAT: 4, Kind.DATE: 4}
_NUMBER, _TEXT, _NESTED = 8, 50, 100


def prune(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """Give the plans without what is not read; a node with several parents keeps what any of them reads."""
    wanted = _wanted(roots)
    done: dict[int, Node] = {}

    def visit(node: Node) -> Node:
        if id(node) not in done:
            inputs = tuple(visit(i) for i in node.inputs)
            done[id(node)] = _narrow(node, inputs, wanted[id(node)])
        return done[id(node)]

    return tuple(visit(r) for r in roots)


def _wanted(roots: tuple[Node, ...]) -> dict[int, set[str]]:
    """Give the names that are read of each node, by the node's id."""
    order: dict[int, Node] = {}
    for root in roots:
        order |= {id(n): n for n in walk(root)}
    wanted: dict[int, set[str]] = {key: set() for key in order}
    for root in roots:
        wanted[id(root)] = set(root.schema.names)
    # `walk` gives inputs before those that read them, and a later root never feeds an earlier one
    for node in _readers_first(roots):
        own = wanted[id(node)] = _at_least_one(node, wanted[id(node)])
        for below in node.inputs:
            wanted[id(below)] |= _reads(node, below, own)
    return wanted


def _readers_first(roots: tuple[Node, ...]) -> list[Node]:
    seen: dict[int, Node] = {}

    def visit(node: Node) -> None:
        if id(node) in seen:
            return
        for below in node.inputs:
            visit(below)
        seen[id(node)] = node

    for root in roots:
        visit(root)
    return list(reversed(seen.values()))


def _at_least_one(node: Node, names: set[str]) -> set[str]:
    """Keep one column, the cheapest: rows without columns can't be counted."""
    if names or not node.schema.fields:
        return names
    return {min(node.schema, key=_weight).name}


def _weight(field: Field) -> int:
    if field.type.children:
        return _NESTED
    if field.type.kind in (Kind.CHAR, Kind.VARCHAR, Kind.BINARY, Kind.VARBINARY):
        return _TEXT
    return _WEIGHTS.get(field.type.kind, _NUMBER)


def _reads(node: Node, below: Node, own: set[str]) -> set[str]:
    match node:
        case Calc():
            used = [e for f, e in zip(node.schema, node.exprs, strict=True) if f.name in own]
            used += [node.predicate] if node.predicate is not None else []
            return {name for e in used for name in columns(e)}
        case AssignWatermark():
            return own | {node.column} | columns(node.expr)
        case WindowTable():
            return (own & set(below.schema.names)) | {node.window.time_column}
        case Aggregate() | WindowAggregate():
            return _aggregated(node, own)
        case OverAggregate() | OverUpdates():
            return _read_over(node, own)
        case MatchRecognize():
            return _measured(node, own).reads
        case Limit() | Deduplicate() | Normalize() | Rank() | Sort() | Versions():
            return _read_in_order(node, below, own)
        case Unnest() | Repeat():
            return (own & set(below.schema.names)) | {node.collection if isinstance(node, Unnest) else node.count}
        case Join() | LookupJoin():
            return _joined(node, own) & set(below.schema.names)
    return set(below.schema.names)


def _aggregated(node: Aggregate | WindowAggregate, own: set[str]) -> set[str]:
    results = zip(node.schema.fields[len(node.keys) :], node.aggregates, strict=False)
    calls = [c for f, c in results if f.name in own]
    found = {*node.keys} | {x for c in calls for x in (c.arg, c.filter) if x is not None}
    return found | ({node.window.time_column} if isinstance(node, WindowAggregate) else set())


def _read_in_order(
    node: Limit | Deduplicate | Normalize | Rank | Sort | Versions, below: Node, own: set[str]
) -> set[str]:
    found = own & set(below.schema.names)
    match node:
        case Normalize():
            return found | {*node.keys}
        case Versions():
            return found | {*node.keys, node.time}
        case Deduplicate():
            return found | {*node.keys} | (set() if node.processing_time else {node.time})
        case Rank():
            return found | {*node.partition} | {k.column for k in node.order}
        case Sort():
            return found | {k.column for k in node.order}
    return found


def _joined(node: Join | LookupJoin, own: set[str]) -> set[str]:
    if isinstance(node, LookupJoin):
        return _read_by_lookup(node, own)
    keys = {name for k in node.keys for name in (k.left, k.right)}
    return own | keys | _read_times(node) | (columns(node.condition) if node.condition is not None else set())


def _read_times(node: Join) -> set[str]:
    """Give the columns by which a join bounds its rows in time."""
    match node:
        case TemporalJoin():
            return {node.time, node.version_time}
        case WindowJoin():
            return {*node.edges}
        case IntervalJoin() if not node.processing_time:
            return {*node.times}
    return set()


def _read_by_lookup(node: LookupJoin, own: set[str]) -> set[str]:
    values = {name for k in node.keys for name in columns(k.value)}
    return own | values | (columns(node.condition) if node.condition is not None else set())


def _read_over(node: OverAggregate | OverUpdates, own: set[str]) -> set[str]:
    fields = node.schema.fields[len(node.input.schema) :]
    calls = [c for f, c in zip(fields, node.calls, strict=True) if f.name in own]
    arguments = {x for c in calls for x in (c.arg, c.filter) if x is not None}
    order = {node.time} if isinstance(node, OverAggregate) else {k.column for k in node.order}
    return (own & set(node.input.schema.names)) | {*node.partition} | order | arguments


def _narrow(node: Node, inputs: tuple[Node, ...], wanted: set[str]) -> Node:
    """Give the node over its narrowed inputs, with no more than it must have."""
    if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
        node = node.with_inputs(inputs)
    if isinstance(node, Aggregate | WindowAggregate):
        return _without_edges(_without_results(node, wanted), wanted)
    narrowed = _NARROWED.get(type(node))
    if narrowed is not None:
        return narrowed(node, wanted)
    match node:
        case Scan() | Join() | Repeat():
            return _keep(node, _fields(node.schema, wanted))
        case AssignWatermark() | Limit() | Deduplicate() | Sort() | Normalize() | Versions():
            return _keep(node, _fields(node.schema, set(node.input.schema.names)))
        case WindowTable():
            edges = {f.name for f in node.schema.fields[-3:]}
            return _keep(node, _fields(node.schema, {*node.input.schema.names, *edges}))
        case Unnest():
            return _keep(node, _fields(node.schema, wanted | set(node.added)))
        case Rank():
            return _narrow_rank(node, wanted)
    return node


def _narrow_calc(node: Calc, wanted: set[str]) -> Node:
    exprs = tuple(e for f, e in zip(node.schema, node.exprs, strict=True) if f.name in wanted)
    same = len(exprs) == len(node.exprs)
    return node if same else replace(node, exprs=exprs, schema=_fields(node.schema, wanted))


def _narrow_lookup(node: LookupJoin, wanted: set[str]) -> Node:
    used = wanted | (columns(node.condition) if node.condition is not None else set())
    pairs = list(zip(node.found, node.exprs, strict=True))
    # one stays, as rows without columns can't be counted
    kept = [(f, e) for f, e in pairs if f.name in used] or pairs[:1]
    found = Schema(tuple(f for f, _ in kept))
    return replace(node, schema=_fields(node.schema, wanted), found=found, exprs=tuple(e for _, e in kept))


def _measured(node: MatchRecognize, wanted: set[str]) -> MatchRecognize:
    """Give the matches with the values that are read; all columns of the partition stay."""
    kept = tuple(v for v in node.measured if v.name in wanted)
    fields = _fields(node.schema, {*node.partition, *(v.name for v in kept), *({MATCH_TIME} & wanted)})
    return replace(node, measured=kept, schema=fields)


def _narrow_over(node: OverAggregate | OverUpdates, wanted: set[str]) -> Node:
    """Give the fields of the input as it is now, and the aggregates that are read; none of them: the input itself."""
    results = zip(node.schema.fields[-len(node.calls) :], node.calls, strict=True)
    kept = [(f, c) for f, c in results if f.name in wanted]
    schema = Schema((*node.input.schema.fields, *(f for f, _ in kept)))
    return replace(node, schema=schema, calls=tuple(c for _, c in kept)) if kept else node.input


def _without_results(node: Aggregate | WindowAggregate, wanted: set[str]) -> Aggregate | WindowAggregate:
    """Leave out the aggregates that nobody reads."""
    fields: tuple[Field, ...] = node.schema.fields
    first, count = len(node.keys), len(node.aggregates)
    kept = [(f, c) for f, c in zip(fields[first:], node.aggregates, strict=False) if f.name in wanted]
    if len(kept) == count:
        return node
    schema = Schema((*fields[:first], *(f for f, _ in kept), *fields[first + count :]))
    return replace(node, schema=schema, aggregates=tuple(c for _, c in kept))


def _narrow_rank(node: Rank, wanted: set[str]) -> Node:
    """Give a rank without places that nobody reads; one of all rows is then its input."""
    node = node if node.number in wanted else without_number(node)
    if node.number is None and node.end is None and node.start == 1:
        return node.input
    return _keep(node, _fields(node.schema, {*node.input.schema.names, *([node.number] if node.number else [])}))


def _without_edges(node: Aggregate | WindowAggregate, wanted: set[str]) -> Node:
    """Leave out the window's edges that nobody reads."""
    if isinstance(node, Aggregate):
        return node
    count = len(node.keys) + len(node.aggregates)
    edges = [(f, p) for f, p in zip(node.schema.fields[count:], node.properties, strict=True) if f.name in wanted]
    schema = Schema((*node.schema.fields[:count], *(f for f, _ in edges)))
    return (
        node if len(schema) == len(node.schema) else replace(node, schema=schema, properties=tuple(p for _, p in edges))
    )


def _fields(schema: Schema, names: Iterable[str]) -> Schema:
    kept = set(names)
    return Schema(tuple(f for f in schema if f.name in kept))


def _keep(node: Node, schema: Schema) -> Node:
    return node if len(schema) == len(node.schema) else replace(node, schema=schema)


_NARROWED: dict[type[Node], Callable[[Any, set[str]], Node]] = {
    Calc: _narrow_calc,
    LookupJoin: _narrow_lookup,
    MatchRecognize: _measured,
    OverAggregate: _narrow_over,
    OverUpdates: _narrow_over,
}
"""Nodes that compute: they leave out what is not read."""
