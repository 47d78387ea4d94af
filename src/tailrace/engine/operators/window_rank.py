"""Top-N by window: the best rows of each window, put out once, when time has passed its end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK, Batch
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import LocalTime, milliseconds
from tailrace.engine.open_windows import OpenWindows, by_last
from tailrace.engine.operator import Operator, Times
from tailrace.engine.ranked_rows import RankedRows, Ranking
from tailrace.plan.nodes import WindowRank
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64


class WindowRankOperator(Operator):
    """Keeps the best rows by window and key. A row is late once its window was put out."""

    def __init__(self, node: WindowRank, timezone: str) -> None:
        assert node.end is not None
        self._node = node
        self._names = list(node.input.schema.names)
        self._rows = RankedRows(
            node.input.schema.polars, Ranking(node.partition, node.order, node.end, node.latest), None
        )
        self._zone = LocalTime(timezone if node.local else "UTC")
        self._fired = MIN_WATERMARK
        self._ends: I64 = np.zeros(1024, dtype=np.int64)
        self._known = 0

    @property
    def state_rows(self) -> int:
        return len(self._rows.store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        late = self._last_times(batch[self._node.edge]) <= self._watermarks(batch, times)
        if late.any():
            reject_late(self, batch.filter(pl.Series(late)), "the row came after its window was put out")
            batch = batch.filter(pl.Series(~late))
        if len(batch):
            self._rows.change(batch.select(self._names), None, times.now)
            self._learn_ends()
        return []

    def _last_times(self, edges: pl.Series) -> I64:
        """Give the last moment of the windows that end at `edges`."""
        return self._zone.utc(milliseconds(edges) - 1)

    def _watermarks(self, batch: Batch, times: Times) -> I64:
        own = batch[WATERMARK].to_numpy() if WATERMARK in batch.columns else np.array([MIN_WATERMARK])
        passed = np.int64(max(self._fired, times.watermark))
        judged: I64 = np.maximum(own, passed)
        return judged

    def _learn_ends(self) -> None:
        """Note the last moment of each new window and key."""
        used = self._rows.slots.used
        self._ends = grown(self._ends, used)
        if used > self._known:
            edges = self._rows.slots.rows(np.arange(self._known, used))[self._node.edge]
            self._ends[self._known : used] = self._last_times(edges)
            self._known = used

    def advance(self, times: Times) -> list[Batch]:
        if times.watermark <= self._fired:
            return []
        self._fired = times.watermark
        live = np.flatnonzero(self._rows.slots.live[: self._known])
        due = live[self._ends[live] <= times.watermark] if times.watermark < MAX_WATERMARK else live
        out = self._best(due[np.argsort(self._ends[due], kind="stable")])
        self._rows.forget(due)
        if self._rows.compact():
            self._known = 0
            self._learn_ends()
        return [out] if len(out) else []

    def _best(self, slots: I64) -> Batch:
        """Give the rows at the places that are asked for, with their places."""
        node = self._node
        rows, _ = self._rows.best(slots)
        places = self._rows.store.matches[rows].astype(np.int64)
        chosen = places >= node.start
        number = [pl.Series(node.number, places[chosen])] if node.number else []
        return pl.DataFrame([*self._rows.store.gather(rows[chosen]).get_columns(), *number])

    def open_windows(self, most: int) -> OpenWindows:
        live = np.flatnonzero(self._rows.slots.live[: self._known])
        return by_last(self._ends[live], self._zone, most)

    def snapshot(self) -> StateDelta:
        delta = self._rows.snapshot()
        return StateDelta(delta.base, delta.frames, {"fired": self._fired, "late": self.late_rows})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = list(deltas)
        for delta in given:
            self._fired, self.late_rows = int(delta.scalars["fired"]), int(delta.scalars["late"])
        self._rows.restore(given)
        self._learn_ends()
