"""Timers by slot: of each name one, by event time or the wall clock."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np
import polars as pl

from tailrace.state.index import grown
from tailrace.state.kernels import I64

NEVER = 2**63 - 1
_FEW = 65_536


class TimerStore:
    """
    The times at which slots want to be woken; the earliest is found by a heap.

    An entry of the heap counts only while the slot's time is still the same, so that a timer is moved without looking for
    its old entry.
    """

    def __init__(self) -> None:
        self._times: dict[str, I64] = {}
        self._size = 0
        self._heap: list[tuple[int, int, str]] = []
        self._entries_kept = _FEW

    def reserve(self, size: int) -> None:
        """Make room for so many slots."""
        self._size = size
        self._times = {name: grown(times, size, NEVER) for name, times in self._times.items()}

    def _of(self, name: str) -> I64:
        if name not in self._times:
            self._times[name] = np.full(max(1024, self._size), NEVER, dtype=np.int64)
        return self._times[name]

    @property
    def least(self) -> int:
        """A time before which nothing is due."""
        return self._heap[0][0] if self._heap else NEVER

    def change(self, slot: int, name: str, time: int | None) -> None:
        """Set a timer, or let it be no more."""
        times = self._of(name)
        if time is None:
            times[slot] = NEVER
        elif times[slot] != time:
            times[slot] = time
            heapq.heappush(self._heap, (time, slot, name))
            if len(self._heap) > self._entries_kept:
                self._rebuild()

    def clear(self, slot: int) -> None:
        """Let all timers of a slot be no more."""
        for times in self._times.values():
            times[slot] = NEVER

    def pop(self, limit: int) -> tuple[int, int, str] | None:
        """Take the earliest timer that is due: its time, slot and name; None if none is."""
        heap = self._heap
        while heap and heap[0][0] <= limit:
            time, slot, name = heapq.heappop(heap)
            if self._times[name][slot] == time:
                self._times[name][slot] = NEVER
                return time, slot, name
        return None

    def next(self) -> int | None:
        """Give the time of the earliest timer."""
        while self._heap and self._times[self._heap[0][2]][self._heap[0][1]] != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pending(self, slots: I64) -> np.ndarray:
        """Tell which slots have a timer."""
        found = np.zeros(len(slots), dtype=np.bool_)
        for times in self._times.values():
            found |= times[slots] != NEVER
        return found

    def keep(self, slots: I64) -> None:
        """Keep these slots, which are numbered anew in this order."""
        self._times = {name: grown(times[slots], 1024, NEVER) for name, times in self._times.items()}
        self._rebuild()

    def columns(self, slots: I64, prefix: str) -> dict[str, pl.Series]:
        """Give the timers of slots for a checkpoint."""
        return {f"{prefix}{name}": pl.Series(times[slots]) for name, times in self._times.items()}

    def load(self, slots: I64, columns: Mapping[str, pl.Series], prefix: str) -> None:
        """Take up timers of slots; those that are not told are none."""
        for times in self._times.values():
            times[slots] = NEVER
        for name, series in columns.items():
            if name.startswith(prefix):
                self._of(name.removeprefix(prefix))[slots] = series.to_numpy()
        self._rebuild()

    def _rebuild(self) -> None:
        """Make the heap anew, without entries that count no more."""
        self._heap = [
            (int(times[slot]), int(slot), name)
            for name, times in self._times.items()
            for slot in np.flatnonzero(times != NEVER)
        ]
        heapq.heapify(self._heap)
        self._entries_kept = max(_FEW, 2 * len(self._heap))
