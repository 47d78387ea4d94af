"""Partitions that a group gives and takes: nothing is lost, and nothing comes twice that a checkpoint had time to cover."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import kafka_kit as kit
import pytest
import script_kit

from tailrace.connectors.base import Assigned, Block, Limit, Reader, Revoked
from tailrace.connectors.kafka import group
from tailrace.connectors.kafka.client import TopicPartition
from tailrace.errors import ConfigError, TailraceError, TerminalError

PATIENCE = 60.0
SESSION = {"properties.session.timeout.ms": "6000", "properties.heartbeat.interval.ms": "500"}
"""The shortest session that a broker allows by its own default."""


def shared(name: str, **more: str) -> dict[str, str]:
    """Give the options of a table whose partitions the group gives."""
    given = {"tailrace.kafka.assignment": "group", "properties.group.id": name}
    return kit.EARLIEST | SESSION | given | {"properties." + k.replace("_", "."): v for k, v in more.items()}


class Member:
    """A reader that is polled on a thread of its own; each batch is durable as soon as it was given."""

    def __init__(self, bootstrap: str, topic: str, options: dict[str, str]) -> None:
        self.reader: Reader = kit.source(kit.table(bootstrap, topic, options)).open({})
        self.blocks: list[Block] = []
        self.owned: set[str] = set()
        self.error: TailraceError | None = None
        self.durable = True
        self.closed = False
        self._positions: dict[str, object] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                blocks = self.reader.poll(Limit(wait_seconds=0.05))
                for change in self.reader.changes():
                    if isinstance(change, Assigned):
                        self.owned.add(change.partition)
                    elif isinstance(change, Revoked):
                        self.owned.discard(change.partition)
                self.blocks += blocks
                self._positions |= {b.partition: b.position for b in blocks}
                if self.durable:
                    self.reader.acknowledge(dict(self._positions))
        except TailraceError as error:
            self.error = error

    @property
    def ids(self) -> list[int]:
        """The ids of the rows so far."""
        return [json.loads(p or b"{}")["id"] for p in kit.payloads(list(self.blocks))]

    def halt(self) -> None:
        """Poll no more; the membership is not given back."""
        self._over.set()
        self._thread.join(PATIENCE)

    def close(self) -> None:
        """Leave the group."""
        if not self.closed:
            self.halt()
            self.reader.close()
            self.closed = True


@pytest.fixture
def join(kafka: str) -> Iterator[Callable[[str, dict[str, str]], Member]]:
    """Give a function that makes members, which leave at the end."""
    members: list[Member] = []

    def make(topic: str, options: dict[str, str]) -> Member:
        members.append(Member(kafka, topic, options))
        return members[-1]

    yield make
    for member in members:
        member.close()


def until(happened: Callable[[], bool], what: str = "it") -> None:
    """Wait until something has happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


Join = Callable[[str, dict[str, str]], Member]


@pytest.mark.integration
@pytest.mark.parametrize("protocol", ["classic", pytest.param("consumer", marks=pytest.mark.slow)])
def test_members_share_partitions_and_give_them_back(kafka: str, join: Join, protocol: str) -> None:
    """N7: a second member gets half of the partitions just where the first had got to; each row comes once."""
    topic = kit.new_topic(kafka, 4)
    kit.produce(kafka, topic, kit.numbered(400, 4))
    options = shared(topic)
    if protocol == "consumer":  # the broker sets the time-outs
        options = {k: v for k, v in options.items() if k not in SESSION} | {"properties.group.protocol": "consumer"}
    first = join(topic, options)
    until(lambda: len(first.ids) == 400)
    assert first.owned == {f"{topic}-{p}" for p in range(4)}

    second = join(topic, options)
    until(lambda: len(first.owned) == len(second.owned) == 2)
    kit.produce(kafka, topic, kit.numbered(800, 4)[400:])
    until(lambda: len(first.ids) + len(second.ids) == 800)
    assert len(second.ids) == 200

    second.close()
    until(lambda: len(first.owned) == 4)
    kit.produce(kafka, topic, kit.numbered(1000, 4)[800:])
    until(lambda: len(first.ids) + len(second.ids) == 1000)
    assert sorted(first.ids + second.ids) == list(range(1000))
    until(lambda: kit.committed(kafka, topic, topic, 4) == [250] * 4, "the commit")


