"""Entries in chains by slot: what accumulators that keep single values are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns
from tailrace.engine.kernels import multiset as kernels
from tailrace.state.chunks import RowLog
from tailrace.state.index import grown
from tailrace.state.kernels import I64

ENTRY, SLOT, VALUE, COUNT = "entry", "slot", "value", "count"
_FEW = 65_536


class Chains:
    """Values in a chain for each slot; an entry is there while its count is above zero."""

    def __init__(self, dtype: pl.DataType) -> None:
        self.dtype = dtype
        self._written = 0
        self._clear()

    def _clear(self) -> None:
        self._dead = 0
        self._used = 0
        self._values = RowLog({"value": self.dtype})
        self._slots = np.zeros(1024, dtype=np.int64)
        self._counts = np.zeros(1024, dtype=np.int64)
        self._following = np.zeros(1024, dtype=np.int64)
        self._dirty = np.zeros(1024, dtype=np.bool_)
        # entries are numbered anew, so that changes of single ones mean nothing to what was written before
        self._has_base = False
        self._heads = np.full(1024, -1, dtype=np.int64)

    def reserve(self, size: int) -> None:
        """Make room, so that slots below `size` are in use."""
        self._heads = grown(self._heads, size, -1)

    def append(self, slots: I64, values: pl.Series, count: int = 0) -> I64:
        """Add entries to the chains of these slots; give their numbers, which grow."""
        before, used = self._used, self._used + len(slots)
        self._values.append(pl.DataFrame({"value": values}))
        self._slots, self._counts = grown(self._slots, used), grown(self._counts, used)
        self._following, self._dirty = grown(self._following, used), grown(self._dirty, used)
        self._slots[before:used], self._counts[before:used], self._dirty[before:used] = slots, count, True
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

    @property
    def wants_base(self) -> bool:
        """Tell that all entries are less to write than the changes since they last were."""
        return not self._has_base or self._written > 2 * max(self._used - self._dead, _FEW)

    def changes(self, *, base: bool) -> pl.DataFrame:
        """Give the entries that came or went (with count 0) since the last call; with `base` all that are there."""
        used = self._used
        chosen = self._counts[:used] > 0 if base else self._dirty[:used]
        entries = np.flatnonzero(chosen)
        self._dirty[:used] = False
        self._written = 0 if base else self._written + len(entries)
        self._has_base = True
        numbers = {ENTRY: entries, SLOT: self._slots[entries], COUNT: self._counts[entries]}
        return pl.DataFrame([pl.Series(name, n) for name, n in numbers.items()]).with_columns(
            self._values.gather(entries)[VALUE]
        )

    def load(self, slots: I64, columns: Columns) -> None:
        """Take the entries of these slots from a checkpoint, in place of those that are there."""
        self.reset(slots)
        frame = pl.DataFrame({"slot": slots, "values": columns["values"]}).filter(pl.col("values").list.len() > 0)
        rows = frame.explode("values").unnest("values")
        self.take(rows["slot"].to_numpy(), rows["value"], rows["count"].to_numpy())

    def take(self, slots: I64, values: pl.Series, counts: I64) -> None:
        """Add entries with their counts."""
        entries = self.append(slots, values)  # before the array is named: it may be another one then
        self._counts[entries] = counts

    def remove(self, entries: I64) -> None:
        """Take single entries out."""
        self._counts[entries], self._dirty[entries] = 0, True
        self._dead += len(entries)

    def reset(self, slots: I64) -> None:
        """Take all entries out of these slots."""
        self._dead += kernels.empty_chains(slots, self._heads, self._following, self._counts, self._dirty)
        if self._dead > max(_FEW, self._used - self._dead):
            self.keep(np.arange(len(self._heads), dtype=np.int64))

    def keep(self, slots: I64) -> None:
        """Drop every slot but these; they are numbered anew in this order. Entries that are not there go too."""
        rows = self.of(slots).sort("entry")
        self._clear()
        self.reserve(len(slots))
        self.take(rows["place"].to_numpy(), rows["value"], rows["count"].to_numpy())


def last_values(changes: list[pl.DataFrame]) -> pl.DataFrame:
    """Give the entries that are there after a base and the changes that followed it, in the order they came."""
    if not changes:
        return pl.DataFrame()
    last = pl.concat(changes).unique(ENTRY, keep="last")
    return last.filter(pl.col(COUNT) > 0).sort(ENTRY)


class ChainedAccumulator(Accumulator):
    """An accumulator that keeps single values by slot; what it makes of them is derived again after a restore."""

    def __init__(self, values: Chains) -> None:
        self._values = values

    def _derive(self, slots: I64) -> None:
        """Make anew what is known of these slots beside their values."""

    def reserve(self, size: int) -> None:
        self.size = size
        self._values.reserve(size)

    def columns(self, slots: I64) -> Columns:
        return self._values.columns(slots)

    def load(self, slots: I64, columns: Columns) -> None:
        self._values.load(slots, columns)
        self._derive(slots)

    def changes(self, *, base: bool) -> pl.DataFrame:
        """Give the values that came or went since the last call, or with `base` all, for a checkpoint."""
        return self._values.changes(base=base)

    def take_up(self, slots: I64, values: pl.DataFrame) -> None:
        """Take up what `changes` gave, the last of each value, into these slots."""
        self._values.take(slots, values[VALUE], values[COUNT].to_numpy())
        self._derive(np.unique(slots))

    @property
    def wants_base(self) -> bool:
        """Tell that the next `changes` should give all, as they are less than the changes since it last did."""
        return self._values.wants_base

    def reset(self, slots: I64) -> None:
        self._values.reset(slots)

    def keep(self, slots: I64) -> None:
        self.size = len(slots)
        self._values.keep(slots)
