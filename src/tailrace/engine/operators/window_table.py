"""A window table function by itself: each row with the edges of its window, once for each window it is in."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch
from tailrace.engine.local_time import LocalTime, milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.engine.operators.window_aggregate import Windows
from tailrace.plan.nodes import WindowTable
from tailrace.schema import Kind
from tailrace.state.kernels import I64


class WindowTableOperator(Operator):
    """Adds window_start, window_end and window_time; as in Flink it drops no late row."""

    def __init__(self, node: WindowTable, timezone: str) -> None:
        self._node = node
        self._windows = Windows(node.window)
        kind = node.input.schema[node.window.time_column].type.kind
        self._zone = LocalTime(timezone if kind is Kind.TIMESTAMP_LTZ else "UTC")

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        local = self._local(batch, times)
        rows, ends = self._pairs(local)
        fields = self._node.schema.fields[-3:]
        edges = (self._windows.starts(ends), ends, self._zone.utc(ends - 1))
        columns = [
            pl.Series(f.name, values).cast(pl.Datetime("ms")).cast(f.type.polars)
            for f, values in zip(fields, edges, strict=True)
        ]
        return [batch[rows].with_columns(columns)]

    def _local(self, batch: Batch, times: Times) -> I64:
        if self._node.window.processing_time:
            return self._zone.local(np.full(len(batch), times.now, dtype=np.int64))
        return self._zone.local(milliseconds(batch[self._node.window.time_column]))

    def _pairs(self, times: I64) -> tuple[I64, I64]:
        """Give row numbers and window ends, the windows of a row together, earliest first."""
        w = self._windows
        slice_ends = w.offset + (times - w.offset) // w.slice * w.slice + w.slice
        firsts, lasts = w.first_ends(slice_ends), w.last_ends(slice_ends)
        counts = np.maximum((lasts - firsts) // w.slide + 1, 0)
        rows = np.repeat(np.arange(len(times)), counts)
        starts = np.cumsum(counts) - counts
        nth = np.arange(len(rows)) - np.repeat(starts, counts)
        return rows, firsts[rows] + nth * w.slide
