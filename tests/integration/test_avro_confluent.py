"""Avro on a real broker with a real registry: schemas that change in mid-stream, the registry's own serializers, faults."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import script_kit as kit
import structlog
from avro_kit import logical, record, written
from typer.testing import CliRunner

import tailrace as tr
from tailrace.cli.commands import app
from tailrace.connectors.discovery import discover
from tailrace.errors import ConfigError, DataError, TerminalError
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import Registry, RegistrySchema
from tailrace.formats.confluent.framing import header
from tailrace.sql.session import Session

kafka_kit = pytest.importorskip("kafka_kit")
schema_registry_module = pytest.importorskip("confluent_kafka.schema_registry")
pytestmark = pytest.mark.integration

MONEY = logical("bytes", "decimal", precision=12, scale=2)
VERSIONS: list[dict[str, Any]] = [
    record(("id", "int"), ("amount", MONEY), ("at", logical("long", "timestamp-millis"))),
    # a wider number, and a field more
    record(
        ("id", "long"),
        ("amount", MONEY),
        ("at", logical("long", "timestamp-millis")),
        {"name": "note", "type": ["null", "string"], "default": None},
    ),
    # another order, a nested record that nobody asks for
    record(
        ("extra", record(("tags", {"type": "array", "items": "string"}), name="Extra")),
        ("note", ["null", "string"]),
        ("at", logical("long", "timestamp-micros")),
        ("amount", MONEY),
        ("id", "long"),
    ),
    # more digits before the point, in a fixed value
    record(
        ("id", "long"),
        ("amount", logical("fixed", "decimal", precision=14, scale=2, size=8, name="Money")),
        ("at", logical("long", "timestamp-micros")),
        ("note", ["string", "null"]),
    ),
    # a field is gone
    record(("id", "long"), ("amount", MONEY), ("at", logical("long", "local-timestamp-micros"))),
    # and it comes back as an enum
    record(
        ("id", "long"),
        ("amount", MONEY),
        ("at", logical("long", "timestamp-nanos")),
        ("note", {"type": "enum", "name": "Note", "symbols": ["A", "B"]}),
    ),
]
TIME = dt.datetime(2026, 1, 31, 12, 0, 0, tzinfo=dt.UTC)


def row(version: int, number: int) -> dict[str, Any]:
    """Give a row as fastavro writes it by a version."""
    at: Any = TIME + dt.timedelta(milliseconds=number)
    out: dict[str, Any] = {"id": number, "amount": Decimal(number * 101 - 5000).scaleb(-2), "at": at}
    if version == 4:
        out["at"] = at.replace(tzinfo=None)
    if version == 5:
        out["at"] = int(at.timestamp()) * 10**9 + number % 1000 * 10**6
    out["extra"] = {"tags": ["a", "b"]}
    out["note"] = "A" if version == 5 else None if number % 2 else f"n{number}"
    return out


def expected(version: int, number: int) -> tuple[Any, ...]:
    note = {0: None, 4: None, 5: "A"}.get(version, None if number % 2 else f"n{number}")
    at = (TIME + dt.timedelta(milliseconds=number)).replace(tzinfo=None)
    return number, Decimal(number * 101 - 5000).scaleb(-2), at, note


def options(topic: str, kafka: str, url: str, **more: str) -> str:
    given = {"connector": "kafka", "topic": topic, "properties__bootstrap__servers": kafka, "format": "avro-confluent"}
    given |= {
        "avro_confluent__url": url,
        "scan__startup__mode": "earliest-offset",
        "scan__bounded__mode": "latest-offset",
    }
    return kit.options(**given, **more)


def client(url: str) -> Registry:
    return Registry(Access(url, retries=0))


def framed(number: int, schema: Any, values: list[Any]) -> list[dict[str, Any]]:
    return [{"value": header(number) + payload} for payload in written(schema, values)]


def test_six_versions_interleaved(kafka: str, schema_registry: str, tmp_path: Path) -> None:
    """D9: forwards and back in one topic: each row is read by its own schema, exactly, and none is lost."""
    topic = kafka_kit.new_topic(kafka)
    registry = client(schema_registry)
    numbers = [registry.register(f"{topic}-{v}", RegistrySchema(json.dumps(s))) for v, s in enumerate(VERSIONS)]
    order = [*range(6), *reversed(range(6))] * 40
    messages = []
    for number, version in enumerate(order):
        messages += framed(numbers[version], VERSIONS[version], [row(version, number)])
    kafka_kit.produce(kafka, topic, messages)

    rows, _ = kit.run(
        f"""CREATE TABLE t (id BIGINT, amount DECIMAL(14, 2), `at` TIMESTAMP(6), note STRING)
        WITH ({options(topic, kafka, schema_registry)});
        SELECT * FROM t;""",
        tmp_path / "state",
    )

    assert rows.rows() == [expected(version, number) for number, version in enumerate(order)]


@pytest.fixture
def theirs(schema_registry: str) -> Iterator[Any]:
    """Give the registry's own client."""
    with schema_registry_module.SchemaRegistryClient({"url": schema_registry}) as found:
        yield found


