"""Aggregates by key and window; each window is put out once, when time has passed its end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain, islice

import numpy as np
import polars as pl

from tailrace.engine.accumulators.folding import ROWS
from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from tailrace.engine.kernels import windows as kernels
from tailrace.engine.late import reject_late
from tailrace.engine.open_windows import OpenWindow, OpenWindows, open_ends
from tailrace.engine.operator import Operator, Times
from tailrace.engine.window_store import WindowStore
from tailrace.engine.window_times import WindowTimes
from tailrace.plan.nodes import WindowAggregate, WindowKind, WindowProperty, WindowSpec
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64

_KINDS = {WindowKind.TUMBLE: kernels.TUMBLE, WindowKind.HOP: kernels.HOP, WindowKind.CUMULATE: kernels.CUMULATE}


class Windows:
    """The arithmetic of one window: slices, and the windows that have them."""

    def __init__(self, spec: WindowSpec) -> None:
        self.kind = _KINDS[spec.kind]
        self.size, self.slide, self.offset = spec.size, spec.slide, spec.offset
        slices = {WindowKind.HOP: math.gcd(spec.size, spec.slide), WindowKind.CUMULATE: spec.slide}
        self.slice = slices.get(spec.kind, spec.size)

    def first_end(self, slice_end: int) -> int:
        """Give the end of the first window that has the slice."""
        return int(kernels.first_window_end(self.kind, slice_end, self.size, self.slide, self.offset))

    def last_end(self, slice_end: int) -> int:
        """Give the end of the last window that has the slice."""
        return int(kernels.last_window_end(self.kind, slice_end, self.size, self.slide, self.offset))

    def first_ends(self, slice_ends: I64) -> I64:
        """Give `first_end` of each slice."""
        if self.kind != kernels.HOP:
            return slice_ends
        return self.offset - ((self.offset - (slice_ends - self.size)) // self.slide) * self.slide + self.size

    def last_ends(self, slice_ends: I64) -> I64:
        """Give `last_end` of each slice."""
        if self.kind == kernels.TUMBLE:
            return slice_ends
        span = self.slide if self.kind == kernels.HOP else self.size
        return self.offset + (slice_ends - 1 - self.offset) // span * span + self.size

    def ends(self, slice_end: int) -> range:
        """Give the ends of all windows that have the slice."""
        return range(self.first_end(slice_end), self.last_end(slice_end) + 1, self.slide)

    def starts(self, ends: I64) -> I64:
        """Give the starts of the windows that end at `ends`."""
        if self.kind == kernels.CUMULATE:
            return self.offset + ((ends - 1 - self.offset) // self.size) * self.size
        return ends - self.size

    def start(self, end: int) -> int:
        """Give the start of the window that ends at `end`."""
        return int(self.starts(np.array([end]))[0])


class WindowAggregateOperator(Operator):
    """
    TUMBLE, HOP and CUMULATE aggregates on slices.

    A row of a hopping or cumulating window that comes after some of its windows were put out still counts in the
    others: it goes into a second store that holds whole windows.
    """

    def __init__(self, node: WindowAggregate, timezone: str, *, retract: bool = False) -> None:
        self._node = node
        self._retract = retract
        self.windows = Windows(node.window)
        keys = {k: node.input.schema[k].type.polars for k in node.keys}
        calls = (*node.aggregates, ROWS) if retract else node.aggregates
        self._slices = WindowStore(node.keys, keys, calls, retract=retract)
        self._exact = WindowStore(node.keys, keys, calls, retract=retract)
        self._times = WindowTimes(node, timezone)
        self._fired = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return len(self._slices) + len(self._exact)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        ends = np.empty(len(batch), dtype=np.int64)
        state = np.empty(len(batch), dtype=np.int8)
        w = self.windows
        args = (w.kind, w.size, w.slide, w.offset, w.slice, ends, state)
        late = kernels.assign_slices(
            self._times.of(batch, times, self._fired), self._times.watermarks(batch, self._fired), *args
        )
        if self._retract and w.kind != kernels.TUMBLE:
            # a row may be taken back when some of its windows are closed: it must be taken out of each by itself
            state[state == kernels.OPEN] = kernels.PARTLY_LATE
            late = True
        if late:
            self._add_late(batch, ends, state)
            on_time = state == kernels.OPEN
            batch, ends = batch.filter(pl.Series(on_time)), ends[on_time]
        if len(batch):
            self._slices.add(batch, ends, self)
        return []

    def _add_late(self, batch: Batch, ends: I64, state: np.ndarray) -> None:
        late = state == kernels.LATE
        if late.any():
            reject_late(self, batch.filter(pl.Series(late)), "the row came after the last of its windows was put out")
        partly = np.flatnonzero(state == kernels.PARTLY_LATE)
        if len(partly):
            judged = np.broadcast_to(self._times.watermarks(batch, self._fired), len(batch))
            self._add_exact(batch, partly, ends, judged)

    def _add_exact(self, batch: Batch, rows: I64, ends: I64, judged: I64) -> None:
        w = self.windows
        firsts, lasts = w.first_ends(ends[rows]), w.last_ends(ends[rows])
        counts = (lasts - firsts) // w.slide + 1
        numbers = np.repeat(rows, counts)
        nth = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
        each = np.repeat(firsts, counts) + nth * w.slide
        still = each - 1 > judged[numbers]
        self._exact.add(batch[numbers[still]], np.ascontiguousarray(each[still]), self, numbers[still])

    def advance(self, times: Times) -> list[Batch]:
        local = self._times.due(times)
        if local <= self._fired:
            return []
        out = self._tumbled(local) if self.windows.kind == kernels.TUMBLE else self._overlapping(local)
        self._fired = local
        self._forget()
        return [pl.concat(out)] if out else []

    def _tumbled(self, watermark: int) -> list[Batch]:
        """Put out all windows that are due at once, by their ends."""
        slots, ends = self._slices.ordered()
        due = np.searchsorted(ends, watermark + 1, side="right") if watermark < MAX_WATERMARK else len(ends)
        return [self._named(self._slices.emit(slots[:due]), pl.Series(ends[:due]))] if due else []

    def _overlapping(self, watermark: int) -> list[Batch]:
        """Put out each window that is due: its slices joined by key."""
        slots, ends = self._slices.ordered()
        exact, exact_ends = self._exact.ordered()
        out = []
        for end in self._due(ends, exact_ends, watermark):
            if self._retract:
                low, high = np.searchsorted(exact_ends, [end - 1, end], side="right")
                rows = self._exact.emit(exact[low:high])
                out.append(self._named(rows, pl.Series([end]).extend_constant(end, len(rows) - 1)))
                continue
            low, high = np.searchsorted(ends, [self.windows.start(end), end], side="right")
            parts = [(self._slices, slots[low:high])]
            low, high = np.searchsorted(exact_ends, [end - 1, end], side="right")
            parts += [(self._exact, exact[low:high])] if high > low else []
            rows = self._slices.emit_joined(parts)
            out.append(self._named(rows, pl.Series([end]).extend_constant(end, len(rows) - 1)))
        return out

    def _due(self, slice_ends: I64, exact_ends: I64, watermark: int) -> list[int]:
        """Give the ends of the windows with rows that end in the time passed since the last call, ascending."""
        ends = {e for e in np.unique(exact_ends).tolist() if e - 1 <= watermark}
        for slice_end in np.unique(slice_ends).tolist():
            if self.windows.first_end(slice_end) - 1 > watermark:
                break
            ends.update(e for e in self.windows.ends(slice_end) if self._fired < e - 1 <= watermark)
        return sorted(ends)

    def _named(self, rows: Batch, ends: pl.Series) -> Batch:
        """Give keys, aggregates and window columns by the names and types of the schema."""
        node = self._node
        if self._retract:
            there = rows[f"$a{len(node.aggregates)}"] != 0
            rows, ends = rows.filter(there), ends.filter(there)
        count = len(node.keys) + len(node.aggregates)
        fields = node.schema.fields
        stored = [*node.keys, *(f"$a{i}" for i in range(len(node.aggregates)))]
        columns = [rows[s].cast(f.type.polars).alias(f.name) for s, f in zip(stored, fields, strict=False)]
        edges = zip(node.properties, fields[count:], strict=True)
        return pl.DataFrame([*columns, *(self._edge(p, ends).cast(f.type.polars).alias(f.name) for p, f in edges)])

    def _edge(self, edge: WindowProperty, ends: pl.Series) -> pl.Series:
        values = ends.to_numpy()
        if edge is WindowProperty.TIME:
            values = self._times.zone.utc(values - 1)
        elif edge is WindowProperty.START:
            values = self.windows.starts(values)
        return pl.Series(values).cast(pl.Datetime("ms"))

    def _forget(self) -> None:
        self._slices.drop_until(self._closed())
        self._exact.drop_until(min(self._fired, MAX_WATERMARK - 1) + 1)

    def _closed(self) -> int:
        """Give the greatest slice end whose windows have all been put out."""
        if self._fired in (MIN_WATERMARK, MAX_WATERMARK):
            return self._fired
        passed = self._fired + 1
        w = self.windows
        if w.kind == kernels.TUMBLE:
            return passed
        if w.kind == kernels.CUMULATE:
            return w.offset + ((passed - w.offset) // w.size) * w.size
        last_start = w.offset + ((passed - w.size - w.offset) // w.slide) * w.slide
        return last_start + w.slide

    def next_timer(self) -> int | None:
        if not self._node.window.processing_time:
            return None
        slice_end, window_end = self._slices.least_end(), self._exact.least_end()
        ends = [window_end] if window_end is not None else []
        ends += [self.windows.first_end(slice_end)] if slice_end is not None else []
        return self._times.timer(min(ends, default=None))

    def open_windows(self, most: int) -> OpenWindows:
        ends, rows = self._slices.open_ends()
        exact, exact_rows = self._exact.open_ends()
        spans = list(open_ends(ends, self.windows, self._fired))
        alone = dict(zip(exact.tolist(), exact_rows.tolist(), strict=True))
        only = [e for e in alone if not any(e in span for span in spans)]
        firsts = sorted([*islice(chain.from_iterable(spans), most), *only])[:most]
        sums = np.concatenate([[0], np.cumsum(rows)])
        found = [self._open_window(e, ends, sums, alone.get(e, 0)) for e in firsts]
        return OpenWindows(sum(map(len, spans)) + len(only), tuple(found), self._node.window.processing_time)

    def _open_window(self, end: int, ends: I64, sums: I64, alone: int) -> OpenWindow:
        start = self.windows.start(end)
        low, high = np.searchsorted(ends, [start, end], side="right")
        shown = None if self._node.window.attached else start
        last = self._times.zone.utc_one(end - 1)
        return OpenWindow(shown, end, last, int(sums[high] - sums[low]) + alone)

    def snapshot(self) -> StateDelta:
        base = self._slices.wants_base or self._exact.wants_base
        frames = {"slices": self._slices.snapshot(base=base), "windows": self._exact.snapshot(base=base)}
        scalars = {"fired": self._fired, "late": self.late_rows}
        return StateDelta(base, {name: frame for name, frame in frames.items() if len(frame)}, scalars)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for delta in deltas:
            for name, store in (("slices", self._slices), ("windows", self._exact)):
                if name in delta.frames:
                    store.load(delta.frames[name])
            self._fired = int(delta.scalars.get("fired", MIN_WATERMARK))
            self.late_rows = int(delta.scalars.get("late", 0))
        self._forget()
