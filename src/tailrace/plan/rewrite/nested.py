"""Fields of ROWs that nobody reads are not read from the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tailrace.expressions.nodes import Call, Column, Expr, Literal, transform
from tailrace.plan.nodes import AssignWatermark, Calc, Limit, Node, Scan, WindowTable, walk
from tailrace.schema import DataType, Field, Kind, Schema

Names = frozenset[str]
Used = dict[str, Names]
"""By the column: the fields of it that are read. Columns that are read as a whole have all their fields."""


def prune_fields(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """
    Give the plans with scans of which each ROW has only the fields that are read.

    A ROW may go through calcs, watermarks, limits and windows on its way to where its fields are read.
    """
    used = _used(roots)
    done: dict[int, Node] = {}

    def visit(node: Node) -> Node:
        if id(node) not in done:
            inputs = tuple(visit(i) for i in node.inputs)
            done[id(node)] = _narrow(node, inputs, used[id(node)])
        return done[id(node)]

    return tuple(visit(r) for r in roots)


def _used(roots: tuple[Node, ...]) -> dict[int, Used]:
    """Give what is read of the columns of each node, by the node's id."""
    order = {id(n): n for root in roots for n in walk(root)}
    used: dict[int, Used] = {key: {} for key in order}
    readers = _with_readers(order.values())
    for node in reversed(order.values()):
        if not readers[id(node)]:
            _add(used[id(node)], {f.name: _all(f.type) for f in node.schema})
        for reader in readers[id(node)]:
            _add(used[id(node)], _reads(reader, node, used[id(reader)]))
    return used


def _with_readers(nodes: Iterable[Node]) -> dict[int, list[Node]]:
    nodes = list(nodes)
    readers: dict[int, list[Node]] = {id(n): [] for n in nodes}
    for node in nodes:
        for below in node.inputs:
            readers[id(below)].append(node)
    return readers


def _add(to: Used, more: Used) -> None:
    for name, fields in more.items():
        to[name] = to.get(name, frozenset()) | fields


def _all(kind: DataType) -> Names:
    return frozenset(kind.names)


def _reads(reader: Node, below: Node, own: Used) -> Used:
    """Give what a reader reads of the columns of the node below it."""
    whole = {f.name: _all(f.type) for f in below.schema}
    match reader:
        case Calc():
            return _computed(reader, own)
        case AssignWatermark():
            return _merged([own, dict(_fields(reader.expr)), {reader.column: whole[reader.column]}])
        case Limit() | WindowTable():
            return {name: own.get(name, fields) for name, fields in whole.items()}
    return whole


def _computed(node: Calc, own: Used) -> Used:
    found: list[Used] = []
    for field, expr in zip(node.schema, node.exprs, strict=True):
        if isinstance(expr, Column):
            found.append({expr.name: own.get(field.name, frozenset())})
        else:
            found += [{name: fields} for name, fields in _fields(expr)]
    if node.predicate is not None:
        found += [{name: fields} for name, fields in _fields(node.predicate)]
    return _merged(found)


def _merged(parts: list[Used]) -> Used:
    out: Used = {}
    for part in parts:
        _add(out, part)
    return out


def _fields(expr: Expr) -> Iterator[tuple[str, Names]]:
    """Give the columns that an expression reads, and what of them."""
    if isinstance(expr, Column):
        yield expr.name, _all(expr.type)
    elif (one := _field(expr)) is not None:
        yield one[0], frozenset([one[1]])
    else:
        for child in expr.children:
            yield from _fields(child)


def _field(expr: Expr) -> tuple[str, str] | None:
    """Give column and field of `column.field`."""
    if isinstance(expr, Call) and expr.function == "GET":
        row, name = expr.args
        if isinstance(row, Column) and isinstance(name, Literal):
            return row.name, str(name.value)
    return None


def _narrow(node: Node, inputs: tuple[Node, ...], used: Used) -> Node:
    """Give the node over its narrowed inputs, with their types."""
    if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
        node = node.with_inputs(inputs)
    match node:
        case Scan():
            return _retyped(node, [_kept(f.type, used.get(f.name, frozenset())) for f in node.schema])
        case Calc():
            return _retyped_calc(node)
        case AssignWatermark() | Limit() | WindowTable():
            below = node.input.schema
            return _retyped(node, [below[f.name].type if f.name in below else f.type for f in node.schema])
    return node


def _kept(kind: DataType, names: Names) -> DataType:
    """Give a ROW with only these fields, in their order; at least one stays, as rows without columns can't be counted."""
    if kind.kind is not Kind.ROW or not names or names >= set(kind.names):
        return kind
    pairs = [(n, t) for n, t in zip(kind.names, kind.children, strict=True) if n in names]
    return replace(kind, names=tuple(n for n, _ in pairs), children=tuple(t for _, t in pairs))


def _retyped_calc(node: Calc) -> Node:
    below = node.input.schema

    def column(expr: Expr) -> Expr:
        return Column(below[expr.name].type, expr.name) if isinstance(expr, Column) else expr

    exprs = tuple(transform(e, column) for e in node.exprs)
    predicate = None if node.predicate is None else transform(node.predicate, column)
    if exprs == node.exprs and predicate == node.predicate:
        return node
    types = [e.type if _is_row(e) else f.type for f, e in zip(node.schema, exprs, strict=True)]
    return _retyped(replace(node, exprs=exprs, predicate=predicate), types)


def _is_row(expr: Expr) -> bool:
    return isinstance(expr, Column) and expr.type.kind is Kind.ROW


def _retyped(node: Node, types: list[DataType]) -> Node:
    fields = tuple(Field(f.name, t, f.time) for f, t in zip(node.schema, types, strict=True))
    return node if fields == node.schema.fields else replace(node, schema=Schema(fields))
