"""Numbered rows of which only some places are asked for become top-N, deduplication, or their kin by window."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from tailrace.expressions.lower import is_constant, lower
from tailrace.expressions.nodes import AggregateCall, Call, Column, Expr, Literal, substitute
from tailrace.plan.changelog import updates
from tailrace.plan.nodes import (
    Calc,
    Deduplicate,
    Frame,
    Limit,
    Node,
    OverAggregate,
    OverUpdates,
    Rank,
    WindowProperty,
    WindowRank,
)
from tailrace.plan.rewrite.predicates import TURNED, conjuncts, joined
from tailrace.plan.windowing import windowed
from tailrace.schema import BIGINT, Schema, TimeAttribute


def narrow(node: Node) -> Node:
    """Let a rank give only the places for which a condition above it is true; a place that is always the same is a constant."""
    if not isinstance(node, Calc) or node.predicate is None:
        return node
    rank, below = _rank_below(node.input)
    if rank is None or rank.number is None:
        return node
    rest: list[Expr] = []
    made = rank
    for part in conjuncts(node.predicate):
        bounds = _bounds(substitute(part, below), rank.number)
        if bounds is None:
            rest.append(part)
        else:
            made = _bounded(made, *bounds)
    if made is rank:
        return node
    return _over(replace(node, predicate=joined(rest)), made)


def _rank_below(node: Node) -> tuple[Rank | None, dict[str, Expr]]:
    """Give the rank under calcs, and the calcs' columns as expressions over its columns."""
    exprs: dict[str, Expr] = {f.name: Column(f.type, f.name) for f in node.schema}
    while isinstance(node, Calc):
        by_name = dict(zip(node.schema.names, node.exprs, strict=True))
        exprs = {name: substitute(e, by_name) for name, e in exprs.items()}
        node = node.input
    return (node, exprs) if isinstance(node, Rank) and not isinstance(node, WindowRank) else (None, exprs)


def _bounds(part: Expr, number: str) -> tuple[int | None, int | None] | None:
    """Give the first and the last place for which a condition is true; None if it is no such condition."""
    if not isinstance(part, Call) or part.function not in TURNED:
        return None
    left, right = part.args
    function = part.function
    if isinstance(right, Column):
        left, right, function = right, left, TURNED[function]
    value = _integer(right)
    if not isinstance(left, Column) or left.name != number or value is None:
        return None
    first = value + (function == ">") if function in ("=", ">", ">=") else None
    last = value - (function == "<") if function in ("=", "<", "<=") else None
    return first, last


def _integer(expr: Expr) -> int | None:
    if not is_constant(expr):
        return None
    value = pl.select(lower(expr).value).item()
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _bounded(rank: Rank, first: int | None, last: int | None) -> Rank:
    start = rank.start if first is None else max(rank.start, first)
    end = rank.end if last is None else last if rank.end is None else min(rank.end, last)
    return replace(rank, start=start, end=end)


def _over(node: Node, rank: Rank) -> Node:
    """Put calcs over a rank again."""
    assert isinstance(node, Calc)
    if not isinstance(node.input, Rank):
        return replace(node, input=_over(node.input, rank))
    if rank.start != rank.end or rank.number is None:
        return replace(node, input=rank)
    constant = {rank.number: Literal(BIGINT.with_nullable(False), rank.start)}
    exprs = tuple(substitute(e, dict(constant)) for e in node.exprs)
    predicate = None if node.predicate is None else substitute(node.predicate, dict(constant))
    return replace(node, exprs=exprs, predicate=predicate, input=without_number(rank))


def without_number(rank: Rank) -> Rank:
    """Give a rank without the column of places."""
    fields = tuple(f for f in rank.schema if f.name != rank.number)
    return replace(rank, number=None, schema=Schema(fields))


def specialize(node: Node) -> Node:
    """
    Replace a rank by what does the same with less.

    The first or last by time is a deduplication; by window, rows come once, when it closes; a
    number for each row by time is a count. A LIMIT of rows that are updated is a rank without an order.
    """
    if isinstance(node, Limit) and node.count and updates(node.input):
        return as_rank(node)
    if type(node) is not Rank or node.function != "ROW_NUMBER":
        return (_ranked(node) or node) if isinstance(node, Rank) else node
    if node.end is None:
        return _counted(node) or node
    found = _by_window(node)
    if found is not None or updates(node.input):
        return found or node
    return _by_time(node) or node


def as_rank(node: Limit) -> Rank:
    """Give a LIMIT as a rank without an order."""
    start, end = node.offset + 1, node.offset + node.count
    return Rank(
        schema=node.schema, input=node.input, partition=(), order=(), start=start, end=end, location=node.location
    )


def _ranked(node: Rank) -> OverUpdates | None:
    """Number all rows by RANK or DENSE_RANK, in the order of one column that is no time."""
    plain = node.end is None and node.start == 1 and node.number is not None and len(node.order) == 1
    if not plain or node.order[0].descending or _time(node) is not None:
        return None
    return OverUpdates(
        schema=node.schema,
        input=node.input,
        partition=node.partition,
        order=node.order,
        frame=Frame(rows=False),
        calls=(AggregateCall(node.function, BIGINT.with_nullable(False)),),
        location=node.location,
    )


def _counted(node: Rank) -> OverAggregate | None:
    """Number all rows by time by counting those up to each."""
    time = _time(node)
    if time is None or node.order[0].descending or node.start > 1 or node.number is None:
        return None
    return OverAggregate(
        schema=node.schema,
        input=node.input,
        partition=node.partition,
        time=node.order[0].column,
        processing_time=time is TimeAttribute.PROCTIME,
        frame=Frame(rows=True),
        calls=(AggregateCall("COUNT", BIGINT.with_nullable(False)),),
        location=node.location,
    )


def _by_window(node: Rank) -> WindowRank | None:
    window = windowed(node.input)
    if window is None:
        return None
    edge = window.edge(WindowProperty.END, node.partition)
    if edge is None or window.edge(WindowProperty.START, node.partition) is None:
        return None
    latest = _is_first(node) and _time(node) is not None and node.order[0].descending
    return WindowRank(
        schema=node.schema,
        input=node.input,
        partition=node.partition,
        order=node.order,
        start=node.start,
        end=node.end,
        number=node.number,
        edge=edge,
        local=window.local,
        latest=latest,
        location=node.location,
    )


def _by_time(node: Rank) -> Deduplicate | None:
    time = _time(node)
    if time is None or not _is_first(node):
        return None
    return Deduplicate(
        schema=node.schema,
        input=node.input,
        keys=node.partition,
        time=node.order[0].column,
        last=node.order[0].descending,
        processing_time=time is TimeAttribute.PROCTIME,
        location=node.location,
    )


def _is_first(node: Rank) -> bool:
    return node.start == node.end == 1 and node.number is None


def _time(node: Rank) -> TimeAttribute | None:
    """Give the kind of the time attribute that is the only order of a rank; None if it is ordered otherwise."""
    return node.input.schema[node.order[0].column].time if len(node.order) == 1 else None
