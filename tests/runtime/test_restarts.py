"""Jobs that are interrupted go on from their last checkpoint, as long as that makes progress."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tailrace.errors import DataError, TerminalError, TransientError
from tailrace.runtime.job import InterruptedJobError
from tailrace.runtime.restarts import Restarts

KINDS = ["marked", "staged"]


def ids(target: Any) -> list[int]:
    """Give the ids that a target shows."""
    return [row[0] for row in target.seen]


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_goes_on_after_its_target_was_away(world: Any, make: Any, kind: str) -> None:
    """N2: each row is there once, and the summary tells of the interruptions."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 300, 10)))
    world.faults_of("numbers").delay["poll"] = 0.005
    sink = world.into(scan, "out", kind)
    away = TransientError("no coordinator")
    world.faults_of("out").at.update({("write", 5): away, ("write", 12): away})
    summary = Restarts(3, 0.01).run(lambda: world.job(sink))
    assert ids(world.target("out")) == list(range(300))
    assert summary.finished
    assert summary.restored_epoch > 0
    assert "interrupted 2 times" in summary.notes[0]
    assert "no coordinator" in summary.notes[0]


def test_sinks_hear_which_checkpoint_a_run_goes_on_from(world: Any, make: Any) -> None:
    """Before they are opened: rows of the first run are of checkpoint 1, those of the next of the one after the restored."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 300, 10)))
    world.faults_of("numbers").delay["poll"] = 0.005
    sink = world.into(scan, "out", "flushed")
    world.faults_of("out").at[("sink.open", 1)] = TransientError("not yet")
    world.faults_of("out").at[("write", 12)] = TransientError("no coordinator")
    summary = Restarts(3, 0.01).run(lambda: world.job(sink))
    assert world.target("out").begun == [0, summary.restored_epoch]
    assert summary.restored_epoch > 0


def test_a_job_without_progress_gives_up(world: Any, make: Any) -> None:
    """P13: the same position again and again is no endless loop; the error tells how often it was tried."""
    scan = world.scan("numbers", make(0, 10))
    sink = world.into(scan, "out", "marked")
    world.faults_of("out").at.update({("write", i): TransientError("no answer") for i in range(1, 100)})
    with pytest.raises(TerminalError, match=r"interrupted 4 times at the same checkpoint.*no answer") as caught:
        Restarts(3, 0.01).run(lambda: world.job(sink))
    assert "state is intact" in caught.value.hint
    assert world.faults_of("out").counts["write"] == 4
    assert ids(world.target("out")) == []


def test_tries_are_counted_from_the_last_checkpoint_on(world: Any, make: Any) -> None:
    """A job that gets somewhere between its interruptions may have any number of them."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 400, 10)))
    world.settings["execution.checkpointing.interval"] = "5 ms"
    world.faults_of("numbers").delay["poll"] = 0.05
    sink = world.into(scan, "out", "marked")
    # each time the checkpoint before this commit is new
    world.faults_of("out").at.update({("commit", i): TransientError("cut") for i in (2, 4, 6)})
    summary = Restarts(1, 0.01).run(lambda: world.job(sink))
    assert ids(world.target("out")) == list(range(400))
    assert "interrupted 3 times" in summary.notes[0]


def test_nothing_else_is_an_interruption(world: Any, make: Any) -> None:
    """A bad row would be as bad again, and without state there is nothing to go on from."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["write", 1] = DataError("too large")
    with pytest.raises(DataError, match="too large"):
        Restarts(3, 0.01).run(lambda: world.job(world.into(scan, "out", "marked")))
    world.faults_of("other").at["write", 1] = TransientError("cut")
    with pytest.raises(InterruptedJobError, match="cut"):
        Restarts(3, 0.01).run(lambda: world.job(world.into(scan, "other"), state=None))


def test_a_stop_ends_the_pause(world: Any, make: Any) -> None:
    """Who stops a job that waits for its target hears at once why it waited."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["write", 1] = TransientError("cut")
    restarts = Restarts(3, 60.0)
    threading.Timer(0.5, restarts.stop).start()
    began = time.monotonic()
    with pytest.raises(InterruptedJobError, match="cut"):
        restarts.run(lambda: world.job(world.into(scan, "out", "marked")))
    assert time.monotonic() - began < 20
