"""The rows that matches may still need."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch
from tailrace.engine.kernels.patterns import Rows
from tailrace.engine.operator import Times
from tailrace.engine.patterns.cells import Cells
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore

TIME = "$time"


class PatternRows:
    """
    Rows by number, those of a slot in their order, with times and cells.

    The first of all cells are those of a row that is not there.
    """

    def __init__(self, schema: dict[str, pl.DataType], cells: Cells) -> None:
        self.store = RowStore({**schema, TIME: pl.Int64()})
        self._cells = cells
        self._times: I64 = np.zeros(1024, dtype=np.int64)
        width = max(1, len(cells))
        self._values: I64 = np.zeros((1024, 2 * width), dtype=np.int64)
        self._oldest: I64 = np.full(1024, -1, dtype=np.int64)
        self._started = False

    def __len__(self) -> int:
        return len(self.store)

    def append(self, rows: Batch, slots: I64, times: Times) -> I64:
        """Add rows, which stand in the order of slot and time; give their numbers."""
        self.store.reserve(len(rows), int(slots.max(initial=-1)) + 1)
        numbers = self.store.append(rows, slots, 0)
        self._note(rows, numbers, times)
        self._oldest = grown(self._oldest, int(slots.max(initial=-1)) + 1, -1)
        # from the last to the first, as the first one counts
        back = slots[::-1]
        fresh = self._oldest[back] < 0
        self._oldest[back[fresh]] = numbers[::-1][fresh]
        return numbers

    def _note(self, rows: Batch, numbers: I64, times: Times) -> None:
        """Compute times and cells of new rows."""
        if not self._started:
            self._values[:1] = self._cells.of_nothing(times)
            self._started = True
        self._times = grown(self._times, self.store.used)
        self._times[numbers] = rows[TIME].to_numpy()
        self._values = _taller(self._values, self.store.used + 1)
        if len(self._cells):
            self._values[numbers + 1] = self._cells.of(rows, times)

    @property
    def bundle(self) -> Rows:
        """All as the kernel takes it."""
        return Rows(self._values, self._times, self.store.older, self.store.newer)

    def oldest(self, slots: int) -> I64:
        """Give the first row of each slot, of so many slots."""
        self._oldest = grown(self._oldest, slots, -1)
        return self._oldest

    def compact(self, new_slots: I64) -> I64:
        """Give rows new numbers without the dropped ones, and these slots new numbers; give the new number of each row."""
        kept = self.store.live()
        numbers = np.full(self.store.used, -1, dtype=np.int64)
        numbers[kept] = np.arange(len(kept))
        slots = self.store.compact(new_slots)
        self._times = grown(self._times[kept], 1024)
        places = np.concatenate([[0], kept + 1])
        self._values = _taller(self._values[places], 1024)
        self.store.reserve(0, 0)
        self._find_oldest(slots)
        return numbers

    def _find_oldest(self, slots: I64) -> None:
        self._oldest = np.full(max(1024, int(slots.max(initial=-1)) + 1), -1, dtype=np.int64)
        self._oldest[slots[::-1]] = np.arange(len(slots))[::-1]

    def load(self, rows: pl.DataFrame, slots: I64, times: Times) -> None:
        """Take up the rows of a checkpoint."""
        self.store.load(rows, slots)
        self._note(rows, np.arange(len(rows)), times)
        self._find_oldest(slots)


def _taller(array: np.ndarray, rows: int) -> np.ndarray:
    """Give an array with room for so many rows."""
    if len(array) >= rows:
        return array
    out = np.zeros((max(rows, 2 * len(array)), array.shape[1]), dtype=array.dtype)
    out[: len(array)] = array
    return out
