"""COUNT, SUM and AVG of numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import ArrayAccumulator, Mask, valid
from tailrace.engine.kernels import accumulate as kernels
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import INTEGERS, DataType, Kind
from tailrace.state.kernels import I64


class Count(ArrayAccumulator):
    """COUNT(*) and COUNT(x)."""

    subtracts = True

    def __init__(self) -> None:
        super().__init__(count=np.int64)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        if values is not None and values.null_count():
            use = valid(values, use)
        if use is None:
            kernels.count_all(slots, sign, self.arrays["count"])
        else:
            kernels.count_used(slots, use, sign, self.arrays["count"])

    def result(self, slots: I64) -> pl.Series:
        return pl.Series(self.arrays["count"][slots])


class Sum(ArrayAccumulator):
    """SUM and AVG of integers and floating-point numbers."""

    subtracts = True

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._average = call.function == "AVG"
        self._type = call.type
        single = argument.kind is Kind.FLOAT and not self._average
        self._dtype = np.int64 if argument.kind in INTEGERS else np.float32 if single else np.float64
        super().__init__(sum=self._dtype, count=np.int64)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        dtype = pl.Int64 if self._dtype is np.int64 else pl.Float32 if self._dtype is np.float32 else pl.Float64
        sums, counts = self.arrays["sum"], self.arrays["count"]
        if use is None and not values.null_count():
            kernels.sum_all(slots, values.cast(dtype).to_numpy(), sign, sums, counts)
        else:
            numbers = values.fill_null(0).cast(dtype).to_numpy()
            kernels.sum_used(slots, numbers, valid(values, use), sign, sums, counts)

    def result(self, slots: I64) -> pl.Series:
        sums, counts = self.arrays["sum"][slots], self.arrays["count"][slots]
        if self._average:
            sums = _truncated(sums, counts) if self._dtype is np.int64 else sums / np.maximum(counts, 1)
        numbers = sums.astype(_NUMPY[self._type.kind])
        return pl.Series(numbers).cast(self._type.polars).set(pl.Series(counts == 0), None)


_NUMPY = {
    Kind.TINYINT: np.int8,
    Kind.SMALLINT: np.int16,
    Kind.INT: np.int32,
    Kind.BIGINT: np.int64,
    Kind.FLOAT: np.float32,
    Kind.DOUBLE: np.float64,
}


def _truncated(sums: I64, counts: I64) -> I64:
    """Divide toward zero, as Java does."""
    least_one = np.maximum(counts, 1)
    quotient = np.abs(sums) // least_one
    return np.where(sums < 0, -quotient, quotient)