def test_the_registrys_own_serializers(kafka: str, schema_registry: str, theirs: Any, tmp_path: Path) -> None:
    """Values and keys that we write are read by the registry's deserializer, and what its serializer writes is read."""
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer  # noqa: PLC0415  an extra
    from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: PLC0415

    source, target = kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)
    schema = record(
        ("id", "long"),
        ("amount", ["null", MONEY]),
        ("tags", {"type": "array", "items": "string"}),
        ("sizes", {"type": "map", "values": "int"}),
        ("inner", ["null", record(("x", "double"), ("at", logical("long", "timestamp-millis")), name="Inner")]),
    )
    serialize = AvroSerializer(theirs, json.dumps(schema))
    where = SerializationContext(source, MessageField.VALUE)
    values = [
        {
            "id": n,
            "amount": None if n % 3 == 0 else Decimal(n).scaleb(-2),
            "tags": [f"t{i}" for i in range(n % 4)],
            "sizes": {"a": n},
            "inner": None if n % 2 else {"x": n / 2, "at": TIME},
        }
        for n in range(20)
    ]
    kafka_kit.produce(kafka, source, [{"value": serialize(v, where)} for v in values])
    into = kit.options(
        connector="kafka",
        topic=target,
        properties__bootstrap__servers=kafka,
        value__format="avro-confluent",
        value__avro_confluent__url=schema_registry,
        key__format="avro-confluent",
        key__avro_confluent__url=schema_registry,
        key__fields="id",
    )
    columns = """id BIGINT NOT NULL, amount DECIMAL(12, 2), tags ARRAY<STRING>, sizes MAP<STRING, INT>,
        inner_ ROW<x DOUBLE, `at` TIMESTAMP(3)>""".replace("inner_", "`inner`")
    kit.run(
        f"""CREATE TABLE s ({columns}) WITH ({options(source, kafka, schema_registry)});
        CREATE TABLE t ({columns}) WITH ({into});
        INSERT INTO t SELECT * FROM s;""",
        tmp_path / "state",
    )

    deserialize = AvroDeserializer(theirs)
    messages = kafka_kit.consume(kafka, target)
    read = [deserialize(m.value(), SerializationContext(target, MessageField.VALUE)) for m in messages]
    keys = [deserialize(m.key(), SerializationContext(target, MessageField.KEY)) for m in messages]
    assert read == values
    assert keys == [{"id": n} for n in range(20)]
    assert {f"{target}-value", f"{target}-key"} <= set(client(schema_registry).subjects())
    back, _ = kit.run(
        f"""CREATE TABLE t ({columns}) WITH ({into}, 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
        SELECT id, amount, tags FROM t;"""
    )
    assert back["id"].to_list() == list(range(20))
    assert back["amount"].to_list() == [v["amount"] for v in values]