@pytest.mark.integration
def test_what_is_durable_is_committed_again_before_it_goes(
    kafka: str, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that was on its way when the group moved on is lost; rows that are durable do not come again for that."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, kit.numbered(100, 2))
    commit = group.GroupReader._commit

    def lost_unless_leaving(reader: group.GroupReader, offsets: Mapping[TopicPartition, int]) -> None:
        if reader._giving_back:
            commit(reader, offsets)

    monkeypatch.setattr(group.GroupReader, "_commit", lost_unless_leaving)
    first = join(topic, shared(topic))
    until(lambda: len(first.ids) == 100)
    second = join(topic, shared(topic))
    until(lambda: len(first.owned) == len(second.owned) == 1)
    kit.produce(kafka, topic, kit.numbered(200, 2)[100:])
    until(lambda: len(first.ids) + len(second.ids) >= 200)
    assert sorted(first.ids + second.ids) == list(range(200))


@pytest.mark.integration
def test_rows_that_are_not_durable_hold_a_partition_back(
    kafka: str, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition goes when its rows are durable; where that takes too long it goes all the same, and they come again."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, kit.numbered(100, 2))
    first = join(topic, shared(topic))
    first.durable = False
    until(lambda: len(first.ids) == 100)
    second = join(topic, shared(topic))
    until(lambda: len(first.owned) == 1)
    time.sleep(1)
    assert not second.owned
    assert not second.ids
    first.durable = True
    until(lambda: len(second.owned) == 1)
    kit.produce(kafka, topic, kit.numbered(120, 2)[100:])
    until(lambda: len(first.ids) + len(second.ids) >= 120)
    assert sorted(first.ids + second.ids) == list(range(120))

    third_too = kit.new_topic(kafka, 2)
    kit.produce(kafka, third_too, kit.numbered(100, 2))
    monkeypatch.setattr("tailrace.connectors.kafka.source.LET_GO_SECONDS", 0.5)
    slow = join(third_too, shared(third_too))
    slow.durable = False
    until(lambda: len(slow.ids) == 100)
    other = join(third_too, shared(third_too))
    until(lambda: len(other.ids) == 50)
    assert set(other.ids) < set(slow.ids)


@pytest.mark.integration
def test_a_member_that_is_slow_stays(kafka: str, join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    """N8: rows that can't be taken for longer than `max.poll.interval.ms` cost no partition, and are not lost."""
    monkeypatch.setattr(group, "KEEP_ALIVE_SECONDS", 0.5)
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, kit.numbered(100, 2))
    member = join(topic, shared(topic, max_poll_interval_ms="6000"))
    until(lambda: len(member.ids) == 100)
    member.halt()
    kit.produce(kafka, topic, kit.numbered(200, 2)[100:])
    end = time.monotonic() + 9
    while time.monotonic() < end:
        member.reader.keep_alive()
        time.sleep(0.1)
    assert member.reader.changes() == []
    blocks, changes = kit.poll_until(member.reader, 100)
    assert changes == []
    assert sorted(json.loads(p or b"")["id"] for p in kit.payloads(blocks)) == list(range(100, 200))


@pytest.mark.integration
def test_a_static_member_comes_back_to_its_partitions(kafka: str, join: Join) -> None:
    """With `group.instance.id` a member that is away for less than its session costs the others no rebalance."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, kit.numbered(10, 2))
    one = join(topic, shared(topic, group_instance_id="one"))
    two = join(topic, shared(topic, group_instance_id="two"))
    until(lambda: len(one.owned) == len(two.owned) == 1)
    before = set(one.owned)
    one.close()
    time.sleep(2)
    again = join(topic, shared(topic, group_instance_id="one"))
    until(lambda: again.owned == before)
    assert len(two.owned) == 1

    # another process that takes the name of one that lives: the older one ends, and says why
    join(topic, shared(topic, group_instance_id="two"))
    until(lambda: two.error is not None)
    assert isinstance(two.error, TerminalError)
    assert "properties.group.instance.id" in (two.error.hint or "")


@pytest.mark.integration
@pytest.mark.parametrize("pattern", [False, True], ids=["topic", "pattern"])
def test_new_partitions_and_topics_are_found(kafka: str, join: Join, pattern: bool) -> None:
    """N10: partitions that are added, and topics that begin to match, come to the members of the group."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(10))
    options = shared(topic) | {"scan.topic-partition-discovery.interval": "200 ms"}
    if pattern:
        options |= {"topic": "", "topic-pattern": f"{topic}.*"}
    member = join(topic, options)
    until(lambda: len(member.ids) == 10)
    if pattern:
        more = kit.new_topic(kafka, prefix=topic)
        kit.produce(kafka, more, kit.numbered(20)[10:])
    else:
        kit.add_partitions(kafka, topic, 2)
        kit.produce(kafka, topic, [{**m, "partition": 1} for m in kit.numbered(20)[10:]])
    until(lambda: sorted(member.ids) == list(range(20)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"properties.group.id": ""}, "needs a 'properties.group.id'"),
        ({"scan.bounded.mode": "latest-offset"}, "is for tables that do not end"),
        ({"tailrace.kafka.native": "false"}, "needs 'tailrace.kafka.native' = 'true'"),
    ],
)
def test_what_does_not_go_with_a_group(options: dict[str, str], message: str) -> None:
    """Options that a group leaves no room for are refused before anything runs."""
    with pytest.raises(ConfigError) as error:
        kit.source(kit.table("127.0.0.1:1", "a", shared("g") | options))
    assert message in error.value.message


