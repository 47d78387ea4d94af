"""The network between a job and its broker breaks in every way, and each row is in the target once, in order."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import script_kit as kit

from tailrace.connectors.kafka import library
from tailrace.errors import TerminalError
from tailrace.testing import FaultProxy
from tailrace.testing.fault_rules import Direction

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

ROWS = 100
PARTITIONS = 2
START_SECONDS = 4
CLIENT = {
    "properties__socket__timeout__ms": "1500",
    "properties__socket__connection__setup__timeout__ms": "1500",
    "properties__reconnect__backoff__max__ms": "200",
}
SINK = CLIENT | {
    "properties__max__block__ms": "3000",
    "properties__delivery__timeout__ms": "3000",
    "properties__transaction__timeout__ms": "20000",
    "sink__delivery_guarantee": "exactly-once",
}
RECOVERY_SECONDS = 30.0
"""So long may it take at most, with the time-outs above, until rows come through again."""


class Copying:
    """A job that copies one topic into another, all through a proxy, with rows that the test writes and reads directly."""

    def __init__(self, kafka: str, proxy: FaultProxy, folder: Path, **sink: str) -> None:
        self.kafka = kafka
        self.source, self.target = (kafka_kit.new_topic(kafka, PARTITIONS) for _ in range(2))
        self.written = 0
        shared = {"connector": "kafka", "properties__bootstrap__servers": proxy.address, "format": "json"}
        read = kit.options(topic=self.source, **shared, **CLIENT, scan__startup__mode="earliest-offset")
        written = kit.options(topic=self.target, **shared, **(SINK | sink), key__format="raw", key__fields="k")
        self.script = f"""SET 'execution.checkpointing.interval' = '200 ms';
            SET 'tailrace.source.start-limit' = '{START_SECONDS} s';
            CREATE TABLE s (id BIGINT, k STRING) WITH ({read});
            CREATE TABLE t (id BIGINT, k STRING) WITH ({written});
            INSERT INTO t SELECT id, k FROM s;"""
        self.folder = folder
        self.running = kit.Running(self.script, folder)

    def write(self, rows: int = ROWS) -> None:
        """Write more rows; those of a key are in one partition."""
        ids = range(self.written, self.written + rows)
        self.written += rows
        messages = [{"value": f'{{"id": {i}, "k": "{i % PARTITIONS}"}}', "partition": i % PARTITIONS} for i in ids]
        kafka_kit.produce(self.kafka, self.source, messages)

    def seen(self) -> list[list[int]]:
        """Give the ids of each key in the order in which a reader of committed rows sees them."""
        found: list[list[int]] = [[] for _ in range(PARTITIONS)]
        for message in kafka_kit.consume(self.kafka, self.target, settled=False):
            row = json.loads(message.value())
            found[int(row["k"])].append(row["id"])
        return found

    def count(self) -> int:
        """Give how many rows a reader of committed rows sees."""
        return sum(map(len, self.seen()))

    def has_more_than(self, rows: int) -> bool:
        """Whether that many were seen before, and more are now."""
        return self.count() > rows

    def soon(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Wait for something that may not happen; tell whether it has."""
        end = time.monotonic() + seconds
        self.running.until(lambda: happened() or time.monotonic() > end)
        return happened()

    def is_whole(self) -> bool:
        """Whether each row is there once, and those of a key in order."""
        return self.seen() == [list(range(key, self.written, PARTITIONS)) for key in range(PARTITIONS)]

    def comes_through(self) -> None:
        """Wait until everything is there, within the bound."""
        whole = self.soon(self.is_whole, RECOVERY_SECONDS)
        assert whole, f"not within {RECOVERY_SECONDS:g} s: {[len(ids) for ids in self.seen()]}"

    def again(self) -> None:
        """Run the same job on the same state once more."""
        self.running = kit.Running(self.script, self.folder)


@pytest.fixture
def copying(kafka: str, kafka_proxy: FaultProxy, tmp_path: Path) -> Iterator[Copying]:
    """Give a job that has copied its first rows."""
    job = Copying(kafka, kafka_proxy, tmp_path / "state")
    job.write()
    job.comes_through()
    yield job
    kafka_proxy.heal()
    if not job.running.over:
        job.running.stop()


