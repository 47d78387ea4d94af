"""A process or a broker that stands still for longer than its time-outs, and then goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import script_kit as kit

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

SCRIPT = """SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE events (id BIGINT) WITH ({events}, 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE once (id BIGINT) WITH ({once}, 'sink.delivery-guarantee' = 'exactly-once');
INSERT INTO once SELECT id FROM events;
"""
ROWS = 400
FREEZE_SECONDS = 8.0
PATIENCE = 60.0


def tables(bootstrap: str, **sink: str) -> tuple[str, dict[str, str]]:
    """Make two topics, the first with rows; give the script and the topics."""
    topics = {name: kafka_kit.new_topic(bootstrap, 2) for name in ("events", "once")}
    kafka_kit.produce(bootstrap, topics["events"], kafka_kit.numbered(ROWS, 2))
    shared = {"connector": "kafka", "properties__bootstrap__servers": bootstrap, "format": "json"}
    return SCRIPT.format(
        events=kit.options(topic=topics["events"], **shared), once=kit.options(topic=topics["once"], **shared, **sink)
    ), topics


def more(bootstrap: str, topics: dict[str, str], start: int) -> None:
    """Write more rows."""
    rows = [{"value": f'{{"id": {i}}}', "partition": i % 2} for i in range(start, start + ROWS)]
    kafka_kit.produce(bootstrap, topics["events"], rows)


def seen(bootstrap: str, topics: dict[str, str]) -> list[int]:
    """Give the ids that a reader of committed rows sees; also while transactions are open."""
    return sorted(json.loads(m.value())["id"] for m in kafka_kit.consume(bootstrap, topics["once"], settled=False))


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def test_a_broker_that_stands_still(own_kafka: tuple[str, Callable[[str], object]], tmp_path: Path) -> None:
    """N3: a broker that answers nothing for longer than the client's time-outs costs time, and no row."""
    bootstrap, _ = own_kafka
    sql, topics = tables(bootstrap)
    sql = sql.replace("'json'", "'json', 'properties.socket.timeout.ms' = '3000'")
    running = kit.Running(sql, tmp_path / "state")
    running.until(lambda: seen(bootstrap, topics) == list(range(ROWS)))
    (pid_file,) = (tmp_path / "services").rglob("pid")
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(FREEZE_SECONDS)
        assert not running.over
    finally:
        os.kill(pid, signal.SIGCONT)
    more(bootstrap, topics, ROWS)
    running.until(lambda: seen(bootstrap, topics) == list(range(2 * ROWS)))
    running.stop()
    assert seen(bootstrap, topics) == list(range(2 * ROWS))


class Process:
    """The script by the command line, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [str(Path(sys.executable).with_name("tailrace")), "run", "job.sql", "--state", "state"]
        self.errors = (folder / "errors").open("a+")
        self.popen = subprocess.Popen(command, cwd=folder, stdout=self.errors, stderr=self.errors)

    def wait(self) -> tuple[int, str]:
        """Wait for the end; give the status and what was said."""
        status = self.popen.wait(PATIENCE)
        self.errors.close()
        return status, (self.folder / "errors").read_text()


@pytest.fixture
def start() -> Iterator[Callable[[Path], Process]]:
    """Give a function that starts processes; none outlives the test."""
    started: list[Process] = []

    def run(folder: Path) -> Process:
        started.append(Process(folder))
        return started[-1]

    yield run
    for process in started:
        if process.popen.poll() is None:
            process.popen.send_signal(signal.SIGCONT)
            process.popen.kill()
            process.popen.wait(PATIENCE)
        process.errors.close()


Start = Callable[[Path], Process]


def test_a_process_whose_place_was_taken(kafka: str, tmp_path: Path, start: Start) -> None:
    """P7, N6: stopped, replaced from a copy of its state, and woken up, it can commit nothing, and ends with the reason."""
    sql, topics = tables(kafka)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    (one / "job.sql").write_text(sql)
    first = start(one)
    until(lambda: seen(kafka, topics) == list(range(ROWS)))
    first.popen.send_signal(signal.SIGSTOP)
    shutil.copytree(one, two)
    second = start(two)
    more(kafka, topics, ROWS)
    until(lambda: seen(kafka, topics) == list(range(2 * ROWS)))
    first.popen.send_signal(signal.SIGCONT)
    status, said = first.wait()
    assert status == 1, said
    assert "Traceback" not in said
    assert "another run of this job has taken over" in said
    second.popen.send_signal(signal.SIGTERM)
    assert second.wait()[0] == 0
    assert seen(kafka, topics) == list(range(2 * ROWS))


def stop_in_transaction(bootstrap: str, topics: dict[str, str], process: subprocess.Popen[bytes]) -> int:
    """Write rows one by one until the process is stopped while a transaction of it is open; give how many there are."""
    for at in range(ROWS, 2 * ROWS):
        kafka_kit.produce(bootstrap, topics["events"], [{"value": f'{{"id": {at}}}', "partition": at % 2}])
        if at % 20 == 19:
            process.send_signal(signal.SIGSTOP)
            written = kafka_kit.consume(bootstrap, topics["once"], "read_uncommitted")
            if len(written) > len(seen(bootstrap, topics)):
                return at + 1
            process.send_signal(signal.SIGCONT)
    pytest.fail("no transaction was open whenever the process was stopped")


@pytest.mark.slow
def test_a_process_that_sleeps_through_its_transaction(kafka: str, tmp_path: Path, start: Start) -> None:
    """P7, N5: a transaction that has expired meanwhile is never taken for committed; the next run writes its rows once."""
    limits = {"properties__transaction__timeout__ms": "4000", "properties__delivery__timeout__ms": "3000"}
    sql, topics = tables(kafka, **limits)
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "job.sql").write_text(sql)
    first = start(folder)
    until(lambda: seen(kafka, topics) == list(range(ROWS)))
    count = stop_in_transaction(kafka, topics, first.popen)
    more(kafka, topics, count)
    time.sleep(20)  # a broker looks for transactions that have expired each ten seconds
    first.popen.send_signal(signal.SIGCONT)
    time.sleep(2)
    if first.popen.poll() is None:
        first.popen.send_signal(signal.SIGTERM)
    status, said = first.wait()
    assert "Traceback" not in said
    assert status == 0 or "error: " in said
    again = start(folder)
    more(kafka, topics, count + ROWS)  # the first run may have written all others
    until(lambda: seen(kafka, topics) == list(range(count + 2 * ROWS)))
    again.popen.send_signal(signal.SIGTERM)
    assert again.wait()[0] == 0
    assert seen(kafka, topics) == list(range(count + 2 * ROWS))
