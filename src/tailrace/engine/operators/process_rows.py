"""Process functions that are called row by row."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.batch import WATERMARK, Batch
from tailrace.engine.keyed_process import KeyedProcess, no_on_timer, reject_timers
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Times
from tailrace.engine.process_calls import Caller, is_zoned
from tailrace.engine.process_objects import ObjectStates
from tailrace.engine.timer_store import TimerHeap
from tailrace.engine.user_steps import rejecting
from tailrace.plan.nodes import Process
from tailrace.state.kernels import I64
from tailrace.user_functions import columns
from tailrace.user_functions.aside import without_collections
from tailrace.user_functions.contexts import Timer, TimerChange, moment


class ProcessRowsOperator(KeyedProcess[TimerHeap]):
    """
    Calls a function with one row after the other, in the order in which they came.

    Where each row has its watermark, the timers that it makes due are called before the row, so that the outcome does not
    depend on how rows were batched.
    """

    def __init__(self, node: Process, ttl: int = 0) -> None:
        self._objects = ObjectStates(node)
        self._caller = Caller(node, self._objects)
        super().__init__(node, self._objects, TimerHeap, self._caller.context, ttl)
        target: Any = node.declaration.target
        self._on_row: Callable[..., Any] = target.on_row
        self._on_timer: Callable[..., Any] | None = getattr(target, "on_timer", None)
        names = node.input.schema.names
        self._row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  its fields are known now
        self._key: Callable[[Any], Any] = itemgetter(*map(names.index, node.keys)) if node.keys else lambda _row: ()
        self._timed: list[int] = []

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        with without_collections():
            return self._counted(len(batch), lambda: self._rows(batch, times))

    def _rows(self, batch: Batch, times: Times) -> list[Batch]:
        slots = self._find(batch)
        once = self._wake(slots, times.now)
        self._moments.now_ms = times.now
        self._tell(times.watermark)
        marked = WATERMARK in batch.columns
        moves = marked or self._node.ordered
        call, context, keys = self._caller.call, self._caller.context, self._objects.keys
        failed: list[tuple[int, str]] = []
        before = times.watermark
        given = zip(slots.tolist(), self._python(batch), self._times(batch), self._marks(batch, times), strict=True)
        for place, (slot, row, time, mark) in enumerate(given):
            if moves and mark != before:
                self._move(mark, before)
                before = mark
            context.key = keys[slot] = self._key(row)
            context.time_ms = time
            reason = call(self._on_row, slot, row, time or 0, mark)
            if reason:
                failed.append((place, reason))
            elif context.asked or self._cleared:
                self._change(slot)
        self._used.failed += len(failed)
        if failed:
            rejecting(batch, failed, self, self._node.location)
        return self._settled(once, times.now, marked=marked)

    def _move(self, mark: int, before: int) -> None:
        """Let the watermark be `mark` before the next row."""
        if self._event.least <= mark:
            self._fire(self._event, mark, before)
        self._tell(mark)

    def _marks(self, batch: Batch, times: Times) -> Sequence[int]:
        """Give the watermark before each row; of rows in order, those of the same time are still to come."""
        if self._node.ordered:
            assert self._node.time is not None
            ordered: list[int] = (milliseconds(batch[self._node.time]) - 1).tolist()
            return ordered
        if WATERMARK not in batch.columns:
            return [times.watermark] * len(batch)
        found: list[int] = np.maximum(batch[WATERMARK].to_numpy(), times.watermark).tolist()
        return found

    def _python(self, batch: Batch) -> Iterator[Any]:
        given = (columns.python_values(batch[f.name], f.type) for f in self._node.input.schema)
        return map(self._row._make, zip(*given, strict=True))

    def _times(self, batch: Batch) -> Sequence[int | None]:
        if self._node.time is None:
            return [None] * len(batch)
        found: list[int | None] = milliseconds(batch[self._node.time]).tolist()
        return found

    def _change(self, slot: int) -> None:
        """Do what a call asked for by its context: forget the key, and set timers."""
        context = self._caller.context
        if self._cleared:
            self._cleared.discard(slot)
        if context.cleared:
            self._clear(np.array([slot]))
        for name, clock, at in context.changes:
            if self._on_timer is None:
                raise no_on_timer(self._node)
            if clock or at is None or not self._ending:
                (self._clock if clock else self._event).change(slot, name, at)
        context.renew()

    def _fire(self, store: TimerHeap, limit: int, mark: int) -> list[Batch]:
        clock = store is self._clock
        watermark = self._reached if clock else limit
        while (due := store.pop(limit)) is not None:
            at, slot, name = due
            self._caller.fired = TimerChange(name, clock, at)
            self._tell(watermark)
            self._call_timer(slot, Timer(moment(at, zoned=clock or is_zoned(self._node)), name, clock), at, mark)
        self._caller.fired = None
        return []

    def _call_timer(self, slot: int, timer: Timer, at: int, mark: int) -> None:
        context = self._caller.context
        self._wake_one(slot, context.now_ms)
        context.key, context.time_ms = self._objects.keys[slot], at
        assert self._on_timer is not None
        reason = self._caller.call(self._on_timer, slot, timer, self._row_time() if timer.clock else at, mark)
        if reason:
            told = pl.DataFrame({"timer": [timer.name], "at": [timer.time]})
            reject_timers(self, self._node, self._slots.rows(np.array([slot])), told, reason)
        self._change(slot)

    def _wake_one(self, slot: int, now: int) -> None:
        for name, life in self._lives.items():
            if life and self._called[slot] + life <= now:
                self._objects.reset(name, np.array([slot]))
        self._called[slot] = now
        self._timed.append(slot)

    def _settled(self, called: I64, now: int, *, marked: bool = False) -> list[Batch]:
        if self._timed:
            timed = np.array(self._timed)
            self._slots.touch(timed, now)
            called = np.concatenate([called, timed])
        self._forget(called)
        self._timed = []
        return self._caller.taken(self._slots, marked=marked)