HOSTILE: list[tuple[str, bytes | None, str]] = [
    ("D1 no bytes", None, "tombstone"),
    ("D1 empty", b"", "empty"),
    ("D2 too short for an id", b"\0\0\0", "header"),
    ("D2 JSON", b'{"id": 1}', "header"),
    ("D2 another magic byte", b"\1\0\0\0\1abc", "header"),
    ("D2 unknown id", header(2**31 - 1) + b"abc", "schema-id"),
    ("D2 truncated", b"ID\x02\x02", "syntax"),
    ("D2 trailing", b"ID\x02\x02a\0\0\0", "syntax"),
    ("D3 not UTF-8", b"ID\x02\x04\xff\xfe\0\0", "utf-8"),
    ("D4 a decimal of 40 digits", b"ID\x02\x02a\x22" + b"\x7f" * 17 + b"\0", "range"),
    ("D4 a number of 80 bits", b"ID" + b"\xff" * 11, "syntax"),
    ("D6 countless items", b"ID\x02\x02a\0" + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "range"),
    ("D6 a negative count", b"ID\x02\x02a\0" + b"\x01\x01", "syntax"),
    ("D7 a length of exabytes", b"ID\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "syntax"),
    ("D8 another type", b"OTHER\x02x", "schema"),
]


def test_hostile_bytes(kafka: str, schema_registry: str, tmp_path: Path) -> None:
    """D1-D9: each bad row is one dead letter with its bytes, offset and reason; the rows around it are read."""
    topic = kafka_kit.new_topic(kafka)
    registry = client(schema_registry)
    schema = record(
        ("id", "long"), ("name", "string"), ("amount", "bytes"), ("list", {"type": "array", "items": "long"})
    )
    schema["fields"][2]["type"] = logical("bytes", "decimal", precision=38, scale=2)
    number = registry.register(topic, RegistrySchema(json.dumps(schema)))
    other = registry.register(f"{topic}-other", RegistrySchema(json.dumps(record(("id", "string")))))
    good = {"id": 7, "name": "n", "amount": Decimal("1.00"), "list": [1]}
    messages: list[dict[str, Any]] = []
    payloads: dict[int, bytes | None] = {}
    for _, payload, _ in HOSTILE:
        messages += framed(number, schema, [good])
        if payload is not None:
            payload = payload.replace(b"ID", header(number), 1) if payload.startswith(b"ID") else payload  # noqa: PLW2901
            payload = payload.replace(b"OTHER", header(other), 1)  # noqa: PLW2901
        payloads[len(messages)] = payload
        messages.append({"value": payload})
    kafka_kit.produce(kafka, topic, messages)
    dead = kit.options(connector="sqlite", path=str(tmp_path / "dead.db"))
    policy = "'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead'"

    rows, _ = kit.run(
        f"""CREATE TABLE t (id BIGINT, name STRING, amount DECIMAL(38, 2), list ARRAY<BIGINT>)
        WITH ({options(topic, kafka, schema_registry)}, {policy});
        CREATE TABLE dead (`offset` BIGINT, code STRING, reason STRING, payload BYTES) WITH ({dead});
        SELECT * FROM t;""",
        tmp_path / "state",
    )

    assert rows["id"].to_list() == [7] * len(HOSTILE)
    with closing(sqlite3.connect(tmp_path / "dead.db")) as database:
        letters = {o: (code, reason, payload) for o, code, reason, payload in database.execute("SELECT * FROM dead")}
    told = {HOSTILE[offset // 2][0]: code for offset, (code, _, _) in letters.items()}
    assert told == {name: code for name, _, code in HOSTILE}
    assert {offset: payload for offset, (_, _, payload) in letters.items()} == payloads
    assert str(other) in letters[2 * len(HOSTILE) - 1][1]
    assert "field 'id' is string" in letters[2 * len(HOSTILE) - 1][1]


def test_a_registry_that_goes_away(
    kafka: str, own_registry: tuple[str, Callable[[str], object]], tmp_path: Path
) -> None:
    """N22: known ids are read on, an unknown one waits for the registry; no row is lost, none is taken for bad."""
    url, run = own_registry
    topic, target = kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)
    registry = client(url)
    first, second = (registry.register(f"{topic}-{v}", RegistrySchema(json.dumps(VERSIONS[v]))) for v in (0, 1))
    kafka_kit.produce(kafka, topic, framed(first, VERSIONS[0], [row(0, n) for n in range(10)]))
    source = options(topic, kafka, url).replace(", 'scan.bounded.mode' = 'latest-offset'", "")
    target_options = kit.options(connector="kafka", topic=target, properties__bootstrap__servers=kafka, format="json")
    running = kit.Running(
        f"""SET 'execution.checkpointing.interval' = '200 ms';
        CREATE TABLE t (id BIGINT) WITH ({source}, 'avro-confluent.tailrace.retries' = '0');
        CREATE TABLE o (id BIGINT) WITH ({target_options}); INSERT INTO o SELECT id FROM t;""",
        tmp_path / "state",
    )
    running.until(lambda: running.read >= 10)
    run("stop")
    kafka_kit.produce(kafka, topic, framed(first, VERSIONS[0], [row(0, n) for n in range(10, 20)]))
    running.until(lambda: running.read >= 20)
    kafka_kit.produce(kafka, topic, framed(second, VERSIONS[1], [row(1, n) for n in range(20, 30)]))
    running.until(lambda: any(s.waiting for s in running.status.sources) if running.status else False)
    assert running.read == 20
    run("start")
    running.until(lambda: running.read >= 30)
    running.stop()

    assert [json.loads(m.value())["id"] for m in kafka_kit.consume(kafka, target, settled=False)] == list(range(30))


def test_a_stop_while_it_waits(kafka: str, own_registry: tuple[str, Callable[[str], object]], tmp_path: Path) -> None:
    """A job that waits for its registry ends when it is told to; what it has not read comes when it is started again."""
    url, run = own_registry
    topic = kafka_kit.new_topic(kafka)
    number = client(url).register(topic, RegistrySchema(json.dumps(VERSIONS[1])))
    kafka_kit.produce(kafka, topic, framed(number, VERSIONS[1], [row(1, n) for n in range(5)]))
    run("stop")
    script = f"CREATE TABLE t (id BIGINT) WITH ({options(topic, kafka, url)}); SELECT id FROM t;"
    running = kit.Running(script, tmp_path / "state")
    running.until(lambda: any(s.waiting for s in running.status.sources) if running.status else False)
    running.stop()
    assert not len(running.rows)
    run("start")

    rows, _ = kit.run(script, tmp_path / "state")

    assert rows["id"].to_list() == list(range(5))


def test_an_incompatible_sink_does_not_start(kafka: str, schema_registry: str, tmp_path: Path) -> None:
    """The compatibility of the sink's schema is checked before any row is read; nothing is registered or written."""
    source, target = kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)
    registry = client(schema_registry)
    old = record(("id", "string"), name="record") | {"namespace": "org.apache.flink.avro.generated"}
    registry.register(f"{target}-value", RegistrySchema(json.dumps(old)))
    registry._connected().set_compatibility(f"{target}-value", "BACKWARD")
    kafka_kit.produce(kafka, source, kafka_kit.numbered(3))
    into = kit.options(
        connector="kafka", topic=target, properties__bootstrap__servers=kafka, format="avro-confluent",
        avro_confluent__url=schema_registry,
    )  # fmt: skip
    given = kit.options(connector="kafka", topic=source, properties__bootstrap__servers=kafka, format="json")
    given += ", 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
    script = f"CREATE TABLE s (id BIGINT) WITH ({given}); CREATE TABLE t (id BIGINT) WITH ({into}); INSERT INTO t SELECT * FROM s;"

    with pytest.raises(ConfigError, match="compatibility"):
        kit.run(script, tmp_path / "state")

    assert registry.versions(f"{target}-value") == [1]
    assert kafka_kit.consume(kafka, target) == []
    with pytest.raises(ConfigError, match="not registered"):
        kit.run(
            script.replace(
                "'format' = 'avro-confluent'",
                "'format' = 'avro-confluent', 'avro-confluent.tailrace.auto-register' = 'false'",
            )
        )


def test_an_unknown_id(kafka: str, schema_registry: str, own_registry: tuple[str, object]) -> None:
    """Its row is bad where the registry has others; with a registry that has none at all, it is the wrong one."""
    topic = kafka_kit.new_topic(kafka)
    client(schema_registry).register(topic, RegistrySchema(json.dumps(VERSIONS[0])))
    kafka_kit.produce(kafka, topic, framed(2**31 - 5, VERSIONS[0], [row(0, 1)]))
    script = "CREATE TABLE t (id BIGINT) WITH ({}); SELECT id FROM t;"
    with pytest.raises(DataError, match="knows no schema 2147483643"):
        kit.run(script.format(options(topic, kafka, schema_registry)))
    with pytest.raises(TerminalError, match="and no other"):
        kit.run(script.format(options(topic, kafka, own_registry[0])))


def test_subject_strategies(kafka: str, schema_registry: str) -> None:
    """The subject is named as the registry's serializers name it."""
    registry = client(schema_registry)
    name = f"R{uuid.uuid4().hex}"
    schema = json.dumps(record(("id", ["null", "long"]), name=f"shop.{name}"))
    topic = kafka_kit.new_topic(kafka)
    source = "CREATE TABLE s (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');"
    for strategy in ("RecordNameStrategy", "TopicRecordNameStrategy"):
        into = options(topic, kafka, schema_registry).partition(", 'scan.")[0]
        into += f", 'avro-confluent.schema' = '{schema}', 'avro-confluent.tailrace.subject-strategy' = '{strategy}'"
        kit.run(f"{source} CREATE TABLE t (id BIGINT) WITH ({into}); INSERT INTO t SELECT * FROM s;")
    assert {f"shop.{name}", f"{topic}-shop.{name}"} <= set(registry.subjects())


def test_columns_of_the_registry(kafka: str, schema_registry: str) -> None:
    """A table without columns has those of the newest schema, with its aliases and defaults for the rows of older ones."""
    topic = kafka_kit.new_topic(kafka)
    registry = client(schema_registry)
    old = record(("id", "int"), ("at", logical("long", "timestamp-millis")))
    new = record(
        {"name": "number", "type": "long", "aliases": ["id"]},
        ("at", logical("long", "timestamp-millis")),
        {"name": "kind", "type": "string", "default": "none"},
        {"name": "amount", "type": ["null", MONEY], "default": None},
    )
    first, second = (registry.register(f"{topic}-value", RegistrySchema(json.dumps(s))) for s in (old, new))
    kafka_kit.produce(kafka, topic, framed(first, old, [{"id": 1, "at": TIME}]))
    more = {"number": 2, "at": TIME, "kind": "k", "amount": Decimal("1.50")}
    kafka_kit.produce(kafka, topic, framed(second, new, [more]))
    given = options(topic, kafka, schema_registry)

    session = Session(discover=discover)
    session.bind(
        f"""CREATE TABLE t (late AS number * 2, WATERMARK FOR `at` AS `at` - INTERVAL '5' SECOND)
        WITH ({given});""",
        "job.sql",
    )
    table = session.tables["t"]
    read = tr.read_kafka(
        topic, bootstrap_servers=kafka, registry=schema_registry, options={"scan.bounded.mode": "latest-offset"}
    )

    assert [str(f.type) for f in table.physical] == [
        "BIGINT NOT NULL", "TIMESTAMP(3) NOT NULL", "STRING NOT NULL", "DECIMAL(12, 2)",
    ]  # fmt: skip
    at = TIME.replace(tzinfo=None)
    assert read.collect().rows() == [(1, at, "none", None), (2, at, "k", Decimal("1.50"))]
    with pytest.raises(ConfigError, match="has no subject 'nothing-value'"):
        Session(discover=discover).bind(f"CREATE TABLE t WITH ({given.replace(topic, 'nothing')})", "job.sql")
    with pytest.raises(ConfigError, match="are not known"):
        tr.read_kafka("nothing")


def test_debezium(kafka: str, schema_registry: str, theirs: Any) -> None:
    """Envelopes of Debezium are a table that updates; what is written are insertions and deletions that others read."""
    from confluent_kafka.schema_registry.avro import AvroDeserializer  # noqa: PLC0415  an extra

    value = record(
        ("id", "long"), ("amount", ["null", MONEY]), ("at", logical("long", "timestamp-micros")), name="Value"
    )
    schema = record(
        ("before", ["null", value]),
        ("after", ["null", "Value"]),
        ("source", record(("db", "string"), ("ts_ms", "long"), name="Source")),
        ("op", "string"),
        ("ts_ms", ["null", "long"]),
        name="Envelope",
    )
    topic, target = kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)
    number = client(schema_registry).register(f"{topic}-value", RegistrySchema(json.dumps(schema)))

    def image(key: int, cents: int | None) -> dict[str, Any]:
        return {"id": key, "amount": None if cents is None else Decimal(cents).scaleb(-2), "at": TIME}

    def change(op: str, before: Any, after: Any) -> dict[str, Any]:
        return {"before": before, "after": after, "op": op, "source": {"db": "d", "ts_ms": 1}, "ts_ms": None}

    changes = [
        change("r", None, image(1, 100)),
        change("c", None, image(2, 200)),
        change("u", image(1, 100), image(1, 150)),
        change("d", image(2, 200), None),
        change("c", None, image(3, None)),
    ]
    odd = [change("u", None, image(1, 150)), change("x", None, image(1, 150)), change("d", None, None)]
    messages = framed(number, schema, [*changes, *odd])
    messages.insert(4, {"value": None})
    kafka_kit.produce(kafka, topic, messages)
    source = options(topic, kafka, schema_registry).replace("avro-confluent", "debezium-avro-confluent")
    into = (
        options(target, kafka, schema_registry)
        .replace("avro-confluent", "debezium-avro-confluent")
        .partition(", 'scan.")[0]
    )
    columns = "id BIGINT, amount DECIMAL(12, 2), `at` TIMESTAMP(6), PRIMARY KEY (id) NOT ENFORCED"

    _, summary = kit.run(
        f"""CREATE TABLE s ({columns}) WITH ({source}, 'tailrace.on-error' = 'drop');
        CREATE TABLE t ({columns}) WITH ({into});
        INSERT INTO t SELECT * FROM s;"""
    )

    deserialize = AvroDeserializer(theirs)
    read = [deserialize(m.value(), None) for m in kafka_kit.consume(kafka, target)]
    expected = [
        (None, image(1, 100), "c"), (None, image(2, 200), "c"), (image(1, 100), None, "d"), (None, image(1, 150), "c"),
        (image(2, 200), None, "d"), (None, image(3, None), "c"),
    ]  # fmt: skip
    assert [(m["before"], m["after"], m["op"]) for m in read] == expected
    (s,) = summary.sources
    assert s.dropped == {"decode: missing": 2, "decode: operation": 1}
    rows, _ = kit.run(
        f"CREATE TABLE s ({columns}) WITH ({source}, 'tailrace.on-error' = 'drop'); SELECT COUNT(*) AS n, SUM(amount) AS a FROM s;"
    )
    assert rows.select("n", "a").rows()[-1] == (2, Decimal("1.50"))


