"""COUNT(DISTINCT x)."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns, Mask, valid
from tailrace.schema import DataType
from tailrace.state.chunks import RowLog
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves, with_number


class CountDistinct(Accumulator):
    """COUNT(DISTINCT x): an index of its own on (slot, value), in which every entry counts once."""

    def __init__(self, argument: DataType) -> None:
        self._schema = {"slot": pl.Int64(), "value": argument.polars}
        self._clear()

    def _clear(self) -> None:
        self._index = KeyIndex()
        self._log = RowLog(self._schema)
        self._saved = 0

    def reserve(self, size: int) -> None:
        self.size = size

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None) -> None:
        assert values is not None
        if use is not None or values.null_count():
            mask = valid(values, use)
            slots, values = slots[mask], values.filter(pl.Series(mask))
        self._insert(pl.DataFrame({"slot": slots, "value": values}))

    def _insert(self, rows: pl.DataFrame) -> None:
        a, b = key_halves(rows.select("value"))
        _, fresh = self._index.slots(np.ascontiguousarray(a), with_number(b, rows["slot"].to_numpy()))
        self._log.append(rows[fresh])

    def result(self, slots: I64, groups: I64 | None, count: int) -> pl.Series:
        targets = groups if groups is not None else np.arange(len(slots))
        wanted = pl.DataFrame({"slot": slots, "group": targets}, schema={"slot": pl.Int64, "group": pl.Int64})
        entries = self._log.gather(np.arange(len(self._log)))
        distinct = entries.join(wanted, on="slot").group_by("group").agg(pl.col("value").n_unique())
        out = np.zeros(count if groups is not None else len(slots), dtype=np.int64)
        out[distinct["group"].to_numpy()] = distinct["value"].to_numpy()
        return pl.Series(out)

    def columns(self, slots: I64) -> Columns:
        """Give the values of each slot as a list; a slot is written whole whenever it has changed."""
        wanted = pl.DataFrame({"slot": slots}, schema={"slot": pl.Int64})
        entries = self._log.gather(np.arange(len(self._log)))
        lists = entries.join(wanted, on="slot", how="semi").group_by("slot").agg("value")
        return {"value": wanted.join(lists, on="slot", how="left", maintain_order="left")["value"]}

    def load(self, slots: I64, columns: Columns) -> None:
        frame = pl.DataFrame({"slot": slots, "value": columns["value"]})
        lists = frame.filter(pl.col("value").is_not_null() & (pl.col("value").list.len() > 0))
        self._insert(lists.explode("value"))

    def keep(self, slots: I64) -> None:
        columns = self.columns(slots)
        self._clear()
        self.size = len(slots)
        self.load(np.arange(len(slots), dtype=np.int64), columns)
