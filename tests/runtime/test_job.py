"""A job's life: reading, writing, ending, stopping, failing, and going on."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan import nodes
from tailrace.runtime.job import Job
from tailrace.runtime.outlet import Outlet

KINDS = ["flushed", "marked", "staged"]


def ids(target: Any) -> list[int]:
    """Give the ids of a target's rows."""
    return [row[0] for row in target.seen]


def started(job: Job) -> tuple[threading.Thread, list[Any]]:
    """Run a job on a thread; give the thread and where its outcome goes."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(job.run())
        except Exception as error:  # noqa: BLE001  the test looks at it
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["state", None])
def test_a_bounded_job_ends_by_itself(world: Any, make: Any, kind: str, state: str | None) -> None:
    """All rows arrive once and in order, are committed, and the summary counts them; with and without state."""
    scan = world.scan("numbers", make(0, 10), make(10, 25), parts=1)
    summary = world.job(world.into(scan, "out", kind), state=state).run()
    assert ids(world.target("out")) == list(range(25))
    assert (summary.rows_in, summary.rows_out, summary.finished) == (25, 25, True)
    assert summary.peak_memory_bytes > 1 << 20


def test_a_job_without_any_rows_ends(world: Any) -> None:
    """A source without partitions has ended when it was looked at."""
    world.scan("numbers")
    world.feeds["numbers"].partitions.clear()
    scan = nodes.Scan(schema=world.tables["numbers"].schema, table=world.tables["numbers"])
    assert world.job(world.into(scan, "out")).run().rows_in == 0


def test_several_partitions_and_sinks(world: Any, make: Any) -> None:
    """Each sink gets all rows; those of one partition stay in order."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 200, 10)), parts=4)
    world.job(world.into(scan, "a", "marked"), world.into(scan, "b", "staged"), world.into(scan, "c")).run()
    for name in "abc":
        assert sorted(ids(world.target(name))) == list(range(200))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sink_that_is_quick_with_a_barrier(world: Any, make: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """It may have prepared the epoch before the engine's thread goes on; that is no error."""
    mark = Outlet.mark

    def slowly(outlet: Outlet, item: Any) -> None:
        mark(outlet, item)
        time.sleep(0.05)

    monkeypatch.setattr(Outlet, "mark", slowly)
    scan = world.scan("numbers", make(0, 10), make(10, 25), parts=1)
    assert world.job(world.into(scan, "out", kind), state="state").run().finished
    assert ids(world.target("out")) == list(range(25))


def test_staged_sinks_hear_of_the_end(world: Any, make: Any) -> None:
    """`finish` comes once, when the input has ended; not when a job is merely stopped."""
    scan = world.scan("numbers", make(0, 3))
    world.job(world.into(scan, "out", "staged")).run()
    assert world.target("out").finished == 1


def test_a_limit_ends_an_unbounded_job(world: Any, make: Any) -> None:
    """When LIMIT has its rows the job ends, although the source would go on."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 100, 10)), bounded=False)
    limit = nodes.Limit(schema=scan.schema, input=scan, count=25)
    summary = world.job(world.into(limit, "out", "marked")).run()
    assert ids(world.target("out")) == list(range(25))
    assert summary.finished


@pytest.mark.parametrize("kind", KINDS)
def test_stop_puts_through_what_was_read_and_a_restart_goes_on(world: Any, make: Any, kind: str) -> None:
    """A stopped job has committed all that it read; the next run continues behind it, with no row twice."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 1000, 10)), bounded=False)
    sink = world.into(scan, "out", kind)
    world.faults_of("numbers").delay["poll"] = 0.002
    job = world.job(sink)
    thread, outcome = started(job)
    until(lambda: job.status().sources and job.status().sources[0].rows > 50)
    job.stop()
    thread.join(60)
    assert not outcome[0].finished
    read = outcome[0].rows_in
    assert 0 < read < 1000
    assert ids(world.target("out")) == list(range(read))
    world.feeds["numbers"].bounded = True
    assert world.job(sink).run().restored_epoch > 0
    assert ids(world.target("out")) == list(range(1000))


def test_a_job_stopped_before_it_runs_ends_at_once(world: Any, make: Any) -> None:
    """A signal that comes early is not lost."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    job = world.job(world.into(scan, "out"))
    job.stop()
    assert not job.run().finished


def test_a_finished_job_begins_anew(world: Any, make: Any) -> None:
    """The second run of a job whose input had ended reads everything again, as a new job."""
    scan = world.scan("numbers", make(0, 10))
    sink = world.into(scan, "out")
    world.job(sink).run()
    summary = world.job(sink).run()
    assert (summary.restored_epoch, summary.rows_in) == (0, 10)
    assert ids(world.target("out")) == [*range(10), *range(10)]


CALLS = ["write", "prepare", "commit", "committed"]


@pytest.mark.parametrize("kinds", [("marked",), ("staged",), ("staged", "marked"), ("marked", "marked")], ids="-".join)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_death_at_any_call_of_a_sink_loses_and_doubles_nothing(
    world: Any, make: Any, boom: Any, kinds: tuple[str, ...], call: str, count: int
) -> None:
    """Wherever a sink dies, the run after it gives each row exactly once to each sink, in order."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 300, 10)))
    world.faults_of("numbers").delay["poll"] = 0.003
    sinks = [world.into(scan, f"out{i}", kind) for i, kind in enumerate(kinds)]
    world.faults_of("out0").at[call, count] = boom()
    died = False
    try:
        world.job(*sinks).run()
    except boom:
        died = True
    assert died == (world.faults_of("out0").counts.get(call, 0) >= count)
    if died:
        world.job(*sinks).run()
    for i in range(len(kinds)):
        assert ids(world.target(f"out{i}")) == list(range(300))


def test_a_death_while_finishing_is_made_good(world: Any, make: Any, boom: Any) -> None:
    """A job that dies between its last checkpoint and its commit needs only the commit, and then begins anew."""
    world.settings["execution.checkpointing.interval"] = "0"
    scan = world.scan("numbers", make(0, 10))
    sink = world.into(scan, "out", "staged")
    world.faults_of("out").at["commit", 1] = boom()
    with pytest.raises(boom):
        world.job(sink).run()
    assert ids(world.target("out")) == []
    summary = world.job(sink).run()
    assert (summary.finished, summary.rows_in) == (True, 0)
    assert ids(world.target("out")) == list(range(10))
    assert world.job(sink).run().rows_in == 10


def test_a_source_that_is_away_for_a_while_is_waited_for(world: Any, make: Any) -> None:
    """A transient error of a source costs a pause, no row."""
    scan = world.scan("numbers", make(0, 10), make(10, 20))
    world.faults_of("numbers").at.update({("open", 1): TransientError("no answer"), ("poll", 2): TransientError("cut")})
    world.job(world.into(scan, "out")).run()
    assert ids(world.target("out")) == list(range(20))


def test_a_source_that_stays_away_stops_the_job(world: Any, make: Any) -> None:
    """Tries end; the error says how long, how often, and that the state is intact."""
    world.settings["tailrace.source.start-limit"] = "200 ms"
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("numbers").at.update({("open", i): TransientError("no answer") for i in range(1, 50)})
    with pytest.raises(TerminalError, match=r"source 'numbers' has been away for .* tries\): no answer"):
        world.job(world.into(scan, "out")).run()


@pytest.mark.parametrize("kind", KINDS)
def test_a_sink_that_is_away_at_the_start_is_waited_for(world: Any, make: Any, kind: str) -> None:
    """A target that is not ready yet costs a pause; one that stays away stops the job before anything is read."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["sink.open", 1] = TransientError("no coordinator yet")
    world.job(world.into(scan, "out", kind)).run()
    assert ids(world.target("out")) == list(range(10))

    world.settings["tailrace.source.start-limit"] = "200 ms"
    world.faults_of("away").at.update({("sink.open", i): TransientError("no answer") for i in range(1, 50)})
    with pytest.raises(TerminalError, match=r"sink 'sink-away' has been away for .* tries\): no answer"):
        world.job(world.into(scan, "away", kind), state="other").run()
    assert len(world.feeds["numbers"].opened_at) == 1


def test_a_sink_that_is_away_at_commit_is_waited_for(world: Any, make: Any) -> None:
    """A staged commit may be done again, so it is."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["commit", 1] = TransientError("no answer")
    world.job(world.into(scan, "out", "staged")).run()
    assert ids(world.target("out")) == list(range(10))


def test_a_transient_error_of_a_write_stops_the_job_clearly(world: Any, make: Any) -> None:
    """A write is not done again by the runtime: nobody knows what of it arrived."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["write", 1] = TransientError("no answer")
    with pytest.raises(TerminalError, match="no answer") as caught:
        world.job(world.into(scan, "out")).run()
    assert "state is intact" in caught.value.hint


@pytest.mark.parametrize("call", ["open", "poll"])
def test_an_error_of_a_source_comes_out_as_it_was(world: Any, make: Any, call: str) -> None:
    """The job ends with the source's own error, and its other threads end too."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    world.faults_of("numbers").at[call, 1] = ConfigError("no such topic")
    with pytest.raises(ConfigError, match="no such topic"):
        world.job(world.into(scan, "out")).run()


def test_an_error_in_opening_a_sink_comes_before_anything_is_read(world: Any, make: Any) -> None:
    """Sinks are opened first; a wrong one costs no row."""
    scan = world.scan("numbers", make(0, 10))
    world.faults_of("out").at["sink.open", 1] = ConfigError("wrong password")
    with pytest.raises(ConfigError, match="wrong password"):
        world.job(world.into(scan, "out")).run()
    assert world.feeds["numbers"].opened_at == []


def test_a_slow_sink_slows_the_source(world: Any, make: Any) -> None:
    """Queues are bounded: a source does not run ahead of a sink that takes its time."""
    world.settings.update({"tailrace.source.queue-size": "1 kb", "tailrace.sink.queue-size": "1 kb"})
    world.settings["tailrace.tick.rows"] = "100"
    scan = world.scan("numbers", *(make(i, i + 100) for i in range(0, 5000, 100)), bounded=False)
    world.faults_of("out").delay["write"] = 0.05
    job = world.job(world.into(scan, "out"))
    thread, _ = started(job)
    until(lambda: job.status().sinks and job.status().sinks[0].rows >= 300)
    status = job.status()
    assert status.sources[0].rows <= status.sinks[0].rows + 1000
    assert status.sinks[0].waited > 0
    job.stop()
    thread.join(60)


def test_a_quiet_job_uses_no_processor(world: Any) -> None:
    """Without rows nothing spins; only the source's own polls go on."""
    scan = world.scan("numbers", bounded=False)
    job = world.job(world.into(scan, "out"))
    thread, _ = started(job)
    until(lambda: job.status().state == "running")
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.5)
    used = time.process_time() - before
    job.stop()
    thread.join(60)
    assert used < 0.25  # of half a second, which a thread that spins would take


