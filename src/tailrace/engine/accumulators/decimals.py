"""SUM and AVG of decimals, exact in 128 bits."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import ArrayAccumulator, Mask, valid
from tailrace.engine.decimals import from_halves, to_halves
from tailrace.engine.kernels import accumulate as kernels
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import DataType
from tailrace.state.kernels import I64


class DecimalSum(ArrayAccumulator):
    """SUM and AVG of decimals, exact in 128 bits."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._average = call.function == "AVG"
        self._type = call.type
        self._scale = argument.scale
        super().__init__(low=np.uint64, high=np.uint64, count=np.int64)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None) -> None:
        assert values is not None
        low, high = to_halves(values)
        arrays = self.arrays
        mask = valid(values, use)
        kernels.sum_128(slots, low, high, mask, arrays["low"], arrays["high"], arrays["count"])

    def join(self, slots: I64, groups: I64, count: int) -> dict[str, np.ndarray]:
        out = {name: np.zeros(count, dtype=a.dtype) for name, a in self.arrays.items()}
        low, high, counts = (self.arrays[n][slots] for n in ("low", "high", "count"))
        ignored = np.zeros(count, dtype=np.int64)
        everything = np.ones(len(slots), dtype=np.bool_)
        kernels.sum_128(groups, low, high, everything, out["low"], out["high"], ignored)
        np.add.at(out["count"], groups, counts)
        return out

    def result(self, slots: I64, groups: I64 | None, count: int) -> pl.Series:
        arrays = self.joined(slots, groups, count)
        total = from_halves(arrays["low"], arrays["high"], self._scale).set(pl.Series(arrays["count"] == 0), None)
        if not self._average:
            return total.cast(self._type.polars, strict=False)
        return _decimal_average(total, pl.Series(arrays["count"]), self._type)


def _decimal_average(total: pl.Series, counts: pl.Series, target: DataType) -> pl.Series:
    """Divide exactly and round half up, on the unscaled integers; too large a quotient is NULL."""
    scale = target.scale - int(total.dtype.scale or 0)  # type: ignore[attr-defined]
    unscaled = total.to_physical().cast(pl.Int128) * pl.Series([10**scale], dtype=pl.Int128)
    divisor = counts.clip(lower_bound=1).cast(pl.Int128)
    quotient = (unscaled.abs() * 2 + divisor) // (divisor * 2)
    signed = (
        pl.select(pl.when(unscaled < 0).then(-quotient).otherwise(quotient)).to_series() if len(quotient) else quotient
    )
    return _with_scale(signed, target)


def _with_scale(unscaled: pl.Series, target: DataType) -> pl.Series:
    """Read unscaled 128-bit integers as decimals of the target's scale."""
    low, high = to_halves(unscaled)
    out = from_halves(low, high, target.scale)
    return out.set(unscaled.is_null(), None).cast(target.polars, strict=False)
