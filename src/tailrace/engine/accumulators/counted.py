"""Aggregates of values and how often each is there: COLLECT and PERCENTILE."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Mask, valid
from tailrace.engine.accumulators.chains import ChainedAccumulator
from tailrace.engine.accumulators.multiset import Multiset
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import DataType
from tailrace.state.kernels import I64


class CountedAccumulator(ChainedAccumulator):
    """Keeps the values of a slot with their counts."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._call = call
        self._values: Multiset = Multiset(argument.polars)
        super().__init__(self._values)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        mask = valid(values, use)
        self._values.add(slots[mask], values.filter(pl.Series(mask)), sign)

    def merge(self, into: I64, slots: I64) -> None:
        self._values.merge(into, slots)

    def result(self, slots: I64) -> pl.Series:
        rows = self._values.of(slots)
        places = pl.DataFrame({"place": np.arange(len(slots), dtype=np.int64)})
        results = rows.group_by("place").agg(self._result())
        out = places.join(results, on="place", how="left", maintain_order="left")["result"].cast(self._call.type.polars)
        return out.fill_null([]) if self._call.function == "COLLECT" else out

    def _result(self) -> pl.Expr:
        if self._call.function == "COLLECT":
            return pl.struct(pl.col("value").alias("key"), pl.col("count").cast(pl.Int32).alias("value")).alias(
                "result"
            )
        (wanted,) = self._call.constants
        if not isinstance(wanted, tuple):
            return percentile(float(wanted)).alias("result")
        return pl.concat_list([percentile(float(w)) for w in wanted]).alias("result")


def percentile(share: float) -> pl.Expr:
    """Give the percentile of `value`, each `count` times; linear between the two values that it lies between."""
    values = pl.col("value").cast(pl.Float64).repeat_by("count").explode(empty_as_null=True)
    return values.quantile(share, interpolation="linear")
