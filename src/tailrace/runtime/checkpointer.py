"""The thread that takes epochs through the protocol: the coordinator's hands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from tailrace.clock import Clock
from tailrace.connectors.base import Positions, StagedSink
from tailrace.engine.tracing import Tracer
from tailrace.errors import ConfigError, TailraceError
from tailrace.runtime.checkpoint_history import CheckpointRecord, History, Wish
from tailrace.runtime.checkpoint_trace import CheckpointTrace
from tailrace.runtime.coordinator import (
    Action,
    Commit,
    Committed,
    Coordinator,
    DataWritten,
    Event,
    Prepared,
    Publish,
    Published,
    Retire,
    SnapshotTaken,
    State,
    TimePassed,
    WriteData,
)
from tailrace.runtime.halt import Halt
from tailrace.runtime.outlet import Outlet
from tailrace.runtime.summary import CheckpointStatus
from tailrace.runtime.threads import thread
from tailrace.state.savepoints import Savepoint
from tailrace.state.store import Snapshot, StateStore
from tailrace.state.store_manifest import Damaged

_log = structlog.get_logger("tailrace.runtime")


class Checkpointer:
    """
    Writes checkpoints beside the engine. Without a store epochs are committed all the same, and nothing is kept.

    `begin` is called by the engine's thread when `idle`; `acknowledge` when an epoch is complete, with its positions.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        outlets: Mapping[str, Outlet],
        store: StateStore | None,
        halt: Halt,
        clock: Clock,
        complete: Callable[[dict[str, Positions]], None],
        tracer: Tracer | None = None,
    ) -> None:
        self._trace = CheckpointTrace(tracer)
        self._coordinator = coordinator
        self._outlets = dict(outlets)
        self._store = store
        self._halt = halt
        self._clock = clock
        self._complete = complete
        self._events: deque[Event] = deque()
        self._condition = threading.Condition()
        self._snapshot: Snapshot | None = None
        self._began = 0.0
        self._stall = 0.0
        self._wishes: Sequence[Wish] = ()
        self._over = False
        self._busy = False
        self.status: CheckpointStatus = CheckpointStatus(epoch=coordinator.epoch)
        self.completed: int = 0
        self.history: History = History()
        self._thread = thread(self._run, "tailrace-checkpoint")
        halt.on_halt(self._wake)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    @property
    def idle(self) -> bool:
        """Whether a new epoch can begin."""
        return not self._busy and not self._halt.is_set

    @property
    def done(self) -> bool:
        """Whether the last epoch is complete."""
        return self._coordinator.state is State.DONE and not self._busy

    @property
    def next_epoch(self) -> int:
        """The epoch that `begin` begins."""
        return self._coordinator.next_epoch

    def begin(self, snapshot: Snapshot, stall: float, wishes: Sequence[Wish] = ()) -> None:
        """Take over a snapshot, before its barriers are in the queues of the sinks; `wishes` have asked for it."""
        self._snapshot, self._stall, self._began = snapshot, stall, self._clock.monotonic()
        self._wishes = wishes
        self._busy = True
        self._trace.begin(self.next_epoch, stall)
        self.report(SnapshotTaken(self._began, snapshot.final))

    def report(self, event: Event) -> None:
        """Take note of what a sink did; called from any thread."""
        with self._condition:
            self._events.append(event)
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Let the thread end when the current epoch is complete, and wait for it."""
        with self._condition:
            self._over = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (event := self._next()) is not None:
                if isinstance(event, Prepared | Committed):
                    self._trace.done(f"{'prepare' if isinstance(event, Prepared) else 'commit'} {event.sink}")
                for action in self._coordinator.handle(event):
                    self._do(action)
        except BaseException as error:  # noqa: BLE001  whatever it is, the job's thread raises it again
            self._halt.set(error)
        finally:
            for wish in self._wishes:
                wish.done.cancel()

    def _next(self) -> Event | None:
        with self._condition:
            while not self._events:
                if self._halt.is_set or (self._over and not self._busy):
                    return None
                if not self._condition.wait(1.0 if self._busy else None):
                    return TimePassed(self._clock.monotonic())
            return None if self._halt.is_set else self._events.popleft()

    def _do(self, action: Action) -> None:
        match action:
            case WriteData():
                self._trace.step("write state")
                if self._store is not None and self._snapshot is not None:
                    self._store.write(action.epoch, self._snapshot)
                self._trace.done("write state")
                self.report(DataWritten(action.epoch))
            case Publish():
                self._trace.step("publish")
                if self._store is not None:
                    self._store.publish(action.epoch, action.staged)
                self._trace.done("publish")
                self.report(Published(action.epoch))
            case Commit():
                self._trace.step(f"commit {action.sink}")
                self._outlets[action.sink].commit(action.epoch, action.staged)
            case Retire():
                self._retire(action)

    def _retire(self, action: Retire) -> None:
        wishes, self._wishes = self._wishes, ()
        saved = [self._save(wish.name, action.epoch) for wish in wishes]
        if self._store is not None:
            self._store.retire()
            if action.final:
                self._store.finish()
        seconds = self._clock.monotonic() - self._began
        size = self._store.last_bytes if self._store is not None else 0
        self.status = CheckpointStatus(action.epoch, self._stall, seconds, size)
        self.completed += 1
        self._trace.end()
        snapshot, self._snapshot = self._snapshot, None
        _log.debug("checkpoint complete", epoch=action.epoch, seconds=round(seconds, 4), bytes=size)
        rows = snapshot.rows_in if snapshot is not None else 0
        record = CheckpointRecord(action.epoch, self._clock.now_ms(), seconds, self._stall, size, rows)
        self.history.add(_fulfil(record, wishes, saved))
        self._busy = False
        if snapshot is not None:
            self._complete(snapshot.positions)

    def _save(self, name: str, epoch: int) -> Savepoint | Exception | None:
        """Keep the epoch under a name; what goes wrong is the asker's, not the job's."""
        if not name:
            return None
        if self._store is None:
            return ConfigError("the job keeps no state, so there is nothing to save", hint="run it with --state")
        try:
            staged = self._store.manifest(epoch).staged
            sinks = {n: o.sink for n, o in self._outlets.items() if isinstance(o.sink, StagedSink)}
            inherited = {n: s.inherited(staged[n]) for n, s in sinks.items() if n in staged}
            return self._store.savepoint(name, epoch, {n: s for n, s in inherited.items() if s is not None})
        except (TailraceError, Damaged) as error:
            return error


def _fulfil(
    record: CheckpointRecord, wishes: Sequence[Wish], saved: Sequence[Savepoint | Exception | None]
) -> CheckpointRecord:
    """Tell those who asked for a checkpoint; give it with the savepoint that it has become, if it has."""
    for wish, what in zip(wishes, saved, strict=True):
        if not wish.done.set_running_or_notify_cancel():
            continue
        if isinstance(what, Exception):
            wish.done.set_exception(what)
        else:
            wish.done.set_result(replace(record, savepoint=what))
    return replace(record, savepoint=next((s for s in saved if isinstance(s, Savepoint)), None))