def at_first(monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable[[], object]) -> threading.Event:
    """Let a fault begin just before a function of the client's library is called for the first time from now."""
    lib, begun = library.load(), threading.Event()
    real = getattr(lib, name)

    def call(*arguments: object) -> object:
        if not begun.is_set():
            fault()
            begun.set()
        return real(*arguments)

    monkeypatch.setattr(lib, name, call)
    return begun


def is_cut(proxy: FaultProxy) -> None:
    proxy.cut()
    proxy.cut_after(200, to="server")
    proxy.cut_after(200, to="client")


def is_refused(proxy: FaultProxy) -> None:
    proxy.refuse()
    time.sleep(1)


def is_a_black_hole(proxy: FaultProxy) -> None:
    before = proxy.counts.held
    proxy.black_hole()
    proxy.until(held=before + 1)
    time.sleep(4)


def trickles(proxy: FaultProxy) -> None:
    before = proxy.counts.delayed
    proxy.slow(0.02, bytes_per_second=20000)
    proxy.until(delayed=before + 1)


FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "cut": is_cut,
    "refused": is_refused,
    "black-hole": is_a_black_hole,
    "half-open": FaultProxy.half_open,
    "half-open-client": lambda proxy: proxy.half_open("client"),
    "trickle": trickles,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_n3_a_network_that_breaks(copying: Copying, kafka_proxy: FaultProxy, fault: str) -> None:
    """N3: rows are written before, during and after it; all come through within the bound, and nothing is lost or doubled."""
    before = kafka_proxy.counts
    copying.write()
    FAULTS[fault](kafka_proxy)
    copying.write()
    if fault in {"refused", "black-hole"}:
        copying.running.until(copying.running.waits)
        kafka_proxy.heal()
    copying.comes_through()
    kafka_proxy.heal()
    copying.write()
    copying.comes_through()
    copying.running.stop()
    assert copying.is_whole()
    after = kafka_proxy.counts
    assert (after.cut, after.held, after.delayed) > (before.cut, before.held, before.delayed)


def test_n1_a_broker_that_is_away_at_the_start(kafka: str, kafka_proxy: FaultProxy, tmp_path: Path) -> None:
    """N1: it is waited for within the limit, then the job stops clearly; started again, it goes on as if nothing had been."""
    kafka_proxy.refuse()
    job = Copying(kafka, kafka_proxy, tmp_path / "state")
    job.write()
    began = time.monotonic()
    with pytest.raises(TerminalError, match="refused") as error:
        job.running.finish()
    assert time.monotonic() - began < RECOVERY_SECONDS
    assert kafka_proxy.address in error.value.message
    job.again()
    time.sleep(1)
    assert not job.running.over
    kafka_proxy.heal()
    job.comes_through()
    job.running.stop()
    assert job.is_whole()


@pytest.mark.parametrize(
    ("lost", "known"),
    [
        ("request", "soon"),
        ("answer", "soon"),
        pytest.param("request", "late", marks=pytest.mark.slow),
        ("answer", "late"),
    ],
)
def test_n4_a_commit_whose_end_is_not_known(
    copying: Copying, kafka_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, lost: str, known: str
) -> None:
    """N4: whether it came through or not, and whether it is known soon or after the job gave up, each row is there once."""
    side: Direction = "server" if lost == "request" else "client"
    patience = 2 if lost == "request" else 10  # what came through is seen late on a busy machine
    for _ in range(5):
        held, rows = kafka_proxy.counts.held, copying.count()
        begun = at_first(monkeypatch, "commit_transaction", lambda: kafka_proxy.black_hole(to=side))
        copying.write()
        copying.running.until(begun.is_set)
        kafka_proxy.until(held=held + 1)
        # a checkpoint may come while a part of the rows is read: those of its transaction are seen
        came = copying.soon(partial(copying.has_more_than, rows), patience)
        if lost == "request" or (came and (known == "soon" or copying.soon(copying.running.waits, RECOVERY_SECONDS))):
            break  # else the client connected anew: the request has never left it, or the answer came on the new connection
        kafka_proxy.heal()
        copying.comes_through()
    else:
        pytest.fail("the fault met no commit in five tries")
    assert came == (lost == "answer")  # the rows are committed, and the job does not know it
    if known == "late":
        copying.running.until(copying.running.waits)
        time.sleep(4)  # longer than a step of a transaction is tried
    kafka_proxy.cut()
    kafka_proxy.heal()
    copying.write()
    copying.comes_through()
    copying.running.stop()
    assert copying.is_whole()


