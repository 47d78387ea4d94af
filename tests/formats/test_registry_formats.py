"""Protobuf and JSON with the schemas of a real registry: versions beside each other, its own serializers, what is registered."""

from __future__ import annotations

import importlib
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl
import pytest
from both_ways import options
from protobuf_versions import HEAD, VERSIONS, compiled, rows_of_all_versions

from tailrace.errors import ConfigError, TailraceError, TransientError
from tailrace.formats import registry as formats
from tailrace.formats.base import Decoded, Decoder, Encoder, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import IncompatibleSchemaError, Registry, RegistrySchema
from tailrace.formats.confluent.framing import header
from tailrace.formats.protobuf.confluent import first_misfit
from tailrace.formats.protobuf.indexes import encoded, message_at, path_of, split
from tailrace.schema import BIGINT, INT, STRING, Field, Schema, array, map_type, row, timestamp

if TYPE_CHECKING:
    from tailrace.testing.pytest_plugin import Proxies

serializers = pytest.importorskip("confluent_kafka.schema_registry.protobuf")
pytestmark = pytest.mark.integration

COMMON = 'syntax = "proto3";\npackage common;\nmessage Money { int64 units = 1; string currency = 2; }\n'
COLUMNS = Schema((Field("id", BIGINT), Field("name", STRING), Field("n", INT)))


def made(fmt: str, **given: Any) -> Any:
    return options(formats.get(fmt).options, {k.replace("__", ".").replace("_", "-"): v for k, v in given.items()})


def on(fmt: str, topic: str) -> Any:
    return formats.get(fmt).on_topic(topic, key=False)


@pytest.fixture
def topic() -> str:
    return f"t-{uuid.uuid4()}"


@pytest.fixture
def client(schema_registry: str) -> Registry:
    return Registry(Access(schema_registry, retries=0))


def reading(topic: str, url: str, columns: Schema = COLUMNS, fmt: str = "protobuf-confluent", **more: str) -> Decoder:
    found: Decoder = on(fmt, topic).decoder(columns, made(fmt, url=url, **more))
    return found


def test_six_versions_interleaved(schema_registry: str, client: Registry, topic: str, tmp_path: Path) -> None:
    """D9: each row is read by the numbers of its fields, whichever version wrote it, and none is lost."""
    rows, expected = rows_of_all_versions(client, topic, tmp_path)

    decoded = reading(topic, schema_registry).decode(Rows.of(rows))

    assert decoded.rejects == []
    assert decoded.frame.rows() == expected


def test_a_reader_of_the_tables_own(schema_registry: str, client: Registry, topic: str, tmp_path: Path) -> None:
    path = tmp_path / "own.proto"
    path.write_text(VERSIONS[2])
    number = client.register(f"{topic}-value", RegistrySchema(VERSIONS[1], "PROTOBUF"))
    data = header(number) + b"\0" + compiled(tmp_path, VERSIONS[1])(id=1, name="a", tags=["x"]).SerializeToString()
    columns = Schema((Field("called", STRING), Field("extra", row({"a": INT}))))
    decoded = reading(topic, schema_registry, columns, proto_file=str(path)).decode(Rows.of([data]))
    assert decoded.frame.rows() == [("a", None)]
    with pytest.raises(ConfigError, match="no field 'nope'"):
        reading(topic, schema_registry, Schema((Field("nope", INT),)), proto_file=str(path))


def test_no_subject_yet(schema_registry: str, client: Registry, topic: str, tmp_path: Path) -> None:
    """Rows of a schema that stands under a subject of another name are read by it."""
    number = client.register(f"{topic}-elsewhere", RegistrySchema(VERSIONS[0], "PROTOBUF"))
    columns = Schema((Field("id", BIGINT), Field("name", STRING)))
    decoder = reading(topic, schema_registry, columns)
    assert decoder.check().endswith("not there yet")
    data = header(number) + b"\0" + compiled(tmp_path, VERSIONS[0])(id=1).SerializeToString()
    assert decoder.decode(Rows.of([data])).frame.rows() == [(1, "")]