TABLES = """CREATE TABLE numbers (id BIGINT, name STRING) WITH ({source});
CREATE TABLE copied (id BIGINT) WITH ({sink});
"""


def script(bootstrap: str, topic: str, out: Path, **more: str) -> str:
    """Give a pipeline without state: from a shared topic into a database."""
    table = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": bootstrap, "format": "json"}
    given = ", ".join(f"'{k}' = '{v}'" for k, v in (table | shared(topic, **more)).items())
    sink = f"'connector' = 'sqlite', 'path' = '{out}'"
    return (
        "SET 'execution.checkpointing.interval' = '200 ms';\n"
        + TABLES.format(source=given, sink=sink)
        + "INSERT INTO copied SELECT id FROM numbers WHERE id >= 0;\n"
    )


def rows(*databases: Path) -> Counter[int]:
    """Count the ids in databases."""
    found: Counter[int] = Counter()
    for path in databases:
        if path.exists():
            with closing(sqlite3.connect(path, timeout=30)) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'copied'").fetchall():
                    continue
                found.update(row[0] for row in database.execute("SELECT id FROM copied"))
    return found


@pytest.mark.integration
def test_two_jobs_share_a_topic_while_rows_come(kafka: str, tmp_path: Path) -> None:
    """N7: one joins and leaves in the middle of the stream; with the checkpoints of both, each row is written once."""
    topic = kit.new_topic(kafka, 4)
    enough = threading.Event()
    written = [0]

    def write() -> None:
        while not enough.wait(0.05):
            written[0] += 100
            kit.produce(kafka, topic, kit.numbered(written[0], 4)[-100:])

    writer = threading.Thread(target=write)
    writer.start()
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    try:
        first = script_kit.Running(script(kafka, topic, a), tmp_path / "state-a")
        first.until(lambda: first.read > 500)
        second = script_kit.Running(script(kafka, topic, b), tmp_path / "state-b")
        second.until(lambda: second.read > 500)
        before = first.read
        second.stop()
        first.until(lambda: first.read > before + 500)
    finally:
        enough.set()
        writer.join()
    first.until(lambda: sum(kit.committed(kafka, topic, topic, 4)) == written[0])
    first.stop()
    assert len(rows(b)) > 500
    assert rows(a, b) == Counter(range(written[0]))


