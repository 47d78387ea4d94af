"""Whether a job is ready, and gets on: with the reasons if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tailrace.runtime.observation import Observation

STALL_SECONDS = 60.0
"""A part of a job that has something to do, and does nothing for so long, is stalled."""


@dataclass(frozen=True, slots=True)
class Health:
    """An answer, with the reasons for a no."""

    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is nothing against it."""
        return not self.reasons


def readiness(seen: Observation) -> Health:
    """Tell whether a job reads and writes now: it has started, and no system that it needs is away."""
    if seen.status.state != "running":
        return Health((f"job '{seen.status.name}' is {seen.status.state}",))
    away = [f"source '{s.table}' waits: {s.waiting}" for s in seen.status.sources if s.waiting]
    away += [f"sink '{s.table}' waits: {s.waiting}" for s in seen.status.sinks if s.waiting]
    return Health(tuple(away))


class _Part(NamedTuple):
    """A part of a job: how much it has done, and what it has to do (empty: nothing)."""

    name: tuple[str, ...]
    done: int
    waiting: str


@dataclass(slots=True)
class _Standing:
    """How much a part that has something to do had done, and since when it stands there."""

    done: int
    since: float


@dataclass(slots=True)
class StallDetector:
    """
    Finds partitions, sources and sinks that have something to do and do nothing for `seconds`.

    It knows only what it has seen, so look often.
    """

    seconds: float = STALL_SECONDS
    _known: dict[tuple[str, ...], _Standing] = field(default_factory=dict)

    def look(self, jobs: Iterable[Observation], now: float) -> Health:
        """Tell of all jobs whether they get on; `now` is by the monotonic clock."""
        parts = [p for seen in jobs if seen.status.state == "running" for p in _parts(seen) if p.waiting]
        before, self._known = self._known, {}
        reasons = []
        for part in parts:
            known = before.get(part.name)
            if known is None or known.done != part.done:
                known = _Standing(part.done, now)
            self._known[part.name] = known
            if now - known.since >= self.seconds:
                reasons.append(f"{part.waiting}, and none has moved for {now - known.since:.0f} s")
        return Health(tuple(reasons))


def _parts(seen: Observation) -> Iterator[_Part]:
    job = seen.status.name
    for one in seen.partitions:
        lag = f"partition '{one.name}' of '{one.table}' has {one.lag} rows to read" if one.lag else ""
        yield _Part((job, "partition", one.source, one.name), one.rows, lag)
    for source in seen.status.sources:
        queued = f"source '{source.table}' has rows that wait for the engine" if source.queued_bytes else ""
        yield _Part((job, "source", source.name), source.rows, queued)
    for sink in seen.status.sinks:
        queued = f"sink '{sink.table}' has rows that wait to be written" if sink.queued_bytes else ""
        yield _Part((job, "sink", sink.name), sink.rows, queued)
