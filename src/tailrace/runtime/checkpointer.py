"""The thread that takes epochs through the protocol: the coordinator's hands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

import structlog

from tailrace.clock import Clock
from tailrace.connectors.base import Positions
from tailrace.runtime.coordinator import (
    Action,
    Commit,
    Coordinator,
    DataWritten,
    Event,
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
from tailrace.state.store import Snapshot, StateStore

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
    ) -> None:
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
        self._over = False
        self._busy = False
        self.status = CheckpointStatus(epoch=coordinator.epoch)
        self.completed = 0
        self._thread = threading.Thread(target=self._run, name="tailrace-checkpoint", daemon=True)
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

    def begin(self, snapshot: Snapshot, stall: float) -> None:
        """Take over a snapshot, before its barriers are in the queues of the sinks."""
        self._snapshot, self._stall, self._began = snapshot, stall, self._clock.monotonic()
        self._busy = True
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
                for action in self._coordinator.handle(event):
                    self._do(action)
        except BaseException as error:  # noqa: BLE001  whatever it is, the job's thread raises it again
            self._halt.set(error)

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
                if self._store is not None and self._snapshot is not None:
                    self._store.write(action.epoch, self._snapshot)
                self.report(DataWritten(action.epoch))
            case Publish():
                if self._store is not None:
                    self._store.publish(action.epoch, action.staged)
                self.report(Published(action.epoch))
            case Commit():
                self._outlets[action.sink].commit(action.epoch, action.staged)
            case Retire():
                self._retire(action)

    def _retire(self, action: Retire) -> None:
        if self._store is not None:
            self._store.retire()
            if action.final:
                self._store.finish()
        seconds = self._clock.monotonic() - self._began
        size = self._store.last_bytes if self._store is not None else 0
        self.status = CheckpointStatus(action.epoch, self._stall, seconds, size)
        self.completed += 1
        snapshot, self._snapshot = self._snapshot, None
        _log.debug("checkpoint complete", epoch=action.epoch, seconds=round(seconds, 4), bytes=size)
        self._busy = False
        if snapshot is not None:
            self._complete(snapshot.positions)
