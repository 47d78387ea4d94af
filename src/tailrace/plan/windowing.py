"""Which columns of a plan are the edges of a window that its rows are in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import (
    Calc,
    Deduplicate,
    Limit,
    Node,
    Rank,
    Sort,
    WindowAggregate,
    WindowProperty,
    WindowSpec,
    WindowTable,
)
from tailrace.schema import Kind


@dataclass(frozen=True, slots=True)
class Windowed:
    """The window of rows, the columns that are its edges, and whether its edges are in the job's time zone."""

    spec: WindowSpec
    edges: dict[str, WindowProperty]
    local: bool

    def edge(self, kind: WindowProperty, among: tuple[str, ...]) -> str | None:
        """Give the first of these columns that is such an edge."""
        return next((name for name in among if self.edges.get(name) is kind), None)


def windowed(node: Node) -> Windowed | None:
    """Give the window that the rows of a node are in; None if they are in none, or in several."""
    match node:
        case WindowTable():
            names = node.schema.names[-3:]
            return _of(node, dict(zip(names, WindowProperty, strict=True)))
        case WindowAggregate():
            names = node.schema.names[len(node.keys) + len(node.aggregates) :]
            return _of(node, dict(zip(names, node.properties, strict=True)))
        case Calc():
            return _renamed(node)
        case Rank() | Deduplicate() | Sort() | Limit():
            return windowed(node.input)
    return None


def _of(node: WindowTable | WindowAggregate, edges: dict[str, WindowProperty]) -> Windowed:
    time = node.input.schema[node.window.time_column].type
    return Windowed(node.window, edges, time.kind is Kind.TIMESTAMP_LTZ)


def _renamed(node: Calc) -> Windowed | None:
    below = windowed(node.input)
    if below is None:
        return None
    pairs = zip(node.schema.names, node.exprs, strict=True)
    edges = {n: below.edges[e.name] for n, e in pairs if isinstance(e, Column) and e.name in below.edges}
    return replace(below, edges=edges)
