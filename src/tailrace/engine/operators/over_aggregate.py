"""OVER: each row with aggregates over the rows before it, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.accumulators import accumulator
from tailrace.engine.accumulators.base import Mask
from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK, Batch, hidden
from tailrace.engine.kernels import frames as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.engine.over_frames import framed, running
from tailrace.plan.nodes import OverAggregate
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64

_TIME, _MARK, _SLOT, _NEW = "$time", "$mark", "$slot", "$new"
_LATE = "the row came after the watermark, or a later row of its partition, was put out"


class OverAggregateOperator(Operator):
    """
    Waits with a row until the watermark has reached it, then gives it with its aggregates; by the wall clock at once.

    Frames from the first row on go on in accumulators; bounded ones keep the rows that later frames may have.
    """

    def __init__(self, node: OverAggregate) -> None:
        self._node = node
        self._columns = list(node.input.schema.names)
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.partition})
        self._bounded = node.frame.preceding is not None
        self._accumulators = [] if self._bounded else [accumulator(c) for c in node.calls]
        schema = {**node.input.schema.polars, _TIME: pl.Int64(), _MARK: pl.Int64()}
        self._pending: list[pl.DataFrame] = []
        self._history = pl.DataFrame(schema=schema)
        self._arrived: list[pl.DataFrame] = []
        self._passed = np.full(1024, MIN_WATERMARK, dtype=np.int64)
        self._heads = np.full(1024, -1, dtype=np.int64)
        self._reached = MIN_WATERMARK
        self._written = 0
        self._has_base = False

    @property
    def state_rows(self) -> int:
        return len(self._history) + sum(map(len, self._pending)) + (0 if self._bounded else len(self._slots))

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        processing = self._node.processing_time
        now = max(times.now, self._reached)
        stamps = pl.lit(now, dtype=pl.Int64) if processing else pl.Series(milliseconds(batch[self._node.time]))
        rows = batch.with_columns(stamps.alias(_TIME))
        if processing:
            self._reached = now
            rows = rows.select(*self._columns, _TIME, pl.lit(MIN_WATERMARK, dtype=pl.Int64).alias(_MARK))
            self._arrived.append(rows)
            return [self._results(rows)]
        rows = self._on_time(rows)
        if len(rows):
            self._pending.append(rows)
            self._arrived.append(rows)
        return []

    def _on_time(self, rows: Batch) -> Batch:
        """Leave out the rows that are late: a frame from the first row on is closed by the watermark, others by row."""
        stamps = rows[_TIME].to_numpy()
        watermarks = np.array([self._reached], dtype=np.int64)
        if WATERMARK in rows.columns:
            watermarks = np.maximum(rows[WATERMARK].to_numpy(), self._reached)
        marks = np.broadcast_to(watermarks, len(rows))
        rows = rows.with_columns(pl.Series(_MARK, marks))
        late = self._judged(rows, stamps, watermarks) if self._bounded else stamps <= watermarks
        if late.any():
            reject_late(self, rows.filter(pl.Series(late)).drop(_TIME, _MARK), _LATE)
            rows = rows.filter(pl.Series(~late))
        return rows.drop(hidden(rows))

    def _judged(self, rows: Batch, stamps: I64, watermarks: I64) -> Mask:
        waiting = 0
        if WATERMARK in rows.columns and self._pending:
            # what waits may be put out by the watermark before one of these rows
            pending = pl.concat(self._pending)
            waiting = len(pending)
            rows = pl.concat([pending, rows.select(pending.columns)])
            stamps = rows[_TIME].to_numpy()
            watermarks = rows[_MARK].to_numpy()
        slots = self._slots.find(rows)
        self._passed = grown(self._passed, self._slots.used, MIN_WATERMARK)
        self._heads = grown(self._heads, self._slots.used, -1)
        late, following = np.zeros(len(rows), dtype=np.bool_), np.empty(len(rows), dtype=np.int64)
        kernels.judge_late(slots, stamps, watermarks, self._passed, self._heads, following, late)
        return late[waiting:]

    def advance(self, times: Times) -> list[Batch]:
        if self._node.processing_time:
            return []
        self._reached = max(self._reached, times.watermark)
        if not self._pending:
            return []
        pending = pl.concat(self._pending)
        # a row that came behind the watermark waits for its next step
        due = (pending[_TIME] <= self._reached) & (pending[_MARK] < self._reached)
        if not due.any():
            self._pending = [pending]
            return []
        waiting = pending.filter(~due)
        self._pending = [waiting] if len(waiting) else []
        return [self._results(pending.filter(due))]

    def _results(self, rows: Batch) -> Batch:
        """Give rows that are due with their aggregates, in the order of time."""
        slots = self._slots.find(rows)
        rows = rows.with_columns(pl.Series(_SLOT, slots), pl.lit(value=True).alias(_NEW))
        values = self._framed(rows) if self._bounded else self._running(rows)
        first = len(self._columns)
        fields = self._node.schema.fields[first:]
        named = [s.cast(f.type.polars).alias(f.name) for s, f in zip(values[1], fields, strict=True)]
        return values[0].with_columns(named).sort(_TIME, maintain_order=True).select(self._node.schema.names)

    def _running(self, rows: Batch) -> tuple[Batch, list[pl.Series]]:
        rows = rows.sort(_SLOT, _TIME, maintain_order=True)
        slots, stamps = rows[_SLOT].to_numpy(), rows[_TIME].to_numpy()
        self._slots.live[self._slots.touch(slots, 0)] = True
        by_row = self._node.frame.rows or self._node.processing_time
        results = []
        for call, acc in zip(self._node.calls, self._accumulators, strict=True):
            acc.reserve(self._slots.used)
            results.append(running(acc, call, rows, slots, stamps, by_row=by_row))
        return rows, results

    def _framed(self, rows: Batch) -> tuple[Batch, list[pl.Series]]:
        before = self._history
        known = self._slots.find(before)
        mine = np.isin(known, rows[_SLOT].unique().to_numpy())
        old = before.with_columns(pl.Series(_SLOT, known), pl.lit(value=False).alias(_NEW)).filter(pl.Series(mine))
        both = pl.concat([old.select(rows.columns), rows]).sort(_SLOT, _TIME, maintain_order=True)
        slots, stamps = both[_SLOT].to_numpy(), both[_TIME].to_numpy()
        wanted = np.flatnonzero(both[_NEW].to_numpy())
        values = [framed(c, self._node.frame, both, slots, stamps, wanted) for c in self._node.calls]
        self._remember(pl.concat([before.filter(pl.Series(~mine)), self._kept(both).select(before.columns)]), rows)
        return both[wanted], values

    def _remember(self, history: Batch, rows: Batch) -> None:
        frame = self._node.frame
        assert frame.preceding is not None
        if not frame.rows and self._reached != MAX_WATERMARK:
            history = history.filter(pl.col(_TIME) >= self._reached - frame.preceding)
        self._history = history
        slots = rows[_SLOT].to_numpy()
        self._passed = grown(self._passed, self._slots.used, MIN_WATERMARK)
        np.maximum.at(self._passed, slots, rows[_TIME].to_numpy())

    def _kept(self, rows: Batch) -> Batch:
        """Give the rows that a later frame of their partition may have."""
        frame = self._node.frame
        if frame.rows:
            return rows.filter(pl.int_range(pl.len()).reverse().over(_SLOT) < frame.preceding)
        return rows.filter(pl.col(_TIME) >= pl.col(_TIME).max().over(_SLOT) - frame.preceding)

    def snapshot(self) -> StateDelta:
        rows = pl.concat([self._history, *self._pending])
        base = not self._has_base or self._written > 2 * max(len(rows), 65_536)
        frames: dict[str, pl.DataFrame] = {}
        if not self._bounded:
            base = self._groups(frames, base=base)
        arrived = rows if base else pl.concat([rows.clear(), *self._arrived])
        self._written = 0 if base else self._written + len(arrived)
        self._arrived, self._has_base = [], True
        if len(arrived) and not (self._node.processing_time and not self._bounded):
            frames["rows"] = arrived
        return StateDelta(base, frames, {"reached": self._reached, "late": self.late_rows})

    def _groups(self, frames: dict[str, pl.DataFrame], *, base: bool) -> bool:
        """Add the accumulators that have changed, or all; tell whether the delta is a base."""
        whole, slots = self._slots.changed(base=base)
        state = [
            series.alias(f"${i}.{name}")
            for i, acc in enumerate(self._accumulators)
            for name, series in acc.columns(slots).items()
        ]
        frame = self._slots.columns(slots).with_columns(state)
        if len(frame):
            frames["groups"] = frame
        return whole

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        deltas = list(deltas)
        if not deltas:
            return
        self._reached = int(deltas[-1].scalars["reached"])
        self.late_rows = int(deltas[-1].scalars["late"])
        for frame in (d.frames["groups"] for d in deltas if "groups" in d.frames):
            self._load_groups(frame)
        rows = pl.concat([self._history, *(d.frames["rows"] for d in deltas if "rows" in d.frames)])
        done = (rows[_TIME] <= self._reached) & (rows[_MARK] < self._reached)
        waiting = rows.filter(~done)
        self._pending = [waiting] if len(waiting) else []
        if self._bounded:
            old = rows.filter(done)
            old = old.with_columns(pl.Series(_SLOT, self._slots.find(old)))
            self._remember(self._kept(old.sort(_TIME, maintain_order=True)).select(self._history.columns), old)

    def _load_groups(self, frame: pl.DataFrame) -> None:
        self._slots.find(frame)
        slots = self._slots.load(frame)
        for i, acc in enumerate(self._accumulators):
            acc.reserve(self._slots.used)
            prefix = f"${i}."
            acc.load(slots, {n.removeprefix(prefix): frame[n] for n in frame.columns if n.startswith(prefix)})
