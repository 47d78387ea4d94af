"""MIN and MAX of streams that take rows back."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Mask, valid
from tailrace.engine.accumulators.chains import ChainedAccumulator
from tailrace.engine.accumulators.extremes import LogExtreme
from tailrace.engine.accumulators.multiset import Multiset
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import DataType
from tailrace.state.kernels import I64


class RetractableExtreme(ChainedAccumulator):
    """Keeps all values of a slot, counted; only when the extreme itself goes are the others looked through."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._best = LogExtreme(call, argument)
        self._values: Multiset = Multiset(argument.polars)
        super().__init__(self._values)

    def reserve(self, size: int) -> None:
        super().reserve(size)
        self._best.reserve(size)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        mask = valid(values, use)
        slots, values = slots[mask], values.filter(pl.Series(mask))
        changed = self._values.add(slots, values, sign)
        slots, values = slots[changed], values.filter(pl.Series(changed))
        if sign > 0:
            self._best.add(slots, values, None)
        else:
            self._look_again(slots, values)

    def _look_again(self, slots: I64, gone: pl.Series) -> None:
        """Find the extreme anew in the slots whose extreme has gone."""
        best = self._best.columns(slots)["value"]
        lost = np.unique(slots[(best == gone).fill_null(value=False).to_numpy()])
        if not len(lost):
            return
        self._best.reset(lost)
        rows = self._values.of(lost)
        self._best.add(lost[rows["place"].to_numpy()], rows["value"], None)

    def merge(self, into: I64, slots: I64) -> None:
        targets, values = self._values.merge(into, slots)
        self._best.add(targets, values, None)

    def result(self, slots: I64) -> pl.Series:
        return self._best.result(slots)

    def _derive(self, slots: I64) -> None:
        self._best.reset(slots)
        rows = self._values.of(slots)
        self._best.add(slots[rows["place"].to_numpy()], rows["value"], None)

    def reset(self, slots: I64) -> None:
        super().reset(slots)
        self._best.reset(slots)

    def keep(self, slots: I64) -> None:
        super().keep(slots)
        self._best.keep(slots)
