"""The way out: a thread for each sink, behind a queue bounded in bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import polars as pl
import structlog

from tailrace.backoff import Backoff
from tailrace.connectors.base import AtLeastOnceSink, Sink, StagedSink, TransactionalSink
from tailrace.engine.batch import TRACEPARENT
from tailrace.engine.tracing import Span
from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.coordinator import Committed, Event, Prepared, Role
from tailrace.runtime.halt import Halt
from tailrace.runtime.refused_rows import RefusedRows
from tailrace.runtime.stopwatch import Stopwatch
from tailrace.runtime.threads import thread

T = TypeVar("T")

LOOK_SECONDS = 0.5
"""How often the engine's thread looks whether it still has to wait for a sink."""

RETRY_SECONDS = 300.0
"""So long a target may be away, unless the job says otherwise, when what was taken can be handed on again."""

_log = structlog.get_logger("tailrace.runtime")


@dataclass(frozen=True, slots=True)
class Barrier:
    """The end of an epoch among the batches; if it is `whole`, another job may begin after it."""

    epoch: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """No more batches will come."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch, and the spans that end when it has been written."""

    batch: pl.DataFrame
    spans: tuple[Span, ...] = ()


Item = Rows | Barrier | Finish


def role_of(sink: Sink) -> Role:
    """Say how a sink takes part in checkpoints; its class is its promise."""
    if isinstance(sink, TransactionalSink):
        return Role.MARKED
    return Role.STAGED if isinstance(sink, StagedSink) else Role.FLUSHED


