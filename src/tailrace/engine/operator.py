"""
What an operator is: batches in, batches out, on the engine's thread.

An operator does no I/O, starts no threads and asks no clock; time comes to it by `advance` and in hidden columns. It
never changes a batch that it was given.
"""

from __future__ import annotations

import time
from abc import ABC
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, Batch
from tailrace.engine.open_windows import OpenWindows
from tailrace.engine.tracing import Call, SpanKind
from tailrace.errors import Location
from tailrace.state.delta import StateDelta


@dataclass(frozen=True, slots=True)
class Rejected:
    """
    Rows that an operator could not take; the error policy of their table decides about them.

    `origin` has each row's place in the tick's input (-1: not known), `rows` the rows as the operator saw them.
    """

    stage: str
    code: str
    reason: str
    rows: pl.DataFrame
    origin: npt.NDArray[np.int64]
    operator: str = ""
    scan: str | None = None
    location: Location | None = None

    def __len__(self) -> int:
        return len(self.origin)


@dataclass(slots=True)
class FunctionUse:
    """How often a function of the user was called, for how many rows, of which so many `failed`, and how long it took."""

    calls: int = 0
    rows: int = 0
    failed: int = 0
    nanoseconds: int = 0


@dataclass(slots=True)
class Outbox:
    """Where an operator leaves what is no output: rejected rows, and the calls that it made, for traces and metrics."""

    rejected: list[Rejected] = field(default_factory=list)
    calls: list[Call] | None = None
    """None while nobody wants to know of calls."""
    functions: dict[tuple[str, str], FunctionUse] = field(default_factory=dict)
    """By the names of the operator and of the function."""

    @contextmanager
    def call(self, name: str, kind: SpanKind, **attributes: str | int) -> Iterator[None]:
        """Take note of what is called within."""
        if self.calls is None:
            yield
            return
        began = time.time_ns()
        try:
            yield
        finally:
            self.calls.append(Call(name, kind, began, time.time_ns(), attributes))


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a tick: event time at an operator's input, and the wall clock, in milliseconds."""

    watermark: int = MIN_WATERMARK
    now: int = 0


class Operator(ABC):
    """One operator; the executor sets `name` and `outbox` before the first call."""

    name: str = ""
    outbox: Outbox
    note: str = ""
    """What the user should know of the rows so far; empty for nothing."""
    late_rows: int = 0
    """The rows that came too late to count."""
    passes_rows: bool = False
    """Whether a row that comes out is one that went in, and has its hidden columns."""

    @contextmanager
    def calling(self, function: str, rows: int) -> Iterator[FunctionUse]:
        """Count a call of a function of the user for so many rows, and take note of it for traces; failures count by what this gives."""
        use = self.outbox.functions.setdefault((self.name, function), FunctionUse())
        use.calls += 1
        use.rows += rows
        began = time.perf_counter_ns()
        try:
            with self.outbox.call(f"udf {function}", SpanKind.INTERNAL, rows=rows):
                yield use
        finally:
            use.nanoseconds += time.perf_counter_ns() - began

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        """Take one batch of at least one row; `times.watermark` is the watermark before it."""
        return [batch]

    def advance(self, times: Times) -> list[Batch]:
        """Put out what is due now that time has come to `times`; called once a tick, after all batches."""
        return []

    def watermark(self, times: Times) -> int:
        """Give the watermark of the output when that of the input is `times.watermark`."""
        return times.watermark

    def next_timer(self) -> int | None:
        """Give the wall-clock time (ms) at which `advance` has something to do without input; None: never."""
        return None

    @property
    def satisfied(self) -> bool:
        """Tell that it needs no more input, ever (as a LIMIT that was reached)."""
        return False

    @property
    def state_rows(self) -> int:
        """The rows of state that it holds."""
        return 0

    def open_windows(self, most: int) -> OpenWindows | None:
        """Tell which windows are open, `most` of them one by one; None for an operator without windows."""
        return None

    def snapshot(self) -> StateDelta | None:
        """Give what changed since the last call; None for an operator without state."""
        return None

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        """Take up the state of a base and the increments after it; called before any batch."""


AT_WORK: ContextVar[Operator | None] = ContextVar("tailrace_operator", default=None)
"""The operator that a thread is in: aggregates of the user count their calls there."""


class PassOperator(Operator):
    """Passes all rows, as they are."""

    passes_rows = True
