"""A broker that is not there yet, or goes away in the middle, costs a job time and no row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import script_kit as kit

kafka_kit = pytest.importorskip("kafka_kit")
mock = pytest.importorskip("mock_cluster")
pytestmark = pytest.mark.integration

SCRIPT = """SET 'execution.checkpointing.interval' = '200 ms';
SET 'tailrace.source.start-limit' = '3 min';
CREATE TABLE events (id BIGINT) WITH ({events}, 'scan.startup.mode' = 'earliest-offset'{bounded});
CREATE TABLE once (id BIGINT) WITH ({once}, 'sink.delivery-guarantee' = 'exactly-once');
CREATE TABLE least (id BIGINT) WITH ({least});
EXECUTE STATEMENT SET BEGIN INSERT INTO once SELECT id FROM events; INSERT INTO least SELECT id FROM events; END;
"""
ROWS = 300


def test_a_job_lives_through_restarts_of_its_broker(
    own_kafka: tuple[str, Callable[[str], object]], tmp_path: Path
) -> None:
    """N1, N2: it waits for the broker at its start, goes on when it comes back, and each row is in the topics once."""
    bootstrap, broker = own_kafka
    topics = {name: kafka_kit.new_topic(bootstrap, 2) for name in ("events", "once", "least")}
    kafka_kit.produce(bootstrap, topics["events"], kafka_kit.numbered(ROWS, 2))
    shared = {"connector": "kafka", "properties__bootstrap__servers": bootstrap, "format": "json"}
    shared |= {"properties__reconnect__backoff__max__ms": "500"}
    tables = {name: kit.options(topic=topic, **shared) for name, topic in topics.items()}
    broker("stop")
    running = kit.Running(SCRIPT.format(bounded="", **tables), tmp_path / "state")
    broker("start")
    running.until(lambda: seen(bootstrap, topics["once"]) == list(range(ROWS)))
    broker("stop")
    running.until(running.waits)
    broker("start")
    more = [{"value": f'{{"id": {i}}}', "partition": i % 2} for i in range(ROWS, 2 * ROWS)]
    kafka_kit.produce(bootstrap, topics["events"], more)
    running.until(lambda: seen(bootstrap, topics["once"]) == list(range(2 * ROWS)))
    running.stop()

    assert seen(bootstrap, topics["once"]) == list(range(2 * ROWS))
    assert sorted(set(seen(bootstrap, topics["least"]))) == list(range(2 * ROWS))


def seen(bootstrap: str, topic: str) -> list[int]:
    """Give the ids that a reader of committed rows sees; also while transactions are open."""
    return sorted(json.loads(m.value())["id"] for m in kafka_kit.consume(bootstrap, topic, settled=False))


def test_n2_a_rolling_restart(tmp_path: Path) -> None:
    """N2: the brokers of a cluster are away one by one, twice, while rows come: none is lost, and each key keeps its order."""
    brokers, keys, total = 3, 6, 0
    with mock.mock_cluster(brokers) as cluster:
        shared = {"connector": "kafka", "properties__bootstrap__servers": cluster.bootstrap, "format": "json"}
        shared |= {"properties__reconnect__backoff__max__ms": "200"}
        source, target = cluster.topic("source", keys), cluster.topic("target", keys)
        read = kit.options(topic=source, **shared, scan__startup__mode="earliest-offset")
        written = kit.options(topic=target, **shared, key__format="raw", key__fields="k")
        running = kit.Running(
            f"""SET 'execution.checkpointing.interval' = '200 ms';
            CREATE TABLE s (id BIGINT, k STRING) WITH ({read}); CREATE TABLE t (id BIGINT, k STRING) WITH ({written});
            INSERT INTO t SELECT id, k FROM s;""",
            tmp_path / "state",
        )

        def more() -> None:
            nonlocal total
            rows = [
                {"value": f'{{"id": {i}, "k": "{i % keys}"}}', "partition": i % keys} for i in range(total, total + 60)
            ]
            kafka_kit.produce(cluster.bootstrap, source, rows)
            total += 60

        def by_key() -> list[list[int]]:
            found: list[list[int]] = [[] for _ in range(keys)]
            for message in kafka_kit.consume(cluster.bootstrap, target, "read_uncommitted"):
                row = json.loads(message.value())
                found[int(row["k"])].append(row["id"])
            return found

        def is_whole() -> bool:
            return by_key() == [list(range(key, total, keys)) for key in range(keys)]

        for broker in [*range(1, brokers + 1)] * 2:
            more()
            cluster.down(broker)
            time.sleep(0.5)
            cluster.up(broker)
            more()
        running.until(is_whole)
        running.stop()
        assert is_whole()
