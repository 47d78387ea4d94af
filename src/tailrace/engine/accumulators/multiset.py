"""Values counted by slot: what DISTINCT, and MIN and MAX of streams that take rows back, are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Columns, Mask
from tailrace.engine.kernels import multiset as kernels
from tailrace.state.chunks import RowLog
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves, with_number

_FEW = 65_536


class Multiset:
    """
    The values of each slot, with how often each is there; an index on (slot, value) and a chain of entries by slot.

    >>> values = Multiset(pl.String())
    >>> values.reserve(1)
    >>> values.add(np.array([0, 0, 0]), pl.Series(["a", "b", "a"])).tolist()
    [True, True, False]
    """

    def __init__(self, dtype: pl.DataType) -> None:
        self._dtype = dtype
        self._clear()

    def _clear(self) -> None:
        self._dead = 0
        self._index = KeyIndex()
        self._values = RowLog({"value": self._dtype})
        self._slots = np.zeros(1024, dtype=np.int64)
        self._counts = np.zeros(1024, dtype=np.int64)
        self._following = np.zeros(1024, dtype=np.int64)
        self._heads = np.full(1024, -1, dtype=np.int64)

    def reserve(self, size: int) -> None:
        """Make room, so that slots below `size` are in use."""
        self._heads = grown(self._heads, size, -1)

    def add(self, slots: I64, values: pl.Series, amounts: I64 | int = 1) -> Mask:
        """
        Count values (without NULL) into slots, or out of them where `amounts` are negative.

        Gives the rows by which a value came or went.
        """
        entries = self._entries(slots, values)
        changed = np.zeros(len(entries), dtype=np.bool_)
        kernels.count(entries, np.broadcast_to(np.int64(amounts), len(entries)), self._counts, changed)
        return changed

    def _entries(self, slots: I64, values: pl.Series) -> I64:
        rows = pl.DataFrame({"value": values})
        a, b = key_halves(rows)
        before = len(self._index)
        entries, fresh = self._index.slots(np.ascontiguousarray(a), with_number(b, slots))
        used = len(self._index)
        if used > before:
            self._values.append(rows[fresh])
            self._slots, self._counts = grown(self._slots, used), grown(self._counts, used)
            self._following = grown(self._following, used)
            self._slots[before:used] = slots[fresh]
            kernels.link(before, self._slots[:used], self._following, self._heads)
        return entries

    def of(self, slots: I64) -> pl.DataFrame:
        """Give the values that are there: `place` (of the slot in `slots`), `value`, `count`."""
        length = kernels.chain_lengths(slots, self._heads, self._following, self._counts)
        places, entries = np.empty(length, dtype=np.int64), np.empty(length, dtype=np.int64)
        kernels.walk_chains(slots, self._heads, self._following, self._counts, places, entries)
        rows = self._values.gather(entries)
        return rows.select(pl.Series("place", places), "value", pl.Series("count", self._counts[entries]))

    def columns(self, slots: I64) -> Columns:
        """Give the values of each slot as a list of rows, for a checkpoint."""
        lists = self.of(slots).group_by("place").agg(pl.struct("value", "count").alias("values"))
        places = pl.DataFrame({"place": np.arange(len(slots), dtype=np.int64)})
        return {"values": places.join(lists, on="place", how="left", maintain_order="left")["values"]}

    def load(self, slots: I64, columns: Columns) -> None:
        """Take the values of these slots from a checkpoint, in place of those that are there."""
        self.reset(slots)
        frame = pl.DataFrame({"slot": slots, "values": columns["values"]}).filter(pl.col("values").list.len() > 0)
        rows = frame.explode("values").unnest("values")
        self.add(rows["slot"].to_numpy(), rows["value"], rows["count"].to_numpy())

    def merge(self, into: I64, slots: I64) -> tuple[I64, pl.Series]:
        """Count the values of slots into others; give the slots and values that came there."""
        rows = self.of(slots)
        targets, values = into[rows["place"].to_numpy()], rows["value"]
        came = self.add(targets, values, rows["count"].to_numpy())
        return targets[came], values.filter(pl.Series(came))

    def reset(self, slots: I64) -> None:
        """Take all values out of these slots."""
        self._dead += kernels.empty_chains(slots, self._heads, self._following, self._counts)
        if self._dead > max(_FEW, len(self._index) - self._dead):
            self.keep(np.arange(len(self._heads), dtype=np.int64))

    def keep(self, slots: I64) -> None:
        """Drop every slot but these; they are numbered anew in this order. Entries that are not there go too."""
        rows = self.of(slots)
        self._clear()
        self.reserve(len(slots))
        self.add(rows["place"].to_numpy(), rows["value"], rows["count"].to_numpy())
