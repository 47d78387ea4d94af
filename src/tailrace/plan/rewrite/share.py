"""Equal sub-plans become one object, so that each is computed once."""

from __future__ import annotations

from tailrace.plan.nodes import Node, Sink
from tailrace.plan.rewrite.walks import bottom_up


def share(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """Give the plans with one object for all equal nodes; sinks stay apart, as two INSERTs write twice."""
    known: list[Node] = []

    def shared(node: Node) -> Node:
        if isinstance(node, Sink):
            return node
        for other in known:
            if type(other) is type(node) and _same(other, node):
                return other
        known.append(node)
        return node

    return bottom_up(roots, shared)


def _same(a: Node, b: Node) -> bool:
    # the inputs are shared already, so that only identity counts and no tree is compared twice
    same_inputs = len(a.inputs) == len(b.inputs) and all(x is y for x, y in zip(a.inputs, b.inputs, strict=True))
    return same_inputs and a == b
