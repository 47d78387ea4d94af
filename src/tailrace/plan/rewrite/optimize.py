"""All passes in their order."""

from __future__ import annotations

from tailrace.plan.nodes import Aggregate, Join, Node, Sink
from tailrace.plan.rewrite.attached import attached_aggregate
from tailrace.plan.rewrite.filters import push_filter
from tailrace.plan.rewrite.fuse import fuse
from tailrace.plan.rewrite.joins import split_condition
from tailrace.plan.rewrite.nested import prune_fields
from tailrace.plan.rewrite.prune import prune
from tailrace.plan.rewrite.ranks import narrow, specialize
from tailrace.plan.rewrite.session_rows import session_rows
from tailrace.plan.rewrite.share import share
from tailrace.plan.rewrite.versions import with_versions
from tailrace.plan.rewrite.walks import bottom_up
from tailrace.plan.rewrite.windows import window_aggregate


def optimize(sinks: tuple[Sink, ...]) -> tuple[Sink, ...]:
    """
    Give plans with the same rows that cost less; what is optimized already stays as it is.

    Aggregates over windows become window aggregates, joins get their keys, ranks their limits, calcs are merged,
    conditions move towards the source, equal sub-plans become one object, and columns and fields of ROWs that nobody
    reads are not read.
    """
    nodes: tuple[Node, ...] = sinks
    for step in (fuse, narrow, windows, session_rows, joins, fuse, push_filter, fuse):
        nodes = bottom_up(nodes, step)
    nodes = share(nodes)
    nodes = prune(bottom_up(bottom_up(prune(nodes), specialize), with_versions))
    nodes = prune_fields(share(bottom_up(nodes, fuse)))
    return tuple(n for n in nodes if isinstance(n, Sink))


def windows(node: Node) -> Node:
    """Replace an aggregate over a window table function."""
    if isinstance(node, Aggregate):
        return window_aggregate(node) or attached_aggregate(node) or node
    return node


def joins(node: Node) -> Node:
    """Take apart the condition of a join."""
    return split_condition(node) if isinstance(node, Join) else node
