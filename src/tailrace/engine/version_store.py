"""The versions of a table: which row of a key was there at which time."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK
from tailrace.engine.kernels import versions as kernels
from tailrace.engine.local_time import milliseconds
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore

_FEW = 65_536


class VersionStore:
    """
    Rows by the slot of their key, each of which holds from its `time` until the next one.

    Of two of the same time the one that came last counts. A row that tells of a deletion ends the one before it, and is
    kept as a version too.
    """

    def __init__(self, schema: dict[str, pl.DataType], time: str, ttl: int = 0) -> None:
        self.rows = RowStore(schema, ttl)
        self._name = time
        self._times = np.zeros(1024, dtype=np.int64)
        self._place = np.full(1024, -1, dtype=np.int32)
        self._new = 0

    def add(self, rows: pl.DataFrame, slots: I64, removed: np.ndarray, now: int) -> None:
        """Add versions; `removed` tells which of them are deletions. `rows.reserve` comes before."""
        numbers = self.rows.append(rows, slots, now)
        self.rows.matches[numbers] = removed
        self._times = grown(self._times, self.rows.used)
        self._times[numbers] = milliseconds(rows[self._name])
        self._new += len(rows)

    def find(self, slots: I64, times: I64, watermark: int) -> I64:
        """
        Give the row of each slot that was there at a time; -1 if there was none.

        A time that the watermark has passed finds nothing older than what was there at the watermark.
        """
        starts, ordered, rows, groups = self._sorted(slots)
        found = self._as_of(starts, ordered, groups, times)
        late = times < watermark
        if late.any():
            kept = self._as_of(starts, ordered, groups[late], np.full(int(late.sum()), watermark))
            found[late] = np.where(found[late] == kept, kept, -1)
        found[found >= 0] = rows[found[found >= 0]]
        found[found >= 0] = np.where(self.rows.matches[found[found >= 0]], -1, found[found >= 0])
        return found

    @staticmethod
    def _as_of(starts: I64, ordered: I64, groups: I64, times: I64) -> I64:
        found = np.empty(len(groups), dtype=np.int64)
        kernels.as_of(starts, ordered, groups, times, found)
        return found

    def _sorted(self, slots: I64) -> tuple[I64, I64, I64, I64]:
        """Give where each distinct slot begins among all of their versions, their times and rows, and each slot's number."""
        groups, distinct = np.empty(len(slots), dtype=np.int64), np.empty(len(slots), dtype=np.int64)
        self._place = grown(self._place, int(slots.max(initial=-1)) + 1, -1)
        distinct = distinct[: kernels.group(slots, self._place, groups, distinct)]
        _, rows = self.rows.pairs(distinct)
        times = self._times[rows]
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.rows.sizes(distinct))])
        kernels.in_order(starts, times, rows)
        return starts, times, rows, groups

    def drop_old(self, watermark: int) -> None:
        """Drop, when it is worth while, the versions before the one that was there at the watermark."""
        if watermark == MIN_WATERMARK or self._new <= max(_FEW, len(self.rows) - self._new):
            return
        self._new = 0
        slots = np.flatnonzero(self.rows.used_slots(int(self.rows.slots(self.rows.live()).max(initial=-1)) + 1))
        starts, times, rows, groups = self._sorted(slots)
        kept = np.maximum(self._as_of(starts, times, groups, np.full(len(slots), watermark)), starts[:-1])
        places = np.arange(len(rows))
        self.rows.drop(rows[places < np.repeat(kept, np.diff(starts))])

    def compact(self, new_slots: I64) -> None:
        """Number rows anew without the dropped ones."""
        self._times = grown(self._times[self.rows.live()], 1024)
        self._place = np.full(1024, -1, dtype=np.int32)
        self.rows.compact(new_slots)

    def load(self, rows: pl.DataFrame, slots: I64) -> None:
        """Take up the rows of a checkpoint."""
        self.rows.load(rows, slots)
        self._times = grown(milliseconds(rows[self._name]).copy(), 1024)
