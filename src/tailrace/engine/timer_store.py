"""Timers by slot: of each name one, by event time or the wall clock."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import polars as pl

from tailrace.state.index import grown
from tailrace.state.kernels import I64

NEVER = 2**63 - 1
_FEW = 65_536


class TimerStore(ABC):
    """The times at which slots want to be woken, as an array for each name."""

    def __init__(self) -> None:
        self._times: dict[str, I64] = {}
        self._size = 0

    @property
    @abstractmethod
    def least(self) -> int:
        """A time before which nothing is due."""

    @abstractmethod
    def _rebuild(self) -> None:
        """Find out anew what comes first."""

    def next(self) -> int | None:
        """Give the time of the earliest timer; None if there is none."""
        if self.least == NEVER:
            return None
        self._rebuild()
        return None if self.least == NEVER else self.least

    def reserve(self, size: int) -> None:
        """Make room for so many slots."""
        self._size = size
        self._times = {name: grown(times, size, NEVER) for name, times in self._times.items()}

    def _of(self, name: str) -> I64:
        if name not in self._times:
            self._times[name] = np.full(max(1024, self._size), NEVER, dtype=np.int64)
        return self._times[name]

    def clear(self, slots: I64) -> None:
        """Let all timers of slots be no more."""
        for times in self._times.values():
            times[slots] = NEVER

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
        self.clear(slots)
        for name, series in columns.items():
            if name.startswith(prefix):
                self._of(name.removeprefix(prefix))[slots] = series.to_numpy()
        self._rebuild()


class TimerHeap(TimerStore):
    """
    Timers that are set and taken one by one, in the order of their times.

    An entry of the heap counts only while the slot's time is still the same, so that a timer is moved without looking for
    its old entry.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[int, int, str]] = []
        self._entries_kept = _FEW

    @property
    def least(self) -> int:
        return self._heap[0][0] if self._heap else NEVER

    def next(self) -> int | None:
        while self._heap and self._times[self._heap[0][2]][self._heap[0][1]] != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

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

    def pop(self, limit: int) -> tuple[int, int, str] | None:
        """Take the earliest timer that is due: its time, slot and name; None if none is."""
        heap = self._heap
        while heap and heap[0][0] <= limit:
            time, slot, name = heapq.heappop(heap)
            if self._times[name][slot] == time:
                self._times[name][slot] = NEVER
                return time, slot, name
        return None

    def _rebuild(self) -> None:
        """Make the heap anew, without entries that count no more."""
        self._heap = [
            (int(times[slot]), int(slot), name)
            for name, times in self._times.items()
            for slot in np.flatnonzero(times != NEVER)
        ]
        heapq.heapify(self._heap)
        self._entries_kept = max(_FEW, 2 * len(self._heap))


class TimerColumns(TimerStore):
    """Timers of many slots that are set and taken at once."""

    def __init__(self) -> None:
        super().__init__()
        self._least = NEVER

    @property
    def least(self) -> int:
        return self._least

    def _rebuild(self) -> None:
        self._least = int(min((times.min(initial=NEVER) for times in self._times.values()), default=NEVER))

    def change(self, slots: I64, name: str, times: I64) -> None:
        """Set the timers of slots; a time that is `NEVER` lets one be no more."""
        self._of(name)[slots] = times
        self._least = min(self._least, int(times.min(initial=NEVER)))

    def pop(self, limit: int) -> tuple[I64, I64, list[str]] | None:
        """Take of each slot its earliest timer if it is due: times, slots and names, in the order of times; None if none is."""
        if self._least > limit:
            return None
        limit = min(limit, NEVER - 1)
        names = list(self._times)
        due = [np.flatnonzero(times <= limit) for times in self._times.values()]
        slots = np.concatenate([np.empty(0, dtype=np.int64), *due])
        if not len(slots):
            self._rebuild()
            return None
        kinds = np.repeat(np.arange(len(names)), [len(d) for d in due])
        at = np.concatenate([times[d] for times, d in zip(self._times.values(), due, strict=True)])
        order = np.lexsort((kinds, at))
        _, first = np.unique(slots[order], return_index=True)
        chosen = order[np.sort(first)]
        for kind, name in enumerate(names):
            self._times[name][slots[chosen][kinds[chosen] == kind]] = NEVER
        self._rebuild()
        return at[chosen], slots[chosen], [names[k] for k in kinds[chosen].tolist()]
