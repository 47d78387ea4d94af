"""What an accumulator promises, and the kind that is NumPy arrays by slot."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.kernels import accumulate as kernels
from tailrace.state.index import grown
from tailrace.state.kernels import I64

Mask = npt.NDArray[np.bool_]
Columns = dict[str, pl.Series]


def valid(values: pl.Series, use: Mask | None) -> Mask:
    """Mark the rows that count: not NULL, and taken by the filter."""
    mask: Mask = values.is_not_null().to_numpy()
    return mask if use is None else mask & use


class Accumulator(ABC):
    """The state of one aggregate call; slots are numbered from 0, `size` of them in use."""

    size = 0
    scans = False
    subtracts = False
    """Whether `subtract` is there."""

    @abstractmethod
    def reserve(self, size: int) -> None:
        """Make room, so that slots below `size` are in use (new ones empty)."""

    @abstractmethod
    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        """
        Fold one batch in; `use` marks the rows that the FILTER takes, None for all.

        With `sign` -1 it takes back rows that were folded in before; not every accumulator can.
        """

    @abstractmethod
    def merge(self, into: I64, slots: I64) -> None:
        """
        Fold the state of each slot into that of another; several may go into one.

        Those of `scans` accumulators are folded one after the other, so that a slot may be both.
        """

    @abstractmethod
    def result(self, slots: I64) -> pl.Series:
        """Give the result of each slot."""

    def merged_result(self, slots: I64, groups: I64, count: int) -> pl.Series:
        """Give the results of `count` groups of slots, as if all rows of a group were in one; `groups` has each slot's."""
        size = self.size
        extra = np.arange(size, size + count, dtype=np.int64)
        self.reserve(size + count)
        self.merge(groups + size, slots)
        out = self.result(extra)
        self.reset(extra)
        self.size = size
        return out

    @abstractmethod
    def columns(self, slots: I64) -> Columns:
        """Give the state of these slots, for a checkpoint."""

    @abstractmethod
    def load(self, slots: I64, columns: Columns) -> None:
        """Take the state of these slots from a checkpoint."""

    @abstractmethod
    def reset(self, slots: I64) -> None:
        """Empty these slots."""

    @abstractmethod
    def keep(self, slots: I64) -> None:
        """Drop every slot but these; they are numbered anew in this order."""


class ArrayAccumulator(Accumulator):
    """An accumulator of NumPy arrays by slot, which are merged by addition."""

    scans = True

    def __init__(self, **dtypes: type) -> None:
        self.arrays: dict[str, np.ndarray] = {name: np.zeros(1024, dtype=dtype) for name, dtype in dtypes.items()}

    def reserve(self, size: int) -> None:
        self.size = size
        self.arrays = {name: grown(a, size) for name, a in self.arrays.items()}

    def columns(self, slots: I64) -> Columns:
        return {name: pl.Series(a[slots]) for name, a in self.arrays.items()}

    def load(self, slots: I64, columns: Columns) -> None:
        for name, array in self.arrays.items():
            array[slots] = columns[name].to_numpy()

    def reset(self, slots: I64) -> None:
        for array in self.arrays.values():
            array[slots] = 0

    def keep(self, slots: I64) -> None:
        self.size = len(slots)
        self.arrays = {name: grown(a[slots], 1024) for name, a in self.arrays.items()}

    def merge(self, into: I64, slots: I64) -> None:
        for array in self.arrays.values():
            kernels.add_slots(into, slots, 1, array)

    def subtract(self, into: I64, slots: I64) -> None:
        """Take the state of each slot out of that of another."""
        for array in self.arrays.values():
            kernels.add_slots(into, slots, -1, array)
