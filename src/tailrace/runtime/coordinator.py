"""
The checkpoint protocol as a state machine: events in, actions out; no files, no threads, no clock.

One epoch at a time goes

    RUNNING -> PREPARING -> PUBLISHING -> COMMITTING_MARKED -> COMMITTING_STAGED -> RUNNING (or DONE after the last)

* PREPARING: the engine's snapshot is taken; its data is written, while every sink makes its rows durable.
* PUBLISHING: the manifest, with what the sinks staged, is being made durable.
* COMMITTING_MARKED: a sink whose target has a mark commits rows and mark in one transaction. It goes before the others:
  if it fails, the epoch is taken back as a whole, and no other sink may have shown it.
* COMMITTING_STAGED: sinks that staged show the epoch. From here on it can only go forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tailrace.errors import TerminalError


class Role(Enum):
    """How a sink takes part: by a mark in its target, by staging, or by flushing alone."""

    MARKED = "marked"
    STAGED = "staged"
    FLUSHED = "flushed"


class State(Enum):
    """Where the current epoch stands."""

    RUNNING = "running"
    PREPARING = "preparing"
    PUBLISHING = "publishing"
    COMMITTING_MARKED = "committing marked"
    COMMITTING_STAGED = "committing staged"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The engine took a snapshot at `now` (seconds) and sent a barrier to every sink; `final`: it was the last."""

    now: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class DataWritten:
    """The snapshot's data is on disk."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sink's rows of the epoch are durable (or held in its transaction); `staged` goes into the manifest."""

    epoch: int
    sink: str
    staged: Any = None


@dataclass(frozen=True, slots=True)
class Published:
    """The manifest is durable."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A sink has made the epoch seen."""

    epoch: int
    sink: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is `now` (seconds)."""

    now: float


Event = SnapshotTaken | DataWritten | Prepared | Published | Committed | TimePassed


@dataclass(frozen=True, slots=True)
class WriteData:
    """Write the snapshot's data."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Write the manifest, with what the sinks staged."""

    epoch: int
    staged: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """Have a sink commit."""

    epoch: int
    sink: str
    staged: Any


@dataclass(frozen=True, slots=True)
class Retire:
    """The epoch is complete: remove what is no longer needed, and tell the sources."""

    epoch: int
    final: bool


Action = WriteData | Publish | Commit | Retire


@dataclass(slots=True)
class _Epoch:
    number: int
    began: float
    final: bool
    written: bool = False
    staged: dict[str, Any] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)


class Coordinator:
    """
    Drives the epochs of a job, whose last complete one is `epoch`.

    `sinks` says how each takes part. An epoch that is not complete after `timeout` seconds stops the job.
    """

    def __init__(self, sinks: Mapping[str, Role], epoch: int = 0, timeout: float = 600.0) -> None:
        self._sinks = dict(sinks)
        self._timeout = timeout
        self._current: _Epoch | None = None
        self.epoch: int = epoch
        self.state: State = State.RUNNING

    @property
    def next_epoch(self) -> int:
        """The number of the next epoch to begin."""
        return self.epoch + 1

    def handle(self, event: Event) -> list[Action]:
        """
        Take an event; give what is to be done now, in order.

        Raises:
            TerminalError: an epoch takes too long, or the event can't happen in this state.
        """
        match event:
            case SnapshotTaken():
                return self._begin(event)
            case TimePassed():
                return self._check_time(event.now)
            case DataWritten():
                self._expect(event, event.epoch, State.PREPARING).written = True
            case Prepared():
                self._prepared(event)
            case Published():
                self._expect(event, event.epoch, State.PUBLISHING)
                self.state = State.COMMITTING_MARKED
                return self._commits(Role.MARKED) or self._next_commits()
            case Committed():
                return self._committed(event)
        return self._publish_when_ready()

    def _expect(self, event: Event, epoch: int, *states: State) -> _Epoch:
        current = self._current
        if current is None or current.number != epoch or self.state not in states:
            raise TerminalError(f"checkpoint protocol: {event} while {self.state.value} after epoch {self.epoch}")
        return current

    def _begin(self, event: SnapshotTaken) -> list[Action]:
        if self.state is not State.RUNNING:
            raise TerminalError(f"checkpoint protocol: a snapshot while {self.state.value}")
        self._current = _Epoch(self.next_epoch, event.now, event.final)
        self.state = State.PREPARING
        return [WriteData(self.next_epoch)]

    def _check_time(self, now: float) -> list[Action]:
        current = self._current
        if current is not None and now - current.began > self._timeout:
            waiting = sorted(self._missing(current))
            hint = "raise 'execution.checkpointing.timeout', or see why they are slow"
            who = f", waiting for {', '.join(waiting)}" if waiting else ""
            message = f"checkpoint {current.number} is not complete after {self._timeout:g} s{who}"
            raise TerminalError(message, hint=hint)
        return []

    def _missing(self, current: _Epoch) -> set[str]:
        if self.state is State.PREPARING:
            return self._sinks.keys() - current.staged.keys()
        role = Role.MARKED if self.state is State.COMMITTING_MARKED else Role.STAGED
        return {n for n, r in self._sinks.items() if r is role} - current.committed

    def _prepared(self, event: Prepared) -> None:
        current = self._expect(event, event.epoch, State.PREPARING)
        if event.sink not in self._sinks or event.sink in current.staged:
            raise TerminalError(f"checkpoint protocol: '{event.sink}' prepared epoch {event.epoch} twice or unasked")
        current.staged[event.sink] = event.staged

    def _publish_when_ready(self) -> list[Action]:
        current = self._current
        if current is None or not current.written or self._missing(current):
            return []
        self.state = State.PUBLISHING
        return [Publish(current.number, dict(current.staged))]

    def _commits(self, role: Role) -> list[Action]:
        assert self._current is not None
        staged = self._current.staged
        return [Commit(self._current.number, n, staged[n]) for n, r in self._sinks.items() if r is role]

    def _committed(self, event: Committed) -> list[Action]:
        current = self._expect(event, event.epoch, State.COMMITTING_MARKED, State.COMMITTING_STAGED)
        if event.sink not in self._missing(current):
            raise TerminalError(f"checkpoint protocol: '{event.sink}' committed epoch {event.epoch} unasked")
        current.committed.add(event.sink)
        return [] if self._missing(current) else self._next_commits()

    def _next_commits(self) -> list[Action]:
        """Go on after all of a kind have committed."""
        assert self._current is not None
        if self.state is State.COMMITTING_MARKED:
            self.state = State.COMMITTING_STAGED
            commits = self._commits(Role.STAGED)
            if commits:
                return commits
        final = self._current.final
        self.epoch = self._current.number
        self._current = None
        self.state = State.DONE if final else State.RUNNING
        return [Retire(self.epoch, final)]

    def validate(self) -> None:
        """
        Check what must always hold.

        Raises:
            TerminalError: it does not.
        """
        current = self._current
        idle = self.state in (State.RUNNING, State.DONE)
        if idle != (current is None):
            raise TerminalError(f"checkpoint protocol: {self.state.value} with epoch {current}")
        if current is None:
            return
        marked = {n for n, r in self._sinks.items() if r is Role.MARKED}
        unprepared = self._sinks.keys() - current.staged.keys()
        if current.number != self.epoch + 1 or (self.state is not State.PREPARING and unprepared):
            raise TerminalError(
                f"checkpoint protocol: epoch {current.number} after {self.epoch}, unprepared {unprepared}"
            )
        if current.committed - marked and not marked <= current.committed:
            raise TerminalError("checkpoint protocol: a staged sink committed before a marked one")
