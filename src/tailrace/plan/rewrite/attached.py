"""An aggregate over rows that are in windows already puts each window out once, too."""

from __future__ import annotations

from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import Aggregate, Calc, Node, WindowAggregate, WindowKind, WindowProperty, WindowSpec
from tailrace.plan.windowing import Windowed, windowed
from tailrace.schema import Schema


def attached_aggregate(node: Aggregate) -> Node | None:
    """Give the same as a window aggregate; None if it does not group by start and end of a window of event time."""
    window = attached_window(node)
    if window is None:
        return None
    end = window.edge(WindowProperty.END, node.keys)
    assert end is not None
    edges = {end: WindowProperty.END}
    time = window.edge(WindowProperty.TIME, node.keys)
    if time is not None:
        edges[time] = WindowProperty.TIME
    keys = tuple(k for k in node.keys if k not in edges)
    counted = node.schema.fields[len(node.keys) :]
    made = WindowAggregate(
        schema=Schema((*(node.schema[k] for k in keys), *counted, *(node.schema[k] for k in edges))),
        input=node.input,
        window=WindowSpec(WindowKind.TUMBLE, end, 1, 1, attached=True, local=window.local),
        keys=keys,
        aggregates=node.aggregates,
        properties=tuple(edges.values()),
        location=node.location,
    )
    exprs = tuple(Column(f.type, f.name) for f in node.schema)
    return Calc(schema=node.schema, input=made, exprs=exprs, location=node.location)


def attached_window(node: Aggregate) -> Windowed | None:
    """Give the window by whose start and end an aggregate groups; None if there is none, or one of processing time."""
    window = windowed(node.input)
    if window is None or window.spec.processing_time:
        return None
    both = all(window.edge(edge, node.keys) for edge in (WindowProperty.START, WindowProperty.END))
    return window if both else None
