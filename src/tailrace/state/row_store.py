"""Rows that are kept by key: appended, found by the slot of their key, dropped, and compacted away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from tailrace.state import row_kernels as kernels
from tailrace.state.chunks import ChunkLog, RowLog
from tailrace.state.index import grown
from tailrace.state.kernels import I32, I64

ROW, COPIES, MATCHES, TOUCHED = "$row", "$copies", "$matches", "$touched"
_FEW = 65_536
_LEAST = 1024


class RowStore:
    """
    Rows by number, in chains by the slot of their key.

    `copies` tells how often each row is there (0: dropped), `matches` is a number that the owner keeps with it. A row
    lives `ttl` ms of the wall clock after it was last written (0: for ever). Rows keep their numbers until `compact`. With
    `as_batches` they stay in the batches that they came in, which suits rows that go about as they came, or never.
    """

    def __init__(self, schema: dict[str, pl.DataType], ttl: int = 0, *, as_batches: bool = False) -> None:
        self.ttl = ttl
        self._log: RowLog | ChunkLog = ChunkLog(schema) if as_batches else RowLog(schema)
        self.copies: I32 = np.zeros(_LEAST, dtype=np.int32)
        self.matches: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._slot: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._following: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._preceding: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._touched: I64 = np.zeros(_LEAST if ttl else 0, dtype=np.int64)
        self._head: I32 = np.full(_LEAST, -1, dtype=np.int32)
        self._sizes: I32 = np.zeros(_LEAST, dtype=np.int32)
        self._next_end = 0
        self._dropped = 0
        self._changed: list[I64] = []
        self._boundary = 0
        self._written = 0
        self._has_base = False

    @property
    def used(self) -> int:
        """The rows that have a number, dropped ones included."""
        return len(self._log)

    def __len__(self) -> int:
        # another thread may ask while it is compacted, when neither number is true
        return max(0, self.used - self._dropped)

    @property
    def nbytes(self) -> int:
        """The memory that it holds, about."""
        arrays = (self.copies, self.matches, self._slot, self._following, self._preceding, self._touched, self._head)
        return self._log.nbytes + self._sizes.nbytes + sum(a.nbytes for a in arrays)

    @property
    def older(self) -> I32:
        """Of each row the one of its slot that was added before it; -1: none."""
        return self._following

    @property
    def newer(self) -> I32:
        """Of each row the one of its slot that was added after it; -1: none."""
        return self._preceding

    def reserve(self, rows: int, slots: int) -> None:
        """Make room for this many more rows, and for slots up to this one."""
        size = self.used + rows
        self.copies, self.matches = grown(self.copies, size), grown(self.matches, size)
        self._slot, self._following = grown(self._slot, size), grown(self._following, size)
        self._preceding = grown(self._preceding, size)
        if self.ttl:
            self._touched = grown(self._touched, size)
        self._head, self._sizes = grown(self._head, slots, -1), grown(self._sizes, slots)

    def append(self, rows: pl.DataFrame, slots: I64, now: int) -> I64:
        """Add rows with the slots of their keys, one copy each, and give their numbers; `reserve` comes before."""
        first = self.used
        numbers = np.arange(first, first + len(rows))
        kernels.link(first, slots, self._slot, self._following, self._preceding, self._head, self._sizes)
        self._log.append(rows)
        self.copies[first : self.used] = 1
        self.matches[first : self.used] = 0
        if self.ttl:
            self._touched[first : self.used] = now
        return numbers

    def drop(self, rows: I64) -> None:
        """Drop rows for good."""
        kernels.unlink(rows, self._slot, self._following, self._preceding, self._head, self._sizes)
        self.copies[rows] = 0
        self._dropped += len(rows)
        self.note(rows)

    def move(self, rows: I64, slots: I64) -> None:
        """Put rows into the chains of other slots; they keep their numbers."""
        kernels.move(rows, slots, self._slot, self._following, self._preceding, self._head, self._sizes)

    def live(self, first: int = 0) -> I64:
        """Give the rows that are not dropped, from this number on."""
        return first + np.flatnonzero(self.copies[first : self.used] > 0)

    def slots(self, rows: I64) -> I64:
        """Give the slot of each row."""
        return self._slot.take(rows).astype(np.int64)

    def sizes(self, slots: I64) -> I64:
        """Tell how many rows each of these slots has."""
        return self._sizes.take(slots).astype(np.int64)

    def touch(self, rows: I64, now: int) -> None:
        """Let rows live on from now, as their copies or matches have changed."""
        if self.ttl:
            self._touched[rows] = now
        self.note(rows)

    def note(self, rows: I64) -> None:
        """Let the next checkpoint have what has changed of rows."""
        if len(rows):
            self._changed.append(rows)

    def pairs(self, slots: I64) -> tuple[I64, I64]:
        """Give each row of each of these slots: the place in `slots`, and the row's number."""
        count = int(self._sizes.take(slots).sum(dtype=np.int64))
        at, rows = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        kernels.pair(slots, self._head, self._following, at, rows)
        return at, rows

    def pieces(self, slots: I64, limit: int) -> Iterator[slice]:
        """Cut slots into runs that give no more than about `limit` pairs each."""
        sizes = np.cumsum(self._sizes.take(slots), dtype=np.int64)
        start = 0
        while start < len(slots):
            before = sizes[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(sizes, before + limit, side="right")))
            yield slice(start, stop)
            start = stop

    def gather(self, rows: I64, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Give rows: all columns, or these."""
        return self._log.gather(rows, columns)

    def gather_known(self, rows: I64, columns: Iterable[str]) -> pl.DataFrame:
        """Give these columns of rows, NULLs for -1."""
        missing = rows < 0
        if not missing.any():
            return self._log.gather(rows, columns)
        there = np.flatnonzero(~missing)
        places = np.zeros(len(rows), dtype=np.uint32)
        places[there] = np.arange(len(there), dtype=np.uint32)
        at = pl.select(pl.when(pl.Series(~missing)).then(pl.Series(places))).to_series()
        return pl.DataFrame([s.gather(at) for s in self._log.gather(rows[there], columns)])

    def expired(self, now: int) -> I64:
        """Give the rows that have lived their time."""
        if not self.ttl or now < self._next_end:
            return np.empty(0, dtype=np.int64)
        live = self.live()
        ends = self._touched[live] + self.ttl
        self._next_end = int(ends[ends > now].min(initial=now + self.ttl))
        return live[ends <= now]

    @property
    def worth_compacting(self) -> bool:
        """Tell that dropped rows outnumber the others."""
        return self._dropped > max(_FEW, len(self))

    def used_slots(self, count: int) -> np.ndarray:
        """Tell of each of the first `count` slots whether it has rows."""
        return self._sizes[:count] > 0

    def compact(self, new_slots: I64) -> I64:
        """
        Give rows new numbers without the dropped ones; give the slot of each.

        `new_slots` are the new numbers of the slots by the old.
        """
        kept = self.live()
        slots = new_slots[self._slot[kept]]
        self._log.keep(kept)
        self.copies, self.matches = self.copies[kept], self.matches[kept]
        if self.ttl:
            self._touched = self._touched[kept]
        self._relink(slots)
        # what was dropped and is not written yet would come back from the last checkpoint: the next one is a base
        self._has_base = False
        return slots

    def _relink(self, slots: I64) -> None:
        """Chain all rows anew."""
        self._dropped = 0
        self._changed = []
        count = int(slots.max(initial=-1)) + 1
        self._head, self._sizes = (
            np.full(max(_LEAST, count), -1, dtype=np.int32),
            np.zeros(max(_LEAST, count), np.int32),
        )
        self._slot, self._following, self._preceding = (np.zeros(len(slots), dtype=np.int32) for _ in range(3))
        kernels.link(0, slots, self._slot, self._following, self._preceding, self._head, self._sizes)

    @property
    def wants_base(self) -> bool:
        """Tell that the next delta should be the whole store."""
        return not self._has_base or self._written > 2 * max(len(self), _FEW)

    def delta(self, *, base: bool) -> dict[str, pl.DataFrame]:
        """Give the rows that are new since the last call (with `base` all), and what has changed of those before them."""
        start = 0 if base else self._boundary
        new = self.live(start)
        old = np.empty(0, dtype=np.int64) if base else self._changed_before(start)
        self._written = 0 if base else self._written + len(new) + len(old)
        self._boundary, self._changed, self._has_base = self.used, [], True
        frames = {
            "rows": pl.DataFrame([*self.gather(new), *self._facts(new)]),
            "changed": pl.DataFrame(self._facts(old)),
        }
        return {name: frame for name, frame in frames.items() if len(frame)}

    def _changed_before(self, stop: int) -> I64:
        """Give the rows before this one that have changed, ascending."""
        marks = np.zeros(self.used, dtype=np.bool_)
        for rows in self._changed:
            marks[rows] = True
        return np.flatnonzero(marks[:stop])

    def _facts(self, rows: I64) -> list[pl.Series]:
        facts = [pl.Series(ROW, rows), pl.Series(COPIES, self.copies[rows]), pl.Series(MATCHES, self.matches[rows])]
        return [*facts, pl.Series(TOUCHED, self._touched[rows])] if self.ttl else facts

    def load(self, rows: pl.DataFrame, slots: I64) -> None:
        """Take up the rows of `latest` into an empty store."""
        self.reserve(len(rows), int(slots.max(initial=-1)) + 1)
        numbers = self.append(rows, slots, 0)
        self.copies[numbers] = rows[COPIES].to_numpy()
        self.matches[numbers] = rows[MATCHES].to_numpy()
        if self.ttl and TOUCHED in rows.columns:
            self._touched[numbers] = rows[TOUCHED].to_numpy()


def latest(deltas: Sequence[dict[str, pl.DataFrame]]) -> pl.DataFrame | None:
    """Give the rows that are there after a base and the deltas behind it, with all that is known of them."""
    rows = [d["rows"] for d in deltas if "rows" in d]
    if not rows:
        return None
    whole = pl.concat(rows)
    numbers = whole[ROW].to_numpy()
    facts = {name: whole[name].to_numpy().copy() for name in (COPIES, MATCHES, TOUCHED) if name in whole.columns}
    for changed in (d["changed"] for d in deltas if "changed" in d):
        places = np.searchsorted(numbers, changed[ROW].to_numpy())
        for name, values in facts.items():
            values[places] = changed[name].to_numpy()
    return whole.with_columns([pl.Series(n, v) for n, v in facts.items()]).filter(pl.col(COPIES) > 0)