class Outlet:
    """
    Runs one sink on a thread of its own.

    Batches and barriers come in order; calls (as commits) go before them. A marked sink takes no batch between a barrier
    and the commit of its epoch, as its rows would get into that transaction.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        capacity: int,
        halt: Halt,
        report: Callable[[Event], None],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.name = name
        self.sink = sink
        self.role: Role = role_of(sink)
        self._given = 0
        self.bytes: int = 0
        self.waited: int = 0
        self.retries: int = 0
        """How often something that the target could not do for now was tried again."""
        self.away: str = ""
        """Why it waits for its target, if it does."""
        self._retry_seconds = retry_seconds
        self.held: Stopwatch = Stopwatch()
        """How long the engine waited for it."""
        self.busy: Stopwatch = Stopwatch()
        """How long its thread was at work."""
        self._capacity = capacity
        self._halt = halt
        self._report = report
        self._items: deque[tuple[Item, int]] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._condition = threading.Condition()
        self.epoch: int = 0
        """The last epoch that is prepared."""
        self.refused: RefusedRows | None = None
        """The policy for rows that the sink can't take."""
        self.feeders: list[Outlet] = []
        """For a sink of dead letters: those whose refused rows come here, in the epoch of which they are."""
        self.fed: list[Outlet] = []
        self._letters: deque[tuple[int, pl.DataFrame]] = deque()
        self._blocked = False
        self._unflushed = False
        self._flush_at = 0.0
        self._over = False
        self._thread = thread(self._run, f"tailrace-sink-{name}")
        halt.on_halt(self.wake)

    @property
    def rows(self) -> int:
        """How many rows were written."""
        return self._given - (self.refused.tally.bad if self.refused is not None else 0)

    @property
    def waiting(self) -> int:
        """How much waits to be written."""
        return len(self._items)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look again."""
        with self._condition:
            self._condition.notify_all()

    def put(self, batch: pl.DataFrame, spans: tuple[Span, ...] = ()) -> bool:
        """Hand on a batch; waits while the queue is full. False if the job halted."""
        if not self.sink.traced:
            batch = batch.drop(TRACEPARENT, strict=False)
        size = max(1, int(batch.estimated_size()))
        with self._condition:
            if self._is_full(size):
                self.waited += 1
                with self.held:
                    while self._is_full(size) and not self._halt.look():
                        self._condition.wait(LOOK_SECONDS)
            if self._halt.is_set:
                return False
            self._append(Rows(batch, spans), size)
            return True

    def _is_full(self, size: int) -> bool:
        return bool(self.bytes) and self.bytes + size > self._capacity

    def mark(self, item: Barrier | Finish) -> None:
        """Put a barrier or the end behind the batches; never waits."""
        with self._condition:
            self._append(item, 0)

    def _append(self, item: Item, size: int) -> None:
        self._items.append((item, size))
        self.bytes += size
        self._condition.notify_all()

    def letters(self, epoch: int, batch: pl.DataFrame) -> None:
        """Put dead letters of a feeder's epoch before the barrier of that epoch; never waits."""
        with self._condition:
            self._letters.append((epoch, batch))
            self._condition.notify_all()

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Have something done on the sink's thread, before any more batches."""
        future: Future[T] = Future()
        with self._condition:
            self._calls.append((function, future))
            self._condition.notify_all()
        return future

    def commit(self, epoch: int, staged: Any) -> None:
        """Have the epoch committed; its end is reported as an event."""
        self.call(lambda: self._commit(epoch, staged))

    def stop(self, seconds: float) -> bool:
        """Close the sink and end the thread; False if it did not end in time."""
        with self._condition:
            self._over = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except BaseException as error:  # noqa: BLE001  whatever it is, the job's thread raises it again
            self._halt.set(error)
        self._close()

    def _close(self) -> None:
        try:
            self.sink.close()
        except Exception as error:  # noqa: BLE001  an error while closing must not hide the one that ended the job
            if self._halt.failure is None:
                self._halt.set(error)
            else:
                _log.warning("a sink did not close", sink=self.name, error=str(error))

    def _step(self) -> bool:
        """Do one thing; False when there is no more to do."""
        work = self._next()
        if work is None:
            return False
        with self.busy:
            self._do(work)
        return True

    def _do(self, work: Item | tuple[Callable[[], Any], Future[Any]]) -> None:
        if isinstance(work, tuple):
            _settle(*work)
        elif isinstance(work, Barrier):
            if work.whole and isinstance(self.sink, StagedSink):
                self.sink.round_off()
            self._prepare(work.epoch)
        elif isinstance(work, Finish):
            if isinstance(self.sink, StagedSink):
                self.sink.finish()
        else:
            self._write_traced(work)

    def _write_traced(self, rows: Rows) -> None:
        failure: BaseException | None = None
        try:
            self._write(rows.batch)
        except BaseException as error:
            failure = error
            raise
        finally:
            for span in rows.spans:
                span.end(error=failure)

    def _write(self, batch: pl.DataFrame) -> None:
        kept = batch if self.refused is None else self.refused.without_nulls(batch)
        if len(kept) or self.refused is None:
            self.sink.write(kept)
        if self.sink.full:
            self._flush()
        self._given += len(batch)
        if self.refused is not None:
            self.refused.check_share(self._given)

    def _next(self) -> Item | tuple[Callable[[], Any], Future[Any]] | None:
        """Wait for something to do; what was written is flushed before it waits for long."""
        while True:
            with self._condition:
                work = self._ready()
                if work is not None:
                    return work
                if self._halt.is_set or self._over:
                    return None
                if not self._unflushed:
                    self._condition.wait()
                    continue
                if (pause := self._flush_at - time.monotonic()) > 0:
                    self._condition.wait(pause)
                    continue
                self._unflushed = False
            with self.busy:
                self._flush()

    def _flush(self) -> None:
        self._resumed(self.sink.flush)

    def _resumed(self, function: Callable[[], T]) -> T:
        """Have the sink hand on rows; one that has kept those that were not taken is asked again."""
        return self.patiently(function, self._retry_seconds) if self.sink.resumes else function()

    def _ready(self) -> Item | tuple[Callable[[], Any], Future[Any]] | None:
        if self._halt.is_set:
            return None
        if self._calls:
            return self._calls.popleft()
        if self._blocked:
            return None
        if self._letters and (letter := self._due_letter()) is not None:
            return letter
        return self._take() if self._items and self._is_complete() else None

    def _due_letter(self) -> Rows | None:
        """Give dead letters of the epoch that is written now; a feeder may be further."""
        for i, (epoch, batch) in enumerate(self._letters):
            if epoch <= self.epoch + 1:
                del self._letters[i]
                self._note_unflushed()
                return Rows(batch)
        return None

    def _is_complete(self) -> bool:
        """Whether no more dead letters come before the next item: at a barrier all feeders must have passed theirs."""
        if not self.feeders or isinstance(self._items[0][0], Rows):
            return True
        # the end is followed by the last barrier
        barrier = next((item for item, _ in self._items if isinstance(item, Barrier)), None)
        return barrier is not None and all(f.epoch >= barrier.epoch for f in self.feeders)

    def _take(self) -> Item:
        item, size = self._items.popleft()
        self.bytes -= size
        if isinstance(item, Rows):
            self._note_unflushed()
        self._condition.notify_all()
        return item

    def _note_unflushed(self) -> None:
        if not self._unflushed:
            self._unflushed = True
            self._flush_at = time.monotonic() + self.sink.linger_seconds

    def _prepare(self, epoch: int) -> None:
        staged = None
        if isinstance(self.sink, TransactionalSink):
            self.sink.prepare(epoch)
            self._blocked = True
        elif isinstance(self.sink, StagedSink | AtLeastOnceSink):
            staged = self._resumed(partial(self.sink.prepare, epoch))
        self.epoch = epoch
        for outlet in self.fed:
            outlet.wake()
        self._report(Prepared(epoch, self.name, staged))

    def _commit(self, epoch: int, staged: Any) -> None:
        if isinstance(self.sink, TransactionalSink):
            self.sink.commit(epoch)
        elif isinstance(self.sink, StagedSink):
            self._commit_staged(self.sink, epoch, staged)
        self._blocked = False
        self._report(Committed(epoch, self.name))

    def _commit_staged(self, sink: StagedSink, epoch: int, staged: Any) -> None:
        """Commit what was staged; that may be tried again, so a target that is away for a while stops nothing."""
        self.patiently(lambda: sink.commit(epoch, staged), self._retry_seconds)

    def patiently(self, function: Callable[[], T], seconds: float) -> T:
        """
        Do something on the sink's thread that may be tried again, until the target is there.

        Raises:
            TerminalError: it stayed away for so many seconds.
        """
        backoff = Backoff(limit=seconds)
        while True:
            try:
                result = function()
            except TransientError as error:
                self.retries += 1
                self.away = error.message
                self._pause(backoff.failed(f"sink '{self.name}'", error, time.monotonic()))
            else:
                self.away = ""
                return result

    def _pause(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._halt.is_set, seconds)
        if self._halt.is_set:
            raise TerminalError(f"sink '{self.name}' was stopped while it waited for its target")


def _settle(function: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
        raise
