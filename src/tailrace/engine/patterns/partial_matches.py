"""Partial matches, and complete ones that wait for them, by slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK
from tailrace.engine.kernels import pattern_conditions as k
from tailrace.engine.kernels.patterns import Found, Pool, renumber
from tailrace.state.index import grown
from tailrace.state.kernels import I64

SLOT, _COMPLETE = "$slot", "$complete"
_FEW = 65_536


def record_width(variables: int, aggregates: int) -> int:
    """Tell how many columns a partial match has."""
    return k.VARIABLES + k.PER_VARIABLE * variables + 2 * aggregates


class PartialMatches:
    """Records by slot, as the kernel lays them out: those of a slot lie side by side."""

    def __init__(self, variables: int, aggregates: int) -> None:
        self._width = record_width(variables, aggregates)
        places = [k.VARIABLES + k.PER_VARIABLE * v for v in range(variables)]
        self._rows: I64 = np.array([k.START, *places, *(p + 1 for p in places)], dtype=np.int64)
        """The columns with numbers of rows."""
        self._records: I64 = np.zeros((64, self._width), dtype=np.int64)
        self._used = 0
        self._heads, self._open, self._complete = (np.zeros(1024, dtype=np.int64) for _ in range(3))
        self._deadlines: I64 = np.full(1024, MAX_WATERMARK, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._open.sum() + self._complete.sum())

    def reserve(self, slots: int) -> None:
        """Make room for slots."""
        self._heads, self._open = grown(self._heads, slots), grown(self._open, slots)
        self._complete = grown(self._complete, slots)
        self._deadlines = grown(self._deadlines, slots, MAX_WATERMARK)

    @property
    def bundle(self) -> Pool:
        """All as the kernel takes it."""
        return Pool(self._records, self._heads, self._open, self._complete)

    def sizes(self, slots: I64) -> I64:
        """Tell how many records each of these slots has."""
        return self._open[slots] + self._complete[slots]

    def put(self, slots: I64, found: Found, within: int) -> None:
        """Let slots have the records that a walk gave, in place of those that they had."""
        self._store(slots, found.records, found.open, found.complete)
        self._deadlines[slots] = MAX_WATERMARK
        if within:
            some = found.open > 0
            firsts = self._records[self._heads[slots[some]]]
            ends = np.where(firsts[:, k.START] >= 0, firsts[:, k.TIME] + within, MAX_WATERMARK)
            self._deadlines[slots[some]] = ends

    def _store(self, slots: I64, records: I64, open_: I64, complete: I64) -> None:
        counts = open_ + complete
        size = self._used + len(records)
        if size > len(self._records):
            taller = np.zeros((max(size, 2 * len(self._records)), self._width), dtype=np.int64)
            taller[: self._used] = self._records[: self._used]
            self._records = taller
        self._records[self._used : size] = records
        self._heads[slots] = self._used + np.cumsum(counts) - counts
        self._open[slots], self._complete[slots] = open_, complete
        self._used = size

    def expired(self, slots: int, time: int, others: I64) -> I64:
        """Give the slots, but for these others, in which a partial match has lasted too long."""
        over = self._deadlines[:slots] <= time
        over[others] = False
        return np.flatnonzero(over)

    @property
    def next_deadline(self) -> int:
        """The first time at which a partial match will have lasted too long."""
        return int(self._deadlines.min())

    @property
    def worth_compacting(self) -> bool:
        """Tell that replaced records outnumber the others."""
        return self._used > 2 * max(_FEW, len(self))

    def places(self, slots: I64) -> I64:
        """Give where the records of slots are, one slot's behind another's."""
        counts = self.sizes(slots)
        starts = np.repeat(self._heads[slots] - (np.cumsum(counts) - counts), counts)
        return starts + np.arange(len(starts))

    def renumber(self, numbers: I64) -> None:
        """Give the rows in all records new numbers."""
        renumber(self._records, self._used, self._rows, numbers)

    def keep(self, slots: I64) -> None:
        """Drop every slot but these, which are numbered anew in this order, and records that were replaced."""
        records, open_, complete = self._records[self.places(slots)], self._open[slots], self._complete[slots]
        deadlines = self._deadlines[slots]
        self._used = 0
        self._heads, self._open, self._complete = (np.zeros(max(1024, len(slots)), dtype=np.int64) for _ in range(3))
        self._deadlines = grown(np.full(0, 0, dtype=np.int64), max(1024, len(slots)), MAX_WATERMARK)
        self._store(np.arange(len(slots)), records, open_, complete)
        self._deadlines[: len(slots)] = deadlines

    def columns(self, slots: I64) -> pl.DataFrame:
        """Give the records of slots as rows for a checkpoint."""
        counts = self.sizes(slots)
        own = np.repeat(slots, counts)
        place = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
        records = self._records[self.places(slots)]
        facts = [pl.Series(SLOT, own), pl.Series(_COMPLETE, place >= self._open[own])]
        return pl.DataFrame([*facts, *(pl.Series(f"f{i}", np.ascontiguousarray(c)) for i, c in enumerate(records.T))])

    def load(self, rows: pl.DataFrame, slots: I64, numbers: I64, within: int) -> None:
        """Take up records, each of the slot given for it, with rows numbered anew by `numbers`."""
        order = np.argsort(slots, kind="stable")
        records = np.ascontiguousarray(rows.select(f"f{i}" for i in range(self._width)).to_numpy()[order])
        renumber(records, len(records), self._rows, numbers)
        owners, counts = np.unique(slots, return_counts=True)
        complete = np.add.reduceat(rows[_COMPLETE].to_numpy()[order].astype(np.int64), np.cumsum(counts) - counts)
        empty: I64 = np.zeros((0, self._width), dtype=np.int64)
        self.put(owners, Found(records, counts - complete, complete, empty, empty, 0, -1), within)


def last_of_each(deltas: Sequence[dict[str, pl.DataFrame]]) -> pl.DataFrame | None:
    """Give of each slot the records that were written last; slots by the numbers that they had then."""
    frames = [d["records"].with_columns(pl.lit(i).alias("$delta")) for i, d in enumerate(deltas) if "records" in d]
    if not frames:
        return None
    written = [d["keys"].select(SLOT, pl.lit(i).alias("$delta")) for i, d in enumerate(deltas) if "keys" in d]
    newest = pl.concat(written).group_by(SLOT).agg(pl.col("$delta").max())
    return pl.concat(frames).join(newest, on=[SLOT, "$delta"], how="semi", maintain_order="left").drop("$delta")
