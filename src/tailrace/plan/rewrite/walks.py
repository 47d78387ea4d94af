"""How passes go through plans."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.plan.nodes import Node

Pass = Callable[[Node], Node]


def bottom_up(roots: tuple[Node, ...], step: Pass) -> tuple[Node, ...]:
    """Apply a pass to each node after its inputs; a node with two parents is visited once and stays one object."""
    done: dict[int, tuple[Node, Node]] = {}  # with the node itself, so that its id stays its own

    def visit(node: Node) -> Node:
        if id(node) not in done:
            inputs = tuple(visit(i) for i in node.inputs)
            changed = any(a is not b for a, b in zip(inputs, node.inputs, strict=True))
            done[id(node)] = (node, step(node.with_inputs(inputs) if changed else node))
        return done[id(node)][1]

    return tuple(visit(r) for r in roots)
