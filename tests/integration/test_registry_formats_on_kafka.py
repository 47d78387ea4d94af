"""Protobuf and JSON of a registry through a real broker: values and keys, and a row that can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest
import script_kit as kit
from protobuf_versions import rows_of_all_versions

from tailrace.connectors.discovery import discover
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import Registry, RegistrySchema
from tailrace.sql.session import Session

kafka_kit = pytest.importorskip("kafka_kit")
pytest.importorskip("confluent_kafka.schema_registry")
pytestmark = pytest.mark.integration

ROWS = "(1, 'a', 1.5), (2, CAST(NULL AS STRING), 2.5), (3, 'c', CAST(NULL AS DOUBLE))"
COLUMNS = "id BIGINT NOT NULL, name STRING, x DOUBLE"


@pytest.mark.parametrize("name", ["protobuf-confluent", "json-confluent"])
def test_written_and_read(name: str, kafka: str, schema_registry: str, tmp_path: Path) -> None:
    topic = kafka_kit.new_topic(kafka)
    options = kit.options(connector="kafka", topic=topic, properties__bootstrap__servers=kafka)
    options += f""", 'value.format' = '{name}', 'value.{name}.url' = '{schema_registry}',
        'key.format' = '{name}', 'key.{name}.url' = '{schema_registry}', 'key.fields' = 'id'"""
    kit.run(
        f"CREATE TABLE t ({COLUMNS}) WITH ({options}); INSERT INTO t VALUES {ROWS};",
        tmp_path / "written",
    )
    client = Registry(Access(schema_registry, retries=0))
    assert (client.versions(f"{topic}-value"), client.versions(f"{topic}-key")) == ([1], [1])
    kafka_kit.produce(kafka, topic, [{"value": b"\0\0\0\0", "key": None}])
    read = f"{options}, 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
    rows, _ = kit.run(
        f"CREATE TABLE t ({COLUMNS}) WITH ({read}, 'tailrace.on-error' = 'drop'); SELECT * FROM t;", tmp_path / "read"
    )
    assert sorted(rows.rows()) == [(1, "a", 1.5), (2, None, 2.5), (3, "c", None)]


def test_six_versions_interleaved(kafka: str, schema_registry: str, tmp_path: Path) -> None:
    """D9: forwards and back in one topic, read by the numbers of fields: none is lost, and columns can come from the registry."""
    topic = kafka_kit.new_topic(kafka)
    rows, expected = rows_of_all_versions(Registry(Access(schema_registry, retries=0)), topic, tmp_path)
    kafka_kit.produce(kafka, topic, [{"value": row} for row in rows])
    options = kit.options(
        connector="kafka",
        topic=topic,
        properties__bootstrap__servers=kafka,
        format="protobuf-confluent",
        scan__startup__mode="earliest-offset",
        scan__bounded__mode="latest-offset",
    )
    options += f", 'protobuf-confluent.url' = '{schema_registry}'"
    found, _ = kit.run(f"CREATE TABLE t (id BIGINT, name STRING, n INT) WITH ({options}); SELECT id, name, n FROM t;")
    assert found.rows() == expected
    session = Session(discover=discover)
    session.bind(f"CREATE TABLE t WITH ({options})", "job.sql")
    kinds = {f.name: f.type.sql() for f in session.tables["t"].physical}
    assert kinds == {"id": "BIGINT", "name": "STRING", "other": "BIGINT", "n": "INT"}


def test_a_schema_that_breaks_the_subject_stops_the_job_before_it_starts(
    kafka: str, schema_registry: str, tmp_path: Path
) -> None:
    import confluent_kafka.schema_registry as api  # noqa: PLC0415  an extra

    from tailrace.errors import ConfigError  # noqa: PLC0415

    topic = kafka_kit.new_topic(kafka)
    text = 'syntax = "proto3"; package tailrace; message Row { string id = 1; }'
    Registry(Access(schema_registry, retries=0)).register(f"{topic}-value", RegistrySchema(text, "PROTOBUF"))
    with api.SchemaRegistryClient({"url": schema_registry}) as theirs:
        theirs.set_compatibility(f"{topic}-value", "FULL")
    options = kit.options(connector="kafka", topic=topic, properties__bootstrap__servers=kafka)
    with pytest.raises(ConfigError, match="would break its compatibility"):
        kit.run(
            f"""CREATE TABLE t ({COLUMNS}) WITH ({options}, 'format' = 'protobuf-confluent',
                'protobuf-confluent.url' = '{schema_registry}');
            INSERT INTO t VALUES {ROWS};""",
            tmp_path / "state",
        )
    assert kafka_kit.consume(kafka, topic) == []
