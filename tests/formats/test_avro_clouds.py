"""Avro with the schemas of AWS Glue's registry (moto's server) and of Azure's (a stub of its HTTP API, as its reference says it)."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import azure_kit
import botocore.session
import numpy as np
import polars as pl
import pytest
from avro_kit import written as by_fastavro
from both_ways import options
from moto.server import ThreadedMotoServer

from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.formats import registry
from tailrace.formats.avro.deriving import derived
from tailrace.formats.base import HEADERS, Decoded, FoundColumns, Rows
from tailrace.formats.clouds.named import AzureFraming, GlueFraming
from tailrace.formats.clouds.registries import AzureRegistry
from tailrace.formats.confluent.client import IncompatibleSchemaError
from tailrace.schema import BIGINT, STRING, Field, Schema

SCHEMA = Schema((Field("id", BIGINT), Field("name", STRING)))
FRAME = pl.DataFrame({"id": [1, 2, None], "name": ["a", None, "c"]})
OLD = {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}


def row_list(rows: Rows) -> list[bytes | None]:
    return [rows.row(n) for n in range(len(rows))]


def made(name: str, topic: str, given: dict[str, str]) -> tuple[Any, Any]:
    """Give a format on a topic, and its options."""
    found = registry.get(name).on_topic(topic, key=False)
    return found, options(found.options, given)


def read(name: str, given: dict[str, str], rows: list[bytes | None]) -> Decoded:
    found, values = made(name, "t", given)
    decoded: Decoded = found.decoder(SCHEMA, values).decode(Rows.of(rows))
    return decoded


def encoder(name: str, topic: str, given: dict[str, str], schema: Schema = SCHEMA) -> Any:
    found, values = made(name, topic, given)
    return found.encoder(schema, values)


@pytest.fixture(scope="module")
def glue() -> Iterator[dict[str, str]]:
    """The options that lead to moto's server, in which the registry is already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client_of(endpoint).create_registry(RegistryName="shop")
        yield {"aws.region": "eu-central-1", "aws.endpoint": endpoint, "registry.name": "shop"}
        # what moto keeps belongs to the process, and a worker may come back to this module
        client_of(endpoint).delete_registry(RegistryId={"RegistryName": "shop"})
        server.stop()


def client_of(endpoint: str) -> Any:
    """Give AWS's own client."""
    return botocore.session.get_session().create_client("glue", region_name="eu-central-1", endpoint_url=endpoint)


REGISTER = {"schema.autoRegistration": "true"}


@pytest.mark.parametrize("compression", ["NONE", "ZLIB"])
def test_glue_writes_and_reads(glue: dict[str, str], compression: str) -> None:
    topic = f"t-{uuid.uuid4()}"
    given = glue | REGISTER | {"schema.compression": compression}
    sink = encoder("avro-glue", topic, given)
    assert sink.check() == f"the AWS Glue registry 'shop' in eu-central-1: schema '{topic}', to be registered"
    sink.open()
    rows = row_list(sink.encode(FRAME))
    found = client_of(glue["aws.endpoint"]).get_schema_by_definition(
        SchemaId={"RegistryName": "shop", "SchemaName": topic}, SchemaDefinition=derived(SCHEMA)
    )["SchemaVersionId"]
    assert sink.check().endswith(f", {found}")
    first = rows[0] or b""
    assert first[:18] == bytes([3, 5 if compression == "ZLIB" else 0]) + uuid.UUID(found).bytes
    plain = zlib.decompress(first[18:]) if compression == "ZLIB" else first[18:]
    assert plain == by_fastavro(json.loads(derived(SCHEMA)), [{"id": 1, "name": "a"}])[0]
    assert read("avro-glue", glue, rows).frame.equals(FRAME)


