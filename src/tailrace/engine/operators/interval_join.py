"""Interval joins: a row meets those of the other side whose times are near its own, and goes when none can come any more."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from tailrace.engine.joined_rows import PAIRS, JoinedRows, compact, stored_changes, stored_rows
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import IntervalJoin
from tailrace.state import row_kernels as kernels
from tailrace.state.delta import StateDelta
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I64
from tailrace.state.timed_rows import TimedRows


class IntervalJoinOperator(Operator):
    """
    Keeps the rows of both sides by key, each until time has passed the last moment at which a match could come.

    No row is late: one that comes after its time meets those that are still there, and is not kept.
    """

    def __init__(self, node: IntervalJoin, timezone: str) -> None:
        self._node = node
        self._joined = JoinedRows(node, timezone)
        self._names = tuple(list(n.schema.names) for n in node.inputs)
        self._stores = (TimedRows(self._joined.schema(0)), TimedRows(self._joined.schema(1)))
        self._index = KeyIndex()
        self._pending: tuple[list[Batch], list[Batch]] = ([], [])

    @property
    def state_rows(self) -> int:
        return sum(map(len, self._stores))

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._pending[port].append(batch.select(self._names[port]))
        return []

    def advance(self, times: Times) -> list[Batch]:
        for port in (0, 1):
            if self._pending[port]:
                self._take(port, pl.concat(self._pending[port]), times)
                self._pending[port].clear()
        for port in (0, 1):
            self._let_go(port, self._passed(times))
        if any(s.worth_compacting for s in self._stores):
            compact(self._index, self._stores)
        return self._joined.batches()

    def _take(self, port: int, batch: Batch, times: Times) -> None:
        """Let rows come in on one side, and put out what they match."""
        node, store = self._node, self._stores[port]
        batch = self._complete(port, batch)
        if not len(batch):
            return
        moments = self._moments(port, batch, times)
        slots = self._slots(port, batch)
        rows = store.add(batch, slots, moments)
        low, high = (node.lower, node.upper) if port else (-node.upper, -node.lower)
        for piece in self._stores[1 - port].pieces(slots, PAIRS):
            at, there = self._stores[1 - port].near(slots[piece], moments[piece] + low, moments[piece] + high)
            own = rows[piece][at]
            self._meet(*((there, own) if port else (own, there)), times)

    def _complete(self, port: int, batch: Batch) -> Batch:
        """Put out rows that can have no match, as a key or their time is NULL, and give the others."""
        time = [] if self._node.processing_time else [self._node.times[port]]
        without = self._joined.incomplete(port, batch, *time)
        if without is None:
            return batch
        if self._joined.keeps[port]:
            self._joined.put_alone(port, batch.filter(pl.Series(without)))
        return batch.filter(pl.Series(~without))

    def _moments(self, port: int, batch: Batch, times: Times) -> I64:
        if self._node.processing_time:
            return np.full(len(batch), times.now, dtype=np.int64)
        return milliseconds(batch[self._node.times[port]])

    def _slots(self, port: int, batch: Batch) -> I64:
        slots, _ = self._index.slots(*self._joined.halves(port, batch))
        for number, store in enumerate(self._stores):
            store.reserve(len(batch) if number == port else 0, len(self._index))
        return slots

    def _meet(self, left: I64, right: I64, times: Times) -> None:
        """Put out the pairs for which the condition is true, and note who has met a match."""
        left, right = self._joined.matching(self._stores, left, right, times, self)
        self._joined.put(self._stores, left, right)
        for port, rows in enumerate((left, right)):
            if self._joined.keeps[port] and len(rows):
                kernels.add_at(self._stores[port].matches, rows, np.ones(len(rows), dtype=np.int64))
                self._stores[port].note(rows)

    def _passed(self, times: Times) -> int:
        """Give the time that both sides have come to."""
        processing = self._node.processing_time and times.watermark < MAX_WATERMARK
        # rows of this very millisecond may still come
        return times.now - 1 if processing else times.watermark

    def _let_go(self, port: int, passed: int) -> None:
        """Drop the rows of a side that nothing can match any more, and put out those that have met nothing."""
        store = self._stores[port]
        last = passed if passed in (MIN_WATERMARK, MAX_WATERMARK) else passed - self._node.lives(port)
        gone = store.until(last)
        if not len(gone):
            return
        if self._joined.keeps[port]:
            self._joined.put_stored(port, store, gone[store.matches[gone] == 0])
        store.drop(gone)

    def watermark(self, times: Times) -> int:
        if self._node.processing_time or times.watermark in (MIN_WATERMARK, MAX_WATERMARK):
            return times.watermark
        return max(times.watermark - max(self._node.lives(0), self._node.lives(1), 0), MIN_WATERMARK)

    def next_timer(self) -> int | None:
        if not self._node.processing_time or not any(self._joined.keeps):
            return None
        ends = [s.least + self._node.lives(p) + 1 for p, s in enumerate(self._stores) if s.least is not None]
        return min(ends, default=None)

    def snapshot(self) -> StateDelta:
        return StateDelta(*stored_changes(self._stores))

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for port, rows in stored_rows(list(deltas)):
            self._stores[port].load(rows, self._slots(port, rows))
