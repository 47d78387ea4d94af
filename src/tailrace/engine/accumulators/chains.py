"""Entries in chains by slot: what accumulators that keep single values are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Columns
from tailrace.engine.kernels import multiset as kernels
from tailrace.state.chunks import RowLog
from tailrace.state.index import grown
from tailrace.state.kernels import I64

_FEW = 65_536


class Chains:
    """Values in a chain for each slot; an entry is there while its count is above zero."""

    def __init__(self, dtype: pl.DataType) -> None:
        self.dtype = dtype
        self._clear()

    def _clear(self) -> None:
        self._dead = 0
        self._used = 0
        self._values = RowLog({"value": self.dtype})
        self._slots = np.zeros(1024, dtype=np.int64)
        self._counts = np.zeros(1024, dtype=np.int64)
        self._following = np.zeros(1024, dtype=np.int64)
        self._heads = np.full(1024, -1, dtype=np.int64)

    def reserve(self, size: int) -> None:
        """Make room, so that slots below `size` are in use."""
        self._heads = grown(self._heads, size, -1)

    def append(self, slots: I64, values: pl.Series, count: int = 0) -> I64:
        """Add entries to the chains of these slots; give their numbers, which grow."""
        before, used = self._used, self._used + len(slots)
        self._values.append(pl.DataFrame({"value": values}))
        self._slots, self._counts = grown(self._slots, used), grown(self._counts, used)
        self._following = grown(self._following, used)
        self._slots[before:used], self._counts[before:used] = slots, count
        kernels.link(before, self._slots[:used], self._following, self._heads)
        self._used = used
        return np.arange(before, used, dtype=np.int64)

    def of(self, slots: I64) -> pl.DataFrame:
        """Give the entries that are there: `place` (of the slot in `slots`), `entry`, `value`, `count`."""
        length = kernels.chain_lengths(slots, self._heads, self._following, self._counts)
        places, entries = np.empty(length, dtype=np.int64), np.empty(length, dtype=np.int64)
        kernels.walk_chains(slots, self._heads, self._following, self._counts, places, entries)
        rows = self._values.gather(entries)
        return rows.select(
            pl.Series("place", places), pl.Series("entry", entries), "value", pl.Series("count", self._counts[entries])
        )

    def columns(self, slots: I64) -> Columns:
        """Give the entries of each slot as a list of rows, in the order they came, for a checkpoint."""
        rows = self.of(slots).sort("entry")
        lists = rows.group_by("place").agg(pl.struct("value", "count").alias("values"))
        places = pl.DataFrame({"place": np.arange(len(slots), dtype=np.int64)})
        return {"values": places.join(lists, on="place", how="left", maintain_order="left")["values"]}

    def load(self, slots: I64, columns: Columns) -> None:
        """Take the entries of these slots from a checkpoint, in place of those that are there."""
        self.reset(slots)
        frame = pl.DataFrame({"slot": slots, "values": columns["values"]}).filter(pl.col("values").list.len() > 0)
        rows = frame.explode("values").unnest("values")
        self.take(rows["slot"].to_numpy(), rows["value"], rows["count"].to_numpy())

    def take(self, slots: I64, values: pl.Series, counts: I64) -> None:
        """Add entries with their counts."""
        self._counts[self.append(slots, values)] = counts

    def remove(self, entries: I64) -> None:
        """Take single entries out."""
        self._counts[entries] = 0
        self._dead += len(entries)

    def reset(self, slots: I64) -> None:
        """Take all entries out of these slots."""
        self._dead += kernels.empty_chains(slots, self._heads, self._following, self._counts)
        if self._dead > max(_FEW, self._used - self._dead):
            self.keep(np.arange(len(self._heads), dtype=np.int64))

    def keep(self, slots: I64) -> None:
        """Drop every slot but these; they are numbered anew in this order. Entries that are not there go too."""
        rows = self.of(slots).sort("entry")
        self._clear()
        self.reserve(len(slots))
        self.take(rows["place"].to_numpy(), rows["value"], rows["count"].to_numpy())