def test_glue_reads_old_and_new_rows_beside_each_other(glue: dict[str, str]) -> None:
    topic = f"t-{uuid.uuid4()}"
    client = client_of(glue["aws.endpoint"])
    old = client.create_schema(
        RegistryId={"RegistryName": "shop"}, SchemaName=topic, DataFormat="AVRO", Compatibility="NONE",
        SchemaDefinition=json.dumps(OLD),
    )["SchemaVersionId"]  # fmt: skip
    sink = encoder("avro-glue", topic, glue | REGISTER)
    sink.open()
    before = b"\x03\x00" + uuid.UUID(old).bytes + by_fastavro(OLD, [{"id": 9}])[0]
    packed = b"\x03\x05" + uuid.UUID(old).bytes + zlib.compress(by_fastavro(OLD, [{"id": 8}])[0])
    new = row_list(sink.encode(FRAME))
    decoded = read("avro-glue", glue, [new[0], before, new[1], packed, new[2]])
    assert decoded.frame["id"].to_list() == [1, 9, 2, 8, None]
    assert decoded.rejects == []


def test_glue_takes_no_schema_that_is_not_registered(glue: dict[str, str]) -> None:
    sink = encoder("avro-glue", "never", glue)
    for call in (sink.check, sink.open):
        with pytest.raises(ConfigError, match="the table's schema is not registered as 'never'"):
            call()


def test_glue_odd_rows_stand_alone(glue: dict[str, str]) -> None:
    sink = encoder("avro-glue", f"t-{uuid.uuid4()}", glue | REGISTER)
    sink.open()
    good = row_list(sink.encode(FRAME))[0]
    assert good is not None
    unknown = b"\x03\x00" + uuid.uuid4().bytes + b"\0"
    rows = [
        good,
        None,
        b"",
        b"\x03",
        b"\0\0\0\0\1x",
        good[:-1],
        unknown,
        b"\x03\x05" + good[2:],
        b"\x03\x07" + good[2:],
    ]
    decoded = read("avro-glue", glue, [*rows, good])
    assert [(r.row, r.code) for r in decoded.rejects] == [
        (1, "tombstone"), (2, "empty"), (3, "header"), (4, "header"), (5, "syntax"), (6, "schema-id"), (7, "syntax"),
        (8, "header"),
    ]  # fmt: skip
    assert decoded.frame["id"].to_list() == [1, 1]


