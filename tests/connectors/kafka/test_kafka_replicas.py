"""Processes with state that share a topic by partition: together they give what one gives, through crashes too."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import kafka_kit as kit
import pytest
import script_kit

from tailrace.connectors.base import Limit
from tailrace.errors import ConfigError, TerminalError

PARTITIONS = 4
KEYS = 30
PATIENCE = 90.0


def payments(count: int, seed: int) -> list[Mapping[str, Any]]:
    """Give rows by key, of which the client's own hash chooses the partition, in order of time with some disorder."""
    draw = random.Random(seed)  # noqa: S311
    made: list[Mapping[str, Any]] = []
    for i in range(count):
        key = b"card-%d" % draw.randrange(KEYS)
        second = max(0, i // 20 - draw.randrange(3))
        value = b'{"amount": %d, "ts": "2026-01-01 00:%02d:%02d"}' % (i, second // 60 % 60, second % 60)
        made.append({"key": key, "value": value})
    return made


def script(
    kafka: str, topic: str, out: Path, replica: str = "", *, bounded: bool = False, commits: str = "100 ms"
) -> str:
    """Give a pipeline with three kinds of state by card: windows, a running sum, and the first row."""
    source = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": kafka,
        "value.format": "json",
        "key.format": "raw",
        "key.fields": "card",
        "value.fields-include": "EXCEPT_KEY",
        "scan.startup.mode": "earliest-offset",
        "tailrace.kafka.replica": replica,
        "scan.bounded.mode": "latest-offset" if bounded else "",
    }
    given = ", ".join(f"'{k}' = '{v}'" for k, v in source.items() if v)
    sink = f"'connector' = 'sqlite', 'path' = '{out}'"
    return f"""
SET 'execution.checkpointing.interval' = '{commits}';
CREATE TABLE payments (card STRING, amount BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ({given});
CREATE TABLE windows (card STRING, w TIMESTAMP(3), n BIGINT, total BIGINT) WITH ({sink});
CREATE TABLE sums (card STRING, n BIGINT, total BIGINT, PRIMARY KEY (card) NOT ENFORCED) WITH ({sink});
CREATE TABLE firsts (card STRING, amount BIGINT, PRIMARY KEY (card) NOT ENFORCED) WITH ({sink});
EXECUTE STATEMENT SET BEGIN
INSERT INTO windows SELECT card, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY card, window_start, window_end;
INSERT INTO sums SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;
INSERT INTO firsts SELECT card, amount FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY card ORDER BY ts) AS r FROM payments)
WHERE r = 1;
END;
"""


def results(*databases: Path) -> dict[str, Counter[tuple[object, ...]]]:
    """Give the rows of all tables, over all databases."""
    found = {}
    for name in ("windows", "sums", "firsts"):
        found[name] = Counter[tuple[object, ...]]()
        for path in databases:
            with closing(sqlite3.connect(path, timeout=30)) as database:
                found[name].update(database.execute(f"SELECT * FROM {name}").fetchall())
    return found


@pytest.mark.integration
def test_two_replicas_give_what_one_process_gives(kafka: str, tmp_path: Path) -> None:
    """Windows, sums and first rows by key: the rows of both together are those of one that reads all."""
    topic = kit.new_topic(kafka, PARTITIONS)
    kit.produce(kafka, topic, payments(4000, 1), partitioner="murmur2_random")
    one = tmp_path / "one.db"
    script_kit.run(script(kafka, topic, one, bounded=True))
    parts = [tmp_path / "a.db", tmp_path / "b.db"]
    for number, out in enumerate(parts, 1):
        script_kit.run(script(kafka, topic, out, f"{number}/2", bounded=True))
    assert results(*parts) == results(one)
    counts = [sum(results(out)["sums"].values()) for out in parts]
    assert all(counts), counts
    assert sum(counts) == KEYS


class Process:
    """A replica by the command line; its state is in its folder."""

    def __init__(self, folder: Path, sql: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        (folder / "job.sql").write_text(sql)
        command = [str(Path(sys.executable).with_name("tailrace")), "run", "job.sql", "--state", "state"]
        with (folder / "errors").open("a") as errors:
            self.popen = subprocess.Popen(command, cwd=folder, stdout=errors, stderr=errors)

    def end(self, by: int) -> int:
        """Send a signal and wait for the end."""
        self.popen.send_signal(by)
        return self.popen.wait(PATIENCE)


def total(out: Path) -> int:
    """Give how many rows are in the sums of a database by now."""
    if not out.exists():
        return 0
    with closing(sqlite3.connect(out, timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sums'").fetchall():
            return 0
        found = database.execute("SELECT COALESCE(SUM(n), 0) FROM sums").fetchone()
        return int(found[0])


def until(happened: Callable[[], bool], process: Process) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, (process.folder / "errors").read_text()[-3000:]
        time.sleep(0.05)


@pytest.mark.integration
def test_a_replica_that_is_killed_goes_on_elsewhere(kafka: str, tmp_path: Path) -> None:
    """Killed in the middle, it is started again in another place with its state: its keys go on, and nothing counts twice."""
    topic = kit.new_topic(kafka, PARTITIONS)
    rows = payments(4000, 2)
    kit.produce(kafka, topic, rows[:2000], partitioner="murmur2_random")
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    first = Process(tmp_path / "a", script(kafka, topic, a, "1/2"))
    second = Process(tmp_path / "b", script(kafka, topic, b, "2/2"))
    try:
        until(lambda: total(a) + total(b) == 2000, first)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        before = total(a)
        kit.produce(kafka, topic, rows[2000:], partitioner="murmur2_random")
        until(lambda: total(a) + total(b) >= before + 2000 - before + 500, second)
        assert total(a) == before  # its partitions wait
        moved = tmp_path / "elsewhere"
        (tmp_path / "a").rename(moved)
        first = Process(moved, script(kafka, topic, a, "1/2"))
        until(lambda: total(a) + total(b) == 4000, first)
        for process in (first, second):
            assert process.end(signal.SIGTERM) == 0, (process.folder / "errors").read_text()[-3000:]
    finally:
        for process in (first, second):
            if process.popen.poll() is None:
                process.end(signal.SIGKILL)
    one = tmp_path / "one.db"
    script_kit.run(script(kafka, topic, one, bounded=True))
    together, alone = results(a, b), results(one)
    assert together["sums"] == alone["sums"]
    assert together["firsts"] == alone["firsts"]
    # a stopped replica has put out the windows that its watermark has passed: the last ones are open
    assert together["windows"] <= alone["windows"]
    assert sum(together["windows"].values()) > sum(alone["windows"].values()) * 0.7


def replica(text: str, **more: str) -> dict[str, str]:
    """Give the options of a replica."""
    keyed = {"key.format": "raw", "key.fields": "name", "format": "", "value.format": "json"}
    return kit.EARLIEST | keyed | {"tailrace.kafka.replica": text} | {k.replace("_", "."): v for k, v in more.items()}


@pytest.mark.integration
def test_state_of_another_part(kafka: str) -> None:
    """State is taken up only by the part that it is of: not by another number, another count, or a topic that has grown."""
    topic = kit.new_topic(kafka, 4)
    kit.produce(kafka, topic, [{**m, "key": b"x"} for m in kit.numbered(40, 4)])
    reader = kit.source(kit.table(kafka, topic, replica("1/2"))).open({})
    blocks, _ = kit.poll_until(reader, 20)
    reader.close()
    positions = {b.partition: b.position for b in blocks}
    assert set(positions) == {f"{topic}-0", f"{topic}-2"}
    kit.source(kit.table(kafka, topic, replica("1/2"))).open(positions).close()
    for other in ("2/2", "1/3", ""):
        with pytest.raises(TerminalError, match="the state is of 1/2 of 4 partitions") as error:
            kit.source(kit.table(kafka, topic, replica(other))).open(positions)
        assert "new state" in error.value.hint
    whole = {f"{topic}-0": {"offset": 3}}
    with pytest.raises(TerminalError, match="the state is of all partitions"):
        kit.source(kit.table(kafka, topic, replica("1/2"))).open(whole)

    often = {"scan.topic-partition-discovery.interval": "50 ms"}
    running = kit.source(kit.table(kafka, topic, replica("1/2") | often)).open(positions)
    kit.add_partitions(kafka, topic, 6)
    with pytest.raises(TerminalError, match="this process would read 1/2 of 6 partitions"):
        kit.poll_until(running, 1000)
    running.close()


@pytest.mark.integration
def test_rows_without_a_key_and_too_few_partitions(kafka: str) -> None:
    """A row without a key may be anywhere: it is an error of that row. More processes than partitions are refused."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, [{**m, **({"key": b"x"} if i else {})} for i, m in enumerate(kit.numbered(4, 2))])
    source = kit.source(kit.table(kafka, topic, replica("1/2")))
    assert "of which process 1/2 reads 1" in source.check().message
    reader = source.open({})
    blocks, _ = kit.poll_until(reader, 2)
    reader.poll(Limit())
    reader.close()
    assert [r.code for b in blocks for r in b.rejects] == ["missing"]
    with pytest.raises(ConfigError, match="has 2 partitions, and 3 processes are to share them"):
        kit.source(kit.table(kafka, topic, replica("3/3"))).open({})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tailrace.kafka.replica": "0/2"}, "'1/2' and '2/2'"),
        ({"tailrace.kafka.replica": "3/2"}, "'1/2' and '2/2'"),
        ({"topic": "a;b"}, "is for one topic"),
        ({"tailrace.kafka.assignment": "group", "properties.group.id": "g"}, "don't go together"),
    ],
)
def test_what_does_not_go_with_a_replica(options: dict[str, str], message: str) -> None:
    """Options that leave no room for it are refused before anything runs."""
    with pytest.raises(ConfigError) as error:
        kit.source(kit.table("127.0.0.1:1", "a", replica("1/2") | options))
    assert message in error.value.message


def test_keys_that_are_not_the_partitioning(tmp_path: Path) -> None:
    """Before anything is reached: a group by something else than the key of the messages is refused, with its place."""
    sql = script("127.0.0.1:1", "a", tmp_path / "x.db", "1/2").replace(
        "SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card",
        "SELECT CAST(amount AS STRING), COUNT(*), 1 FROM payments GROUP BY amount",
    )
    with pytest.raises(ConfigError) as error:
        script_kit.run(sql)
    assert "table 'payments' is read by several processes" in error.value.message
    assert "have card among the keys" in error.value.hint
    assert error.value.location is not None
