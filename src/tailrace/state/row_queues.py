"""Stored rows by what tells them apart: which row it is that a change takes back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I32, I64
from tailrace.state.keys import key_halves
from tailrace.state.queue_kernels import queue

_LEAST = 1024
_FEW = 65_536


class RowQueues:
    """
    Queues of equal rows, each row by its number: the one that came first goes first.

    `columns` tell rows apart: all, or with `unique` those of a key, of which there is one row at a time. With no
    columns the slot of the row's partition tells rows apart.
    """

    def __init__(self, columns: Sequence[str], *, unique: bool) -> None:
        self._columns = list(columns)
        self._unique = unique
        self._clear()

    def _clear(self) -> None:
        self._index = KeyIndex()
        self._head: I32 = np.full(_LEAST, -1, dtype=np.int32)
        self._tail: I32 = np.full(_LEAST, -1, dtype=np.int32)
        self._following: I32 = np.full(_LEAST, -1, dtype=np.int32)
        self._identity: I32 = np.zeros(_LEAST, dtype=np.int32)

    def change(self, rows: pl.DataFrame, slots: I64, removed: np.ndarray, first: int) -> I64:
        """
        Let rows come, with numbers from `first` on, and go; give the numbers of those that are gone.

        A row that is gone may be one that has just come. One that goes and is not there does nothing.
        """
        identities = self._find(rows, slots)
        came = identities[~removed]
        size = first + len(came)
        self._following, self._identity = grown(self._following, size), grown(self._identity, size)
        self._identity[first:size] = came
        gone = np.empty(len(identities), dtype=np.int64)
        count = queue(identities, removed, first, self._head, self._tail, self._following, gone, unique=self._unique)
        return gone[:count]

    def _find(self, rows: pl.DataFrame, slots: I64) -> I64:
        if self._columns:
            a, b = key_halves(rows.select(self._columns))
            slots, _ = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        size = int(slots.max(initial=-1)) + 1
        self._head, self._tail = grown(self._head, size, -1), grown(self._tail, size, -1)
        return slots

    def forget(self, numbers: I64) -> None:
        """Forget rows, with all that are equal to them."""
        self._head[self._identity[numbers]] = -1

    def rebuild(self, rows: pl.DataFrame, slots: I64) -> None:
        """Know these rows and no others; their numbers are their places."""
        self._clear()
        # a frame without columns has no length of its own
        self.change(rows, slots, np.zeros(len(slots), dtype=np.bool_), 0)

    def crowded(self, rows: int) -> bool:
        """Tell that most identities have none of so many rows any more."""
        return len(self._index) > 2 * max(_FEW, rows)

    @property
    def columns(self) -> list[str]:
        """What tells rows apart."""
        return self._columns
