"""What each node of a plan keeps, and when it lets it go."""

from __future__ import annotations

from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.plan.nodes import (
    Aggregate,
    AssignWatermark,
    Deduplicate,
    IntervalJoin,
    Join,
    Limit,
    MatchRecognize,
    Materialize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Process,
    Rank,
    Scan,
    Sort,
    TemporalJoin,
    Versions,
    WindowAggregate,
    WindowJoin,
    WindowRank,
)
from tailrace.plan.texts import by_keys, interval


def state_bound(node: Node) -> str:
    """Say what a node keeps and when it lets it go; empty for a node without state."""
    match node:
        case Scan():
            return "the position of each partition"
        case AssignWatermark():
            return "one watermark for each partition"
        case Limit():
            return "one counter"
        case WindowAggregate():
            return _window_state(node)
        case OverAggregate() | MatchRecognize():
            return _row_state(node)
        case Aggregate():
            return f"one row{by_keys(node.keys)}, {_life(node.ttl)}"
        case Normalize() | Materialize() | OverUpdates() | Process():
            return _kept(node)
        case Join():
            return _join_state(node)
        case Rank() | Deduplicate() | Sort() | Versions():
            return _ordered_state(node)
    return ""


def _kept(node: Normalize | Materialize | OverUpdates | Process) -> str:
    if isinstance(node, Process):
        return node.kept
    rows = "the row" if isinstance(node, Normalize) else "all rows"
    return f"{rows}{by_keys(node.partition if isinstance(node, OverUpdates) else node.keys)}, never dropped"


def _row_state(node: OverAggregate | MatchRecognize) -> str:
    if isinstance(node, MatchRecognize):
        bound = "never dropped" if node.within is None else f"for at most {interval(node.within)}"
        waiting = "" if node.processing_time else ", and those that wait for the watermark"
        return f"the rows of open matches{by_keys(node.partition)}, {bound}{waiting}"
    if node.frame.preceding is None:
        return f"one row{by_keys(node.partition)}, never dropped, and the rows that wait for the watermark"
    return f"the rows of the last frame{by_keys(node.partition)}, and those that wait for the watermark"


def _join_state(node: Join) -> str:
    if isinstance(node, TemporalJoin):
        return "rows of the left until the watermark passes them, and of each key the versions that they may need"
    if isinstance(node, WindowJoin):
        return "the rows of open windows of both sides, dropped when the watermark passes"
    if not isinstance(node, IntervalJoin):
        return _regular_state(node)
    passes = "the wall clock" if node.processing_time else "the watermark"
    behind = [max(node.lives(port), 0) for port in (0, 1)]
    left, right = (f"{t} + {interval(b)}" if b else t for t, b in zip(node.times, behind, strict=True))
    return f"the rows of both sides, dropped when {passes} passes {left} (left) and {right} (right)"


def _regular_state(node: Join) -> str:
    if any(node.ttl):
        return f"the rows of the left, {_life(node.ttl[0])}; those of the right, {_life(node.ttl[1])}"
    return "the rows of both sides, never dropped"


def _life(ttl: int | None) -> str:
    return f"dropped after {ttl / 1000:g} s without a change" if ttl else "never dropped"


def _ordered_state(node: Rank | Deduplicate | Sort | Versions) -> str:
    match node:
        case Versions():
            return f"the last time{by_keys(node.keys)}, never dropped"
        case Sort():
            return "the rows of this moment" if node.processing_time else "rows until the watermark passes them"
        case Deduplicate():
            row = "the last row" if node.last else "the key"
            return f"{row}{by_keys(node.keys)}, never dropped"
        case WindowRank():
            return f"{_best(node.end)}{by_keys(node.partition)}, dropped when the watermark passes"
    below = changelog_modes([node.input])[id(node.input)]
    if node.end is None or below != INSERT_ONLY:
        return "all rows of the input, never dropped"
    return f"{_best(node.end)}{by_keys(node.partition)}, never dropped"


def _best(count: int | None) -> str:
    return "the best row" if count == 1 else f"the best {count} rows"


def _window_state(node: WindowAggregate) -> str:
    distinct = sorted({a.arg for a in node.aggregates if a.distinct and a.arg})
    values = f" with the distinct values of {', '.join(distinct)}" if distinct else ""
    passes = "the wall clock" if node.window.processing_time else "the watermark"
    return f"open windows{by_keys(node.keys)}{values}, dropped when {passes} passes"
