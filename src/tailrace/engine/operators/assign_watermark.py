"""Row time and watermarks of a source: one watermark for each partition, moved by every row or between ticks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.clock import Clock, likely_unit
from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, ORIGIN, WATERMARK, Batch
from tailrace.engine.histogram import Histogram
from tailrace.engine.kernels.windows import running_watermark
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Rejected, Times
from tailrace.engine.progress import Progress
from tailrace.expressions.lower import lower
from tailrace.plan.nodes import AssignWatermark
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64

_SAMPLED = 100
"""So many rows of a batch tell how far it is behind."""


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of one partition in a tick: their places `start` up to `stop` in the tick's input."""

    partition: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class WatermarkOptions:
    """
    How watermarks of one source move.

    `per_row` judges each row by the rows before it; else the watermark moves between ticks. `max_future` (ms, None: off)
    bounds how far beyond the wall clock a row may be.
    """

    per_row: bool = False
    max_future: int | None = None
    idle_timeout: float | None = None
    timezone: str = "UTC"


class AssignWatermarkOperator(Operator):
    """Moves the partition's watermark; rows without a time, or from the far future, are rejected."""

    passes_rows = True

    def __init__(self, node: AssignWatermark, options: WatermarkOptions, clock: Clock) -> None:
        self._column = node.column
        self._value = lower(node.expr, options.timezone).value
        self._options = options
        self._clock = clock
        self.progress = Progress(options.idle_timeout)
        self.runs: Sequence[Run] = ()
        self.delay = Histogram()
        """How far row times were behind the wall clock, told from some rows of each batch."""

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        batch = self._with_time(batch)
        batch = self._not_from_future(batch, times)
        if not len(batch):
            return []
        if not self.note:
            self._look_for_seconds(batch)
        self._count_delay(batch, times)
        before = self._move(batch)
        return [batch.with_columns(pl.Series(WATERMARK, before))] if self._options.per_row else [batch]

    def _with_time(self, batch: Batch) -> Batch:
        if not batch[self._column].null_count():
            return batch
        missing = batch[self._column].is_null()
        self._reject(batch.filter(missing), "time", "TR230", f"the row time '{self._column}' is NULL")
        return batch.filter(~missing)

    def _not_from_future(self, batch: Batch, times: Times) -> Batch:
        if self._options.max_future is None:
            return batch
        beyond = milliseconds(batch[self._column]) > times.now + self._options.max_future
        if not beyond.any():
            return batch
        first = int(milliseconds(batch[self._column])[beyond][0])
        reason = f"the row time '{self._column}' is more than {self._options.max_future} ms in the future"
        reason += _unit_hint(first)
        self._reject(batch.filter(pl.Series(beyond)), "future", "TR231", reason)
        return batch.filter(pl.Series(~beyond))

    def _look_for_seconds(self, batch: Batch) -> None:
        """A time in the first weeks of 1970 is most often a number of seconds that was taken for milliseconds."""
        least = int(milliseconds(batch[self._column]).min())
        if hint := _unit_hint(least):
            self.note = f"row times '{self._column}' begin in 1970{hint}"

    def _count_delay(self, batch: Batch, times: Times) -> None:
        step = max(1, len(batch) // _SAMPLED)
        some = milliseconds(batch[self._column].gather_every(step))
        self.delay.add((times.now - some) / 1000)

    def _reject(self, rows: Batch, stage: str, code: str, reason: str) -> None:
        self.outbox.rejected.append(Rejected(stage, code, reason, rows, rows[ORIGIN].to_numpy(), self.name))

    def _move(self, batch: Batch) -> I64:
        """Move each partition's watermark by its rows; give the watermark before each row."""
        values = batch.select(self._value.dt.cast_time_unit("ms").to_physical().fill_null(MIN_WATERMARK)).to_series()
        marks = values.to_numpy()
        origin = batch[ORIGIN].to_numpy()
        before = np.empty(len(batch), dtype=np.int64)
        now = self._clock.monotonic()
        for run in self.runs:
            low, high = np.searchsorted(origin, [run.start, run.stop])
            if high > low:
                known = self.progress.watermark_of(run.partition)
                top = running_watermark(marks[low:high], known, before[low:high])
                self.progress.saw(run.partition, int(top), now)
        return before

    def watermark(self, times: Times) -> int:
        if times.watermark == MAX_WATERMARK:
            return MAX_WATERMARK
        return self.progress.current(self._clock.monotonic())

    def snapshot(self) -> StateDelta:
        state = self.progress.state()
        scalars = {"current": self.progress.current(self._clock.monotonic()), "partitions": state}
        return StateDelta(base=True, scalars=scalars)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for delta in deltas:
            partitions = [(str(name), int(watermark)) for name, watermark in delta.scalars["partitions"]]
            self.progress.restore(int(delta.scalars["current"]), partitions)


def _unit_hint(ms: int) -> str:
    """Say which unit a time was likely meant in, if it makes no sense in milliseconds."""
    guess = likely_unit(ms)
    return (
        "" if guess is None or guess[0] == "milliseconds" else f"; as {guess[0]} since 1970 they would be at {guess[1]}"
    )
