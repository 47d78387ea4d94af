"""Where a node was written."""

from __future__ import annotations

from typing import TypeVar

from tailrace.errors import Location
from tailrace.sql.dialect.nodes import Node
from tailrace.sql.source import Source

N = TypeVar("N", bound=Node)

_SOURCE = "source"


def at(node: Node, source: Source) -> Location:
    """Give the place of a node: in the script at hand, unless it came by LIKE from an earlier one."""
    origin: Source = node.meta.get(_SOURCE, source)
    return origin.location(*node.span)


def inherited(node: N, source: Source) -> N:
    """Give a copy of a node that remembers the script it was written in."""
    made = node.copy()
    for part in made.walk():
        part.meta.setdefault(_SOURCE, source)
    return made
