"""SUM and AVG of decimals, exact in 128 bits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import ArrayAccumulator, Mask, valid
from tailrace.engine.decimals import from_halves, to_halves, to_pairs
from tailrace.engine.kernels import accumulate as kernels
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import DataType
from tailrace.state.kernels import I64

_ALL: Mask = np.zeros(0, dtype=np.bool_)


class DecimalSum(ArrayAccumulator):
    """SUM and AVG of decimals, exact in 128 bits."""

    subtracts = True

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._average = call.function == "AVG"
        self._type = call.type
        self._scale = argument.scale
        super().__init__(low=np.uint64, high=np.uint64, count=np.int64)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        pairs, arrays = to_pairs(values), self.arrays
        mask = valid(values, use) if use is not None or values.null_count() else _ALL
        kernels.sum_128(slots, pairs, mask, sign, arrays["low"], arrays["high"], arrays["count"])

    def merge(self, into: I64, slots: I64) -> None:
        self._combine(into, slots, 1)

    def subtract(self, into: I64, slots: I64) -> None:
        self._combine(into, slots, -1)

    def _combine(self, into: I64, slots: I64, sign: int) -> None:
        kernels.add_slots_128(into, slots, sign, self.arrays["low"], self.arrays["high"])
        kernels.add_slots(into, slots, sign, self.arrays["count"])

    def result(self, slots: I64) -> pl.Series:
        arrays = {name: a[slots] for name, a in self.arrays.items()}
        total = from_halves(arrays["low"], arrays["high"], self._scale).set(pl.Series(arrays["count"] == 0), None)
        if not self._average:
            return total.cast(self._type.polars, strict=False)
        return _decimal_average(total, pl.Series(arrays["count"]), self._type)


def _decimal_average(total: pl.Series, counts: pl.Series, target: DataType) -> pl.Series:
    """Divide exactly and round half up, on the unscaled integers; too large a quotient is NULL."""
    factor = 10 ** (target.scale - _scale(total))
    frame = pl.DataFrame({"total": total.to_physical(), "count": counts.clip(lower_bound=1).cast(pl.Int128)})
    wide = pl.col("total").abs() >= pl.lit(2**125 // factor, dtype=pl.Int128)
    two, times = pl.lit(2, dtype=pl.Int128), pl.lit(factor, dtype=pl.Int128)
    rounded = (pl.col("total").abs() * times * two + pl.col("count")) // (pl.col("count") * two)
    signed = (
        pl.when(pl.col("total") < pl.lit(0, dtype=pl.Int128))
        .then(pl.lit(0, dtype=pl.Int128) - rounded)
        .otherwise(rounded)
    )
    quotient = frame.select(pl.when(~wide).then(signed)).to_series()
    out = _with_scale(quotient, target)
    huge = frame.select(wide).to_series()
    return _exact_quotients(out, total, counts, huge, target) if huge.any() else out


def _scale(values: pl.Series) -> int:
    dtype = values.dtype
    return dtype.scale if isinstance(dtype, pl.Decimal) else 0


def _exact_quotients(
    out: pl.Series, total: pl.Series, counts: pl.Series, huge: pl.Series, target: DataType
) -> pl.Series:
    """Fill in the few quotients whose steps do not fit 128 bits, by Python's own decimals."""
    places = np.flatnonzero(huge.fill_null(value=False).to_numpy())
    unit = Decimal(1).scaleb(-target.scale)
    with localcontext(prec=100):
        values = [(Decimal(total[i]) / counts[i]).quantize(unit, ROUND_HALF_UP) for i in places.tolist()]
    limit = Decimal(10) ** (target.precision - target.scale)
    fitting = [v if abs(v) < limit else None for v in values]
    return out.scatter(places, pl.Series(fitting, dtype=target.polars))


def _with_scale(unscaled: pl.Series, target: DataType) -> pl.Series:
    """Read unscaled 128-bit integers as decimals of the target's scale."""
    low, high = to_halves(unscaled)
    out = from_halves(low, high, target.scale)
    return out.set(unscaled.is_null(), None).cast(target.polars, strict=False)
