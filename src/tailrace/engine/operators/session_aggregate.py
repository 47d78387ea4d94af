"""SESSION aggregates: a session of a key ends when the key has been silent for the gap."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tailrace.engine.accumulators.folding import ROWS
from tailrace.engine.batch import MIN_WATERMARK, Batch
from tailrace.engine.late import reject_late
from tailrace.engine.open_windows import OpenWindow, OpenWindows
from tailrace.engine.operator import Operator, Times
from tailrace.engine.session_store import SessionStore
from tailrace.engine.window_times import WindowTimes
from tailrace.plan.nodes import WindowAggregate, WindowProperty
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64


class SessionAggregateOperator(Operator):
    """
    Keeps the open sessions of each key; a row joins those that it touches, and they become one.

    A row is late only when the session that it would be in, merged with those that it touches, has been put out.
    """

    def __init__(self, node: WindowAggregate, timezone: str, *, retract: bool = False) -> None:
        self._node = node
        self._retract = retract
        keys = {k: node.input.schema[k].type.polars for k in node.keys}
        calls = (*node.aggregates, ROWS) if retract else node.aggregates
        self._store = SessionStore(keys, calls, node.window.size, retract=retract)
        self._times = WindowTimes(node, timezone)
        self._fired = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return len(self._store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        late = self._store.add(
            batch, self._times.of(batch, times, self._fired), self._times.watermarks(batch, self._fired)
        )
        if late.any():
            reject_late(self, batch.filter(pl.Series(late)), "the row came after its session was put out")
        return []

    def advance(self, times: Times) -> list[Batch]:
        local = self._times.due(times)
        if local <= self._fired:
            return []
        self._fired = local
        sessions = self._store.due(local)
        if not len(sessions):
            return []
        out = self._rows(sessions)
        self._store.close(sessions)
        return [out] if len(out) else []

    def _rows(self, sessions: I64) -> Batch:
        node, store = self._node, self._store
        if self._retract:
            sessions = sessions[store.accumulators[-1].result(sessions).to_numpy() != 0]
        keys = store.keys(sessions)
        accumulators = store.accumulators[: len(node.aggregates)]
        columns = [keys[k] for k in node.keys] + [a.result(sessions) for a in accumulators]
        starts, ends = store.edges(sessions)
        edges = {
            WindowProperty.START: starts,
            WindowProperty.END: ends,
            WindowProperty.TIME: self._times.zone.utc(ends - 1),
        }
        columns += [pl.Series(edges[p]).cast(pl.Datetime("ms")) for p in node.properties]
        pairs = zip(columns, node.schema, strict=True)
        return pl.DataFrame([c.cast(f.type.polars).alias(f.name) for c, f in pairs])

    def next_timer(self) -> int | None:
        return self._times.timer(self._store.least_end())

    def open_windows(self, most: int) -> OpenWindows:
        sessions = self._store.closing_first(most)
        starts, ends = self._store.edges(sessions)
        lasts = self._times.zone.utc(ends - 1)
        edges = zip(starts.tolist(), ends.tolist(), lasts.tolist(), strict=True)
        first = tuple(OpenWindow(start, end, last, 1) for start, end, last in edges)
        return OpenWindows(len(self._store), first, self._node.window.processing_time)

    def snapshot(self) -> StateDelta:
        base, frame = self._store.snapshot()
        scalars = {"fired": self._fired, "late": self.late_rows}
        return StateDelta(base, {"sessions": frame} if len(frame) else {}, scalars)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        deltas = list(deltas)
        frames = [d.frames["sessions"] for d in deltas if "sessions" in d.frames]
        if frames:
            self._store.restore(frames)
        if deltas:
            self._fired = int(deltas[-1].scalars["fired"])
            self.late_rows = int(deltas[-1].scalars["late"])
