"""Sorting a stream by time: rows wait until the watermark has passed them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK, Batch
from tailrace.engine.kernels.sorting import find_late
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Sort, SortKey
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import ROW, RowStore, latest

_DUE = "$due"
_BEFORE, _PASSED = "the row is not after the last one that was put out", "the row came after the watermark"


def in_order(rows: Batch, order: Iterable[SortKey]) -> Batch:
    """Give rows in an order; those that are equal stand as they came."""
    keys = list(order)
    return rows.sort(
        [k.column for k in keys],
        descending=[k.descending for k in keys],
        nulls_last=[k.nulls_last for k in keys],
        maintain_order=True,
    )


class SortByClockOperator(Operator):
    """Sorts by processing time: rows of one moment by what follows it in ORDER BY."""

    def __init__(self, node: Sort) -> None:
        self._order = node.order[1:]

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        return [in_order(batch, self._order) if self._order else batch]


class SortOperator(Operator):
    """
    Sorts by row time. A row that is not after the last one put out is late.

    With a watermark after each row, rows are judged as if each was put out as soon as the watermark moved on to it; a row
    that the watermark has passed already waits until it moves again.
    """

    def __init__(self, node: Sort) -> None:
        assert node.time is not None
        self._node = node
        self._time = node.time
        self._store = RowStore(node.schema.polars)
        self._due = np.zeros(1024, dtype=np.int64)
        self._last = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return len(self._store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        own = milliseconds(batch[self._time])
        watermarks = np.full(len(batch), times.watermark)
        if WATERMARK in batch.columns:
            watermarks = np.maximum(batch[WATERMARK].to_numpy(), times.watermark)
        due = np.maximum(own, np.minimum(watermarks, MAX_WATERMARK - 1) + 1)
        late = self._late(own, watermarks, due)
        if late.any():
            reject_late(self, batch.filter(pl.Series(late)), _PASSED if self._node.strict else _BEFORE)
            batch, due = batch.filter(pl.Series(~late)), due[~late]
        self._append(batch, due)
        return []

    def _late(self, own: I64, watermarks: I64, due: I64) -> np.ndarray:
        """Tell which rows are late, and move on the last time put out."""
        if self._node.strict:
            return own <= watermarks
        late = np.zeros(len(own), dtype=np.bool_)
        if (own <= watermarks).any():
            rows = self._store.live()
            waiting = milliseconds(self._store.gather(rows, [self._time])[self._time])
            every = np.concatenate([self._due[rows], due])
            self._last = int(find_late(own, watermarks, every, waiting, self._last, late))
        return late

    def _append(self, rows: Batch, due: I64) -> None:
        self._store.reserve(len(rows), 1)
        numbers = self._store.append(rows, np.zeros(len(rows), dtype=np.int64), 0)
        self._due = grown(self._due, self._store.used)
        self._due[numbers] = due

    def advance(self, times: Times) -> list[Batch]:
        waiting = self._store.live()
        rows = waiting[self._due[waiting] <= times.watermark]
        if not len(rows):
            return []
        out = in_order(self._store.gather(rows), self._node.order)
        self._last = max(self._last, int(milliseconds(out[self._time].tail(1))[0]))
        self._store.drop(rows)
        if self._store.worth_compacting:
            self._due = grown(self._due[self._store.live()], 1024)
            self._store.compact(np.zeros(1, dtype=np.int64))
        return [out]

    def snapshot(self) -> StateDelta:
        base = self._store.wants_base
        scalars = {"last": self._last, "late": self.late_rows}
        frames = self._store.delta(base=base)
        if "rows" in frames:
            frames["rows"] = frames["rows"].with_columns(pl.Series(_DUE, self._due[frames["rows"][ROW].to_numpy()]))
        return StateDelta(base, frames, scalars)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = list(deltas)
        for delta in given:
            self._last, self.late_rows = int(delta.scalars["last"]), int(delta.scalars["late"])
        rows = latest([d.frames for d in given])
        if rows is not None:
            self._store.load(rows, np.zeros(len(rows), dtype=np.int64))
            self._due = grown(rows[_DUE].to_numpy().copy(), 1024)