def test_sources_hear_what_is_durable(world: Any, make: Any) -> None:
    """Positions are told to the source only when their epoch is complete."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 100, 10)), bounded=False)
    world.faults_of("numbers").delay["poll"] = 0.005
    job = world.job(world.into(scan, "out", "marked"))
    thread, _ = started(job)
    until(lambda: {"0": 10} in world.feeds["numbers"].acknowledged)
    assert ids(world.target("out")) == list(range(100))
    job.stop()
    thread.join(60)


def test_positions_are_those_of_the_restored_checkpoint(world: Any, make: Any, boom: Any) -> None:
    """A restart reads on behind the last row that the checkpoint has."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 300, 10)))
    world.faults_of("numbers").delay["poll"] = 0.02
    sink = world.into(scan, "out", "marked")
    world.faults_of("out").at["commit", 3] = boom()
    with pytest.raises(boom):
        world.job(sink).run()
    seen = len(world.target("out").seen)
    world.job(sink).run()
    assert world.feeds["numbers"].opened_at == [{}, {"0": seen // 10}]


def test_status_tells_what_goes_on(world: Any, make: Any) -> None:
    """Rows, sinks, state and the last checkpoint can be read while the job runs."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    job = world.job(world.into(scan, "out", "marked"))
    assert job.status().state == "starting"
    thread, _ = started(job)
    until(lambda: job.status().checkpoint.epoch > 0)
    status = job.status()
    assert (status.state, status.sources[0].table, status.sources[0].rows) == ("running", "numbers", 10)
    assert (status.sinks[0].table, status.sinks[0].rows, status.checkpoint.bytes > 0) == ("out", 10, True)
    job.stop()
    thread.join(60)
    assert job.status().state == "stopped"


def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_taken(world: Any, make: Any) -> None:
    """At-least-once output goes on from the older checkpoint, and the summary says what is read again."""
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 200, 10)), bounded=False)
    sink = world.into(scan, "out")
    world.faults_of("numbers").delay["poll"] = 0.01
    job = world.job(sink)
    thread, _ = started(job)
    until(lambda: job.status().checkpoint.epoch > 3)
    job.stop()
    thread.join(60)
    newest = max((world.folder / "state" / "checkpoints").glob("*.manifest"))
    newest.write_bytes(newest.read_bytes()[:-20])
    world.feeds["numbers"].bounded = True
    summary = world.job(sink).run()
    assert "is damaged" in summary.notes[0]
    assert "will be read again" in summary.notes[1]
    assert set(ids(world.target("out"))) == set(range(200))


def test_a_damaged_checkpoint_that_a_target_has_committed_stops_the_job(world: Any, make: Any) -> None:
    """Going back would give rows twice to an exactly-once target, so the job says so and does not start."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    sink = world.into(scan, "out", "marked")
    job = world.job(sink)
    thread, _ = started(job)
    until(lambda: job.status().checkpoint.epoch > 0)
    job.stop()
    thread.join(60)
    newest = max((world.folder / "state" / "checkpoints").glob("*.manifest"))
    newest.write_bytes(b"")
    with pytest.raises(TerminalError, match="is damaged"):
        world.job(sink).run()


def test_a_changed_pipeline_does_not_take_old_state(world: Any, make: Any) -> None:
    """Another sink is another pipeline; the flag drops what does not match and keeps the positions."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    job = world.job(world.into(scan, "out"))
    thread, _ = started(job)
    until(lambda: job.status().checkpoint.epoch > 0)
    job.stop()
    thread.join(60)
    world.feeds["numbers"].bounded = True
    changed = [world.into(scan, "out"), world.into(scan, "more", "marked")]
    with pytest.raises(ConfigError, match="sink-more: is new"):
        world.job(*changed).run()
    world.job(*changed, allow_state_drop=True).run()
    assert world.feeds["numbers"].opened_at[-1] == {"0": 1}


def test_two_jobs_on_one_folder_the_second_is_refused(world: Any, make: Any) -> None:
    """The folder is locked for the whole run."""
    scan = world.scan("numbers", make(0, 10), bounded=False)
    sink = world.into(scan, "out")
    job = world.job(sink)
    thread, _ = started(job)
    until(lambda: job.status().state == "running")
    with pytest.raises(ConfigError, match="is in use by process"):
        world.job(sink).run()
    job.stop()
    thread.join(60)


def test_stop_may_come_from_a_signal_handler(world: Any, make: Any) -> None:
    """A signal that interrupts the engine's own thread, wherever it is, stops the job in good order."""
    before = signal.signal(signal.SIGALRM, lambda *_: job.stop())
    try:
        for wait in (0.01, 0.03, 0.05, 0.1, 0.2):
            scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 100, 10)), bounded=False)
            job = world.job(world.into(scan, "out"), state=f"state-{wait}")
            signal.setitimer(signal.ITIMER_REAL, wait)
            assert not job.run().finished
    finally:
        signal.signal(signal.SIGALRM, before)


