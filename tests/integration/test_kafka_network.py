"""The network between a job and its broker breaks in every way, and each row is in the target once, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import script_kit as kit

from tailrace.testing import FaultProxy

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

ROWS = 100
PARTITIONS = 2
CLIENT = {
    "properties__socket__timeout__ms": "1500",
    "properties__socket__connection__setup__timeout__ms": "1500",
    "properties__reconnect__backoff__max__ms": "200",
}
SINK = CLIENT | {
    "properties__max__block__ms": "4000",
    "properties__delivery__timeout__ms": "4000",
    "sink__delivery_guarantee": "exactly-once",
}
RECOVERY_SECONDS = 20.0
"""So long may it take at most, with the time-outs above, until rows come through again."""


class Copying:
    """A job that copies one topic into another, all through a proxy, with rows that the test writes and reads directly."""

    def __init__(self, kafka: str, proxy: FaultProxy, folder: Path) -> None:
        self.kafka = kafka
        self.source, self.target = (kafka_kit.new_topic(kafka, PARTITIONS) for _ in range(2))
        self.written = 0
        shared = {"connector": "kafka", "properties__bootstrap__servers": proxy.address, "format": "json"}
        read = kit.options(topic=self.source, **shared, **CLIENT, scan__startup__mode="earliest-offset")
        written = kit.options(topic=self.target, **shared, **SINK, key__format="raw", key__fields="k")
        self.script = f"""SET 'execution.checkpointing.interval' = '200 ms';
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

    def is_whole(self) -> bool:
        """Whether each row is there once, and those of a key in order."""
        return self.seen() == [list(range(key, self.written, PARTITIONS)) for key in range(PARTITIONS)]

    def waits(self) -> bool:
        """Whether the job says that it waits for something."""
        status = self.running.status
        return status is not None and any(one.waiting for one in (*status.sources, *status.sinks))

    def comes_through(self) -> None:
        """Wait until everything is there, within the bound."""
        end = time.monotonic() + RECOVERY_SECONDS
        self.running.until(lambda: self.is_whole() or time.monotonic() > end)
        assert self.is_whole(), f"not within {RECOVERY_SECONDS:g} s: {[len(ids) for ids in self.seen()]}"


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
    proxy.slow(0.05, bytes_per_second=4000)
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
        copying.running.until(copying.waits)
        kafka_proxy.heal()
    copying.comes_through()
    kafka_proxy.heal()
    copying.write()
    copying.comes_through()
    copying.running.stop()
    assert copying.is_whole()
    after = kafka_proxy.counts
    assert (after.cut, after.held, after.delayed) > (before.cut, before.held, before.delayed)
