"""A broker that is not there yet, or goes away in the middle, costs a job time and no row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import script_kit as kit

kafka_kit = pytest.importorskip("kafka_kit")
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
    running.until(lambda: any(s.waiting for s in running.status.sources) if running.status else False)
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
