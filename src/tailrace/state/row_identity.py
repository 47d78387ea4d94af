"""Which stored row a change is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.state import row_kernels as kernels
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I32, I64
from tailrace.state.keys import key_halves
from tailrace.state.row_store import RowStore

_LEAST = 1024
_FEW = 65_536


class RowIdentity:
    """
    Finds the row of a store that a change adds or takes back, by the columns that tell rows apart.

    With `unique` there is one row at a time for these columns' values; else `columns` are all of the row's, and
    rows that are equal share one with several copies. With no columns the slot of the row's key tells rows apart.
    """

    def __init__(self, columns: Sequence[str], *, unique: bool) -> None:
        self._columns = list(columns)
        self._unique = unique
        self._index = KeyIndex()
        self._row_of: I32 = np.full(_LEAST, -1, dtype=np.int32)
        self._room: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._more: I32 = np.zeros(_LEAST, dtype=np.int32)

    def find(self, rows: pl.DataFrame, slots: I64) -> I64:
        """Give the identity of each row: a number of its own."""
        if self._columns:
            a, b = key_halves(rows.select(self._columns))
            slots, _ = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        size = int(slots.max(initial=-1)) + 1
        self._row_of = grown(self._row_of, size, -1)
        self._room, self._more = grown(self._room, size), grown(self._more, size)
        return slots

    def net(self, identities: I64, removed: np.ndarray) -> np.ndarray:
        """Tell of each change, in order, whether it counts; those that cancel each other do not."""
        keep = np.empty(len(identities), dtype=np.bool_)
        if self._unique:
            kernels.net_of_unique(identities, removed, self._room, self._more, keep)
        else:
            kernels.net_of_equal(identities, removed, self._room, keep)
        return keep

    def remove(self, store: RowStore, identities: I64, now: int) -> np.ndarray:
        """Take one copy of each row back; tell of each whether that was the last. Unknown rows do nothing."""
        known = self._row_of[identities]
        gone, ended = np.empty(len(identities), dtype=np.int64), np.empty(len(identities), dtype=np.bool_)
        count = kernels.remove(identities, self._row_of, store.copies, gone, ended)
        left = known[(known >= 0) & ~ended].astype(np.int64)
        store.touch(left[store.copies[left] > 0], now)
        store.drop(gone[:count])
        return ended

    def add(self, store: RowStore, rows: pl.DataFrame, slots: I64, identities: I64, now: int) -> tuple[I64, np.ndarray]:
        """Add a copy of each row; give the rows' numbers, and which of them are new."""
        if self._unique:
            self.remove(store, identities, now)
        numbers, fresh = np.empty(len(identities), dtype=np.int64), np.empty(len(identities), dtype=np.bool_)
        first = store.used
        kernels.add(identities, self._row_of, store.copies, first, numbers, fresh)
        copies = store.copies[first : first + int(np.count_nonzero(fresh))].copy()
        added = store.append(rows.filter(pl.Series(fresh)), slots[fresh], now)
        store.copies[added] = copies
        store.touch(numbers[~fresh], now)
        return numbers, fresh

    def rebuild(self, store: RowStore, slots: I64) -> None:
        """Know the rows of a store without dropped ones; `slots` are those of their keys."""
        self._index = KeyIndex()
        self._row_of = np.full(_LEAST, -1, dtype=np.int32)
        numbers = np.arange(store.used)
        self._row_of[self.find(store.gather(numbers, self._columns), slots)] = numbers

    def crowded(self, store: RowStore) -> bool:
        """Tell that most identities have no row any more."""
        return len(self._index) > 2 * max(_FEW, len(store))
