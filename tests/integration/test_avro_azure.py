"""Avro with Azure's registry (a stub of it) on a real broker: ids in headers, as its Kafka serializers write them, and columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import azure_kit
import pytest
import script_kit as kit
from avro_kit import record, written

import tailrace as tr
from tailrace.connectors.discovery import discover
from tailrace.formats.clouds.registries import AzureRegistry
from tailrace.sql.session import Session

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

OLD = record(("id", "long"))
NEW = record(("id", "long"), {"name": "note", "type": ["null", "string"], "default": None})


def message(number: str, schema: Any, value: Any, key: bytes | None = None) -> dict[str, Any]:
    """Give a message as Azure's serializer for Kafka makes it."""
    headers = [("content-type", f"avro/binary+{number}".encode())]
    return {"value": written(schema, [value])[0], "headers": headers, "key": key}


def options(topic: str, kafka: str, azure: dict[str, str], **more: str) -> str:
    given = {"connector": "kafka", "topic": topic, "properties__bootstrap__servers": kafka, "format": "avro-azure"}
    given |= {"scan__startup__mode": "earliest-offset", "scan__bounded__mode": "latest-offset"}
    given |= {"avro-azure." + k: v for k, v in azure.items()}
    return kit.options(**given | more)


def test_headers_tell_the_schema(kafka: str, tmp_path: Path) -> None:
    """Rows of two writers, old and new, in turn; a bad one stands alone; what we write is in the same form."""
    source, target = kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)
    with azure_kit.running() as azure:
        client = AzureRegistry(azure["url"], "shop", "right", 5)
        old, new = (client.register(source, json.dumps(s)) for s in (OLD, NEW))
        messages = [
            message(old, OLD, {"id": 1}),
            message(new, NEW, {"id": 2, "note": "a"}),
            message(old, OLD, {"id": 3}),
        ]
        kafka_kit.produce(kafka, source, [*messages, message("0" * 32, OLD, {"id": 4}), message(new, NEW, {"id": 5})])
        beside = azure | {"auto.register.schemas": "true", "tailrace.id-location": "header"}
        tolerant = options(source, kafka, azure, **{"tailrace.on-error": "drop"})
        _, summary = kit.run(
            f"""CREATE TABLE t (id BIGINT NOT NULL, note STRING) WITH ({tolerant});
            CREATE TABLE u (id BIGINT NOT NULL, note STRING, headers MAP<STRING, BYTES> METADATA)
            WITH ({options(target, kafka, beside)});
            INSERT INTO u SELECT id, note, MAP['content-type', CAST('text/plain' AS BYTES), 'of', CAST('us' AS BYTES)] FROM t;""",
            tmp_path / "state",
        )
        assert [s.dropped for s in summary.sources] == [{"decode: schema-id": 1}]
        got = kafka_kit.consume(kafka, target)
        registered = AzureRegistry(azure["url"], "shop", "right", 5).latest(target)
        number = client.registered(target, registered or "")
        assert [m.headers()[-1] for m in got] == [("content-type", f"avro/binary+{number}".encode())] * 4
        assert ("of", b"us") in got[0].headers()
        assert [m.value() for m in got] == written(
            json.loads(registered or ""), [{"id": 1}, {"id": 2, "note": "a"}, {"id": 3}, {"id": 5}]
        )
        rows, _ = kit.run(
            f"CREATE TABLE u (id BIGINT, note STRING) WITH ({options(target, kafka, azure)}); SELECT * FROM u;",
            tmp_path / "again",
        )
        assert rows.rows() == [(1, None), (2, "a"), (3, None), (5, None)]


def test_columns_from_the_registry(kafka: str) -> None:
    topic = kafka_kit.new_topic(kafka)
    with azure_kit.running() as azure:
        client = AzureRegistry(azure["url"], "shop", "right", 5)
        for schema in (OLD, NEW):
            client.register(topic, json.dumps(schema))
        session = Session(discover=discover)
        session.bind(f"CREATE TABLE t WITH ({options(topic, kafka, azure)})", "job.sql")
        assert [str(f.type) for f in session.tables["t"].physical] == ["BIGINT NOT NULL", "STRING"]
        more = {f"avro-azure.{k}": azure[k] for k in ("schema.group", "bearer-auth.token")}
        read = tr.read_kafka(topic, bootstrap_servers=kafka, format="avro-azure", registry=azure["url"], options=more)
        assert tuple(read.schema.names) == ("id", "note")
