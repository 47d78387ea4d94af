"""Window joins: the rows of a window are kept until time has passed its end, then joined at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, Batch
from tailrace.engine.joined_rows import PAIRS, JoinedRows, compact, stored_changes, stored_rows
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import LocalTime, milliseconds
from tailrace.engine.open_windows import OpenWindows, by_last
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import JoinKind, WindowJoin
from tailrace.state import row_kernels as kernels
from tailrace.state.delta import StateDelta
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I64
from tailrace.state.keys import with_number
from tailrace.state.timed_rows import TimedRows


class WindowJoinOperator(Operator):
    """
    Keeps the rows of both sides by key and window; the time of a stored row is the last moment of its window.

    A row is late once its window was put out, which is when both sides have come to its end.
    """

    def __init__(self, node: WindowJoin, timezone: str) -> None:
        self._node = node
        self._joined = JoinedRows(node, timezone)
        self._zone = LocalTime(timezone if node.local else "UTC")
        self._stores = tuple(TimedRows(self._joined.schema(p, node.edges[p])) for p in (0, 1))
        self._index = KeyIndex()
        self._fired = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return sum(map(len, self._stores))

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        late = self._moments(port, batch) <= max(times.watermark, self._fired)
        if late.any():
            reject_late(self, batch.filter(pl.Series(late)), "the row came after its window was put out")
            batch = batch.filter(pl.Series(~late))
        without = None if self._joined.keeps[port] else self._joined.incomplete(port, batch)
        batch = batch if without is None else batch.filter(pl.Series(~without))
        if len(batch):
            moments = self._moments(port, batch)
            self._stores[port].add(batch, self._slots(port, batch, moments), moments)
        return []

    def _moments(self, port: int, batch: Batch) -> I64:
        """Give the last moment of the window that each row is in."""
        return self._zone.utc(milliseconds(batch[self._node.edges[port]]) - 1)

    def _slots(self, port: int, batch: Batch, moments: I64) -> I64:
        a, b = self._joined.halves(port, batch)
        slots, _ = self._index.slots(a, with_number(b, moments))
        for number, store in enumerate(self._stores):
            store.reserve(len(batch) if number == port else 0, len(self._index))
        return slots

    def advance(self, times: Times) -> list[Batch]:
        if times.watermark <= self._fired:
            return []
        self._fired = times.watermark
        left, right = (s.until(times.watermark) for s in self._stores)
        if not len(left) and not len(right):
            return []
        self._join(self._by_window(0, left), times)
        self._alone(self._by_window(0, left), self._by_window(1, right))
        self._stores[0].drop(left)
        self._stores[1].drop(right)
        if any(s.worth_compacting for s in self._stores):
            compact(self._index, self._stores)
        return self._joined.batches()

    def _by_window(self, port: int, rows: I64) -> I64:
        """Give rows by the ends of their windows, those of one window as they came."""
        ordered: I64 = rows[np.argsort(self._stores[port].times[rows], kind="stable")]
        return ordered

    def _join(self, rows: I64, times: Times) -> None:
        """Put out the pairs that rows of the left make, and count the matches of both sides."""
        left, right = self._stores
        without = self._joined.stored_incomplete(0, left, rows)
        rows = rows if without is None else rows[~without]
        slots = left.slots(rows)
        for piece in right.pieces(slots, PAIRS):
            at, there = right.pairs(slots[piece])
            own, there = self._joined.matching(self._stores, rows[piece][at], there, times, self)
            for store, matched in ((left, own), (right, there)):
                kernels.add_at(store.matches, matched, np.ones(len(matched), dtype=np.int64))
            if not self._joined.left_only:
                self._joined.put(self._stores, own, there)

    def _alone(self, left: I64, right: I64) -> None:
        """Put out the rows that stand alone: without a match in an outer or anti join, with one in a semi join."""
        if self._node.kind is JoinKind.SEMI:
            self._joined.put_stored(0, self._stores[0], left[self._stores[0].matches[left] > 0])
        for port, rows in enumerate((left, right)):
            if self._joined.keeps[port]:
                self._joined.put_stored(port, self._stores[port], rows[self._stores[port].matches[rows] == 0])

    def open_windows(self, most: int) -> OpenWindows:
        return by_last(np.concatenate([s.times[s.live()] for s in self._stores]), self._zone, most)

    def snapshot(self) -> StateDelta:
        return StateDelta(*stored_changes(self._stores), {"fired": self._fired, "late": self.late_rows})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = list(deltas)
        for port, rows in stored_rows(given):
            self._stores[port].load(rows, self._slots(port, rows, self._moments(port, rows)))
        if given:
            self._fired, self.late_rows = (int(given[-1].scalars[name]) for name in ("fired", "late"))
