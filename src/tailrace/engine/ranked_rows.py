"""Rows by partition, in order: what a batch changes of their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine import keyed_rows
from tailrace.engine.batch import Batch
from tailrace.engine.kernels import ranks as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.sort_codes import sort_codes
from tailrace.plan.nodes import SortKey
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_queues import RowQueues
from tailrace.state.row_store import RowStore

ALL = 2**62
"""As many places as there are rows."""
_SPARE = 100


@dataclass(frozen=True, slots=True)
class Ranking:
    """
    How rows are ordered, and that only the first `most` places of a partition are asked for.

    Of rows that are equal in their order the first that came stands first, with `newest` the last.
    """

    partition: tuple[str, ...]
    order: tuple[SortKey, ...]
    most: int = ALL
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """The columns by which a row that is taken back is known: all, or with `unique` those of a key."""

    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """
    The rows whose places a batch may have changed, by their numbers: the places before and after it (0: none).

    `group` is a number of the row's partition in this batch; `counts_before` and `counts` tell how many places each has.
    """

    rows: I64
    group: I64
    before: I64
    after: I64
    counts_before: I64
    counts: I64


class RankedRows:
    """
    Keeps the rows that may get one of the places that are asked for.

    Of rows that are never taken back (`identity` is None) these are those with such a place. Else all rows are kept, in
    two chains for each partition: the best, whose places are known, and the rest, from which the best are filled up when
    they get too few. `ttl` (ms, 0: for ever) is how long a partition lives that nobody touches.
    """

    def __init__(
        self, schema: dict[str, pl.DataType], ranking: Ranking, identity: Identity | None, ttl: int = 0
    ) -> None:
        self._ranking = ranking
        self._names = list(dict.fromkeys(k.column for k in ranking.order))
        self.slots = KeyedSlots({name: schema[name] for name in ranking.partition}, ttl)
        self.store = RowStore(schema)
        self._queues = None if identity is None else RowQueues(identity.columns, unique=identity.unique)
        self._local = np.zeros(1024, dtype=np.int64)

    def change(self, rows: Batch, removed: np.ndarray | None, now: int) -> Moves:
        """Let rows come and go, in order; `removed` tells which go (None: none of them)."""
        self.forget(self.slots.expired(now))
        slots = self.slots.find(rows)
        self.store.reserve(len(rows), 2 * self.slots.used)
        touched = self.slots.touch(slots, now)
        self._local = grown(self._local, self.slots.used)
        self._local[touched] = np.arange(len(touched))
        if self._queues is None:
            moves = self._add(rows, slots, touched)
        else:
            going = np.zeros(len(rows), dtype=np.bool_) if removed is None else removed
            moves = self._replace(rows, slots, going, touched, self._queues)
        self.slots.live[touched] = moves.counts > 0
        return moves

    def best(self, slots: I64) -> tuple[I64, I64]:
        """Give the rows of partitions that have a place, each partition in its order, and how many each has."""
        at, rows = self.store.pairs(2 * slots)
        counts = self.store.sizes(2 * slots)
        starts = np.cumsum(counts) - counts
        ordered = np.empty_like(rows)
        ordered[starts[at] + self.store.matches[rows] - 1] = rows
        return ordered, counts

    def _add(self, rows: Batch, slots: I64, touched: I64) -> Moves:
        """Let rows come; those that get no place are not kept."""
        old, counts_before = self.best(touched)
        before = self.store.matches[old].astype(np.int64)
        groups = self._local[slots]
        after_old, after_new, counts = self._merged(old, counts_before, rows, groups, self._ranking.most)
        placed = after_new > 0
        numbers = self.store.append(rows.filter(pl.Series(placed)), 2 * slots[placed], 0)
        self.store.matches[old], self.store.matches[numbers] = after_old, after_new[placed]
        self.store.drop(old[after_old == 0])
        return Moves(
            np.concatenate([old, numbers]),
            np.concatenate([_spread(counts_before), groups[placed]]),
            np.concatenate([before, np.zeros(len(numbers), dtype=np.int64)]),
            np.concatenate([after_old, after_new[placed]]),
            counts_before,
            counts,
        )

    def _merged(self, old: I64, counts: I64, rows: Batch, groups: I64, most: int) -> tuple[I64, I64, I64]:
        """Give the places of old rows and of new ones, and how many places each group has."""
        codes = np.empty((len(old) + len(groups), 0), dtype=np.int64)
        if self._names:
            known = self.store.gather(old, self._names)
            codes = sort_codes(pl.concat([known, rows.select(self._names)]), self._ranking.order)
        if self._ranking.newest:
            numbers = np.concatenate([old, self.store.used + np.arange(len(groups))])
            codes = np.column_stack([codes, -numbers])
        after_old, after_new = np.empty(len(old), dtype=np.int64), np.empty(len(groups), dtype=np.int64)
        after = np.empty(len(counts), dtype=np.int64)
        ends = np.cumsum(counts)
        kernels.merge(codes[: len(old)], ends, codes[len(old) :], groups, most, after_old, after_new, after)
        return after_old, after_new, after

    def _replace(self, rows: Batch, slots: I64, removed: np.ndarray, touched: I64, queues: RowQueues) -> Moves:
        """Let rows come and go."""
        old, counts_before = self.best(touched)
        before = self.store.matches[old].astype(np.int64)
        first = self.store.used
        gone = queues.change(rows, slots, removed, first)
        came = np.flatnonzero(~removed)
        self.store.append(rows[came], 2 * slots[came], 0)
        self.store.drop(gone)
        numbers = self.store.live(first)
        counts = self._place(old[self.store.copies[old] > 0], numbers, touched)
        filled = self._fill(touched, counts)
        self._shed(touched, counts)
        every = np.concatenate([old, numbers, filled[filled < first]])
        after = np.where(self.store.copies[every] > 0, self.store.matches[every], 0).astype(np.int64)
        before = np.concatenate([before, np.zeros(len(every) - len(old), dtype=np.int64)])
        return Moves(every, self._group(every), before, after, counts_before, counts)

    def _group(self, rows: I64) -> I64:
        """Give the number of each row's partition in this batch."""
        return self._local[self.store.slots(rows) // 2]

    def _place(self, old: I64, numbers: I64, touched: I64) -> I64:
        """Give the best of partitions their places, some old rows and new ones; give how many places each has."""
        groups = self._group(numbers)
        counts = np.bincount(self._group(old), minlength=len(touched))
        new = self.store.gather(numbers, self._names)
        after_old, after_new, after = self._merged(old, counts, new, groups, ALL)
        limit = np.zeros(len(touched), dtype=np.int64)
        ends = np.cumsum(counts)
        limit[counts > 0] = after_old[ends[counts > 0] - 1]
        rest = self.store.sizes(2 * touched + 1) > 0
        # what is behind the best that are known may be behind some of the rest too
        behind = rest[groups] & (after_new > limit[groups])
        self.store.move(numbers[behind], 2 * touched[groups[behind]] + 1)
        after_new[behind] = 0
        self.store.matches[old], self.store.matches[numbers] = after_old, after_new
        return np.where(rest, limit, after)

    def _fill(self, touched: I64, counts: I64) -> I64:
        """Fill up the best of partitions that have too few, from their rest; give the rows that were moved."""
        short = np.flatnonzero((counts < self._ranking.most) & (self.store.sizes(2 * touched + 1) > 0))
        at, rows = self.store.pairs(2 * touched[short] + 1)
        if not len(rows):
            return rows
        order = np.argsort(rows)
        at, rows = at[order], rows[order]
        none = np.zeros(len(short), dtype=np.int64)
        _, places, _ = self._merged(rows[:0], none, self.store.gather(rows, self._names), at, ALL)
        places += counts[short[at]]
        chosen = places <= self._enough
        at, rows = at[chosen], rows[chosen]
        self.store.move(rows, 2 * touched[short[at]])
        self.store.matches[rows] = places[chosen]
        counts[short] += np.bincount(at, minlength=len(short))
        return rows

    @property
    def _enough(self) -> int:
        """The rows of a partition among the best after they were filled up."""
        return self._ranking.most + max(self._ranking.most, _SPARE)

    def _shed(self, touched: I64, counts: I64) -> None:
        """Move rows to the rest where too many are among the best."""
        full = np.flatnonzero(counts > 2 * self._enough)
        rows, _ = self.best(touched[full])
        far = rows[self.store.matches[rows] > self._enough]
        if len(far):
            self.store.move(far, self.store.slots(far) + 1)
            self.store.matches[far] = 0
            counts[full] = self._enough

    def forget(self, slots: I64) -> None:
        """Drop partitions with all their rows."""
        if not len(slots):
            return
        rows = np.concatenate([self.store.pairs(2 * slots)[1], self.store.pairs(2 * slots + 1)[1]])
        if self._queues is not None:
            self._queues.forget(rows)
        self.store.drop(rows)
        self.slots.drop(slots)

    def compact(self) -> bool:
        """Number rows and partitions anew if most of them are gone; tell whether that was done."""
        crowded = self._queues is not None and self._queues.crowded(len(self.store))
        if not (self.slots.worth_compacting or self.store.worth_compacting or crowded):
            return False
        numbers = self.slots.renumbered()
        pairs = np.stack([2 * numbers, 2 * numbers + 1], axis=1)
        pairs[numbers < 0] = -1
        slots = self.store.compact(pairs.reshape(-1))
        self._rebuild(slots // 2)
        return True

    def _rebuild(self, slots: I64) -> None:
        if self._queues is not None:
            self._queues.rebuild(self.store.gather(np.arange(self.store.used), self._queues.columns), slots)

    def snapshot(self) -> StateDelta:
        """Give what has changed since the last call."""
        return keyed_rows.snapshot(self.slots, self.store)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        """Take up the rows of a base and the increments after it; places are computed again."""
        if (found := keyed_rows.restored(self.slots, deltas)) is None:
            return
        rows, slots = found
        self.store.load(rows, 2 * slots)
        self.store.reserve(0, 2 * self.slots.used)
        self._rebuild(slots)
        self._place_all()

    def _place_all(self) -> None:
        every = np.arange(self.slots.used)
        self._local = grown(self._local, len(every))
        self._local[: len(every)] = every
        counts = self._place(np.empty(0, dtype=np.int64), np.arange(self.store.used), every)
        if self._queues is not None:
            self._shed(every, counts)


def _spread(counts: I64) -> I64:
    """
    Give each group's number as often as it counts.

    >>> _spread(np.array([2, 0, 1])).tolist()
    [0, 0, 2]
    """
    return np.repeat(np.arange(len(counts)), counts)
