"""Conditions move towards the source, as far as they keep their meaning."""

from __future__ import annotations

from dataclasses import replace

from tailrace.expressions.nodes import Column, Expr, columns, substitute
from tailrace.plan.nodes import (
    Calc,
    Join,
    LookupJoin,
    Node,
    Normalize,
    Rank,
    Union,
    Unnest,
    WindowAggregate,
    WindowProperty,
    WindowTable,
)
from tailrace.plan.rewrite.fuse import fuse
from tailrace.plan.rewrite.joins import filter_join, split_condition
from tailrace.plan.rewrite.predicates import conjuncts, filtered, joined

_EDGES = frozenset(p.value for p in WindowProperty)


def push_filter(node: Node) -> Node:
    """
    Move the parts of a calc's condition below its input where that may be done.

    Below a union all parts; below a window, those that read no edge of it; below a window aggregate, those that read
    keys only; below an UNNEST or a lookup, those that read nothing that it adds; below a normalize,
    those that read its keys only; below a rank, those that read columns of its partitions only; below a join, those of a side that has a row in each row of the join. Never below a watermark: rows that
    are filtered away still move it.
    """
    if not isinstance(node, Calc) or node.predicate is None:
        return node
    match node.input:
        case Union() as union:
            members = tuple(_below(m, _renamed(node.predicate, union, m)) for m in union.members)
            return fuse(replace(node, input=replace(union, members=members), predicate=None))
        case WindowTable() as table:
            return _split(node, table, frozenset(table.input.schema.names) - _EDGES)
        case WindowAggregate() as aggregate:
            return _split(node, aggregate, frozenset(aggregate.keys))
        case (Unnest() | LookupJoin()) as below:
            return _split(node, below, frozenset(below.input.schema.names))
        case Normalize() as normalize:
            return _split(node, normalize, frozenset(normalize.keys))
        case Rank() as rank:
            return _split(node, rank, frozenset(rank.partition))
        case Join() as join:
            return _into_join(node, join)
    return node


def _split(
    node: Calc, below: WindowTable | WindowAggregate | Unnest | LookupJoin | Normalize | Rank, known: frozenset[str]
) -> Node:
    parts = conjuncts(node.predicate)
    moved = [p for p in parts if columns(p) and columns(p) <= known]
    if not moved:
        return node
    kept = joined(p for p in parts if p not in moved)
    predicate = joined(moved)
    assert predicate is not None
    made = replace(below, input=_below(below.input, predicate))
    return fuse(replace(node, input=made, predicate=kept))


def _into_join(node: Calc, join: Join) -> Node:
    made, above = filter_join(join, conjuncts(node.predicate))
    if made is join:
        return node
    made = split_condition(made)
    made = replace(made, left=push_filter(fuse(made.left)), right=push_filter(fuse(made.right)))
    return fuse(replace(node, input=made, predicate=joined(above)))


def _renamed(predicate: Expr, union: Union, member: Node) -> Expr:
    pairs = zip(union.schema, member.schema, strict=True)
    return substitute(predicate, {a.name: Column(b.type, b.name) for a, b in pairs})


def _below(node: Node, predicate: Expr) -> Node:
    """Give a node with a condition over its columns above it, moved on from there."""
    return push_filter(fuse(filtered(node, predicate)))
