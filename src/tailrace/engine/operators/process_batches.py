"""Process functions that are called with whole batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.batch import WATERMARK, Batch
from tailrace.engine.kernels.grouping import group_rows
from tailrace.engine.keyed_process import KeyedProcess, no_on_timer, reject_timers
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Times
from tailrace.engine.process_batch import BatchCaller, Part, Put
from tailrace.engine.process_columns import ColumnStates
from tailrace.engine.process_outputs import framed
from tailrace.engine.timer_store import NEVER, TimerColumns
from tailrace.engine.user_steps import rejecting
from tailrace.plan.nodes import Process
from tailrace.state.kernels import I64


class ProcessBatchesOperator(KeyedProcess[TimerColumns]):
    """
    Calls a function with the rows of a batch sorted by key, and its states as columns with a value for each key.

    Rows for which it fails are found by halves. Timers come between batches.
    """

    def __init__(self, node: Process, ttl: int = 0) -> None:
        self._columns = ColumnStates(node)
        self._caller = BatchCaller(node, self._columns)
        super().__init__(node, self._columns, TimerColumns, self._caller.context, ttl)
        target: Any = node.declaration.target
        self._on_batch: Callable[..., Any] = target.on_batch
        self._on_timer: Callable[..., Any] | None = getattr(target, "on_timer", None)
        self._names = list(node.input.schema.names)
        self._timed: list[I64] = []

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        return self._counted(len(batch), lambda: self._rows(batch, times))

    def _rows(self, batch: Batch, times: Times) -> list[Batch]:
        slots = self._find(batch)
        once = self._wake(slots, times.now)
        self._moments.now_ms = times.now
        self._tell(times.watermark)
        order = self._order(slots, once)
        own = None if self._node.time is None else milliseconds(batch[self._node.time])
        part = Part(batch.select(self._names)[order], slots[order], None if own is None else own[order])
        put, failed = self._caller.run(self._on_batch, part, self._change)
        self._used.failed += len(failed)
        if failed:
            rejecting(batch, [(int(order[i]), reason) for i, reason in failed], self, self._node.location)
        self._forget(once)
        return [self._of_rows(batch, own, order, p) for p in put]

    def _order(self, slots: I64, once: I64) -> I64:
        """Give the rows of each key together, keys in the order in which they came."""
        numbers = np.empty(self._slots.used, dtype=np.int64)
        numbers[once] = np.arange(len(once))
        order = np.empty(len(slots), dtype=np.int64)
        group_rows(slots, numbers, np.zeros(len(once), dtype=np.int64), order)
        return order

    def _of_rows(self, batch: Batch, times: I64 | None, order: I64, put: Put) -> Batch:
        """Give what was put out, in the order in which the rows came."""
        if put.rows is None:
            chosen = np.empty(len(order), dtype=np.int64)
            chosen[order] = np.arange(len(order))
            keys, own, rows = batch.select(self._node.keys), times, batch
        else:
            places = order[put.rows]
            chosen = np.argsort(places, kind="stable")
            places = places[chosen]
            rows = batch[places]
            keys, own = rows.select(self._node.keys), None if times is None else times[places]
        values = [v.gather(chosen) for v in put.values]
        frame = framed(self._node, put.output, values, keys, np.zeros(len(chosen), np.int64) if own is None else own)
        return frame.with_columns(rows[WATERMARK]) if WATERMARK in rows.columns else frame

    def _fire(self, store: TimerColumns, limit: int, mark: int) -> list[Batch]:
        clock = store is self._clock
        self._tell(self._reached if clock else limit)
        out = []
        while (due := store.pop(limit)) is not None:
            out += self._call_timers(*due, clock=clock)
        return out

    def _call_timers(self, at: I64, slots: I64, names: list[str], *, clock: bool) -> list[Batch]:
        self._timed.append(self._wake(slots, self._moments.now_ms))
        keys = self._slots.rows(slots)
        kind = pl.Datetime("ms", "UTC") if clock or self._caller.zoned else pl.Datetime("ms")
        told = [pl.Series("$timer", names), pl.Series("$time", at).cast(kind)]
        part = Part(keys.with_columns(told) if self._node.keys else pl.DataFrame(told), slots, at, clock=clock)
        assert self._on_timer is not None
        put, failed = self._caller.run(self._on_timer, part, self._change)
        for place, reason in failed:
            shown = pl.DataFrame(told)[place].rename({"$timer": "timer", "$time": "at"})
            reject_timers(self, self._node, keys[place] if self._node.keys else keys, shown, reason)
        own = np.full(len(at), self._row_time()) if clock else at
        return [self._of_timers(keys, own, p) for p in put]

    def _of_timers(self, keys: pl.DataFrame, times: I64, put: Put) -> Batch:
        rows = np.arange(len(times)) if put.rows is None else put.rows
        return framed(self._node, put.output, put.values, keys[rows] if self._node.keys else keys, times[rows])

    def _change(self, slots: I64) -> None:
        """Do what a call asked for by its context: forget keys, and set timers."""
        context = self._caller.context
        if self._cleared:
            self._cleared.difference_update(slots.tolist())
        if len(context.cleared):
            self._clear(slots[context.cleared])
        for change in context.changes:
            if self._on_timer is None:
                raise no_on_timer(self._node)
            kept = (change.times == NEVER) | (change.clock or not self._ending)
            store = self._clock if change.clock else self._event
            store.change(slots[change.keys[kept]], change.name, change.times[kept])

    def _settled(self, called: I64, now: int) -> list[Batch]:
        self._forget(np.concatenate([called, *self._timed]))
        self._timed = []
        return []