def test_partitions_that_are_lost_are_forgotten(world: Any, make: Any) -> None:
    """Rows that came before a partition was revoked go through; its position is no longer in checkpoints."""
    scan = world.scan("numbers", make(0, 10), make(100, 110), parts=2, bounded=False)
    world.feeds["numbers"].revoke_after = {"1": 1}
    job = world.job(world.into(scan, "out", "marked"))
    thread, _ = started(job)
    until(lambda: {"0": 1} in world.feeds["numbers"].acknowledged)
    job.stop()
    thread.join(60)
    assert sorted(ids(world.target("out"))) == [*range(10), *range(100, 110)]


def test_starting_and_stopping_leaks_nothing(world: Any, make: Any) -> None:
    """Twenty jobs leave no threads and no open files behind."""
    scan = world.scan("numbers", make(0, 10))
    sink = world.into(scan, "out", "staged")
    world.job(sink).run()
    threads, files = set(threading.enumerate()), sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        world.job(sink).run()
    assert set(threading.enumerate()) <= threads
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) <= files


def test_a_job_that_does_not_stop_gives_up(world: Any, make: Any) -> None:
    """P6: a sink that takes nothing any more holds a stopped job up for its limit, and no longer."""
    world.settings.update({"tailrace.stop.limit": "300 ms", "tailrace.sink.queue-size": "1 kb"})
    scan = world.scan("numbers", *(make(i, i + 100) for i in range(0, 1000, 100)), bounded=False)
    held = threading.Event()
    world.faults_of("out").hold["write"] = held
    job = world.job(world.into(scan, "out", "marked"))
    thread, outcome = started(job)
    until(lambda: world.faults_of("out").counts.get("write", 0) > 0)
    job.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(outcome[0], TerminalError)
    assert "was stopped and not done after 0.3 s: 'sink-out' did not take all rows" in str(outcome[0])
    assert "goes on from the last checkpoint" in outcome[0].hint
    held.set()
    until(lambda: not any(t.name == "tailrace-sink-sink-out" for t in threading.enumerate()))
    world.feeds["numbers"].bounded = True
    world.job(world.into(scan, "out", "marked")).run()
    assert ids(world.target("out")) == list(range(1000))


