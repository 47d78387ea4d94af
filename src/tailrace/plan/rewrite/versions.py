"""The versioned side of a temporal join: a view that keeps the last row of each key gives each of its versions."""

from __future__ import annotations

from dataclasses import replace

from tailrace.plan.nodes import Calc, Deduplicate, Node, TemporalJoin, Versions


def with_versions(node: Node) -> Node:
    """
    Let a temporal join read all versions of its right side.

    A deduplication puts out what has changed after a whole batch; the join also needs the versions in between.
    """
    if not isinstance(node, TemporalJoin):
        return node
    right = _versions(node.right)
    return node if right is None else replace(node, right=right)


def _versions(node: Node) -> Node | None:
    """Give a deduplication, under calcs without a condition, as its versions; None if it is something else."""
    match node:
        case Calc(predicate=None):
            below = _versions(node.input)
            return None if below is None else replace(node, input=below)
        case Deduplicate(last=True, processing_time=False):
            return Versions(
                schema=node.schema, input=node.input, keys=node.keys, time=node.time, location=node.location
            )
    return None
