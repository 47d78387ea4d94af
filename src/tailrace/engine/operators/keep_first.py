"""Deduplication that keeps the first row of each key: rows are put out once and never taken back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, WATERMARK, Batch
from tailrace.engine.kernels import firsts as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Deduplicate
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore, latest

_FIRST = "$first"


class KeepFirstOperator(Operator):
    """Puts out the row of each key that came first. A key that was seen is forgotten after its time to live."""

    def __init__(self, node: Deduplicate, ttl: int = 0) -> None:
        self._names = list(node.schema.names)
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.keys}, ttl)

    @property
    def state_rows(self) -> int:
        return len(self._slots)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._slots.drop(self._slots.expired(times.now))
        slots = self._slots.find(batch)
        rows = np.empty(len(batch), dtype=np.int64)
        rows = rows[: kernels.first_rows(slots, self._slots.live, rows)]
        self._slots.touch(slots[rows], times.now)
        return [batch.select(self._names)[rows]]

    def advance(self, times: Times) -> list[Batch]:
        self._slots.drop(self._slots.expired(times.now))
        if self._slots.worth_compacting:
            self._slots.compact()
        return []

    def snapshot(self) -> StateDelta:
        base, slots = self._slots.changed()
        frame = self._slots.columns(slots)
        return StateDelta(base, {"keys": frame} if len(frame) else {})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for frame in (d.frames["keys"] for d in deltas if "keys" in d.frames):
            self._slots.load(frame)


class KeepEarliestOperator(Operator):
    """
    Puts out the earliest row of each key, once the watermark has come to it.

    A row before the watermark is late, whether or not its key has a row yet: in a stream in order it would have been
    the first. A key that was put out is remembered with the time of its row.
    """

    def __init__(self, node: Deduplicate, ttl: int = 0) -> None:
        self._node = node
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.keys}, ttl)
        self._store = RowStore(node.schema.polars)
        self._first = np.zeros(1024, dtype=np.int64)
        self._chosen = np.full(1024, -1, dtype=np.int64)
        self._row = np.full(1024, -1, dtype=np.int64)
        self._waiting: I64 = np.empty(0, dtype=np.int64)

    @property
    def state_rows(self) -> int:
        return len(self._slots)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._forget(times.now)
        slots = self._find(batch)
        watermarks = np.array([times.watermark], dtype=np.int64)
        if WATERMARK in batch.columns:
            watermarks = np.maximum(batch[WATERMARK].to_numpy(), times.watermark)
        late, rows = np.empty(len(batch), dtype=np.bool_), np.empty(len(batch), dtype=np.int64)
        own = milliseconds(batch[self._node.time])
        args = (self._slots.live, self._first, self._chosen, late, rows)
        rows = rows[: kernels.earliest_rows(slots, own, watermarks, *args)]
        self._keep(batch[rows], slots[rows], times.now)
        if late.any():
            reject_late(
                self,
                batch.filter(pl.Series(late)),
                "the row came after the watermark, and no earlier one of its key is known",
            )
        return []

    def _find(self, batch: Batch) -> I64:
        slots = self._slots.find(batch)
        used = self._slots.used
        self._first, self._chosen = grown(self._first, used), grown(self._chosen, used, -1)
        self._row = grown(self._row, used, -1)
        self._store.reserve(len(batch), used)
        return slots

    def _keep(self, rows: Batch, slots: I64, now: int) -> None:
        """Let these rows wait, and no longer those that they are before."""
        before = self._row[slots]
        self._store.drop(before[before >= 0])
        self._row[slots] = self._store.append(rows, slots, now)
        self._waiting = np.concatenate([self._waiting, slots[before < 0]])
        self._slots.touch(slots, now)

    def advance(self, times: Times) -> list[Batch]:
        self._forget(times.now)
        due = self._first[self._waiting] <= times.watermark
        if times.watermark == MIN_WATERMARK or not due.any():
            self._compact()
            return []
        slots = self._waiting[due]
        slots = slots[np.argsort(self._first[slots], kind="stable")]
        self._waiting = self._waiting[~due]
        out = self._store.gather(self._row[slots])
        self._store.drop(self._row[slots])
        self._row[slots] = -1
        self._compact()
        return [out]

    def _forget(self, now: int) -> None:
        """Forget keys that have lived their time; a row that waits still will be put out."""
        expired = self._slots.expired(now)
        self._slots.drop(expired[self._row[expired] < 0])

    def _compact(self) -> None:
        if not (self._slots.worth_compacting or self._store.worth_compacting):
            return
        numbers = self._slots.renumbered()
        kept = np.flatnonzero(numbers >= 0)
        self._first = grown(self._first[kept], 1024)
        self._chosen = np.full(max(1024, len(kept)), -1, dtype=np.int64)
        self._link(self._store.compact(numbers))

    def _link(self, slots: I64) -> None:
        """Know the rows of a store without dropped ones, which are of these slots."""
        self._store.reserve(0, self._slots.used)
        self._row = np.full(max(1024, self._slots.used), -1, dtype=np.int64)
        self._row[slots] = np.arange(len(slots))
        self._waiting = slots

    def snapshot(self) -> StateDelta:
        base, slots = self._slots.changed(base=self._store.wants_base)
        keys = self._slots.columns(slots).with_columns(pl.Series(_FIRST, self._first[slots]))
        frames = self._store.delta(base=base)
        return StateDelta(base, frames | ({"keys": keys} if len(keys) else {}), {"late": self.late_rows})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = list(deltas)
        for frame in (d.frames["keys"] for d in given if "keys" in d.frames):
            self._find(frame)
            self._first[self._slots.load(frame)] = frame[_FIRST].to_numpy()
        for delta in given:
            self.late_rows = int(delta.scalars["late"])
        rows = latest([d.frames for d in given])
        if rows is not None:
            slots = self._find(rows)
            self._store.load(rows, slots)
            self._link(slots)
