"""The times by which a window operator judges rows: event time or the wall clock, in the time zone of its windows."""

from __future__ import annotations

import numpy as np

from tailrace.engine.batch import MAX_WATERMARK, WATERMARK, Batch
from tailrace.engine.local_time import LocalTime, milliseconds
from tailrace.engine.operator import Times
from tailrace.plan.nodes import WindowAggregate
from tailrace.schema import Kind
from tailrace.state.kernels import I64


class WindowTimes:
    """Times of one window operator; `fired` is the time up to which it has put windows out."""

    def __init__(self, node: WindowAggregate, timezone: str) -> None:
        self._column = node.window.time_column
        self._processing = node.window.processing_time
        self._attached = node.window.attached
        local = node.window.local or node.input.schema[self._column].type.kind is Kind.TIMESTAMP_LTZ
        self.zone = LocalTime(timezone if local else "UTC")

    def of(self, batch: Batch, times: Times, fired: int) -> I64:
        """Give the time of each row."""
        if self._processing:
            # a wall clock that was set back does not make rows late
            return np.full(len(batch), max(self.zone.local_one(times.now), fired + 1), dtype=np.int64)
        given = milliseconds(batch[self._column])
        # a window's end is a local time already, and the window has the moments before it
        return given - 1 if self._attached else self.zone.local(given)

    def watermarks(self, batch: Batch, fired: int) -> I64:
        """Give what each row is judged against: its own watermark, or one for all, that of the operator."""
        if WATERMARK not in batch.columns or self._processing:
            return np.array([fired], dtype=np.int64)
        return np.maximum(self.zone.local(batch[WATERMARK].to_numpy()), fired)

    def due(self, times: Times) -> int:
        """Give the time up to which windows are due."""
        if times.watermark == MAX_WATERMARK:
            return MAX_WATERMARK
        return self.zone.local_one(times.now - 1 if self._processing else times.watermark)

    def timer(self, end: int | None) -> int | None:
        """Give the wall-clock time at which the window that ends then is due; None by event time or without a window."""
        return None if end is None or not self._processing else self.zone.utc_one(end)
