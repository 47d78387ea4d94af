"""A plan as text: a tree with the changelog mode and the state of each node, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tailrace.plan.changelog import Mode, changelog_modes
from tailrace.plan.changelog import shown as mode_text
from tailrace.plan.describe import describe
from tailrace.plan.nodes import Node, Sink, walk
from tailrace.plan.state_bounds import state_bound
from tailrace.plan.warnings import warnings


def explain(sinks: Sequence[Sink]) -> str:
    """Draw the plans of these sinks; a sub-plan that several read is drawn once and named #1, #2 and so on."""
    drawing = _Drawing(sinks)
    trees = ["\n".join(drawing.tree(s)) for s in sinks]
    warned = [f"warning: {w}" for w in warnings(sinks)]
    return "\n\n".join([*trees, *(["\n".join(warned)] if warned else [])])


def as_nodes(sinks: Sequence[Sink]) -> list[dict[str, Any]]:
    """Give the plans of these sinks for programs: each node with its changelog mode, its state and the ids of its inputs."""
    modes = changelog_modes(sinks)
    nodes = list({id(n): n for s in sinks for n in walk(s)}.values())
    ids = {id(n): number for number, n in enumerate(nodes, start=1)}
    return [
        {
            "id": ids[id(n)],
            "node": describe(n),
            "changes": [change.value for change in modes[id(n)]],
            "state": state_bound(n) or None,
            "inputs": [ids[id(i)] for i in n.inputs],
            "place": str(n.location) if n.location else None,
        }
        for n in nodes
    ]


class _Drawing:
    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._modes: dict[int, Mode] = changelog_modes(sinks)
        nodes = {id(n): n for s in sinks for n in walk(s)}
        readers = Counter(id(i) for n in nodes.values() for i in n.inputs)
        shared = [key for key, count in readers.items() if count > 1]
        self._numbers = {key: i + 1 for i, key in enumerate(shared)}
        self._drawn: set[int] = set()

    def tree(self, node: Node, first: str = "", rest: str = "") -> Iterator[str]:
        number = self._numbers.get(id(node))
        mark = f"#{number} " if number else ""
        if id(node) in self._drawn:
            yield f"{first}{mark}(as above)"
            return
        self._drawn.add(id(node))
        yield f"{first}{mark}{describe(node)} {mode_text(self._modes[id(node)])}"
        state = state_bound(node)
        if state:
            yield f"{rest}{'│' if node.inputs else ' '}    state: {state}"
        for i, below in enumerate(node.inputs):
            last = i == len(node.inputs) - 1
            yield from self.tree(below, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
