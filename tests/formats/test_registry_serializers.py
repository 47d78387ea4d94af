"""
The serializers of a registry's own client read what is written, and what they write is read: equal values, over generated columns.

The registry is the client's own mock; `test_registry_formats` and `test_avro_confluent` do the same with a real one and fewer values, and
with Protobuf, whose schemas the mock does not give as texts.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from both_ways import options
from hypothesis import assume, given
from test_reference_readers import from_json, quick, tables, to_json

from tailrace.formats import registry
from tailrace.formats.avro.deriving import derived
from tailrace.formats.base import Decoder, Encoder, Rows
from tailrace.formats.confluent import client as clients
from tailrace.formats.json.schema_types import json_schema
from tailrace.schema import DataType, Kind, Schema

base = pytest.importorskip("confluent_kafka.serialization")
sync = pytest.importorskip("confluent_kafka.schema_registry._sync.mock_schema_registry_client")
avro = pytest.importorskip("confluent_kafka.schema_registry.avro")
jsons = pytest.importorskip("confluent_kafka.schema_registry.json_schema")


@pytest.fixture(scope="module")
def mock() -> Iterator[tuple[Any, str]]:
    """A registry within the process, and the address under which formats find it."""
    made = sync.MockSchemaRegistryClient({"url": "mock://tests"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "_client", lambda _: made)
        # where a real registry says which of subject, version and schema is not there, the mock does not
        patch.setattr(clients, "_is_unknown", lambda error: getattr(error, "http_status_code", None) == 404)
        yield made, f"http://{uuid.uuid4()}.mock"


class Topic:
    """A topic of its own, for one format."""

    def __init__(self, name: str, mock: tuple[Any, str], schema: Schema) -> None:
        self.client, self._url = mock
        self.schema = schema
        topic = f"t-{uuid.uuid4()}"
        self.context = base.SerializationContext(topic, base.MessageField.VALUE)
        self._format = registry.get(name).on_topic(topic, key=False)

    @property
    def encoder(self) -> Encoder:
        made = self._format.encoder(self.schema, options(self._format.options, {"url": self._url}))
        made.open()
        return made

    def read(self, rows: list[bytes]) -> pl.DataFrame:
        decoder: Decoder = self._format.decoder(self.schema, options(self._format.options, {"url": self._url}))
        decoded = decoder.decode(Rows.of(list(rows)))
        assert decoded.rejects == []
        return decoded.frame

    def written(self, frame: pl.DataFrame) -> list[bytes]:
        rows = self.encoder.encode(frame)
        return [rows.row(i) or b"" for i in range(len(rows))]


def of_avro(value: Any, kind: DataType) -> Any:
    """Give a value as fastavro has it."""
    if value is None:
        return None
    match kind.kind:
        case Kind.ARRAY:
            return [of_avro(v, kind.children[0]) for v in value]
        case Kind.MAP:
            return {e["key"]: of_avro(e["value"], kind.children[1]) for e in value}
        case Kind.ROW:
            return {n: of_avro(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
        case Kind.TIMESTAMP:
            return value.replace(tzinfo=dt.UTC)
    return value


@quick
@given(table=tables())
def test_avro_both_ways(mock: tuple[Any, str], table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    topic = Topic("avro-confluent", mock, schema)
    expected = [{f.name: of_avro(r[f.name], f.type) for f in schema} for r in frame.to_dicts()]
    deserialize = avro.AvroDeserializer(topic.client)
    assert [deserialize(row, topic.context) for row in topic.written(frame)] == expected
    serialize = avro.AvroSerializer(topic.client, derived(schema))
    assert topic.read([serialize(r, topic.context) for r in expected]).to_dicts() == frame.to_dicts()


@quick
@given(table=tables())
def test_json_both_ways(mock: tuple[Any, str], table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    # the serializer writes JSON by the standard library, which has no decimals
    assume(not any(f.type.holds(Kind.DECIMAL) for f in schema))
    topic = Topic("json-confluent", mock, schema)
    text = json.dumps(json_schema(schema, "Row"))
    deserialize = jsons.JSONDeserializer(text, schema_registry_client=topic.client)
    found = [deserialize(row, topic.context) for row in topic.written(frame)]
    assert [{f.name: from_json(r[f.name], f.type) for f in schema} for r in found] == frame.to_dicts()
    serialize = jsons.JSONSerializer(text, topic.client)
    given_rows = [{f.name: to_json(r[f.name], f.type) for f in schema} for r in frame.to_dicts()]
    assert topic.read([serialize(r, topic.context) for r in given_rows]).to_dicts() == frame.to_dicts()
