"""Rows that are kept by key and by a time of their own."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.state import row_kernels as kernels
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore

TIME = "$time"
_NEVER = 2**63 - 1


class TimedRows(RowStore):
    """
    Rows by number, in chains by the slot of their key, each with a time by which it is found and goes.

    >>> store = TimedRows({"v": pl.Int64()})
    >>> store.reserve(2, 1)
    >>> _ = store.add(pl.DataFrame({"v": [1, 2]}), np.array([0, 0]), np.array([10, 20]))
    >>> store.near(np.array([0]), np.array([15]), np.array([25]))[1].tolist(), store.until(10).tolist()
    ([1], [0])
    """

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        super().__init__(schema, as_batches=True)
        self.times: I64 = np.zeros(1024, dtype=np.int64)
        self._first_live = 0
        self._least = _NEVER

    def reserve(self, rows: int, slots: int) -> None:
        """Make room for this many more rows, and for slots up to this one."""
        super().reserve(rows, slots)
        self.times = grown(self.times, self.used + rows)

    def add(self, rows: pl.DataFrame, slots: I64, times: I64) -> I64:
        """Add rows with the slots of their keys and their times, and give their numbers; `reserve` comes before."""
        numbers = self.append(rows, slots, 0)
        self.times[numbers] = times
        self._least = min(self._least, int(times.min(initial=_NEVER)))
        return numbers

    def near(self, slots: I64, low: I64, high: I64) -> tuple[I64, I64]:
        """Give each row of each of these slots with a time from `low` to `high`: the place in `slots`, and its number."""
        room = int(self._sizes.take(slots).sum(dtype=np.int64))
        at, rows = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        count = kernels.pair_near(slots, low, high, self._head, self._following, self.times, at, rows)
        return at[:count], rows[:count]

    @property
    def least(self) -> int | None:
        """A time that no row that is there is before; None without rows."""
        return self._least if self._least < _NEVER else None

    def until(self, time: int) -> I64:
        """Give the rows with times up to this one, in the order in which they came."""
        if time < self._least:
            return np.empty(0, dtype=np.int64)
        live = self.live(self._first_live)
        self._first_live = int(live[0]) if len(live) else self.used
        times = self.times[live]
        due = times <= time
        self._least = int(times[~due].min(initial=_NEVER))
        found: I64 = live[due]
        return found

    def compact(self, new_slots: I64) -> I64:
        """Give rows new numbers without the dropped ones; give the slot of each."""
        kept = self.live()
        self.times, self._first_live = self.times[kept], 0
        return super().compact(new_slots)

    def delta(self, *, base: bool) -> dict[str, pl.DataFrame]:
        """Give the rows that are new since the last call (with `base` all), and what has changed of those before them."""
        frames = super().delta(base=base)
        if "rows" in frames:
            numbers = frames["rows"]["$row"].to_numpy()
            frames["rows"] = frames["rows"].with_columns(pl.Series(TIME, self.times[numbers]))
        return frames

    def load(self, rows: pl.DataFrame, slots: I64) -> None:
        """Take up the rows of `latest` into an empty store."""
        super().load(rows, slots)
        self.times[: len(rows)] = rows[TIME].to_numpy()
        self._least = int(self.times[: len(rows)].min(initial=_NEVER))
