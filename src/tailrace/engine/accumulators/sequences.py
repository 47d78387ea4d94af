"""Aggregates of values in the order they came: LISTAGG, ARRAY_AGG, and FIRST_VALUE and LAST_VALUE that take rows back."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Mask, valid
from tailrace.engine.accumulators.chains import ChainedAccumulator, Chains
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import DataType
from tailrace.state.kernels import I64


class SequenceAccumulator(ChainedAccumulator):
    """Keeps every value of a slot; the result is an expression over `value`, in the order they came."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        self._result = _result(call)
        self._type = call.type
        self._nulls = call.function == "ARRAY_AGG"
        self._values: Chains = Chains(argument.polars)
        super().__init__(self._values)

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        mask = (np.ones(len(values), np.bool_) if use is None else use) if self._nulls else valid(values, use)
        slots, values = slots[mask], values.filter(pl.Series(mask))
        if sign > 0:
            self._values.append(slots, values, count=1)
        else:
            self._take_back(slots, values)

    def _take_back(self, slots: I64, values: pl.Series) -> None:
        """Remove as many entries of each value as are taken back, those that came first."""
        once = np.unique(slots)
        number = pl.int_range(pl.len()).over("slot", "value").alias("number")
        there = self._values.of(once).sort("entry")
        there = there.select(pl.Series("slot", once[there["place"].to_numpy()]), "value", "entry").with_columns(number)
        gone = pl.DataFrame({"slot": slots, "value": values}).with_columns(number)
        found = there.join(gone, on=["slot", "value", "number"], nulls_equal=True)
        self._values.remove(found["entry"].to_numpy())

    def merge(self, into: I64, slots: I64) -> None:
        rows = self._values.of(slots).sort("entry")
        self._values.append(into[rows["place"].to_numpy()], rows["value"], count=1)

    def result(self, slots: I64) -> pl.Series:
        rows = self._values.of(slots).sort("entry")
        results = rows.group_by("place").agg(self._result.alias("value"))
        places = pl.DataFrame({"place": np.arange(len(slots), dtype=np.int64)})
        joined = places.join(results, on="place", how="left", maintain_order="left")
        return joined["value"].cast(self._type.polars)


class Lag(SequenceAccumulator):
    """The value so many rows before the last one: only the last values of a slot are kept."""

    def __init__(self, call: AggregateCall, argument: DataType) -> None:
        super().__init__(call, argument)
        self._nulls = True
        offset, *default = call.constants
        self._offset, self._default = int(offset), default[0] if default else None

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        super().add(slots, values, use, sign)
        rows = self._values.of(np.unique(slots)).sort("entry", descending=True)
        old = rows.filter(pl.int_range(pl.len()).over("place") > self._offset)
        self._values.remove(old["entry"].to_numpy())

    def walk(self, slots: I64, values: pl.Series, ends: I64) -> pl.Series:
        """
        Add rows, sorted by slot, and give the result after each row of `ends`, all at once.

        What is known of a slot stands before its rows; the result is then so many places up.
        """
        once, places = np.unique(slots, return_inverse=True)
        known = self._values.of(once).sort("entry")
        own = pl.DataFrame({"place": places, "value": values})
        both = pl.concat([known.select(own.columns), own]).sort("place", maintain_order=True)
        before = np.cumsum(np.bincount(known["place"].to_numpy(), minlength=len(once)))
        at = ends + before[places[ends]] - self._offset
        firsts = np.searchsorted(both["place"].to_numpy(), places[ends])
        self._keep_last(once, both)
        there = pl.Series(at >= firsts)
        shifted = both["value"].gather(np.maximum(at, 0)).cast(self._type.polars)
        return pl.select(pl.when(there).then(shifted).otherwise(pl.lit(self._default))).to_series()

    def _keep_last(self, slots: I64, rows: pl.DataFrame) -> None:
        """Keep of these rows, in the order of their places in `slots`, the last of each, in place of what was kept."""
        last = rows.filter(pl.int_range(pl.len()).reverse().over("place") <= self._offset)
        self._values.reset(slots)
        self._values.append(slots[last["place"].to_numpy()], last["value"], count=1)


def _result(call: AggregateCall) -> pl.Expr:
    value = pl.col("value")
    match call.function:
        case "LISTAGG":
            return value.str.join(str(call.constants[0]) if call.constants else ",")
        case "FIRST_VALUE":
            return value.first()
        case "LAST_VALUE":
            return value.last()
        case "LAG":
            offset, *default = call.constants
            before = value.reverse().get(offset, null_on_oob=True)
            return pl.when(pl.len() > offset).then(before).otherwise(pl.lit(default[0] if default else None))
    return value.implode()