def test_rows_by_key(kafka: str, schema_registry: str) -> None:
    """Keys and values of `upsert-kafka` have schemas of their own, and a row that is deleted has no value."""
    topic = kafka_kit.new_topic(kafka, **{"cleanup.policy": "compact"})
    given = kit.options(
        connector="upsert-kafka",
        topic=topic,
        properties__bootstrap__servers=kafka,
        key__format="avro-confluent",
        key__avro_confluent__url=schema_registry,
        value__format="avro-confluent",
        value__avro_confluent__url=schema_registry,
    )
    declared = f"CREATE TABLE t (id BIGINT, n BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ({given}"
    kit.run(f"{declared}); INSERT INTO t SELECT id, COUNT(*) FROM (VALUES (1), (2), (1)) AS v (id) GROUP BY id;")
    first = kafka_kit.consume(kafka, topic)[0].key()
    kafka_kit.produce(kafka, topic, [{"key": first, "value": None}])

    rows, _ = kit.run(f"{declared}, 'scan.bounded.mode' = 'latest-offset'); SELECT SUM(n) AS n FROM t;")

    # the key is header and id: of the two the deleted one no longer counts
    assert rows["n"].to_list()[-1] == (1 if first[5:] == b"\x02" else 2)
    assert {f"{topic}-key", f"{topic}-value"} <= set(client(schema_registry).subjects())


