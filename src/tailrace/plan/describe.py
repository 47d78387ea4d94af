"""What each node of a plan does, in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tailrace.plan.nodes import (
    Aggregate,
    AssignWatermark,
    Calc,
    Deduplicate,
    Enforce,
    IntervalJoin,
    Join,
    Limit,
    LookupJoin,
    MatchRecognize,
    Materialize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Process,
    Rank,
    Repeat,
    Scan,
    Sink,
    Sort,
    SortKey,
    TemporalJoin,
    Union,
    Unnest,
    Values,
    Versions,
    WindowAggregate,
    WindowJoin,
    WindowRank,
    WindowTable,
)
from tailrace.plan.texts import by_keys, expression, interval, window


def describe(node: Node) -> str:
    """Say in one line what a node does."""
    told = _TOLD.get(type(node))
    return told(node) if told is not None else type(node).__name__


def _small(node: Union | Limit | Values) -> str:
    if isinstance(node, Union):
        return "Union ALL"
    if isinstance(node, Limit):
        return f"Limit {node.count}" + (f" after {node.offset}" if node.offset else "")
    return f"Values: {len(node.rows)} row{'s' if len(node.rows) != 1 else ''}"


def _names(node: Node) -> str:
    return ", ".join(node.schema.names)


def _scanned(node: Scan) -> str:
    """Name the columns that are read; of a ROW that is not read as a whole its fields too."""
    declared = {f.name: f.type.names for f in node.table.schema}
    parts = [
        f.name if f.type.names == declared.get(f.name, ()) else f"{f.name} ({', '.join(f.type.names)})"
        for f in node.schema
    ]
    return ", ".join(parts)


def _aggregates(node: Aggregate | WindowAggregate) -> str:
    return ", ".join(map(str, node.aggregates)) or "distinct rows"


def _calc(node: Calc) -> str:
    pairs = zip(node.schema.names, node.exprs, strict=True)
    columns = [name if (text := expression(e)) == name else f"{name} = {text}" for name, e in pairs]
    where = f" where {expression(node.predicate)}" if node.predicate is not None else ""
    return f"Calc {', '.join(columns)}{where}"


def _unnest(node: Unnest) -> str:
    word = "Unnest OUTER" if node.outer else "Unnest"
    where = f" where {expression(node.condition)}" if node.condition is not None else ""
    return f"{word} {node.collection} AS ({', '.join(node.added)}){where}: {_names(node)}"


def _join(node: Join) -> str:
    signs = ["IS NOT DISTINCT FROM" if k.null_safe else "=" for k in node.keys]
    parts = [f"{k.left} {sign} {k.right}" for k, sign in zip(node.keys, signs, strict=True)]
    parts += [_near(node)] if isinstance(node, IntervalJoin) else []
    parts += [expression(node.condition)] if node.condition is not None else []
    on = f" on {' AND '.join(parts)}" if parts else ""
    if isinstance(node, TemporalJoin):
        return f"TemporalJoin {node.kind.value}{on}, versions by {node.version_time} as of {node.time}: {_names(node)}"
    within = f" in {window(replace(node.window, partition=()))}" if isinstance(node, WindowJoin) else ""
    return f"{type(node).__name__} {node.kind.value}{within}{on}: {_names(node)}"


def _near(node: IntervalJoin) -> str:
    """Give the condition on the times of an interval join."""
    left, right = node.times
    low, high = (
        f"{right} {'-' if x < 0 else '+'} {interval(abs(x))}" if x else right for x in (node.lower, node.upper)
    )
    return f"{left} = {right}" if node.lower == node.upper == 0 else f"{left} BETWEEN {low} AND {high}"


def _lookup(node: LookupJoin) -> str:
    parts = [f"{k.column} = {expression(k.value)}" for k in node.keys]
    parts += [expression(e) for e in (node.predicate, node.condition) if e is not None]
    on = " AND ".join(parts)
    again = "" if node.retry is None else f", asked up to {node.retry.attempts} times more after {node.retry.delay} ms"
    return f"LookupJoin {node.kind.value} in {node.table.name} ({node.table.connector}) on {on}{again}: {_names(node)}"


def _match(node: MatchRecognize) -> str:
    order = ", ".join([node.time, *map(str, node.order)])
    within = "" if node.within is None else f" WITHIN {interval(node.within)}"
    conditions = [f"{p.variable} AS {expression(p.condition)}" for p in node.parts if p.condition is not None]
    define = f", DEFINE {', '.join(conditions)}" if conditions else ""
    pattern = f"PATTERN ({' '.join(map(str, node.parts))}){within}"
    return (
        f"MatchRecognize{by_keys(node.partition)} in the order of {order}, {pattern}, AFTER MATCH {node.after}{define}"
    )


def _ordered(node: Rank | Deduplicate | Sort) -> str:
    match node:
        case Sort():
            return f"Sort by {_order(node.order)}"
        case Deduplicate():
            kept = "last" if node.last else "first"
            return f"Deduplicate, keeps the {kept}{by_keys(node.keys)} in the order of {node.time}"
    order = f" in the order of {_order(node.order)}" if node.order else ""
    number = f", {node.number} = {node.function}()" if node.number else ""
    return f"{type(node).__name__} {_places(node)}{by_keys(node.partition)}{order}{number}"


def _order(keys: tuple[SortKey, ...]) -> str:
    return ", ".join(map(str, keys))


def _places(node: Rank) -> str:
    if node.end is None:
        return "all" if node.start == 1 else f"from {node.start} on"
    return str(node.end) if node.start == node.end else f"{node.start} to {node.end}"


_TOLD: dict[type[Node], Callable[[Any], str]] = {
    Sink: lambda n: f"Sink {n.table.name if n.table else '(result)'}: {_names(n)}",
    Scan: lambda n: f"Scan {n.table.name} ({n.table.connector or 'no connector'}): {_scanned(n)}",
    Union: _small,
    Limit: _small,
    Values: _small,
    AssignWatermark: lambda n: f"Watermark of {n.column}: {expression(n.expr)}",
    Calc: _calc,
    WindowTable: lambda n: f"Window {window(n.window)}",
    WindowAggregate: lambda n: f"WindowAggregate {window(n.window)}{by_keys(n.keys)}: {_aggregates(n)}",
    OverAggregate: lambda n: (
        f"OverAggregate{by_keys(n.partition)} by {n.time}, {n.frame}: {', '.join(map(str, n.calls))}"
    ),
    MatchRecognize: _match,
    Process: str,
    OverUpdates: lambda n: (
        f"OverUpdates{by_keys(n.partition)} by {_order(n.order)}, {n.frame}: {', '.join(map(str, n.calls))}"
    ),
    Aggregate: lambda n: f"Aggregate{by_keys(n.keys)}: {_aggregates(n)}",
    Join: _join,
    TemporalJoin: _join,
    LookupJoin: _lookup,
    Versions: lambda n: f"Versions{by_keys(n.keys)} in the order of {n.time}",
    WindowJoin: _join,
    IntervalJoin: _join,
    Rank: _ordered,
    WindowRank: _ordered,
    Deduplicate: _ordered,
    Normalize: lambda n: f"Normalize{by_keys(n.keys)}",
    Materialize: lambda n: f"Materialize the last row{by_keys(n.keys)}",
    Enforce: lambda n: f"NOT NULL {', '.join(n.columns)}: {'drop' if n.drop else 'error'}",
    Sort: _ordered,
    Unnest: _unnest,
    Repeat: lambda n: f"Repeat {n.count} times: {_names(n)}",
}
