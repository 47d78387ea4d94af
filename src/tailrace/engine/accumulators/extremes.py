"""MIN, MAX, FIRST_VALUE and LAST_VALUE: one value is kept for each slot."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, ArrayAccumulator, Columns, Mask, valid
from tailrace.engine.decimals import from_halves
from tailrace.engine.kernels import accumulate as kernels
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import FLOATS, DataType
from tailrace.state.chunks import RowLog
from tailrace.state.index import grown
from tailrace.state.kernels import I64


class Extreme(ArrayAccumulator):
    """MIN and MAX of whatever is one 64-bit number."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._least = call.function == "MIN"
        self._fold = kernels.least if self._least else kernels.greatest
        self._type = call.type
        self._floating = argument.kind in FLOATS
        super().__init__(value=np.float64 if self._floating else np.int64, count=np.int64)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        physical = values.to_physical().cast(pl.Float64 if self._floating else pl.Int64)
        numbers = physical.fill_null(0).to_numpy()
        self._fold(slots, numbers, valid(values, use), self.arrays["value"], self.arrays["count"])

    def merge(self, into: I64, slots: I64) -> None:
        values, counts = self.arrays["value"], self.arrays["count"]
        kernels.extreme_of_slots(into, slots, self._least, values, counts)

    def result(self, slots: I64) -> pl.Series:
        arrays = {name: a[slots] for name, a in self.arrays.items()}
        dtype = self._type.polars
        if isinstance(dtype, pl.Decimal):
            zeros = np.where(arrays["value"] < 0, ~np.uint64(0), np.uint64(0))
            numbers = from_halves(arrays["value"].view(np.uint64), zeros, self._type.scale).cast(dtype)
        else:
            numbers = pl.Series(arrays["value"]).cast(pl.Series([], dtype=dtype).to_physical().dtype).cast(dtype)
        return numbers.set(pl.Series(arrays["count"] == 0), None)


_PICKS = {
    "MIN": pl.col("value").min(),
    "MAX": pl.col("value").max(),
    "FIRST_VALUE": pl.col("value").first(),
    "LAST_VALUE": pl.col("value").last(),
}


class LogExtreme(Accumulator):
    """
    MIN and MAX of anything that has an order (as strings), and the first and last value.

    Values lie in a log, slots point into it.
    """

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._pick = _PICKS[call.function]
        self._type = call.type
        self._pointers = np.full(1024, -1, dtype=np.int64)
        self._log = RowLog({"value": argument.polars})

    def reserve(self, size: int) -> None:
        self.size = size
        self._pointers = grown(self._pointers, size, -1)
        live = self._pointers[:size]
        if len(self._log) > 4 * size + 65_536:
            live = live.copy()
            used = np.flatnonzero(live >= 0)
            self._log.keep(live[used])
            self._pointers[used] = np.arange(len(used))

    def _best(self, frame: pl.DataFrame) -> pl.DataFrame:
        value = pl.col("value")
        return frame.filter(value.is_not_null()).group_by("slot", maintain_order=True).agg(self._pick)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        batch = pl.DataFrame({"slot": slots, "value": values})
        batch = self._best(batch if use is None else batch.filter(pl.Series(use)))
        known = self._current(batch["slot"].to_numpy())
        best = self._best(pl.concat([known, batch]))
        self._point(best)

    def _current(self, slots: I64) -> pl.DataFrame:
        pointers = self._pointers[slots]
        has = pointers >= 0
        return pl.DataFrame({"slot": slots[has], "value": self._log.gather(pointers[has])["value"]})

    def _point(self, best: pl.DataFrame) -> None:
        start = len(self._log)
        self._log.append(best.select("value"))
        self._pointers[best["slot"].to_numpy()] = np.arange(start, start + len(best))

    def merge(self, into: I64, slots: I64) -> None:
        self.add(into, self.columns(slots)["value"], None)

    def result(self, slots: I64) -> pl.Series:
        return self.columns(slots)["value"].cast(self._type.polars)

    def columns(self, slots: I64) -> Columns:
        pointers = pl.Series(self._pointers[slots])
        values = self._log.gather(pointers.clip(lower_bound=0).to_numpy())["value"] if len(self._log) else None
        if values is None:
            return {"value": pl.Series([None] * len(slots), dtype=self._log.gather(slots[:0])["value"].dtype)}
        return {"value": values.set(pointers < 0, None)}

    def load(self, slots: I64, columns: Columns) -> None:
        frame = pl.DataFrame({"slot": slots, "value": columns["value"]})
        self._point(frame.filter(pl.col("value").is_not_null()))

    def reset(self, slots: I64) -> None:
        self._pointers[slots] = -1

    def keep(self, slots: I64) -> None:
        self.size = len(slots)
        values = self.columns(slots)["value"]
        self._log.keep(np.zeros(0, dtype=np.int64))
        self._pointers = np.full(max(1024, len(slots)), -1, dtype=np.int64)
        self.load(np.arange(len(slots)), {"value": values})