def test_check_says_what_the_registry_has(kafka: str, schema_registry: str, tmp_path: Path) -> None:
    """`tailrace check` names the subjects, and fails if their registry is away; it registers nothing."""
    topic = kafka_kit.new_topic(kafka)
    into = kit.options(
        connector="kafka", topic=topic, properties__bootstrap__servers=kafka, format="avro-confluent",
        avro_confluent__url=schema_registry, avro_confluent__tailrace__retries="0",
    )  # fmt: skip
    script = tmp_path / "job.sql"
    text = f"CREATE TABLE t (id BIGINT) WITH ({into}); INSERT INTO t VALUES (1);"
    script.write_text(text)
    said = CliRunner().invoke(app, ["check", str(script)])
    structlog.reset_defaults()  # the runner's streams are closed by now
    assert said.exit_code == 0, said.output
    assert f"subject '{topic}-value', to be registered" in said.stdout
    assert client(schema_registry).versions(f"{topic}-value") == []
    script.write_text(text.replace(schema_registry, "http://127.0.0.1:1"))
    said = CliRunner().invoke(app, ["check", str(script)])
    structlog.reset_defaults()  # the runner's streams are closed by now
    assert said.exit_code == 1
    assert "http://127.0.0.1:1 can't be reached" in said.stdout
