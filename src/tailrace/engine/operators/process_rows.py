"""Process functions that are called row by row."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK, Batch
from tailrace.engine.keyed_process import CODE, STAGE, KeyedProcess
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Rejected, Times
from tailrace.engine.process_calls import Caller, is_zoned
from tailrace.engine.process_objects import ObjectStates
from tailrace.engine.timer_store import TimerStore
from tailrace.engine.user_steps import rejecting
from tailrace.plan.nodes import Process
from tailrace.user_functions import columns
from tailrace.user_functions.aside import within
from tailrace.user_functions.contexts import Timer, TimerChange, moment
from tailrace.user_functions.faults import stopped


class ProcessRowsOperator(KeyedProcess):
    """
    Calls a function with one row after the other, in the order in which they came.

    Where each row has its watermark, the timers that it makes due are called before the row, so that the outcome does not
    depend on how rows were batched.
    """

    def __init__(self, node: Process, ttl: int = 0) -> None:
        self._objects = ObjectStates(node)
        super().__init__(node, self._objects, ttl)
        self._caller = Caller(node, self._objects)
        target: Any = node.declaration.target
        self._on_row: Callable[..., Any] = target.on_row
        self._on_timer: Callable[..., Any] | None = getattr(target, "on_timer", None)
        names = node.input.schema.names
        self._row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  its fields are known now
        self._key: Callable[[Any], Any] = itemgetter(*map(names.index, node.keys)) if node.keys else lambda _row: ()
        self._timed: list[int] = []
        self._cleared: set[int] = set()
        self._reached = MIN_WATERMARK
        self._ending = False

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        return within(self._node.declaration, lambda: self._rows(batch, times))

    def _rows(self, batch: Batch, times: Times) -> list[Batch]:
        slots = self._find(batch)
        once = self._wake(slots, times.now)
        self._caller.context.now_ms = times.now
        failed: list[tuple[int, str]] = []
        before = times.watermark
        given = zip(slots.tolist(), self._python(batch), self._times(batch), self._marks(batch, times), strict=True)
        for place, (slot, row, time, mark) in enumerate(given):
            if self._event.least <= mark:
                self._fire(self._event, mark, before)
            before = mark
            reason = self._call_row(slot, row, time, mark)
            if reason:
                failed.append((place, reason))
        if failed:
            rejecting(batch, failed, self, self._node.location)
        self._settle(once, times.now)
        return self._caller.taken(self._slots, marked=WATERMARK in batch.columns)

    def _marks(self, batch: Batch, times: Times) -> Sequence[int]:
        """Give the watermark before each row."""
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

    def _call_row(self, slot: int, row: Any, time: int | None, mark: int) -> str:
        context = self._caller.context
        context.key = self._objects.keys[slot] = self._key(row)
        context.time_ms = time
        context.watermark_ms = None if mark == MIN_WATERMARK else mark
        reason = self._caller.call(self._on_row, slot, row, time or 0, mark)
        self._change(slot)
        return reason

    def _change(self, slot: int) -> None:
        """Do what a call asked for by its context: forget the key, and set timers."""
        context = self._caller.context
        if self._cleared:
            self._cleared.discard(slot)
        if context.cleared:
            self._event.clear(slot)
            self._clock.clear(slot)
            self._objects.begin(np.array([slot]))
            self._cleared.add(slot)
        for name, clock, at in context.changes:
            if self._on_timer is None:
                hint = "write on_timer(self, timer, ctx)"
                raise stopped(self._node.declaration, "sets a timer, but has no method on_timer", hint)
            # a timer that sets the next one would go on for ever at the end of the input
            if clock or at is None or not self._ending:
                (self._clock if clock else self._event).change(slot, name, at)
        context.renew()

    def _due(self, times: Times) -> list[Batch]:
        if times.watermark != MAX_WATERMARK:
            self._reached = times.watermark
        if self._event.least > times.watermark and self._clock.least > times.now:
            return []
        return within(self._node.declaration, lambda: self._timers(times))

    def _timers(self, times: Times) -> list[Batch]:
        self._caller.context.now_ms = times.now
        self._ending = times.watermark == MAX_WATERMARK
        self._fire(self._event, times.watermark, MIN_WATERMARK)
        self._fire(self._clock, times.now, MIN_WATERMARK)
        self._settle(np.empty(0, dtype=np.int64), times.now)
        return self._caller.taken(self._slots, marked=False)

    def _fire(self, store: TimerStore, limit: int, mark: int) -> None:
        """Call the timers that are due up to a time; `mark` is the watermark before them."""
        clock = store is self._clock
        watermark = self._reached if clock else limit
        while (due := store.pop(limit)) is not None:
            at, slot, name = due
            self._caller.fired = TimerChange(name, clock, at)
            self._call_timer(slot, watermark, mark)
        self._caller.fired = None

    def _call_timer(self, slot: int, watermark: int, mark: int) -> None:
        assert self._caller.fired is not None
        name, clock, at = self._caller.fired
        assert at is not None
        context = self._caller.context
        self._wake_one(slot, context.now_ms)
        context.key, context.time_ms = self._objects.keys[slot], at
        context.watermark_ms = None if watermark == MIN_WATERMARK else watermark
        timer = Timer(moment(at, zoned=clock or is_zoned(self._node)), name, clock)
        assert self._on_timer is not None
        reason = self._caller.call(self._on_timer, slot, timer, self._row_time(at, clock=clock), mark)
        if reason:
            self._reject_timer(slot, timer, reason)
        self._change(slot)

    def _row_time(self, at: int, *, clock: bool) -> int:
        """Give the event time of what a timer gives: of one by the wall clock as early as it can be without being late."""
        if not clock:
            return at
        return self._caller.context.now_ms if self._reached == MIN_WATERMARK else self._reached + 1

    def _wake_one(self, slot: int, now: int) -> None:
        for name, life in self._lives.items():
            if life and self._called[slot] + life <= now:
                self._objects.reset(name, np.array([slot]))
        self._called[slot] = now
        self._timed.append(slot)

    def _settle(self, once: np.ndarray, now: int) -> None:
        """Note which slots timers have changed, and forget those that are not needed any more."""
        if self._timed:
            self._slots.touch(np.array(self._timed), now)
        if not self._lives:
            self._drop(np.array([*once.tolist(), *self._timed], dtype=np.int64))
        elif self._cleared:
            self._drop(np.array(sorted(self._cleared)))
        self._timed = []
        self._cleared.clear()

    def _reject_timer(self, slot: int, timer: Timer, reason: str) -> None:
        """Leave a timer to the policy for bad rows."""
        at = pl.DataFrame({"timer": [timer.name], "at": [timer.time]})
        rows = self._slots.rows(np.array([slot])).hstack(at) if self._node.keys else at
        place = self._node.location
        rejected = Rejected(STAGE, CODE, reason, rows, np.full(1, -1), self.name, location=place)
        self.outbox.rejected.append(rejected)
