"""A look at the rows that pass: bounded, now and then, and only while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from tailrace.engine.batch import KIND, Batch

ROWS = 20
"""So many rows are kept of each place."""

EVERY_SECONDS = 0.25
"""They are taken no more often."""

LOOK_SECONDS = 10.0
"""Nobody looks any more when nobody has asked for so long."""

MOST = 8
"""So many places can be looked at at a time; the one that was looked at longest ago goes."""


@dataclass(slots=True)
class Tap:
    """The newest rows that came out of one operator, as they were at `taken` (monotonic seconds); `passed` since it is there."""

    until: float
    frame: pl.DataFrame | None = None
    taken: float = 0.0
    passed: int = 0

    def offer(self, batch: Batch, now: float) -> None:
        """Hear of a batch, and take its last rows if it is time."""
        self.passed += len(batch)
        if self.frame is not None and now - self.taken < EVERY_SECONDS:
            return
        shown = batch.select([c for c in batch.columns if not c.startswith("$") or c == KIND])
        # gathered, not sliced: a slice would keep the whole batch in memory
        self.frame, self.taken = shown[list(range(max(0, len(shown) - ROWS), len(shown)))], now


@dataclass(slots=True)
class Taps:
    """The places that somebody looks at; `look` is called by any thread, `offer` by the engine's."""

    active: Mapping[str, Tap] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, operator: str, now: float) -> Tap:
        """Give what has come out of an operator since it was first looked at, and go on looking."""
        with self._lock:
            kept = sorted(((n, t) for n, t in self.active.items() if t.until > now), key=lambda x: -x[1].until)
            tap = dict(kept).get(operator) or Tap(now + LOOK_SECONDS)
            tap.until = now + LOOK_SECONDS
            self.active = {operator: tap} | dict([x for x in kept if x[0] != operator][: MOST - 1])
            return tap

    def offer(self, operator: str, batch: Batch, now: float) -> None:
        """Hear of a batch that an operator puts out."""
        tap = self.active.get(operator)
        if tap is not None and tap.until > now:
            tap.offer(batch, now)
        elif tap is not None:
            with self._lock:
                self.active = {n: t for n, t in self.active.items() if t.until > now}
