"""Sources that make their rows from numbers, in order, at a pace; of n partitions each has every n-th number."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Position, Reader, Report
from tailrace.connectors.pace import UNLIMITED, Pace

I64 = npt.NDArray[np.int64]


def made(what: str, count: int | None, rate: int) -> Report:
    """Report what a source makes: how many (None: no end), and how many a second."""
    many = f"{what} without end" if count is None else f"{count} {what}"
    speed = "as fast as it goes" if rate == UNLIMITED else f"{rate} a second"
    return Report(True, f"makes {many}, {speed}")


class NumberedReader(Reader):
    """
    Gives the rows that are due.

    `numbers` has the next number of each partition, `stop` the number at which all end (None: never), `rate` how many
    are due a second (UNLIMITED: as many as are asked for).
    """

    def __init__(self, numbers: Sequence[int], stop: int | None, rate: int, clock: Clock) -> None:
        self._next = list(numbers)
        self._first = min(numbers)
        self._stop = stop
        self._rate = rate
        self._pace = Pace(rate, clock)
        self._closed = threading.Event()
        self._announced = self._ended = False

    @abstractmethod
    def rows(self, numbers: I64) -> pl.DataFrame:
        """Make the rows of these numbers."""

    @abstractmethod
    def position(self, number: int) -> Position:
        """Give the position of a partition whose next number this is."""

    def poll(self, limit: Limit) -> list[Block]:
        if not self._announced:
            return []
        due = self._due()
        if not due and limit.wait_seconds > 0 and not self._exhausted:
            self._closed.wait(min(limit.wait_seconds, self._pace.pause(self._given)))
            due = self._due()
        upto = min(self._next) + min(due, max(limit.rows, len(self._next)))
        blocks = [self._block(p, upto) for p in range(len(self._next))]
        return [b for b in blocks if b is not None]

    @property
    def _given(self) -> int:
        return min(self._next) - self._first

    @property
    def _exhausted(self) -> bool:
        return self._stop is not None and min(self._next) >= self._stop

    def _due(self) -> int:
        """Give how many rows may be put out now."""
        due = self._pace.due(self._given)
        return due if self._stop is None else max(0, min(due, self._stop - min(self._next)))

    def _block(self, partition: int, upto: int) -> Block | None:
        """Give the partition's rows up to a number."""
        numbers = np.arange(self._next[partition], upto, len(self._next), dtype=np.int64)
        if not len(numbers):
            return None
        self._next[partition] = int(numbers[-1]) + len(self._next)
        return Block(str(partition), self.rows(numbers), self.position(self._next[partition]), numbers)

    def changes(self) -> list[Change]:
        names = [str(p) for p in range(len(self._next))]
        found: list[Change] = [] if self._announced else [Assigned(n) for n in names]
        self._announced = True
        if self._exhausted and not self._ended:
            self._ended = True
            found += [Ended(n) for n in names]
        return found

    def lags(self) -> dict[str, int | None]:
        behind = 0 if self._rate == UNLIMITED else max(0, self._due())
        return dict.fromkeys(map(str, range(len(self._next))), behind // len(self._next))

    def close(self) -> None:
        self._closed.set()
