"""Which columns of a plan are the edges of a window that its rows are in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import (
    Aggregate,
    Calc,
    Deduplicate,
    JoinKind,
    Limit,
    Node,
    Rank,
    Sort,
    WindowAggregate,
    WindowJoin,
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
            return _of_aggregate(node)
        case Aggregate():
            return _grouped(node)
        case WindowJoin():
            return _joined(node)
        case Calc():
            return _renamed(node)
        case Rank() | Deduplicate() | Sort() | Limit():
            return windowed(node.input)
    return None


def _of_aggregate(node: WindowAggregate) -> Windowed | None:
    names = node.schema.names[len(node.keys) + len(node.aggregates) :]
    edges = dict(zip(names, node.properties, strict=True))
    if not node.window.attached:
        return _of(node, edges)
    below = windowed(node.input)
    return None if below is None else replace(below, edges=_kept(below, node.keys) | edges)


def _grouped(node: Aggregate) -> Windowed | None:
    """Give the window of groups that are not a window aggregate yet."""
    below = windowed(node.input)
    edges = {} if below is None else _kept(below, node.keys)
    both = {WindowProperty.START, WindowProperty.END} <= set(edges.values())
    return replace(below, edges=edges) if below is not None and both else None


def _kept(window: Windowed, names: tuple[str, ...]) -> dict[str, WindowProperty]:
    return {n: window.edges[n] for n in names if n in window.edges}


def _joined(node: WindowJoin) -> Windowed | None:
    """Give the window of joined rows; the edges of a side that may be missing are none."""
    left, right = windowed(node.left), windowed(node.right)
    if left is None or right is None:
        return None
    edges: dict[str, WindowProperty] = {}
    if node.kind not in (JoinKind.RIGHT, JoinKind.FULL):
        edges |= left.edges
    if node.kind in (JoinKind.INNER, JoinKind.RIGHT):
        edges |= right.edges
    return replace(left, edges={n: e for n, e in edges.items() if n in node.schema})


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
