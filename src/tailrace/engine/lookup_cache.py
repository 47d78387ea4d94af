"""Rows that were looked up, by key: found again by slot, and forgotten by age and number."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.lookups import CacheRules
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves
from tailrace.state.row_store import RowStore

_FEW = 65_536
_EVER = 2**62


class LookupCache:
    """
    The rows of keys that were asked for.

    `keys` and `values` are the columns by type; a row has both. A key that is known may have no rows.
    """

    def __init__(self, keys: dict[str, pl.DataType], values: dict[str, pl.DataType], rules: CacheRules) -> None:
        self._keys = keys
        self._values = values
        self._rules = rules
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._index = KeyIndex()
        self.rows = RowStore(self._values)
        self._known = np.zeros(1024, dtype=np.bool_)
        self._written = np.zeros(1024, dtype=np.int64)
        self._used = np.zeros(1024, dtype=np.int64)

    def slots(self, keys: pl.DataFrame) -> I64:
        """Give the slot of each key."""
        a, b = key_halves(keys.select(list(self._keys)))
        slots, fresh = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        if len(fresh):
            size = len(self._index)
            self._known, self._written = grown(self._known, size), grown(self._written, size)
            self._used = grown(self._used, size)
        self.rows.reserve(0, len(self._index))
        return slots

    def missing(self, slots: I64, now: int) -> I64:
        """Give the places of the first rows of slots that must be asked for; the others are used now."""
        self._forget_old(slots, now)
        self._used[slots] = now
        places = np.flatnonzero(~self._known[slots])
        if not len(places):
            return places
        _, first = np.unique(slots[places], return_index=True)
        return places[first]

    def _forget_old(self, slots: I64, now: int) -> None:
        rules = self._rules
        if not rules.after_write and not rules.after_access:
            return
        ends = np.minimum(
            self._written[slots] + (rules.after_write or _EVER), self._used[slots] + (rules.after_access or _EVER)
        )
        self._forget(np.unique(slots[self._known[slots] & (ends <= now)]))

    def put(self, asked: I64, rows: pl.DataFrame, now: int) -> None:
        """Take the answer for slots that were asked for; rows of other keys are left out."""
        slots = self.slots(rows.select([pl.col(n).cast(t) for n, t in self._keys.items()]))
        wanted = np.zeros(len(self._index), dtype=np.bool_)
        wanted[asked] = True
        chosen = wanted[slots]
        values = rows.select(list(self._values))
        if not chosen.all():
            values, slots = values.filter(pl.Series(chosen)), slots[chosen]
        self.rows.reserve(len(slots), len(self._index))
        self.rows.append(values, slots, now)
        self._known[asked] = True
        self._written[asked] = now
        self._used[asked] = now

    def finish(self) -> None:
        """Keep no more than the rules allow, now that a batch is through."""
        if not self._rules.keeps:
            self.clear()
            return
        if not self._rules.missing:
            slots = np.flatnonzero(self._known[: len(self._index)])
            self._known[slots[self.rows.sizes(slots) == 0]] = False
        self._shrink()
        live = int(np.count_nonzero(self._known[: len(self._index)]))
        if self.rows.worth_compacting or len(self._index) > 2 * max(_FEW, live):
            self._compact()

    def _shrink(self) -> None:
        """Forget the keys that were not used for the longest time, while there are too many rows; one without rows counts as one."""
        limit = self._rules.max_rows
        if not limit:
            return
        slots = np.flatnonzero(self._known[: len(self._index)])
        sizes = np.maximum(self.rows.sizes(slots), 1)
        beyond = int(sizes.sum()) - limit
        if beyond <= 0:
            return
        oldest = np.argsort(self._used[slots], kind="stable")
        count = int(np.searchsorted(np.cumsum(sizes[oldest]), beyond)) + 1
        self._forget(slots[oldest[:count]])

    def _forget(self, slots: I64) -> None:
        if len(slots):
            self.rows.drop(self.rows.pairs(slots)[1])
            self._known[slots] = False

    def _compact(self) -> None:
        kept = np.flatnonzero(self._known[: len(self._index)])
        new_slots = np.full(len(self._index), -1)
        new_slots[kept] = np.arange(len(kept))
        self._index.keep(kept)
        self._known, self._written = grown(self._known[kept], 1024), grown(self._written[kept], 1024)
        self._used = grown(self._used[kept], 1024)
        self.rows.compact(new_slots)
        self.rows.reserve(0, len(kept))