class Process:
    """A pipeline by the command line."""

    def __init__(self, folder: Path, sql: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "job.sql").write_text(sql)
        command = [str(Path(sys.executable).with_name("tailrace")), "run", "job.sql", "--state", "state"]
        with (folder / "errors").open("a") as errors:
            self.popen = subprocess.Popen(command, cwd=folder, stdout=errors, stderr=errors)

    def end(self, signal_: int) -> int:
        """Send a signal and wait for the end."""
        self.popen.send_signal(signal_)
        return self.popen.wait(PATIENCE)


@pytest.mark.integration
@pytest.mark.parametrize("fate", [pytest.param("killed", marks=pytest.mark.slow), "stopped"])
def test_the_other_takes_over(kafka: str, tmp_path: Path, fate: str) -> None:
    """P1, P7: a process that is killed, or stopped for longer than its session, costs no row; it joins again after."""
    topic = kit.new_topic(kafka, 4)
    folders = [tmp_path / "a", tmp_path / "b"]
    first, second = (Process(f, script(kafka, topic, f / "out.db")) for f in folders)
    outs = [f / "out.db" for f in folders]
    try:
        numbers = iter(range(0, 100_000, 20))

        def more() -> None:
            at = next(numbers)
            kit.produce(kafka, topic, [{**m, "partition": i % 4} for i, m in enumerate(kit.numbered(at + 20)[at:])])

        def both() -> bool:
            more()
            return all(rows(out) for out in outs)

        until(both)
        first.popen.send_signal(signal.SIGKILL if fate == "killed" else signal.SIGSTOP)
        seen = rows(*outs)
        while sum((now := rows(*outs)).values()) - sum(seen.values()) < 200 or len(now) < len(seen) + 200:
            more()
            time.sleep(0.2)
        if fate == "killed":
            assert first.popen.wait(PATIENCE) == -signal.SIGKILL
            first = Process(folders[0], script(kafka, topic, outs[0]))
        else:
            first.popen.send_signal(signal.SIGCONT)
        share = sum(rows(outs[0]).values())

        def joined() -> bool:
            more()
            return sum(rows(outs[0]).values()) > share + 50

        until(joined, "that it takes rows again")
        total = next(numbers)
        until(lambda: sum(kit.committed(kafka, topic, topic, 4)) == total, "that all rows are durable")
        assert first.end(signal.SIGTERM) == 0, (folders[0] / "errors").read_text()
        assert second.end(signal.SIGTERM) == 0, (folders[1] / "errors").read_text()
        assert set(rows(*outs)) == set(range(total))
    finally:
        for process in (first, second):
            if process.popen.poll() is None:
                os.kill(process.popen.pid, signal.SIGCONT)
                process.end(signal.SIGKILL)


def test_state_is_refused() -> None:
    """A plan that keeps state of shared rows is refused before it runs, with the place of what keeps it."""
    tables = TABLES.format(
        source=", ".join(
            f"'{k}' = '{v}'"
            for k, v in (
                {"connector": "kafka", "topic": "a", "format": "json", "properties.bootstrap.servers": "127.0.0.1:1"}
                | shared("g")
            ).items()
        ),
        sink="'connector' = 'blackhole'",
    )
    for query in ("SELECT MAX(id) FROM numbers GROUP BY name", "SELECT id FROM numbers LIMIT 3"):
        with pytest.raises(ConfigError) as error:
            script_kit.run(tables + f"INSERT INTO copied\n{query};")
        assert "table 'numbers' shares its partitions" in error.value.message
        assert error.value.location is not None
        assert error.value.location.line == 4
