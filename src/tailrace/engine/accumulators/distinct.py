"""Aggregates with DISTINCT."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns, Mask, valid
from tailrace.engine.accumulators.multiset import Multiset
from tailrace.state.kernels import I64


class Distinct(Accumulator):
    """
    Hands each value to another accumulator once: when it comes into a slot, and takes it back when it has gone.

    With `nulls` NULL is a value like others.
    """

    def __init__(self, inner: Accumulator, dtype: pl.DataType, *, nulls: bool = False) -> None:
        self._inner = inner
        self._nulls = nulls
        self._values = Multiset(dtype)

    def reserve(self, size: int) -> None:
        self.size = size
        self._values.reserve(size)
        self._inner.reserve(size)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        if use is not None or values.null_count():
            mask = valid(values, use) if not self._nulls else use if use is not None else np.ones(len(values), np.bool_)
            slots, values = slots[mask], values.filter(pl.Series(mask))
        changed = self._values.add(slots, values, sign)
        self._inner.add(slots[changed], values.filter(pl.Series(changed)), None, sign)

    def merge(self, into: I64, slots: I64) -> None:
        targets, values = self._values.merge(into, slots)
        self._inner.add(targets, values, None)

    def result(self, slots: I64) -> pl.Series:
        return self._inner.result(slots)

    def columns(self, slots: I64) -> Columns:
        return self._values.columns(slots)

    def load(self, slots: I64, columns: Columns) -> None:
        self._values.load(slots, columns)
        self._inner.reset(slots)
        rows = self._values.of(slots).sort("entry")
        self._inner.add(slots[rows["place"].to_numpy()], rows["value"], None)

    def reset(self, slots: I64) -> None:
        self._values.reset(slots)
        self._inner.reset(slots)

    def keep(self, slots: I64) -> None:
        self.size = len(slots)
        self._values.keep(slots)
        self._inner.keep(slots)