def test_a_column_to_be_hidden_must_be_there(world: Any, make: Any) -> None:
    """A mistyped name would show what was meant to be hidden."""
    world.settings["tailrace.redact"] = "nam"
    scan = world.scan("numbers", make(0, 10))
    with pytest.raises(ConfigError, match=r"'tailrace\.redact' names 'nam', which no table has") as caught:
        world.job(world.into(scan, "out")).run()
    assert "'name'" in caught.value.hint


def test_questions_to_a_running_job(world: Any, make: Any) -> None:
    """A job that runs can be asked; rows of an operator are there once somebody has looked, without what is to be hidden."""
    world.settings["tailrace.redact"] = "name"
    scan = world.scan("numbers", *(make(i, i + 1) for i in range(2_000)), bounded=False)
    world.faults_of("numbers").delay["poll"] = 0.01
    job = world.job(world.into(scan, "out"))
    assert job.inspection is None
    thread, outcome = started(job)
    try:
        until(lambda: job.inspection is not None)
        inspection = job.inspection
        assert inspection is not None
        assert inspection.sample("nothing") is None
        until(lambda: inspection.sample("scan-numbers").frame is not None)
        sample = inspection.sample("scan-numbers")
        assert sample is not None
        assert sample.hidden == {"name"}
        assert sample.columns == ("id", "name")
        until(lambda: inspection.windows() == ([], {}))
    finally:
        job.stop()
        thread.join(20)
    assert outcome[0].finished is False
    with pytest.raises(TransientError, match="ended"):
        inspection.windows()
