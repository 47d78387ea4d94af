"""The rows of sessions: those of each session are collected, and put out with its edges once it is over."""

from __future__ import annotations

from dataclasses import replace

from tailrace.expressions import catalogue
from tailrace.expressions.nodes import AggregateCall, Column, Expr
from tailrace.plan.nodes import Calc, Node, Unnest, WindowAggregate, WindowKind, WindowProperty, WindowTable
from tailrace.schema import Field, Schema, array

_ROW, _ROWS = "__row", "__rows"


def session_rows(node: Node) -> Node:
    """Give what puts out the rows of a SESSION table function; any other node stays as it is."""
    if not isinstance(node, WindowTable) or node.window.kind is not WindowKind.SESSION:
        return node
    collected = _collected(node)
    edges = [replace(node.schema[p.value], name=p.value) for p in WindowProperty]
    keys = [node.schema[k] for k in node.window.partition]
    rest = [replace(node.schema[n], time=None) for n in _rest(node)]
    rows = Unnest(
        schema=Schema((*keys, *edges, *rest)),
        input=collected,
        collection=_ROWS,
        elements=tuple(f.name for f in rest),
        location=node.location,
    )
    exprs = tuple(Column(f.type, f.name) for f in node.schema)
    return Calc(schema=node.schema, input=rows, exprs=exprs, location=node.location)


def _rest(node: WindowTable) -> list[str]:
    """Give the columns that are not those by which sessions are made."""
    return [n for n in node.input.schema.names if n not in node.window.partition]


def _collected(node: WindowTable) -> WindowAggregate:
    """Give the sessions, each with its rows as an array."""
    source, spec = node.input.schema, node.window
    row = catalogue.call("ROW", [Column(source[n].type, n) for n in _rest(node)])
    kept = [source[n] for n in dict.fromkeys((*spec.partition, spec.time_column))]
    exprs: tuple[Expr, ...] = (*(Column(f.type, f.name) for f in kept), row)
    below = Calc(schema=Schema((*kept, Field(_ROW, row.type))), input=node.input, exprs=exprs, location=node.location)
    rows = AggregateCall("ARRAY_AGG", array(row.type), arg=_ROW, arg_type=row.type, location=node.location)
    keys = [source[k] for k in spec.partition]
    edges = [node.schema[p.value] for p in WindowProperty]
    return WindowAggregate(
        schema=Schema((*keys, Field(_ROWS, rows.type), *edges)),
        input=below,
        window=replace(spec, partition=()),
        keys=spec.partition,
        aggregates=(rows,),
        properties=tuple(WindowProperty),
        location=node.location,
    )
