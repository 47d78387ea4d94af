"""A member with children that are played: what it starts again, what it gives up on, and how it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tailrace.cli.replicas import charge, member
from tailrace.cli.replicas.member import Member
from tailrace.cli.replicas.shared_folder import SharedFolder
from tailrace.errors import ConfigError, TailraceError, TerminalError

PATIENCE = 30.0


class Played:
    """Stands for a child; the test says when it ends, and a stop ends it at once."""

    pid = 0

    def __init__(self, number: int) -> None:
        self.number = number
        self.ended: int | None = None
        self.closed = False

    def status(self) -> int | None:
        """Give what the test has set."""
        return self.ended

    def stop(self) -> None:
        """End well."""
        self.ended = 0 if self.ended is None else self.ended

    def close(self) -> None:
        """Note it."""
        self.closed = True


class Running:
    """A member in a thread."""

    def __init__(self, path: Path, count: int, attempts: int = 2) -> None:
        self.children: list[Played] = []
        self.folder = SharedFolder(path, count)
        self.member = Member(self.folder, self._start, attempts, PATIENCE)
        self.error: TailraceError | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _start(self, number: int) -> Any:
        self.children.append(Played(number))
        return self.children[-1]

    def _run(self) -> None:
        try:
            self.member.run()
        except TailraceError as error:
            self.error = error

    @property
    def alive(self) -> set[int]:
        """The replicas whose children run."""
        return {c.number for c in self.children if not c.closed}

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        end = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < end, [(c.number, c.ended) for c in self.children]
            time.sleep(0.01)

    def left(self) -> TailraceError | None:
        """Wait for its end."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.error


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(member, "_TEND_SECONDS", 0.01)
    monkeypatch.setattr(charge, "_FIRST_PAUSE", 0.01)


def test_shares_of_two_and_of_the_one_that_stays(tmp_path: Path) -> None:
    """The first has all, the second gets half, and when it leaves the first has all again; nothing runs twice."""
    first = Running(tmp_path, 4)
    first.until(lambda: first.alive == {1, 2, 3, 4})
    second = Running(tmp_path, 4)
    second.until(lambda: len(second.alive) == 2)
    assert first.alive | second.alive == {1, 2, 3, 4}
    assert not first.alive & second.alive
    second.member.stop()
    assert second.left() is None
    first.until(lambda: first.alive == {1, 2, 3, 4})
    first.member.stop()
    assert first.left() is None
    assert not first.alive
    assert not list((tmp_path / "members").iterdir())


@pytest.mark.parametrize(("status", "kind"), [(1, TerminalError), (2, ConfigError)])
def test_a_job_that_says_what_is_wrong(tmp_path: Path, status: int, kind: type[TailraceError]) -> None:
    """It is not tried again: the member stops the others in good order, leaves them to others, and ends with that status."""
    running = Running(tmp_path, 2)
    running.until(lambda: running.alive == {1, 2})
    running.children[0].ended = status
    error = running.left()
    assert type(error) is kind
    assert error.message == f"replica 1/2 ended with status {status}"
    assert [(c.ended, c.closed) for c in running.children] == [(status, True), (0, True)]
    assert running.folder.holders(running.folder.numbers) == {}


def test_a_child_that_is_killed(tmp_path: Path) -> None:
    """It is started again, some times; after a new checkpoint the count begins anew; then the member gives up."""
    running = Running(tmp_path, 1, attempts=2)
    checkpoints = tmp_path / "replica-1-of-1" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for kill in range(1, 4):
        running.until(lambda kill=kill: len(running.children) == kill)  # type: ignore[misc]
        if kill == 2:
            (checkpoints / "0000000001.manifest").touch()
        running.children[-1].ended = -9
    running.until(lambda: len(running.children) == 4)
    running.children[-1].ended = -9
    error = running.left()
    assert isinstance(error, TerminalError)
    assert "ended from outside by signal 9, 3 times at the same checkpoint" in error.message


def test_a_child_that_somebody_else_stops(tmp_path: Path) -> None:
    """Ended well, but with rows to come: it is started again."""
    running = Running(tmp_path, 1)
    running.until(lambda: len(running.children) == 1)
    running.children[0].stop()
    running.until(lambda: len(running.children) == 2)
    running.member.stop()
    assert running.left() is None
