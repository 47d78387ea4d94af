"""A broker that has just started: it knows no coordinators yet, or still loads them. That passes, and is waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import kafka_kit as kit
import pytest
from mock_cluster import MockCluster, Request, mock_cluster

from tailrace.connectors.kafka.failures import Code
from tailrace.errors import TerminalError
from tailrace.plan.rewrite import optimize
from tailrace.runtime.job import Job
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert

ROWS = 50
TIMED_OUT, LOADING, NOT_AVAILABLE, NOT_COORDINATOR = 7, 14, 15, 16

SCRIPT = """
SET 'tailrace.source.start-limit' = '{limit}';
CREATE TABLE numbers (id BIGINT, name STRING) WITH (
  'connector' = 'kafka', 'topic' = 'numbers', 'properties.bootstrap.servers' = '{bootstrap}', 'format' = 'json',
  'scan.startup.mode' = 'group-offsets', 'properties.group.id' = 'readers', 'properties.auto.offset.reset' = 'earliest',
  'scan.bounded.mode' = 'latest-offset');
CREATE TABLE copies (id BIGINT, name STRING) WITH (
  'connector' = 'kafka', 'topic' = 'copies', 'properties.bootstrap.servers' = '{bootstrap}', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once');
INSERT INTO copies SELECT id, name FROM numbers;
"""


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    """Give a cluster with an empty topic and one with rows."""
    with mock_cluster() as made:
        made.topic("copies", 2)
        kit.produce(made.bootstrap, made.topic("numbers", 2), kit.numbered(ROWS, 2))
        yield made


def job(cluster: MockCluster, folder: Path, limit: str = "20 s") -> Job:
    """Make the job that copies one topic to another."""
    session = Session()
    statements = session.bind(SCRIPT.format(bootstrap=cluster.bootstrap, limit=limit), "copy.sql")
    sinks = tuple(sink for s in statements if isinstance(s, Insert) for sink in s.sinks)
    return Job("copy", optimize(sinks), session.settings, state=folder / "state", tables=session.tables)


def copied(cluster: MockCluster) -> list[int]:
    """Give the ids in the second topic."""
    messages = kit.consume(cluster.bootstrap, "copies", "read_uncommitted")
    return sorted(json.loads(m.value())["id"] for m in messages)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request.OFFSET_FETCH, TIMED_OUT),
        (Request.OFFSET_FETCH, LOADING),
        (Request.OFFSET_FETCH, NOT_AVAILABLE),
        (Request.OFFSET_FETCH, NOT_COORDINATOR),
        (Request.OFFSET_FETCH, Code.TRANSPORT),
        (Request.FIND_COORDINATOR, NOT_AVAILABLE),
        (Request.INIT_PRODUCER_ID, LOADING),
        (Request.INIT_PRODUCER_ID, NOT_COORDINATOR),
        (Request.TRANSACTION_OFFSETS, NOT_COORDINATOR),
        (Request.END_TRANSACTION, LOADING),
        (Request.END_TRANSACTION, NOT_COORDINATOR),
    ],
)
def test_what_passes_is_waited_for(cluster: MockCluster, tmp_path: Path, request_: Request, code: int) -> None:
    """Whichever request meets a broker that is not ready: the job starts a little later, and each row comes once."""
    cluster.fail(request_, code, 3)
    assert job(cluster, tmp_path).run().finished
    assert copied(cluster) == list(range(ROWS))


def test_what_does_not_pass_ends_the_start(cluster: MockCluster, tmp_path: Path) -> None:
    """The error says what was away, for how long, and why; nothing was written."""
    cluster.fail(Request.OFFSET_FETCH, NOT_COORDINATOR, 1000)
    with pytest.raises(TerminalError, match=r"sink '.*' has been away for .* tries\): .*Not coordinator"):
        job(cluster, tmp_path, "1 s").run()
    assert copied(cluster) == []
