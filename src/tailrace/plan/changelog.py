"""Which kinds of row changes each node of a plan gives: inserts only, or also updates and deletes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from tailrace.plan.nodes import Node, walk


class Change(Enum):
    """A kind of row change, with Flink's letters."""

    INSERT = "I"
    UPDATE_BEFORE = "UB"
    UPDATE_AFTER = "UA"
    DELETE = "D"


Mode = tuple[Change, ...]
"""The changes that a stream has, in the order of `Change`."""

INSERT_ONLY: Mode = (Change.INSERT,)


def changelog_modes(roots: Sequence[Node]) -> dict[int, Mode]:
    """Give the mode of each node under these, by the node's id."""
    found: dict[int, Mode] = {}
    for root in roots:
        for node in walk(root):
            found[id(node)] = _mode([found[id(i)] for i in node.inputs])
    return found


def shown(mode: Mode) -> str:
    """
    Give a mode as Flink shows it.

    >>> shown(INSERT_ONLY)
    '[I]'
    """
    return f"[{','.join(c.value for c in mode)}]"


def _mode(inputs: list[Mode]) -> Mode:
    """Give the mode of one node: sources give inserts, all other nodes what comes into them."""
    given = {change for mode in inputs for change in mode} or set(INSERT_ONLY)
    return tuple(c for c in Change if c in given)
