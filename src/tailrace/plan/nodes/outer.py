"""What stands in the plan of a query for the rows of the query around it, until both are joined."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.plan.nodes.base import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterRows(Node):
    """The different values of some columns, `names`, of the query around that `scope` tells. The schema calls them otherwise."""

    scope: int
    names: tuple[str, ...]