def test_n5_a_transaction_that_is_over_before_its_checkpoint(
    kafka: str, kafka_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N5: a transaction that the broker ended meanwhile stops the job clearly; the next run writes its rows, once."""
    short = {"properties__transaction__timeout__ms": "2000", "properties__delivery__timeout__ms": "1500"}
    job = Copying(kafka, kafka_proxy, tmp_path / "state", **short, properties__max__block__ms="10000")
    job.write()
    job.comes_through()
    begun = at_first(monkeypatch, "send_offsets_to_transaction", kafka_proxy.black_hole)
    job.write()
    job.running.until(begun.is_set)
    time.sleep(4)
    assert not job.is_whole()
    kafka_proxy.heal()
    with pytest.raises(TerminalError, match="can't be") as error:
        job.running.finish()
    assert "transaction.timeout.ms" in error.value.hint
    assert not job.is_whole()
    job.again()
    job.comes_through()
    job.running.stop()
    assert job.is_whole()


def test_n7_a_member_that_is_cut_off_in_mid_batch(kafka: str, kafka_proxy: FaultProxy, tmp_path: Path) -> None:
    """N7: the other takes its partitions, and gives them back; no row is lost, only those without a checkpoint come twice."""
    topic = kafka_kit.new_topic(kafka, PARTITIONS)
    shared = CLIENT | {"connector": "kafka", "topic": topic, "format": "json", "scan__startup__mode": "earliest-offset"}
    shared |= {"tailrace__kafka__assignment": "group", "properties__group__id": topic}
    shared |= {"properties__session__timeout__ms": "2000", "properties__heartbeat__interval__ms": "300"}

    def member(name: str, address: str) -> kit.Running:
        read = kit.options(**shared, properties__bootstrap__servers=address)
        written = kit.options(connector="sqlite", path=str(tmp_path / f"{name}.db"))
        return kit.Running(
            f"""SET 'execution.checkpointing.interval' = '200 ms';
            CREATE TABLE s (id BIGINT) WITH ({read}); CREATE TABLE t (id BIGINT) WITH ({written});
            INSERT INTO t SELECT id FROM s;""",
            tmp_path / f"state-{name}",
        )

    def wrote(ids: range) -> None:
        rows = [{"value": f'{{"id": {i}}}', "partition": i % PARTITIONS} for i in ids]
        kafka_kit.produce(kafka, topic, rows)

    def there(*names: str) -> Counter[int]:
        found: Counter[int] = Counter()
        for name in names:
            with closing(sqlite3.connect(tmp_path / f"{name}.db", timeout=30)) as database:
                if database.execute("SELECT 1 FROM sqlite_master WHERE name = 't'").fetchall():
                    found.update(row[0] for row in database.execute("SELECT id FROM t"))
        return found

    far, near = member("far", kafka_proxy.address), member("near", kafka)
    wrote(range(ROWS))
    near.until(lambda: len(there("far", "near")) == ROWS)
    at = ROWS
    while not (there("far").keys() - range(ROWS) and there("near").keys() - range(ROWS)):  # both read
        wrote(range(at, at := at + 2))
        time.sleep(0.1)
        assert at < 100 * ROWS
    near.until(lambda: sum(kafka_kit.committed(kafka, topic, topic, PARTITIONS)) == at)
    before, safe = kafka_proxy.counts.held, at
    kafka_proxy.black_hole()
    wrote(range(at, at := at + ROWS))
    kafka_proxy.until(held=before + 1)
    near.until(lambda: there("far", "near").keys() == set(range(at)))
    kafka_proxy.heal()
    last = at
    while not there("far").keys() - range(last):  # it is a member again
        wrote(range(at, at := at + 2))
        time.sleep(0.1)
        assert at < 100 * ROWS
    far.until(lambda: there("far", "near").keys() == set(range(at)))
    far.stop()
    near.stop()
    assert there("far", "near").keys() == set(range(at))
    assert all(there("far", "near")[i] == 1 for i in range(safe))
