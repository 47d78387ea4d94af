"""What every node of a plan has, and how to go through a plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tailrace.errors import Location
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any node; `location` is the SQL or Python that made it."""

    schema: Schema
    location: Location | None = field(default=None, compare=False)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes that this one reads."""
        return ()

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        """Give the same node over other inputs."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """A node that reads one other."""

    input: Node

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.input,)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, input=inputs[0])


def walk(node: Node) -> list[Node]:
    """Give the nodes of a plan, inputs before the nodes that read them, each once."""
    seen: dict[int, Node] = {}

    def visit(n: Node) -> None:
        if id(n) not in seen:
            for child in n.inputs:
                visit(child)
            seen[id(n)] = n

    visit(node)
    return list(seen.values())
