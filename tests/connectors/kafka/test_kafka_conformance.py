"""Topics of Kafka through the conformance suites."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import kafka_kit as kit
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from json_values import from_json, to_json

from tailrace.testing.connectors import SinkConformance, SourceConformance, System

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Kafka(System):
    """The broker of the session, with a topic for each table."""

    connector = "kafka"
    title = "Apache Kafka"
    remote = True
    timed = 1_000_000

    @pytest.fixture(autouse=True)
    def _broker(self, kafka: str) -> None:
        self.bootstrap = kafka

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        servers = {"properties.bootstrap.servers": at or self.bootstrap}
        return {"connector": self.connector, "topic": table, "format": "json"} | servers

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        self._make(table, {})

    def _make(self, table: str, config: dict[str, str]) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for made in admin.create_topics([NewTopic(table, 2, 1, config=config)]).values():
            made.result(30)
        while any(p.error or p.leader < 0 for p in admin.list_topics(table, 10).topics[table].partitions.values()):
            time.sleep(0.02)

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        kit.produce(
            self.bootstrap, table, [{"value": to_json(columns, r), "partition": i % 2} for i, r in enumerate(rows)]
        )

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return [from_json(columns, m.value()) for m in kit.consume(self.bootstrap, table)]

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "acks": "all"})
        for row in rows:
            producer.produce(table, to_json({"id": "BIGINT", "name": "STRING"}, row).encode())
            producer.poll(0)
        assert producer.flush(30) == 0

    def version(self) -> str:
        return "4.4.0"

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def wrong_login(self, table: str) -> dict[str, str]:
        host, _, port = self.bootstrap.rpartition(":")
        login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "tailrace"}
        login |= {"sasl.password": "wrong-secret"}
        return self.options(table, f"{host}:{int(port) + 1}") | {f"properties.{k}": v for k, v in login.items()}

    def make_refusing(self, table: str) -> dict[str, Any]:
        self._make(table, {"max.message.bytes": "2000"})
        return {"name": "x" * 5000}


class TestKafkaSource(Kafka, SourceConformance):
    """A topic, read to its end or for ever."""

    endless = True

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        end = {} if endless else {"scan.bounded.mode": "latest-offset"}
        return self.options(table, at) | {"scan.startup.mode": "earliest-offset"} | end

    def read_plainly(self, table: str, count: int) -> None:
        given = {"bootstrap.servers": self.bootstrap, "group.id": table, "auto.offset.reset": "earliest"}
        consumer = Consumer(given | {"enable.auto.commit": False})
        consumer.subscribe([table])
        read = 0
        while read < count:
            message = consumer.poll(10)
            assert message is not None
            read += json.loads(message.value())["id"] > 0
        consumer.close()

    def put_unreadable(self, table: str) -> None:
        kit.produce(self.bootstrap, table, [{"value": b"no json"}])


class TestKafkaSink(Kafka, SinkConformance):
    """Rows are seen at once."""

    guarantee = "at-least-once"


class TestKafkaTransactions(Kafka, SinkConformance):
    """Rows are seen with their checkpoint."""

    part = "transactions"
    guarantee = "exactly-once"

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        return super().options(table, at) | {"sink.delivery-guarantee": "exactly-once"}


class TestUpsertKafkaSink(Kafka, SinkConformance):
    """What stands at a key is its last message; a tombstone takes it away."""

    connector = "upsert-kafka"
    guarantee = "at-least-once"
    keyed = upserts = True

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        formats = {"key.format": "json", "value.format": "json"}
        given = {k: v for k, v in super().options(table, at).items() if k != "format"}
        return given | formats

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        found: dict[Any, dict[str, Any]] = {}
        for message in kit.consume(self.bootstrap, table):
            key = json.dumps(json.loads(message.key()))
            if message.value() is None:
                found.pop(key, None)
            else:
                found[key] = from_json(columns, message.value())
        return list(found.values())
