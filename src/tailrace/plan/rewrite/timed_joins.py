"""Joins whose condition bounds them in time: by equal windows, or by an interval between two time attributes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.lower import is_constant, lower
from tailrace.expressions.nodes import Call, Column, Expr
from tailrace.plan.nodes import (
    Calc,
    IntervalJoin,
    Join,
    JoinKey,
    Node,
    WindowJoin,
    WindowKind,
    WindowProperty,
    WindowSpec,
)
from tailrace.plan.rewrite.predicates import TURNED, conjuncts, joined
from tailrace.plan.windowing import Windowed, windowed
from tailrace.schema import INTERVALS, Kind, TimeAttribute


def timed_join(node: Join) -> WindowJoin | IntervalJoin | None:
    """
    Give a join whose condition has been split as one that lets rows go; None if nothing bounds it in time.

    Raises:
        ConfigError: it joins windows of processing time.
    """
    return _window_join(node) or _interval_join(node)


def _window_join(node: Join) -> WindowJoin | None:
    left, right = windowed(node.left), windowed(node.right)
    if left is None or right is None:
        return None
    starts = [k for k in node.keys if _of_edge(k, left, right, WindowProperty.START)]
    ends = [k for k in node.keys if _of_edge(k, left, right, WindowProperty.END)]
    if not starts or not ends or _kind(left) != _kind(right):
        return None
    if left.spec.processing_time:
        hint = "use windows over a row time"
        message = "windows of processing time can't be joined, as in Flink"
        raise ConfigError(message, hint=hint, location=node.location)
    # two sessions may end together and not begin so
    implied = ends if left.spec.kind is WindowKind.SESSION else [*starts, *ends]
    return WindowJoin(
        **_own(node) | {"keys": tuple(k for k in node.keys if k not in implied)},
        window=left.spec,
        edges=(ends[0].left, ends[0].right),
        local=left.local,
    )


def _of_edge(key: JoinKey, left: Windowed, right: Windowed, edge: WindowProperty) -> bool:
    return left.edges.get(key.left) is edge and right.edges.get(key.right) is edge


def _kind(window: Windowed) -> tuple[WindowSpec, bool]:
    """Give what must be equal of two windows that are joined."""
    return replace(window.spec, time_column="", partition=()), window.local


def _own(node: Join) -> dict[str, Any]:
    return {f.name: getattr(node, f.name) for f in fields(Join)}


@dataclass(frozen=True, slots=True)
class _Bound:
    """A bound of the left's time: the right's plus `offset`; `exact` tells that nothing else must be checked."""

    left: str
    right: str
    sign: str
    offset: int
    exact: bool


def _interval_join(node: Join) -> IntervalJoin | None:
    """Find two conditions, or one equality, between time attributes, as Flink does."""
    if node.kind.left_only:
        return None
    equal = [b for k in node.keys if not k.null_safe and (b := _equality(node, k)) is not None]
    rest: list[Expr] = []
    bounds: list[_Bound] = []
    for part in conjuncts(node.condition):
        found = _bound(node, part)
        bounds += [found] if found is not None else []
        rest += [part] if found is None or not found.exact else []
    given = [*equal, *bounds]
    if len({(b.left, b.right) for b in given}) != 1:
        return None
    lows = [_first(b) for b in given if b.sign in ("=", ">", ">=")]
    highs = [_last(b) for b in given if b.sign in ("=", "<", "<=")]
    if len(lows) != 1 or len(highs) != 1:
        return None
    times = (given[0].left, given[0].right)
    processing = node.left.schema[times[0]].time is TimeAttribute.PROCTIME
    return IntervalJoin(
        **_own(node) | {"condition": joined(rest)},
        times=times,
        lower=lows[0],
        upper=highs[0],
        processing_time=processing,
    )


def _equality(node: Join, key: JoinKey) -> _Bound | None:
    """Give the bound that a key means, if it compares two times, one of which may be computed for it."""
    left, right = _computed(node.left, key.left), _computed(node.right, key.right)
    if left is None or right is None or not _times(node, JoinKey(left[0], right[0])):
        return None
    return _Bound(left[0], right[0], "=", right[1] - left[1], exact=True)


def _computed(node: Node, name: str) -> tuple[str, int] | None:
    """Give a column as a time attribute that the node has too, and how much is added to it."""
    if node.schema[name].time is not None or not isinstance(node, Calc):
        return name, 0
    exprs = dict(zip(node.schema.names, node.exprs, strict=True))
    moved = _moved(exprs[name])
    if moved is None or not moved[2]:
        return None
    return next(((n, moved[1]) for n, e in exprs.items() if e == moved[0]), None)


def _times(node: Join, key: JoinKey) -> bool:
    """Tell whether two columns are time attributes of one kind."""
    left, right = node.left.schema[key.left], node.right.schema[key.right]
    return left.time is not None and left.time is right.time


def _first(bound: _Bound) -> int:
    return bound.offset + (bound.sign == ">")


def _last(bound: _Bound) -> int:
    return bound.offset - (bound.sign == "<")


def _bound(node: Join, part: Expr) -> _Bound | None:
    """Give the bound that a condition means; None if it compares anything else than times of both sides."""
    if not isinstance(part, Call) or part.function not in TURNED:
        return None
    (moved, other), sign = map(_moved, part.args), part.function
    if moved is None or other is None:
        return None
    if moved[0].name in node.right.schema:
        moved, other, sign = other, moved, TURNED[sign]
    left, right = moved[0].name, other[0].name
    if left not in node.left.schema or right not in node.right.schema or not _times(node, JoinKey(left, right)):
        return None
    return _Bound(left, right, sign, other[1] - moved[1], exact=moved[2] and other[2])


def _moved(expr: Expr) -> tuple[Column, int, bool] | None:
    """Give a column to which intervals are added as the column, their sum, and whether that is the same at any time."""
    if isinstance(expr, Column):
        return expr, 0, True
    if not isinstance(expr, Call) or expr.function not in ("+", "-"):
        return None
    time, interval = sorted(expr.args, key=lambda a: a.type.kind in INTERVALS)
    below = _moved(time)
    if below is None or interval.type.kind not in INTERVALS or not is_constant(interval):
        return None
    length = _milliseconds(interval, 1 if expr.function == "+" else -1)
    exact = below[2] and interval.type.kind is Kind.INTERVAL_SECOND
    return None if length is None else (below[0], below[1] + length, exact)


def _milliseconds(interval: Expr, sign: int) -> int | None:
    """Give the length of a constant interval with a sign; months are those before or after 1970 began, as in Flink."""
    value = pl.select(lower(interval).value.to_physical()).item()
    if value is None or interval.type.kind is Kind.INTERVAL_SECOND:
        return None if value is None else sign * int(value)
    years, month = divmod(sign * value, 12)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return round((start.replace(year=1970 + years, month=1 + month) - start).total_seconds() * 1000)
