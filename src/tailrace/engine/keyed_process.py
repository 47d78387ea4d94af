"""What process functions of both forms have in common: slots by key, times to live, timers, and checkpoints of them all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from tailrace.engine.keyed_slots import LIVE, KeyedSlots
from tailrace.engine.operator import FunctionUse, Operator, Rejected, Times
from tailrace.engine.timer_store import TimerStore
from tailrace.engine.user_steps import CODE, STAGE
from tailrace.errors import TerminalError
from tailrace.plan.nodes import Process
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.user_functions.aside import within
from tailrace.user_functions.contexts import Moments
from tailrace.user_functions.faults import stopped

T = TypeVar("T", bound=TimerStore)

_CALLED, _STATE, _EVENT, _CLOCK = "$called", "$state.", "$event.", "$clock."


class States(Protocol):
    """The states of all keys, by slot."""

    def reserve(self, size: int) -> None:
        """Make room for so many slots."""

    def begin(self, slots: I64) -> None:
        """Let slots have all states as they are in the beginning."""

    def reset(self, name: str, slots: I64) -> None:
        """Let a state be what it is in the beginning."""

    def forget(self, slots: I64) -> None:
        """Drop the states of slots."""

    def keep(self, slots: I64) -> None:
        """Keep these slots, which are numbered anew in this order."""

    def columns(self, slots: I64) -> dict[str, pl.Series]:
        """Give the states of slots for a checkpoint."""

    def load(self, slots: I64, given: Mapping[str, pl.Series], keys: list[Any], live: list[bool]) -> None:
        """Take up states of slots."""


class KeyedProcess(Operator, Generic[T]):
    """
    Keeps a slot for each key that has states or timers; a key that has neither takes no room.

    `timers` makes a store of timers, `moments` is what the function is told of times.
    """

    def __init__(self, node: Process, states: States, timers: type[T], moments: Moments, ttl: int) -> None:
        self._node = node
        self._held = states
        self._lives = {s.name: ttl if s.ttl is None else s.ttl for s in node.function.states}
        longest = max(self._lives.values(), default=0)
        whole = longest if all(self._lives.values()) else 0
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.keys}, whole)
        self._called = np.zeros(1024, dtype=np.int64)
        self._event = timers()
        self._clock = timers()
        self._moments = moments
        self._reached = MIN_WATERMARK
        self._ending = False
        self._cleared: set[int] = set()
        self._used = FunctionUse()

    @property
    def state_rows(self) -> int:
        return len(self._slots)

    def next_timer(self) -> int | None:
        return self._clock.next()

    def _find(self, rows: pl.DataFrame) -> I64:
        slots = self._slots.find(rows)
        used = self._slots.used
        self._called = grown(self._called, used)
        self._held.reserve(used)
        self._event.reserve(used)
        self._clock.reserve(used)
        return slots

    def _wake(self, slots: I64, now: int) -> I64:
        """Note that slots are called now, with states as old as they may be; give each of them once."""
        once = self._slots.touch(slots, now)
        fresh = once[~self._slots.live[once]]
        self._slots.live[fresh] = True
        self._held.begin(fresh)
        for name, life in self._lives.items():
            if life:
                self._held.reset(name, once[self._called[once] + life <= now])
        self._called[once] = now
        return once

    def _drop(self, slots: I64) -> None:
        """Forget slots, but for those that wait for a timer."""
        slots = slots[~(self._event.pending(slots) | self._clock.pending(slots))]
        if len(slots):
            self._slots.drop(slots)
            self._held.forget(slots)

    def advance(self, times: Times) -> list[Batch]:
        out = self._due(times)
        self._drop(self._slots.expired(times.now))
        if self._slots.worth_compacting:
            kept = self._slots.compact()
            self._called = grown(self._called[kept], 1024)
            self._held.keep(kept)
            self._event.keep(kept)
            self._clock.keep(kept)
        return out

    def _due(self, times: Times) -> list[Batch]:
        """Call the timers that are due."""
        if times.watermark != MAX_WATERMARK:
            self._reached = times.watermark
        if self._event.least > times.watermark and self._clock.least > times.now:
            return []
        return self._counted(0, lambda: self._timers(times))

    def _counted(self, rows: int, work: Callable[[], list[Batch]]) -> list[Batch]:
        with self.calling(self._node.declaration.__name__, rows) as self._used:
            return within(self._node.declaration, work)

    def _timers(self, times: Times) -> list[Batch]:
        self._moments.now_ms = times.now
        # a timer that sets the next one would go on for ever at the end of the input
        self._ending = times.watermark == MAX_WATERMARK
        out = self._fire(self._event, times.watermark, MIN_WATERMARK)
        out += self._fire(self._clock, times.now, MIN_WATERMARK)
        return out + self._settled(np.empty(0, dtype=np.int64), times.now)

    @abstractmethod
    def _fire(self, store: T, limit: int, mark: int) -> list[Batch]:
        """Call the timers that are due up to a time, in the order of their times; `mark` is the watermark before them."""

    @abstractmethod
    def _settled(self, called: I64, now: int) -> list[Batch]:
        """Forget keys that are not needed any more, and give the rows that are left."""

    def _tell(self, watermark: int) -> None:
        """Tell the function of the watermark."""
        self._moments.watermark_ms = None if watermark == MIN_WATERMARK else watermark

    def _row_time(self) -> int:
        """Give the event time of what a timer by the wall clock gives: as early as it can be without being late."""
        return self._moments.now_ms if self._reached == MIN_WATERMARK else self._reached + 1

    def _clear(self, slots: I64) -> None:
        """Let keys be as in the beginning; they are dropped if they are not called again."""
        self._event.clear(slots)
        self._clock.clear(slots)
        self._held.begin(slots)
        self._cleared.update(slots.tolist())

    def _forget(self, called: I64) -> None:
        """Drop keys that are not needed any more, of those that were called."""
        if not self._lives:
            self._drop(called)
        elif self._cleared:
            self._drop(np.array(sorted(self._cleared)))
        self._cleared.clear()

    def snapshot(self) -> StateDelta:
        base, slots = self._slots.changed()
        if not len(slots):
            return StateDelta(base)
        own = {_CALLED: pl.Series(self._called[slots])}
        own |= {f"{_STATE}{name}": s for name, s in self._held.columns(slots).items()}
        own |= self._event.columns(slots, _EVENT) | self._clock.columns(slots, _CLOCK)
        columns = [series.alias(name) for name, series in own.items()]
        return StateDelta(base, {"keys": self._slots.columns(slots).with_columns(columns)})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for frame in (d.frames["keys"] for d in deltas if "keys" in d.frames):
            self._find(frame)
            slots = self._slots.load(frame)
            self._called[slots] = frame[_CALLED].to_numpy()
            by_name = {name: frame[name] for name in frame.columns}
            own = {n.removeprefix(_STATE): s for n, s in by_name.items() if n.startswith(_STATE)}
            self._held.load(slots, own, self._keys(frame), frame[LIVE].to_list())
            self._event.load(slots, by_name, _EVENT)
            self._clock.load(slots, by_name, _CLOCK)

    def _keys(self, rows: pl.DataFrame) -> list[Any]:
        """Give the key of each row as the function knows it."""
        given = [rows[k].to_list() for k in self._node.keys]
        return given[0] if len(given) == 1 else list(zip(*given, strict=True)) if given else [()] * len(rows)


def no_on_timer(node: Process) -> TerminalError:
    """Give the error of a function that sets timers, and can't be woken."""
    hint = "write on_timer(self, timer, ctx)"
    return stopped(node.declaration, "sets a timer, but has no method on_timer", hint)


def reject_timers(operator: Operator, node: Process, keys: pl.DataFrame, told: pl.DataFrame, reason: str) -> None:
    """Leave timers to the policy for bad rows: their keys, and what is `told` of them."""
    rows = keys.hstack(told) if node.keys else told
    none = np.full(len(rows), -1)
    rejected = Rejected(STAGE, CODE, reason, rows, none, operator.name, location=node.location)
    operator.outbox.rejected.append(rejected)