def test_glue_that_is_away_is_no_bad_row() -> None:
    given = {"aws.region": "eu-central-1", "aws.endpoint": "http://127.0.0.1:9", "tailrace.timeout": "1 s"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with pytest.raises(TransientError, match="can't be reached"):
            read("avro-glue", given, [b"\x03\x00" + uuid.uuid4().bytes + b"\0"])


@pytest.fixture
def azure() -> Iterator[dict[str, str]]:
    """The options that lead to a stub of Azure's registry."""
    with azure_kit.running() as given:
        yield given


def test_azure_writes_and_reads(azure: dict[str, str]) -> None:
    sink = encoder("avro-azure", "orders", azure | {"auto.register.schemas": "true"})
    assert sink.check() == "the Azure schema registry 127.0.0.1: schema 'orders', to be registered"
    sink.open()
    number = sink.check().rpartition(", ")[2]
    rows = row_list(sink.encode(FRAME))
    payload = by_fastavro(json.loads(derived(SCHEMA)), [{"id": 1, "name": "a"}])[0]
    assert rows[0] == b"\0\0\0\0" + number.encode() + payload
    assert read("avro-azure", azure, rows).frame.equals(FRAME)


def azure_header(text: str, name: str = "content-type") -> dict[str, Any]:
    return {"key": name, "value": text.encode()}


def test_azure_ids_in_headers(azure: dict[str, str]) -> None:
    """What Azure's Kafka serializers write: the id in a header, and the row is the record alone; beside rows of the other form."""
    client = AzureRegistry(azure["url"], "shop", "right", 5)
    old, new = client.register("orders", json.dumps(OLD)), client.register("orders", derived(SCHEMA))
    of_old = by_fastavro(OLD, [{"id": n} for n in (0, 7)])
    of_new = by_fastavro(json.loads(derived(SCHEMA)), [{"id": n, "name": f"n{n}"} for n in range(3)])
    media = "avro/binary+"
    rows: list[tuple[bytes | None, list[dict[str, Any]] | None]] = [
        (of_new[0], [azure_header(media + new)]),
        (of_old[1], [azure_header("x", "other"), azure_header(media + old)]),
        (b"\0\0\0\0" + new.encode() + of_new[1], []),
        (of_new[2], [azure_header(media + old), azure_header(media + new.upper())]),
        (of_new[2], [azure_header("avro/binary")]),
        (of_new[2], [azure_header(media + "12")]),
        (of_new[2], [azure_header(media + "x" * 32)]),
        (of_new[2], [azure_header(media + "0" * 32)]),
        (of_new[2] + b"!", [azure_header(media + new)]),
        (None, [azure_header(media + new)]),
        (b"", [azure_header(media + new)]),
        (of_new[2], None),
        (of_old[0], [azure_header(media + old)]),
    ]
    found, values = made("avro-azure", "t", azure)
    given = replace(Rows.of([r for r, _ in rows]), headers=pl.Series([h for _, h in rows], dtype=HEADERS))
    for chosen in (given, given.take(np.arange(len(rows)))):
        decoded = found.decoder(SCHEMA, values).decode(chosen)
        assert decoded.frame.rows() == [(0, "n0"), (7, None), (1, "n1"), (2, "n2"), (0, None)]
        assert decoded.kept.tolist() == [0, 1, 2, 3, 12]
        assert [(r.row, r.code) for r in decoded.rejects] == [
            (4, "header"), (5, "header"), (6, "header"), (7, "schema-id"), (8, "syntax"), (9, "tombstone"), (10, "empty"),
            (11, "header"),
        ]  # fmt: skip


def test_azure_writes_ids_into_headers(azure: dict[str, str]) -> None:
    beside = {"auto.register.schemas": "true", "tailrace.id-location": "header"}
    found = registry.get("avro-azure").on_topic("orders", key=False)
    sink = found.encoder(SCHEMA, options(found.options, azure | beside))
    sink.open()
    number = sink.check().rpartition(", ")[2]
    rows = sink.encode(FRAME)
    assert rows.row(0) == by_fastavro(json.loads(derived(SCHEMA)), [{"id": 1, "name": "a"}])[0]
    assert rows.headers is not None
    assert rows.headers.to_list() == [[{"key": "content-type", "value": f"avro/binary+{number}".encode()}]] * 3
    assert found.decoder(SCHEMA, options(found.options, azure)).decode(rows).frame.equals(FRAME)
    key = registry.get("avro-azure").on_topic("orders", key=True)
    for other in (key, registry.get("avro-azure")):
        with pytest.raises(ConfigError, match="in a header of values of a topic alone"):
            other.encoder(SCHEMA, options(found.options, azure | beside | {"schema.name": "orders"}))


def test_azure_gives_columns(azure: dict[str, str]) -> None:
    client = AzureRegistry(azure["url"], "shop", "right", 5)
    for text in (json.dumps(OLD), derived(SCHEMA)):
        client.register("orders", text)
    found, values = made("avro-azure", "orders", azure)
    assert found.columns(values) == FoundColumns(SCHEMA, {"schema": derived(SCHEMA)})
    found, values = made("avro-azure", "other", azure)
    with pytest.raises(ConfigError, match=r"has no schema 'other', from which to take the columns"):
        found.columns(values)


def test_glue_gives_columns(glue: dict[str, str]) -> None:
    topic, client = f"t-{uuid.uuid4()}", client_of(glue["aws.endpoint"])
    named = {"RegistryName": "shop", "SchemaName": topic}
    client.create_schema(
        RegistryId={"RegistryName": "shop"}, SchemaName=topic, DataFormat="AVRO", Compatibility="NONE",
        SchemaDefinition=json.dumps(OLD),
    )  # fmt: skip
    found, values = made("avro-glue", topic, glue)
    assert found.columns(values).columns == Schema((Field("id", BIGINT.with_nullable(nullable=False)),))
    client.register_schema_version(SchemaId=named, SchemaDefinition=derived(SCHEMA))
    assert found.columns(values).columns == SCHEMA
    found, values = made("avro-glue", "no-such", glue)
    with pytest.raises(ConfigError, match=r"has no schema 'no-such', from which to take the columns"):
        found.columns(values)
    client.create_schema(
        RegistryId={"RegistryName": "shop"}, SchemaName=topic + "j", DataFormat="JSON", Compatibility="NONE",
        SchemaDefinition='{"type": "object"}',
    )  # fmt: skip
    found, values = made("avro-glue", topic + "j", glue)
    with pytest.raises(ConfigError, match="is one of JSON, not of Avro"):
        found.columns(values)


def test_azure_odd_rows_stand_alone(azure: dict[str, str]) -> None:
    sink = encoder("avro-azure", "orders", azure | {"auto.register.schemas": "true"})
    sink.open()
    good = row_list(sink.encode(FRAME))[0]
    assert good is not None
    rows = [good, None, b"", b"\0\0\0\0", good[:-1], b"\0\0\0\0" + b"0" * 32 + b"\0", b"\0\0\0\0" + b"x" * 32, good]
    decoded = read("avro-azure", azure, rows)
    assert [(r.row, r.code) for r in decoded.rejects] == [
        (1, "tombstone"), (2, "empty"), (3, "header"), (4, "syntax"), (5, "schema-id"), (6, "header"),
    ]  # fmt: skip
    assert decoded.frame["id"].to_list() == [1, 1]


def test_azure_errors_are_told_apart(azure: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    unknown: list[bytes | None] = [b"\0\0\0\0" + b"0" * 32 + b"\0"]
    with pytest.raises(TerminalError, match=r"refuses us \(401\)"):
        read("avro-azure", azure | {"bearer-auth.token": "wrong"}, unknown)
    with pytest.raises(TransientError, match="can't be reached"):
        read("avro-azure", azure | {"url": "http://127.0.0.1:9"}, unknown)
    with pytest.raises(TerminalError, match="has no schema group 'other'"):
        encoder("avro-azure", "t", azure | {"schema.group": "other", "auto.register.schemas": "true"}).open()
    with pytest.raises(ConfigError, match="is not registered as 'orders'"):
        encoder("avro-azure", "orders", azure).open()
    monkeypatch.setattr(azure_kit.AzureStub, "status", 503)
    with pytest.raises(TransientError, match=r"can't answer \(503\)"):
        read("avro-azure", azure, unknown)
    monkeypatch.setattr(azure_kit.AzureStub, "status", 400)
    with pytest.raises(IncompatibleSchemaError, match=r"refuses the schema \(400\)"):
        encoder("avro-azure", "orders", azure).open()


def test_what_a_table_must_say() -> None:
    with pytest.raises(ConfigError, match="schema group is not known"):
        encoder("avro-azure", "t", {"url": "https://shop.servicebus.windows.net"})
    with pytest.raises(ConfigError, match="name of the schema is not known"):
        encoder("avro-glue", "", {"aws.region": "eu-central-1"})
    found, values = made("avro-glue", "t", {"aws.region": "eu-central-1", "schema": derived(SCHEMA)})
    assert found.columns(values).columns == SCHEMA
    with pytest.raises(ConfigError, match="name of the schema is not known"):
        registry.get("avro-glue").columns(options(found.options, {"aws.region": "x"}))
    found, values = made("avro-azure", "t", {"url": "https://shop.servicebus.windows.net"})
    with pytest.raises(ConfigError, match="schema group is not known"):
        found.columns(values)


def test_headers_are_those_of_the_registries() -> None:
    number = uuid.UUID("b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63")
    assert GlueFraming(compress=True).header(str(number)) == b"\x03\x05" + number.bytes
    assert AzureFraming().header(number.hex) == b"\0\0\0\0" + number.hex.encode()
