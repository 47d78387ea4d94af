"""Slots by key: the numbers by which an operator's arrays are indexed, and all that slots have in common."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.kernels import slots as kernels
from tailrace.state.chunks import RowLog
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves

LIVE = "$live"
TOUCHED = "$touched"
_FEW = 65_536


class KeyedSlots:
    """
    Gives each key a slot, and knows of each slot its key, whether it is live, has changed, and when it was touched.

    A slot that is dropped keeps its number until the operator compacts (`worth_compacting`), and is live again when its key
    comes back. `ttl` (ms of the wall clock, 0: never) is how long a slot lives untouched.
    """

    def __init__(self, schema: dict[str, pl.DataType], ttl: int = 0) -> None:
        self.keys = list(schema)
        self.ttl = ttl
        self._index = KeyIndex()
        self._rows = RowLog(schema)
        self.live = np.zeros(1024, dtype=np.bool_)
        self._dirty = np.zeros(1024, dtype=np.bool_)
        self._touched = np.zeros(1024, dtype=np.int64)
        self._seen = np.zeros(1024, dtype=np.int64)
        self._round = 0
        self._next_end = 0
        self._written = 0
        self._has_base = False

    @property
    def used(self) -> int:
        """The slots that have a number."""
        return len(self._index)

    def __len__(self) -> int:
        """The live slots."""
        return int(np.count_nonzero(self.live[: self.used]))

    def find(self, batch: pl.DataFrame) -> I64:
        """Give the slot of each row by its key columns; keys not seen before get new slots, which are not live yet."""
        if self.keys:
            rows = batch.select(self.keys)
            a, b = key_halves(rows)
        else:
            rows = pl.DataFrame()
            a = b = np.zeros(len(batch), dtype=np.uint64)
        slots, fresh = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        if len(fresh):
            if self.keys:
                self._rows.append(rows[fresh])
            self._reserve(self.used)
        return slots

    def _reserve(self, size: int) -> None:
        self.live, self._dirty = grown(self.live, size), grown(self._dirty, size)
        self._touched, self._seen = grown(self._touched, size), grown(self._seen, size)

    def touch(self, slots: I64, now: int) -> I64:
        """Note that these slots change now; give each of them once, in the order of their first rows."""
        self._round += 1
        once = np.empty(min(len(slots), self.used), dtype=np.int64)
        count = kernels.unique_slots(slots, self._seen, self._round, once)
        once = once[:count]
        self._dirty[once] = True
        self._touched[once] = now
        self._next_end = min(self._next_end, now + self.ttl)
        return once

    def rows(self, slots: I64) -> pl.DataFrame:
        """Give the key columns of slots; without keys a frame of no columns."""
        return self._rows.gather(slots) if self.keys else pl.DataFrame()

    def expired(self, now: int) -> I64:
        """Give the live slots that were not touched for as long as they live."""
        if not self.ttl or now < self._next_end:
            return np.empty(0, dtype=np.int64)
        live = np.flatnonzero(self.live[: self.used])
        ends = self._touched[live] + self.ttl
        # those that are due count too: their owner may let some of them live on
        self._next_end = int(ends.min(initial=now + self.ttl))
        return live[ends <= now]

    def drop(self, slots: I64) -> None:
        """Let slots be live no more."""
        self.live[slots] = False
        self._dirty[slots] = True

    @property
    def worth_compacting(self) -> bool:
        """Tell that dead slots outnumber the live ones."""
        live = len(self)
        return self.used - live > max(_FEW, live)

    def compact(self) -> I64:
        """Drop the numbers of dead slots; give the live ones, which are numbered anew in this order."""
        kept = np.flatnonzero(self.live[: self.used])
        self._index.keep(kept)
        if self.keys:
            self._rows.keep(kept)
        # a dead slot that is not written yet would come back from the last checkpoint: the next one is a base
        self._has_base = False
        self.live, self._dirty = grown(self.live[kept], 1024), grown(self._dirty[kept], 1024)
        self._touched, self._seen = grown(self._touched[kept], 1024), np.zeros(max(1024, len(kept)), dtype=np.int64)
        self._round = 0
        return kept

    def renumbered(self) -> I64:
        """Compact if that is worth it; give the new number of each old slot, -1 for one that is gone."""
        used = self.used
        kept = self.compact() if self.worth_compacting else np.arange(used)
        numbers = np.full(used, -1, dtype=np.int64)
        numbers[kept] = np.arange(len(kept))
        return numbers

    @property
    def wants_base(self) -> bool:
        """Tell that the next delta should be the whole state."""
        return not self._has_base or self._written > 2 * max(len(self), _FEW)

    def changed(self, *, base: bool = False) -> tuple[bool, I64]:
        """Tell whether the next delta is a base, by wish or need, and give its slots: all live ones, or what has changed."""
        base = base or self.wants_base
        chosen = self.live if base else self._dirty
        slots = np.flatnonzero(chosen[: self.used])
        self._dirty[: self.used] = False
        self._written = 0 if base else self._written + len(slots)
        self._has_base = True
        return base, slots

    def columns(self, slots: I64) -> pl.DataFrame:
        """Give slots as rows for a checkpoint: keys, and what is known of each."""
        own = [pl.Series(LIVE, self.live[slots])]
        if self.ttl:
            own.append(pl.Series(TOUCHED, self._touched[slots]))
        rows = self.rows(slots)
        return rows.with_columns(own) if rows.width else pl.DataFrame(own)

    def load(self, rows: pl.DataFrame) -> I64:
        """Take up rows of `columns`, later ones over earlier ones; give their slots."""
        slots = self.find(rows)
        self.live[slots] = rows[LIVE].to_numpy()
        if TOUCHED in rows.columns:
            self._touched[slots] = rows[TOUCHED].to_numpy()
        self._next_end = 0
        return slots
