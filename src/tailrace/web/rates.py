"""What a job did between two looks at it: rates, shares of time, and what sets its pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from tailrace.engine.histogram import BOUNDS
from tailrace.observe.pressure import bottleneck

View = Mapping[str, Any]
Counter = tuple[str, str]
"""A counter of a view, and the name of its rate."""

_RATES: dict[str, tuple[Counter, ...]] = {
    "sources": (("rows", "rows_rate"), ("bytes", "bytes_rate"), ("held_seconds", "held")),
    "operators": (("rows_in", "rows_in_rate"), ("rows_out", "rows_out_rate"), ("busy_seconds", "busy")),
    "sinks": (("rows", "rows_rate"), ("busy_seconds", "busy"), ("held_seconds", "held")),
    "partitions": (("rows", "rows_rate"),),
}


def rated(now: View, before: View) -> dict[str, Any]:
    """Add to a look at a job what happened since an earlier one, for each second."""
    passed = now["seconds"] - before["seconds"]
    parts = {part: _rated(now[part], before[part], counters, passed) for part, counters in _RATES.items()}
    return {**now, **parts, "bottleneck": _bottleneck(parts)}


def _key(entry: View) -> tuple[str, str]:
    return entry.get("source", ""), entry["name"]


def _rated(
    now: Sequence[View], before: Sequence[View], counters: tuple[Counter, ...], passed: float
) -> list[dict[str, Any]]:
    known = {_key(entry): entry for entry in before}
    return [
        {**entry, **{rate: _rate(entry, known.get(_key(entry), entry), name, passed) for name, rate in counters}}
        for entry in now
    ]


def _rate(now: View, before: View, name: str, passed: float) -> float:
    """Give how much a counter grew in a second; one that began anew has not."""
    return max(0.0, (now[name] - before[name]) / passed) if passed > 0 else 0.0


def _bottleneck(parts: Mapping[str, Sequence[View]]) -> dict[str, Any] | None:
    found = bottleneck(
        {s["name"]: s["held"] for s in parts["sources"]},
        {o["name"]: o["busy"] for o in parts["operators"]},
        {s["name"]: s["held"] for s in parts["sinks"]},
        {s["name"]: s["lag"] for s in parts["sources"]},
    )
    return None if found is None else asdict(found)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """
    Estimate a quantile from the counts of classes, within its class as if all were spread evenly.

    >>> quantile([0, 10, 0, 0], 0.5)
    0.00175
    >>> quantile([0, 0], 0.5) is None
    True
    """
    wanted, reached = share * sum(counts), 0
    if not wanted:
        return None
    for (low, high), count in zip(pairwise((0.0, *BOUNDS)), counts, strict=False):
        if reached + count >= wanted:
            return low + (high - low) * (wanted - reached) / count
        reached += count
    return BOUNDS[-1]
