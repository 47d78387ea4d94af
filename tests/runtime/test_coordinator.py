"""The checkpoint protocol, driven without threads or files through thousands of seeded schedules."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tailrace.errors import TerminalError
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
    Role,
    SnapshotTaken,
    State,
    TimePassed,
    WriteData,
)
from tailrace.runtime.recovery import choose

ROWS = 40


class Crash(Exception):  # noqa: N818  it is no error of the program
    """The process dies here."""


@dataclass
class Target:
    """What outlives a crash at a sink: the rows that anybody can see, and the mark in a marked one."""

    seen: list[int] = field(default_factory=list)
    mark: int = 0
    last_staged: int = 0


@dataclass
class Disk:
    """What outlives a crash in the store: manifests by epoch."""

    manifests: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)


@dataclass
class SimulatedSink:
    """A sink of one role: takes rows and barriers in order, and does what its role promises."""

    role: Role
    target: Target
    inbox: list[Any] = field(default_factory=list)
    open_rows: list[int] = field(default_factory=list)
    blocked: bool = False

    def ready(self) -> bool:
        """Tell whether it has something that it may take."""
        return bool(self.inbox) and not self.blocked

    def take(self, name: str) -> Event | None:
        """Take the next row or barrier."""
        item = self.inbox.pop(0)
        if isinstance(item, int):
            if self.role is Role.FLUSHED:
                self.target.seen.append(item)
            else:
                self.open_rows.append(item)
            return None
        (epoch,) = item
        staged = None
        if self.role is Role.MARKED:
            self.blocked = True
        elif self.role is Role.STAGED:
            staged, self.open_rows = list(self.open_rows), []
        return Prepared(epoch, name, staged)

    def commit(self, epoch: int, staged: Any) -> None:
        """Make the epoch seen, once; a marked sink by its own rows, a staged one by what was staged."""
        if self.role is Role.MARKED:
            self.target.seen += self.open_rows
            self.open_rows = []
            self.target.mark = epoch
            self.blocked = False
        elif self.target.last_staged < epoch:
            self.target.seen += staged
            self.target.last_staged = epoch


class Run:
    """One life of a process, from recovery to a crash or the end."""

    def __init__(self, roles: dict[str, Role], targets: dict[str, Target], disk: Disk, rng: random.Random) -> None:
        self.rng, self.disk = rng, disk
        self.sinks = {n: SimulatedSink(r, targets[n]) for n, r in roles.items()}
        marks = {n: targets[n].mark for n, r in roles.items() if r is Role.MARKED}
        self.epoch = choose(sorted(disk.manifests), marks)
        self.position, staged = disk.manifests.get(self.epoch, (0, {}))
        for later in [e for e in disk.manifests if e > self.epoch]:
            del disk.manifests[later]
        for name, sink in self.sinks.items():
            if sink.role is Role.STAGED and self.epoch:
                sink.commit(self.epoch, staged[name])
        self.coordinator = Coordinator(roles, self.epoch)
        self.todo: list[Action] = []
        self.snapshot = 0
        self.commits: list[tuple[int, str]] = []

    def crash_maybe(self, chance: float) -> None:
        """Die, now and then."""
        if self.rng.random() < chance:
            raise Crash

    def live(self, chance: float) -> None:
        """Do one ready thing after the other, in any order, until the job is done."""
        while self.coordinator.state is not State.DONE:
            self.rng.choice(self.choices())()
            self.coordinator.validate()
            self.crash_maybe(chance)

    def choices(self) -> list[Any]:
        """Give all that could happen next."""
        idle = self.coordinator.state is State.RUNNING
        ready = [lambda n=n: self.sink_step(n) for n, s in self.sinks.items() if s.ready()]
        actions = [lambda a=a: self.act(a) for a in self.todo]
        engine = [self.row] if self.position < ROWS else []
        begin = [self.begin] if idle else []
        return [*ready, *actions, *engine, *begin]

    def row(self) -> None:
        """Take one row through the engine."""
        for sink in self.sinks.values():
            sink.inbox.append(self.position)
        self.position += 1

    def begin(self) -> None:
        """Take a snapshot; the last one when all rows are through."""
        for sink in self.sinks.values():
            sink.inbox.append((self.coordinator.next_epoch,))
        self.snapshot = self.position
        self.feed(SnapshotTaken(0.0, final=self.position == ROWS))

    def feed(self, event: Event) -> None:
        """Tell the coordinator."""
        self.todo += self.coordinator.handle(event)

    def sink_step(self, name: str) -> None:
        """Let a sink take one thing."""
        event = self.sinks[name].take(name)
        if event is not None:
            self.feed(event)

    def act(self, action: Action) -> None:
        """Do what the coordinator asked; the process may die before its end is reported."""
        self.todo.remove(action)
        match action:
            case WriteData():
                self.feed(DataWritten(action.epoch))
            case Publish():
                self.disk.manifests[action.epoch] = (self.snapshot, dict(action.staged))
                self.crash_maybe(0.1)
                self.feed(Published(action.epoch))
            case Commit():
                assert action.epoch in self.disk.manifests, "committed before the checkpoint is durable"
                self.sinks[action.sink].commit(action.epoch, action.staged)
                self.crash_maybe(0.1)
                self.feed(Committed(action.epoch, action.sink))
            case Retire():
                for old in sorted(self.disk.manifests)[:-2]:
                    del self.disk.manifests[old]


SINKS = {
    "one marked": {"a": Role.MARKED},
    "staged": {"a": Role.STAGED, "b": Role.STAGED},
    "mixed": {"a": Role.STAGED, "b": Role.MARKED, "c": Role.FLUSHED, "d": Role.STAGED},
}


@pytest.mark.parametrize("roles", SINKS.values(), ids=SINKS.keys())
def test_every_schedule_gives_each_row_exactly_once(roles: dict[str, Role]) -> None:
    """Whatever order things happen in and wherever the process dies, exactly-once sinks show each row once, in order."""
    crashes = 0
    for seed in range(1200):
        rng = random.Random(seed)  # noqa: S311  schedules are no secrets
        targets = {name: Target() for name in roles}
        disk = Disk()
        while True:
            run = Run(roles, targets, disk, rng)
            try:
                run.live(chance=0.01)
                break
            except Crash:
                crashes += 1
        for name, role in roles.items():
            if role is Role.FLUSHED:
                assert set(targets[name].seen) == set(range(ROWS)), f"seed {seed}: {name} lost rows"
            else:
                assert targets[name].seen == list(range(ROWS)), f"seed {seed}: {name}"
    assert crashes > 1000, "the schedules must contain crashes"


def test_a_marked_sink_commits_before_any_staged_one() -> None:
    """An epoch that a marked target may still refuse must not be shown by another sink."""
    coordinator = Coordinator({"files": Role.STAGED, "ledger": Role.MARKED})
    coordinator.handle(SnapshotTaken(0.0))
    coordinator.handle(Prepared(1, "files", "f"))
    coordinator.handle(DataWritten(1))
    assert coordinator.handle(Prepared(1, "ledger")) == [Publish(1, {"files": "f", "ledger": None})]
    assert coordinator.handle(Published(1)) == [Commit(1, "ledger", None)]
    assert coordinator.handle(Committed(1, "ledger")) == [Commit(1, "files", "f")]
    assert coordinator.handle(Committed(1, "files")) == [Retire(1, final=False)]


def test_an_epoch_that_takes_too_long_names_who_is_waited_for() -> None:
    """A checkpoint has a limit in time, and its error says which sink has not prepared."""
    coordinator = Coordinator({"slow": Role.STAGED, "fast": Role.STAGED}, timeout=5)
    coordinator.handle(SnapshotTaken(10.0))
    coordinator.handle(Prepared(1, "fast"))
    assert coordinator.handle(TimePassed(15.0)) == []
    with pytest.raises(TerminalError, match="waiting for slow"):
        coordinator.handle(TimePassed(15.1))


@pytest.mark.parametrize(
    "event", [Published(1), Committed(1, "a"), Prepared(1, "a"), DataWritten(2)], ids=lambda e: type(e).__name__
)
def test_an_event_out_of_turn_is_refused(event: Event) -> None:
    """What can't happen in a state is an error, not a guess."""
    coordinator = Coordinator({"a": Role.STAGED})
    with pytest.raises(TerminalError, match="checkpoint protocol"):
        coordinator.handle(event)


@pytest.mark.parametrize(
    ("on_disk", "mark", "wanted"), [([], 0, 0), ([1], 0, 0), ([1], 1, 1), ([4, 5], 4, 4), ([4, 5], 5, 5)]
)
def test_the_mark_names_the_epoch(on_disk: list[int], mark: int, wanted: int) -> None:
    """Recovery starts from the epoch that the target has: the newest, or the one before it."""
    assert choose(on_disk, {"ledger": mark}) == wanted


@pytest.mark.parametrize(("on_disk", "mark"), [([], 1), ([4, 5], 3), ([4, 5], 6), ([5], 4), ([2], 0)])
def test_a_mark_that_fits_no_checkpoint_stops_the_job(on_disk: list[int], mark: int) -> None:
    """State and target that do not belong together are told, not guessed at."""
    with pytest.raises(TerminalError, match="exactly-once can't be kept"):
        choose(on_disk, {"ledger": mark})
