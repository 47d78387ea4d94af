"""What a process function is given beside a batch of rows or timers: its keys, times, timers and side outputs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace import options
from tailrace.user_functions import columns
from tailrace.user_functions.contexts import NO_TIME, Moments, in_milliseconds, no_side

Times = pl.Series | npt.NDArray[Any] | datetime | timedelta | str
Numbers = npt.NDArray[np.int64]
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TimerChanges:
    """Timers that are set for some keys, by their numbers; a time that is `NEVER` lets one be no more."""

    name: str
    clock: bool
    keys: Numbers
    times: Numbers

    def without(self, keys: Numbers) -> TimerChanges:
        """Give these but for those of some keys."""
        kept = ~np.isin(self.keys, keys)
        return TimerChanges(self.name, self.clock, self.keys[kept], self.times[kept])


class BatchContext(Moments):
    """
    What a process function knows of a batch, whose rows are sorted by key, and what it can ask for.

    `keys` has the columns of the keys, a row for each; `key` is the number of the key of each row of the batch, and `starts` the first row
    of each key. States and timers are by the numbers of keys.
    """

    __slots__ = ("_last", "_sides", "changes", "cleared", "key", "keys", "put", "starts")

    def __init__(self, sides: Collection[str], *, zoned: bool) -> None:
        super().__init__(zoned=zoned)
        self._sides = sides
        self.begin(pl.DataFrame(), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), None)

    def begin(self, keys: pl.DataFrame, key: Numbers, starts: Numbers, last: Numbers | None) -> None:
        """Begin a batch; `last` is the time of the last row of each key."""
        self.keys: pl.DataFrame = keys
        self.key: Numbers = key
        self.starts: Numbers = starts
        self._last = last
        self.changes: list[TimerChanges] = []
        self.put: list[tuple[str, Any]] = []
        self.cleared: Numbers = np.empty(0, dtype=np.int64)

    @property
    def ends(self) -> Numbers:
        """The row behind the last one of each key."""
        return np.append(self.starts[1:], len(self.key))

    def set_timer(self, at: Times, name: str = "", *, clock: bool = False) -> None:
        """
        Call `on_timer` when the watermark has come to `at`, or with `clock` the wall clock.

        `at` is a time for each key, NULL for none; a length of time, as "60s", counts from the last row or timer of the key, or with `clock`
        from now. A key has one timer of each name: to set it again moves it.
        """
        times = self._due(at, clock=clock)
        chosen = np.flatnonzero(times != NEVER)
        self.changes.append(TimerChanges(name, clock, chosen, times[chosen]))

    def _due(self, at: Times, *, clock: bool) -> Numbers:
        count = len(self.starts)
        if self._last is None and not clock:
            raise ValueError(NO_TIME)
        if isinstance(at, datetime):
            return np.full(count, in_milliseconds(at), dtype=np.int64)
        if isinstance(at, str | timedelta):
            length = int(options.duration(at)) if isinstance(at, str) else at // timedelta(milliseconds=1)
            return np.full(count, self.now_ms + length) if clock or self._last is None else self._last + length
        found = columns.as_series(at)
        if found is None or not isinstance(found.dtype, pl.Datetime) or len(found) != count:
            raise TypeError(
                f"set_timer takes a time for each of {count} keys, as a Series of Datetime, or a length of time"
            )
        return found.dt.epoch("ms").fill_null(NEVER).to_numpy()

    def clear_timer(self, name: str = "", *, where: Any = None, clock: bool = False) -> None:
        """Let a timer be no more: of all keys of the batch, or of those for which `where` is true."""
        keys = self._where(where)
        self.changes.append(TimerChanges(name, clock, keys, np.full(len(keys), NEVER)))

    def clear(self, where: Any = None) -> None:
        """Forget keys, their states and timers: all of the batch, or those for which `where` is true."""
        gone = self._where(where)
        self.cleared = np.union1d(self.cleared, gone).astype(np.int64)
        self.changes = [c.without(gone) for c in self.changes]

    def _where(self, where: Any) -> Numbers:
        if where is None:
            return np.arange(len(self.starts))
        found = columns.as_series(where)
        if found is None or found.dtype != pl.Boolean or len(found) != len(self.starts):
            raise TypeError(f"where takes a truth value for each of {len(self.starts)} keys")
        return np.flatnonzero(found.fill_null(value=False).to_numpy())

    def side(self, output: str, rows: Any) -> None:
        """Give rows to a side output: a frame as `on_batch` gives."""
        if output not in self._sides:
            raise KeyError(no_side(output, self._sides))
        self.put.append((output, rows))
