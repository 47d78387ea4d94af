"""Checkpoints that are asked for, and savepoints: taken, listed, and gone on from."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tailrace.errors import ConfigError, TerminalError
from tailrace.runtime.control import Control
from tailrace.runtime.job import Job
from tailrace.state.savepoints import FOLDER, savepoints, start_from


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)


def ids(target: Any) -> list[int]:
    """Give the ids of a target's rows."""
    return [row[0] for row in target.seen]


KINDS = ["flushed", "marked", "staged"]


@contextmanager
def running(job: Job) -> Iterator[Callable[[], Control]]:
    """Run a job on a thread meanwhile; give what gives its control."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(job.run())
        except Exception as error:  # noqa: BLE001  told below
            outcome.append(error)

    def control() -> Control:
        until(lambda: job.control is not None or outcome)
        assert job.control is not None, outcome
        return job.control

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield control
    finally:
        job.stop()
        thread.join(30)
    assert not isinstance(outcome[0], Exception), outcome


@pytest.fixture
def endless(world: Any, make: Any) -> Callable[..., Job]:
    """Give the maker of jobs over an endless source whose checkpoints come only when they are asked for."""
    world.settings["execution.checkpointing.interval"] = "0"
    scan = world.scan("numbers", *(make(i, i + 1) for i in range(5_000)), bounded=False)
    world.faults_of("numbers").delay["poll"] = 0.002

    def job(kind: str = "staged", state: str | None = "state", target: str = "out") -> Job:
        made: Job = world.job(world.into(scan, target, kind), state=state)
        return made

    return job


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_that_was_asked_for(world: Any, endless: Callable[..., Job], kind: str) -> None:
    """It is complete when the answer comes: its rows are committed."""
    job = endless(kind)
    with running(job) as control:
        first = control().checkpoint()
        until(lambda: job.status().sources[0].rows > first.rows_in + 5)
        second = control().checkpoint()
        assert (first.epoch, second.epoch) == (1, 2)
        assert len(ids(world.target("out"))) >= second.rows_in > first.rows_in
        assert job.inspection is not None
        assert [r.epoch for r in job.inspection.checkpoints()] == [2, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_job_goes_on_from_a_savepoint(world: Any, endless: Callable[..., Job], kind: str) -> None:
    """After the last row before it, once and in order, though the old job went on meanwhile."""
    job = endless(kind)
    with running(job) as control:
        record = control().savepoint("before")
        until(lambda: job.status().sources[0].rows > record.rows_in + 20)
        control().checkpoint()
    saved = record.savepoint
    assert saved is not None
    assert (saved.name, saved.epoch, saved.rows_in) == ("before", record.epoch, record.rows_in)
    start_from(world.folder / "state" / FOLDER / "before", world.folder / "second")
    world.targets.clear()  # a new target: what the old job wrote after the savepoint is not the new one's
    again = endless(kind, state="second")
    with running(again) as control:
        order = control()
        until(lambda: again.status().sources[0].rows > 10)
        order.checkpoint()
    seen = ids(world.target("out"))
    assert seen == list(range(record.rows_in, record.rows_in + len(seen)))
    assert len(seen) > 10


def test_stop_with_a_savepoint(world: Any, endless: Callable[..., Job]) -> None:
    """It is of the end of the run: nothing was written after it."""
    job = endless()
    with running(job) as control:
        order = control()
        until(lambda: job.status().sources[0].rows > 10)
        record = order.savepoint("end", stop=True)
    assert ids(world.target("out")) == list(range(record.rows_in))
    assert [s.name for s in savepoints(world.folder / "state")] == ["end"]


def test_savepoints_stay(world: Any, endless: Callable[..., Job]) -> None:
    """They outlive later checkpoints and runs, and are listed, the newest first; one that is damaged is not."""
    job = endless()
    with running(job) as control:
        control().savepoint("a")
        for _ in range(5):
            control().checkpoint()
        control().savepoint("b")
        with pytest.raises(ConfigError, match="there is a savepoint 'a' already"):
            control().savepoint("a")
        assert job.inspection is not None
        assert {s.name for s in job.inspection.savepoints()} == {"a", "b"}
    state = world.folder / "state"
    start_from(state / FOLDER / "a", world.folder / "third")
    manifest = next((state / FOLDER / "b" / "checkpoints").glob("*.manifest"))
    manifest.write_bytes(manifest.read_bytes().replace(b"epoch", b"epic!"))
    assert [s.name for s in savepoints(state)] == ["a"]
    with pytest.raises(ConfigError, match="is damaged"):
        start_from(state / FOLDER / "b", world.folder / "fourth")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65, "a\n"])
def test_names_that_are_refused(endless: Callable[..., Job], name: str) -> None:
    with running(endless()) as control, pytest.raises(ConfigError, match="can't be named"):
        control().savepoint(name)


def test_a_job_without_state_has_nothing_to_save(endless: Callable[..., Job]) -> None:
    """A checkpoint commits its rows all the same."""
    with running(endless(state=None)) as control:
        assert control().checkpoint().epoch == 1
        with pytest.raises(ConfigError, match="keeps no state"):
            control().savepoint("a")


def test_a_job_that_has_ended_is_told_nothing(endless: Callable[..., Job]) -> None:
    job = endless()
    with running(job) as control:
        order = control()
    with pytest.raises(TerminalError, match="has ended before"):
        order.checkpoint()


def test_a_folder_with_state_is_not_written_over(world: Any, endless: Callable[..., Job], tmp_path: Path) -> None:
    with running(endless()) as control:
        control().savepoint("a")
    saved = world.folder / "state" / FOLDER / "a"
    with pytest.raises(ConfigError, match="has state already"):
        start_from(saved, world.folder / "state")
    with pytest.raises(ConfigError, match="is no savepoint"):
        start_from(tmp_path, world.folder / "new")
    moved = shutil.copytree(saved, tmp_path / "elsewhere")
    start_from(moved, world.folder / "new")
    with running(endless(state="new")) as control:
        control().checkpoint()
