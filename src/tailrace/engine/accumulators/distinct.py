"""Aggregates with DISTINCT."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns, Mask, valid
from tailrace.engine.accumulators.multiset import Multiset
from tailrace.state.kernels import I64


class Distinct(Accumulator):
    """Hands each value to another accumulator once: when it comes into a slot, and takes it back when it has gone."""

    def __init__(self, inner: Accumulator, dtype: pl.DataType) -> None:
        self._inner = inner
        self._values = Multiset(dtype)

    def reserve(self, size: int) -> None:
        self.size = size
        self._values.reserve(size)
        self._inner.reserve(size)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        if use is not None or values.null_count():
            mask = valid(values, use)
            slots, values = slots[mask], values.filter(pl.Series(mask))
        changed = self._values.add(slots, values, sign)
        self._inner.add(slots[changed], values.filter(pl.Series(changed)), None, sign)

    def result(self, slots: I64, groups: I64 | None, count: int) -> pl.Series:
        if groups is None:
            return self._inner.result(slots, None, 0)
        # a value that several slots of a group have counts once
        rows = self._values.of(slots)
        once = rows.select(pl.Series("group", groups[rows["place"].to_numpy()]), "value").unique()
        self._inner.reserve(self.size + count)
        extra = np.arange(self.size, self.size + count, dtype=np.int64)
        self._inner.add(once["group"].to_numpy() + self.size, once["value"], None)
        out = self._inner.result(extra, None, 0)
        self._inner.reset(extra)
        self._inner.size = self.size
        return out

    def columns(self, slots: I64) -> Columns:
        return self._values.columns(slots)

    def load(self, slots: I64, columns: Columns) -> None:
        self._values.load(slots, columns)
        self._inner.reset(slots)
        rows = self._values.of(slots)
        self._inner.add(slots[rows["place"].to_numpy()], rows["value"], None)

    def reset(self, slots: I64) -> None:
        self._values.reset(slots)
        self._inner.reset(slots)

    def keep(self, slots: I64) -> None:
        self.size = len(slots)
        self._values.keep(slots)
        self._inner.keep(slots)
