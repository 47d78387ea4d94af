"""Aggregates with DISTINCT."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Mask, valid
from tailrace.engine.accumulators.chains import ChainedAccumulator
from tailrace.engine.accumulators.multiset import Multiset
from tailrace.state.kernels import I64


class Distinct(ChainedAccumulator):
    """
    Hands each value to another accumulator once: when it comes into a slot, and takes it back when it has gone.

    With `nulls` NULL is a value like others; with `retract` values can be taken back.
    """

    def __init__(self, inner: Accumulator, dtype: pl.DataType, *, nulls: bool = False, retract: bool = False) -> None:
        self.inner = inner
        self._nulls = nulls
        self._values: Multiset = Multiset(dtype, counted=retract)
        super().__init__(self._values)

    def reserve(self, size: int) -> None:
        super().reserve(size)
        self.inner.reserve(size)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        if use is not None or values.null_count():
            mask = self._counting(values, use)
            slots, values = slots[mask], values.filter(pl.Series(mask))
        changed = self._values.add(slots, values, sign)
        self.inner.add(slots[changed], values.filter(pl.Series(changed)), None, sign)

    def came(self, slots: I64, values: pl.Series, use: Mask | None) -> Mask:
        """Count values into slots, and mark the rows that brought one; `inner` does not hear of them."""
        mask = self._counting(values, use)
        brought = np.zeros(len(values), np.bool_)
        brought[mask] = self._values.add(slots[mask], values.filter(pl.Series(mask)))
        return brought

    def _counting(self, values: pl.Series, use: Mask | None) -> Mask:
        if not self._nulls:
            return valid(values, use)
        return np.ones(len(values), np.bool_) if use is None else use

    def merge(self, into: I64, slots: I64) -> None:
        targets, values = self._values.merge(into, slots)
        self.inner.add(targets, values, None)

    def result(self, slots: I64) -> pl.Series:
        return self.inner.result(slots)

    def _derive(self, slots: I64) -> None:
        self.inner.reset(slots)
        rows = self._values.of(slots).sort("entry")
        self.inner.add(slots[rows["place"].to_numpy()], rows["value"], None)

    def reset(self, slots: I64) -> None:
        super().reset(slots)
        self.inner.reset(slots)

    def keep(self, slots: I64) -> None:
        super().keep(slots)
        self.inner.keep(slots)