HOSTILE: list[tuple[str, bytes | None, str]] = [
    ("D1 no bytes", None, "tombstone"),
    ("D1 zero bytes", b"", "empty"),
    ("D2 too short", b"\0\0\0", "header"),
    ("D2 another magic byte", b"\1ID\0", "header"),
    ("D2 unknown id", b"\0\x7f\xff\xff\xff\0", "schema-id"),
    ("D2 no place of a message", b"ID", "header"),
    ("D2 a place without an end", b"ID\x80", "header"),
    ("D2 a negative place", b"ID\x02\x01", "header"),
    ("D2 too deep a place", b"ID\x80\x80\x01" + b"\0" * 100, "header"),
    ("D2 no such message", b"ID\x02\x0a\x08\x01", "schema"),
    ("D2 another message", b"ID\x04\x00\x00\x08\x01", "schema"),
    ("D2 truncated", b"ID\0\x08", "syntax"),
    ("D3 not UTF-8", b"ID\0\x12\x01\xff", "utf-8"),
    ("D4 out of range", b"ID\0\x08\x80\x80\x80\x80\x20", "range"),
    ("D9 another kind of schema", b"AV\0", "schema"),
    ("D9 a field of another type", b"BAD\0\x08\x01", "schema"),
]


def test_hostile_rows(schema_registry: str, client: Registry, topic: str) -> None:
    text = HEAD + "message Order { message In { int32 id = 1; } int64 id = 1; string name = 2; int32 n = 3; }"
    ids = {
        b"ID": client.register(f"{topic}-value", RegistrySchema(text, "PROTOBUF")),
        b"AV": client.register(f"{topic}-a", RegistrySchema('{"type": "string"}')),
        b"BAD": client.register(f"{topic}-b", RegistrySchema(HEAD + "message Order { string id = 1; }", "PROTOBUF")),
    }
    good = header(ids[b"ID"]) + b"\0\x08\x07"
    rows: list[bytes | None] = [good]
    for _, data, _ in HOSTILE:
        for name, number in ids.items():
            data = header(number) + data[len(name) :] if data is not None and data.startswith(name) else data  # noqa: PLW2901
        rows += [data, good]
    columns = Schema((Field("id", INT), Field("name", STRING)))
    decoded = reading(topic, schema_registry, columns).decode(Rows.of(rows))
    assert decoded.frame["id"].to_list() == [7] * (len(HOSTILE) + 1)
    found = {HOSTILE[(r.row - 1) // 2][0]: r.code for r in decoded.rejects}
    assert found == {what: code for what, _, code in HOSTILE}
    assert [r.row % 2 for r in decoded.rejects] == [1] * len(HOSTILE)
    said = {HOSTILE[(r.row - 1) // 2][0]: r.reason for r in decoded.rejects}
    assert said["D2 another message"] == "a row of message 'shop.Order.In', where 'shop.Order' is read"
    assert said["D9 a field of another type"].endswith("field 1 is 'id' of another type than 'id'")


def test_the_registrys_own_serializers(
    schema_registry: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we write is read by the registry's deserializer, and what its serializer writes is read; nested messages too."""
    from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415  an extra
    from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: PLC0415

    name = f"m{uuid.uuid4().hex}"
    (tmp_path / f"{name}_common.proto").write_text(COMMON.replace("package common", f"package {name}c"))
    (tmp_path / f"{name}.proto").write_text(
        f'syntax = "proto3";\\npackage {name};\\nimport "{name}_common.proto";\\nimport "google/protobuf/timestamp.proto";\\n'
        f"message Other {{ int32 a = 1; }} message Outer {{ message First {{}} message Order {{ int64 id = 1; {name}c.Money total = 2; "
        "map<string, int32> counts = 3; google.protobuf.Timestamp ts = 4; repeated string tags = 5; }} }}".replace(
            "}}", "}"
        )
    )
    (tmp_path / f"{name}.proto").write_text((tmp_path / f"{name}.proto").read_text().replace("\\n", "\n"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={tmp_path}", f"--python_out={tmp_path}"]
    subprocess.run([*command, f"{name}.proto", f"{name}_common.proto"], check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    kind = importlib.import_module(f"{name}_pb2").Outer.Order
    columns = Schema(
        (
            Field("id", BIGINT),
            Field("total", row({"units": BIGINT, "currency": STRING})),
            Field("counts", map_type(STRING, INT)),
            Field("ts", timestamp(3)),
            Field("tags", array(STRING)),
        )
    )
    named = {"module": f"{name}_pb2", "message_name": f"{name}.Outer.Order"}
    where = SerializationContext(topic, MessageField.VALUE)
    with SchemaRegistryClient({"url": schema_registry}) as theirs:
        serialize = serializers.ProtobufSerializer(kind, theirs, {"use.deprecated.format": False})
        messages = [
            kind(id=n, total={"units": n, "currency": "EUR"}, counts={"a": n}, ts={"seconds": n}, tags=["x"] * (n % 3))
            for n in range(20)
        ]
        rows = Rows.of([serialize(m, where) for m in messages])
        decoded = reading(topic, schema_registry, columns, message_name=f"{name}.Outer.Order").decode(rows)
        assert decoded.rejects == []
        assert decoded.frame["id"].to_list() == list(range(20))
        assert decoded.frame["total"][3] == {"units": 3, "currency": "EUR"}

        encoder = on("protobuf-confluent", f"{topic}-out").encoder(
            columns, made("protobuf-confluent", url=schema_registry, **named)
        )
        encoder.open()
        written = encoder.encode(decoded.frame)
        deserialize = serializers.ProtobufDeserializer(kind, {"use.deprecated.format": False}, theirs)
        read = [
            deserialize(written.row(i), SerializationContext(f"{topic}-out", MessageField.VALUE)) for i in range(20)
        ]
    assert read == messages
    assert isinstance(decoded, Decoded)
    back = reading(f"{topic}-out", schema_registry, columns, message_name=f"{name}.Outer.Order").decode(written)
    assert back.frame.equals(decoded.frame)


def encoder_of(topic: str, url: str, columns: Schema, fmt: str = "protobuf-confluent", **more: str) -> Encoder:
    found: Encoder = on(fmt, topic).encoder(columns, made(fmt, url=url, **more))
    return found


def test_a_schema_from_columns(schema_registry: str, client: Registry, topic: str) -> None:
    columns = Schema(
        (
            Field("id", BIGINT.with_nullable(False)),
            Field("name", STRING),
            Field("ts", timestamp(3)),
            Field("items", array(row({"sku": STRING, "n": INT}))),
            Field("by_name", map_type(STRING, row({"a": INT}))),
        )
    )
    encoder = encoder_of(topic, schema_registry, columns)
    assert encoder.check() == f"schema registry {schema_registry}: subject '{topic}-value', to be registered"
    assert client.versions(f"{topic}-value") == []
    item = {"sku": "a", "n": None}
    rows = [(1, None, None, [item], [{"key": "x", "value": {"a": 1}}]), (2, "", None, None, None)]
    frame = pl.DataFrame(rows, schema=columns.polars, orient="row")
    written = encoder.encode(frame)
    assert client.versions(f"{topic}-value") == [1]
    assert encoder.check().endswith(f"schema {client.registered(f'{topic}-value', encoder._known(register=False))}")  # type: ignore[attr-defined]
    decoded = reading(topic, schema_registry, columns).decode(written)
    assert decoded.frame.equals(frame)


def test_a_schema_that_breaks_the_subject_is_refused_before_the_start(
    schema_registry: str, client: Registry, topic: str
) -> None:
    client.register(
        f"{topic}-value",
        RegistrySchema(HEAD.replace("shop", "tailrace") + "message Row { string id = 1; }", "PROTOBUF"),
    )
    import confluent_kafka.schema_registry as api  # noqa: PLC0415  an extra

    with api.SchemaRegistryClient({"url": schema_registry}) as theirs:
        theirs.set_compatibility(f"{topic}-value", "FULL")
    columns = Schema((Field("id", BIGINT),))
    for refuse in ("check", "open"):
        with pytest.raises(IncompatibleSchemaError, match="would break its compatibility"):
            getattr(encoder_of(topic, schema_registry, columns), refuse)()
    with pytest.raises(ConfigError, match="not registered under"):
        encoder_of(f"{topic}-x", schema_registry, columns, tailrace__auto_register="false").open()


def test_files_that_import_others(schema_registry: str, client: Registry, topic: str, tmp_path: Path) -> None:
    """The text of a file is registered, and before it those that it imports, under their names."""
    name = f"common_{uuid.uuid4().hex}.proto"
    (tmp_path / name).write_text(COMMON)
    (tmp_path / "orders.proto").write_text(
        f'{HEAD}import "{name}";\nmessage Order {{ int64 id = 1; common.Money total = 2; }}\n'
    )
    columns = Schema((Field("id", BIGINT), Field("total", row({"units": BIGINT}))))
    encoder = encoder_of(topic, schema_registry, columns, proto_file=str(tmp_path / "orders.proto"))
    assert encoder.check().endswith("to be registered")
    assert client.versions(name) == []
    frame = pl.DataFrame([(1, {"units": 5}), (2, None)], schema=columns.polars, orient="row")
    rows = encoder.encode(frame)
    version = client.latest(f"{topic}-value")
    assert version is not None
    assert [(r.name, r.subject, r.version) for r in version.schema.references] == [(name, name, 1)]
    assert reading(topic, schema_registry, columns).decode(rows).frame.equals(frame)
    again = encoder_of(topic, schema_registry, columns, proto_file=str(tmp_path / "orders.proto"))
    assert again.check().endswith(f"schema {version.id}")


def test_columns_from_the_registry(schema_registry: str, client: Registry, topic: str, tmp_path: Path) -> None:
    """A table that declares none has those of the newest schema of its subject."""

    def found(fmt: str, **more: str) -> dict[str, str]:
        columns = on(fmt, topic).columns(made(fmt, url=schema_registry, **more)).columns
        return {f.name: str(f.type) for f in columns}

    for fmt in ("protobuf-confluent", "json-confluent"):
        with pytest.raises(ConfigError, match="from which to take the columns"):
            found(fmt)
    client.register(f"{topic}-value", RegistrySchema(VERSIONS[4], "PROTOBUF"))
    assert found("protobuf-confluent") == {"a": "INT"}
    named = found("protobuf-confluent", message_name="shop.v2.Order")
    assert named == {"id": "BIGINT", "name": "STRING", "item": "ROW<`a` INT>"}
    with pytest.raises(ConfigError, match=r"has no message 'shop\.v2\.Nope'"):
        found("protobuf-confluent", message_name="shop.v2.Nope")
    (tmp_path / "own.proto").write_text(VERSIONS[0])
    assert found("protobuf-confluent", proto_file=str(tmp_path / "own.proto")) == {"id": "INT", "name": "STRING"}
    client.register(f"{topic}-j", RegistrySchema(SCHEMA, "JSON"))
    expected = {"id": "BIGINT NOT NULL", "name": "STRING"}
    assert found("json-confluent", subject=f"{topic}-j") == found("json-confluent", schema=SCHEMA) == expected


@pytest.mark.parametrize("fmt", ["protobuf-confluent", "json-confluent"])
def test_a_registry_that_is_away_is_no_bad_row(fmt: str, topic: str) -> None:
    given = made(fmt, url="http://127.0.0.1:1", tailrace__retries="0")
    decoder, encoder = on(fmt, topic).decoder(PAIR, given), on(fmt, topic).encoder(PAIR, given)
    frame = pl.DataFrame({"id": [1], "name": ["a"]})
    for ask in (
        lambda: decoder.decode(Rows.of([header(1) + b"\0"])),
        lambda: encoder.encode(frame),
        decoder.check,
        encoder.check,
    ):
        with pytest.raises(TransientError, match="can't be reached"):
            ask()


def test_the_readers_of_a_table_need_no_second_answer(
    schema_registry: str, client: Registry, topic: str, tmp_path: Path, fault_proxy: Proxies
) -> None:
    """N22: several decoders share a table; what one was told, the others know while the registry is away."""
    url = urlsplit(schema_registry)
    proxy = fault_proxy(url.netloc)
    there = url._replace(netloc=proxy.address).geturl()
    number = client.register(f"{topic}-value", RegistrySchema(VERSIONS[0], "PROTOBUF"))
    message = compiled(tmp_path, VERSIONS[0])(id=1, name="a")
    rows = Rows.of([header(number) + encoded((0,)) + message.SerializeToString()])
    first, second = (reading(topic, there, PAIR, "protobuf-confluent", tailrace__retries="0") for _ in range(2))
    assert first.decode(rows).frame.rows() == [(1, "a")]
    proxy.refuse()
    assert second.decode(rows).frame.rows() == [(1, "a")]
    with pytest.raises(TransientError, match="can't be reached"):
        second.check()


def test_where_messages_are(tmp_path: Path) -> None:
    text = HEAD + "message A {} message Order { message X {} message Y { message Z {} } }"
    order = compiled(tmp_path, text).DESCRIPTOR
    z = order.nested_types_by_name["Y"].nested_types_by_name["Z"]
    assert (path_of(order), path_of(z)) == ((1,), (1, 1, 0))
    assert message_at(order.file, (1, 1, 0)).full_name == "shop.Order.Y.Z"
    assert message_at(order.file, (1, 2)) is None
    rows = Rows.of(
        [encoded((1, 1, 0)) + b"a", b"\0b", b"\x02\x02c", encoded((1, 1, 0)) + b"d", b"\xff\xff", b"", b"\x02\x00e"]
    )
    found, bad = split(rows)
    assert bad.tolist() == [4, 5]
    places = [(path, numbers.tolist()) for path, numbers, _ in found]
    assert places == [((0,), [1]), ((1, 1, 0), [0, 3]), ((1,), [2]), ((0,), [6])]
    assert [messages.row(0) for _, _, messages in found] == [b"b", b"a", b"c", b"e"]


def test_types_that_are_read_as_each_other(tmp_path: Path) -> None:
    def misfit(a: str, b: str) -> str:
        writer, reader = (compiled(tmp_path, f"{HEAD}message Order {{ {f} }}").DESCRIPTOR for f in (a, b))
        return first_misfit(writer, reader, set())

    assert misfit("int32 a = 1;", "int64 b = 1; string c = 2;") == ""
    assert misfit("bytes a = 1;", "string b = 1;") == ""
    assert misfit("sint32 a = 1;", "int32 b = 1;") == "field 1 is 'a' of another type than 'b'"
    inner = "message In {{ {} x = 1; }} In in = 5;"
    assert misfit(inner.format("float"), inner.format("int32")) == "field 1 is 'x' of another type than 'x'"


SCHEMA = '{"type": "object", "title": "Order", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}, "required": ["id"]}'
PAIR = Schema((Field("id", BIGINT), Field("name", STRING)))


def test_json_of_a_registry(schema_registry: str, client: Registry, topic: str) -> None:
    from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415  an extra
    from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: PLC0415

    json_serializers = pytest.importorskip("confluent_kafka.schema_registry.json_schema")
    where = SerializationContext(topic, MessageField.VALUE)
    values = [{"id": n, "name": f"n{n}"} for n in range(10)]
    with SchemaRegistryClient({"url": schema_registry}) as theirs:
        serialize = json_serializers.JSONSerializer(SCHEMA, theirs)
        rows: list[bytes | None] = [serialize(v, where) for v in values]
        number = client.latest(f"{topic}-value")
        assert number is not None
        rows += [header(number.id) + b'{"id": "x"}', header(number.id) + b"{", b"{}", None]
        decoded: Decoded = reading(topic, schema_registry, PAIR, "json-confluent").decode(Rows.of(rows))
        assert decoded.frame.to_dicts() == values
        assert [(r.row, r.code) for r in decoded.rejects] == [
            (10, "schema"),
            (11, "syntax"),
            (12, "header"),
            (13, "tombstone"),
        ]
        assert decoded.rejects[0].reason.startswith("at '/id'")
        trusting = reading(topic, schema_registry, PAIR, "json-confluent", tailrace__validate="false")
        assert trusting.decode(Rows.of([header(number.id) + b'{"name": "x"}'])).frame.rows() == [(None, "x")]

        for given in ({}, {"schema": SCHEMA}):
            encoder = encoder_of(f"{topic}-{len(given)}", schema_registry, PAIR, "json-confluent", **given)
            written = encoder.encode(decoded.frame)
            deserialize = json_serializers.JSONDeserializer(None, schema_registry_client=theirs)
            assert [deserialize(written.row(i), where) for i in range(10)] == values
    broken = encoder_of(f"{topic}-1", schema_registry, PAIR, "json-confluent", schema=SCHEMA)
    with pytest.raises(TailraceError, match="breaks the JSON Schema: at '/name'"):
        broken.encode(pl.DataFrame({"id": [1], "name": [None]}, schema=PAIR.polars))
    with pytest.raises(ConfigError, match="no JSON"):
        made("json-confluent", url=schema_registry, schema="{")
