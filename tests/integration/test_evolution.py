"""Schemas that change in mid-stream under a job that runs, and a registry that goes away: no row is lost, values are exact."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import script_kit as kit
from avro_kit import logical, record, written
from google.protobuf.json_format import ParseDict
from protobuf_versions import compiled

from tailrace.errors import TerminalError
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import Registry, RegistrySchema
from tailrace.formats.confluent.framing import header
from tailrace.formats.protobuf.indexes import encoded
from tailrace.testing import FaultProxy

if TYPE_CHECKING:
    from tailrace.testing.pytest_plugin import Proxies

kafka_kit = pytest.importorskip("kafka_kit")
pytest.importorskip("confluent_kafka.schema_registry")
pytestmark = pytest.mark.integration

BEGIN = dt.datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=dt.UTC)
ROUND = 40
NOTED: dict[str, dict[int, str | None]] = {
    "avro-confluent": {0: "none", 4: "none"},
    "protobuf-confluent": {0: "", 3: ""},
    "json-confluent": {0: None, 3: None},
}
"""What stands for the note in rows of the versions that do not have it: a default, or nothing."""


def amount(number: int) -> Decimal:
    """Give an amount that no double can hold."""
    units = 12345678901234567 + number * 1000000007
    return Decimal(-units if number % 2 else units).scaleb(-2)


def moment(number: int) -> dt.datetime:
    return BEGIN + dt.timedelta(microseconds=number * 1001)


@dataclass(frozen=True)
class Kind:
    """A format, its versions as the registry has them, and how the other side writes a row of one."""

    name: str
    registered: str
    versions: list[str]
    write: Callable[[Path], list[Callable[[int], bytes]]]
    columns: str
    selected: str = "id, amount, `at`, note"
    reader: str = ""


# Avro: a wider number, another order, more digits, a name that is an alias of the reader's, a field that goes and comes back


AVRO_MONEY = logical("bytes", "decimal", precision=19, scale=2)
AVRO_AT = logical("long", "timestamp-micros")
AVRO_NOTE = ["null", "string"]
AVRO: list[dict[str, Any]] = [
    record(("id", "int"), ("amount", AVRO_MONEY), ("at", AVRO_AT)),
    record(
        ("id", "long"), ("amount", AVRO_MONEY), ("at", AVRO_AT), {"name": "note", "type": AVRO_NOTE, "default": None}
    ),
    record(
        ("extra", record(("tags", {"type": "array", "items": "string"}), name="Extra")),
        ("note", AVRO_NOTE),
        ("at", AVRO_AT),
        ("total", AVRO_MONEY),
        ("id", "long"),
    ),
    record(
        ("id", "long"),
        ("amount", logical("fixed", "decimal", precision=20, scale=2, size=9, name="Money")),
        ("at", logical("long", "local-timestamp-micros")),
        ("note", "string"),
    ),
    record(("id", "int"), ("total", AVRO_MONEY), ("at", AVRO_AT)),
    record(
        ("note", {"type": "enum", "name": "Note", "symbols": [f"n{i}" for i in range(7)]}),
        ("id", "long"),
        ("amount", AVRO_MONEY),
        ("at", AVRO_AT),
    ),
]
AVRO_READER = record(
    ("id", "long"),
    {"name": "amount", "type": logical("bytes", "decimal", precision=20, scale=2), "aliases": ["total"]},
    ("at", AVRO_AT),
    {"name": "note", "type": "string", "default": "none"},
)


def note(number: int) -> str:
    return f"n{number % 7}"


def avro_rows(_: Path) -> list[Callable[[int], bytes]]:
    def row(version: int, number: int) -> bytes:
        at = moment(number)
        values: dict[str, Any] = {"id": number, "amount": amount(number), "total": amount(number), "note": note(number)}
        values |= {"at": at.replace(tzinfo=None) if version == 3 else at, "extra": {"tags": ["a"]}}
        return written(AVRO[version], [values])[0]

    return [partial(row, version) for version in range(6)]


# Protobuf: a wider number, another order and name, a field that goes, another place and package, a oneof


PROTO_HEAD = 'syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\npackage shop;\n'
PROTO_BODY = "string amount = 2; google.protobuf.Timestamp at = 3; uint64 cents = 5;"
PROTO = [
    PROTO_HEAD + "message Order { int32 id = 1; " + PROTO_BODY + " }",
    PROTO_HEAD + "message Order { int64 id = 1; " + PROTO_BODY + " string note = 4; repeated string tags = 7; }",
    PROTO_HEAD + "message Order { message Extra { int32 a = 1; } Extra extra = 9; string note = 4; "
    "uint64 cents = 5; google.protobuf.Timestamp moment = 3; string total = 2; int64 id = 1; }",
    PROTO_HEAD + "message Order { uint32 id = 1; reserved 4; " + PROTO_BODY + " }",
    PROTO_HEAD.replace("shop;", "shop.v2;")
    + "message Item { int32 a = 1; } message Order { int64 id = 1; optional string note = 4; "
    + PROTO_BODY
    + " }",
    PROTO_HEAD + "message Order { int64 id = 1; " + PROTO_BODY + " oneof x { string note = 4; int64 other = 8; } }",
]


def protobuf_rows(folder: Path) -> list[Callable[[int], bytes]]:
    kinds = [compiled(folder, text) for text in PROTO]

    def row(version: int, number: int) -> bytes:
        names = {"amount": "total", "at": "moment"} if version == 2 else {}
        values = {"id": number, "amount": str(amount(number)), "at": moment(number).isoformat(), "note": note(number)}
        values["cents"] = 2**63 + number
        if version in {0, 3}:
            del values["note"]
        message = ParseDict({names.get(k, k): v for k, v in values.items()}, kinds[version]())
        payload: bytes = message.SerializeToString()
        return encoded((1,) if version == 4 else (0,)) + payload

    return [partial(row, version) for version in range(6)]


# JSON Schema: numbers that become texts, a field that goes, fields that nobody asks for, another precision of times


def json_schema(amount_type: Any, *, with_note: Any = None, required: list[str] | None = None) -> str:
    properties = {"id": {"type": "integer"}, "amount": {"type": amount_type}, "at": {"type": "string"}}
    properties |= {} if with_note is None else {"note": with_note}
    return json.dumps({"type": "object", "title": "Order", "properties": properties, "required": required or ["id"]})


JSON = [
    json_schema("number"),
    json_schema("number", with_note={"type": ["string", "null"]}),
    json_schema("string", with_note={"type": "string"}, required=["note", "amount"]),
    json_schema(["number", "string"]),
    json_schema("string", with_note={"oneOf": [{"type": "null"}, {"type": "string"}]}),
    json_schema("number", with_note={"enum": [f"n{i}" for i in range(7)]}),
]


def json_rows(_: Path) -> list[Callable[[int], bytes]]:
    def row(version: int, number: int) -> bytes:
        digits = f'"{amount(number)}"' if version in {2, 4} else str(amount(number))
        at = moment(number).replace(tzinfo=None)
        said = [f'"amount": {digits}', f'"at": "{at.isoformat(sep=" ")}"', f'"id": {number}']
        said += [] if version in {0, 3} else [f'"note": "{note(number)}"']
        said += ['"more": {"a": [1, 2]}'] if version == 3 else []
        return ("{" + ", ".join(said if version % 2 else reversed(said)) + "}").encode()

    return [partial(row, version) for version in range(6)]


PLAIN = "id BIGINT, amount DECIMAL(20, 2), `at` TIMESTAMP(6), note STRING"
KINDS = [
    Kind(
        "avro-confluent",
        "AVRO",
        [json.dumps(v) for v in AVRO],
        avro_rows,
        PLAIN,
        reader=f", 'avro-confluent.schema' = '{json.dumps(AVRO_READER)}'",
    ),
    Kind(
        "protobuf-confluent",
        "PROTOBUF",
        PROTO,
        protobuf_rows,
        "id BIGINT, amount STRING, `at` TIMESTAMP(6), note STRING, cents DECIMAL(20, 0)",
        "id, CAST(amount AS DECIMAL(20, 2)), `at`, note, cents",
    ),
    Kind("json-confluent", "JSON", JSON, json_rows, PLAIN),
]


def has_read(running: kit.Running, rows: int) -> bool:
    return running.read >= rows


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_six_versions_forwards_and_back(kafka: str, schema_registry: str, tmp_path: Path, kind: Kind) -> None:
    """D9: versions come to be while the job runs, then are mixed, then go back; each row is read by its own."""
    topic = kafka_kit.new_topic(kafka)
    registry = Registry(Access(schema_registry, retries=0))
    write = kind.write(tmp_path)
    # the subject has the version that the table is read by; the others come later, and are known by their ids alone
    ids = {1: registry.register(f"{topic}-value", RegistrySchema(kind.versions[1], kind.registered))}
    read = kit.options(
        connector="kafka", topic=topic, properties__bootstrap__servers=kafka, scan__startup__mode="earliest-offset"
    )
    running = kit.Running(
        f"""CREATE TABLE t ({kind.columns}) WITH ({read}, 'format' = '{kind.name}',
            '{kind.name}.url' = '{schema_registry}'{kind.reader});
        SELECT {kind.selected} FROM t;"""
    )
    order: list[int] = []
    forwards, back = range(6), range(5, -1, -1)
    for part in (*([v] for v in forwards), [*forwards, *back], *([v] for v in back)):
        for version in set(part) - ids.keys():
            ids[version] = registry.register(
                f"{topic}-{version}", RegistrySchema(kind.versions[version], kind.registered)
            )
        versions = (part * ROUND)[:ROUND]
        rows = [{"value": header(ids[v]) + write[v](len(order) + i)} for i, v in enumerate(versions)]
        order += versions
        kafka_kit.produce(kafka, topic, rows)
        running.until(partial(has_read, running, len(order)))
    running.stop()
    assert len(set(ids.values())) == 6
    expected: list[tuple[Any, ...]] = []
    for number, version in enumerate(order):
        said = NOTED[kind.name].get(version, note(number))
        expected.append((number, amount(number), moment(number).replace(tzinfo=None), said))
    assert [row[:4] for row in running.rows.rows()] == expected
    if "cents" in kind.selected:
        assert running.rows["cents"].to_list() == [Decimal(2**63 + number) for number in range(len(order))]


def through(registry: str, fault_proxy: Proxies) -> tuple[FaultProxy, str]:
    """Give a proxy before a registry, and the address there."""
    url = urlsplit(registry)
    proxy = fault_proxy(url.netloc)
    return proxy, url._replace(netloc=proxy.address).geturl()


def waits(running: kit.Running) -> bool:
    """Whether a source says that it waits."""
    return running.status is not None and any(s.waiting for s in running.status.sources)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_n22_a_registry_that_goes_away_and_comes_back(
    kafka: str, schema_registry: str, fault_proxy: Proxies, tmp_path: Path, kind: Kind
) -> None:
    """N22: rows of known ids are read on; an unknown one waits, is never a bad row, and comes when the registry does."""
    topic, target = (kafka_kit.new_topic(kafka) for _ in range(2))
    registry = Registry(Access(schema_registry, retries=0))
    proxy, url = through(schema_registry, fault_proxy)
    write = kind.write(tmp_path)
    ids = [registry.register(f"{topic}-{v}", RegistrySchema(kind.versions[v], kind.registered)) for v in (5, 1, 3)]
    registry.register(f"{topic}-value", RegistrySchema(kind.versions[5], kind.registered))
    shared = {"connector": "kafka", "properties__bootstrap__servers": kafka}
    read = kit.options(topic=topic, **shared, scan__startup__mode="earliest-offset", format=kind.name)
    quick = f"'{kind.name}.tailrace.retries' = '0', '{kind.name}.tailrace.timeout' = '500 ms'"
    dead = kit.options(connector="kafka", topic=target, properties__bootstrap__servers=kafka, format="json")
    running = kit.Running(
        f"""SET 'execution.checkpointing.interval' = '200 ms';
        CREATE TABLE t ({kind.columns}) WITH ({read}, '{kind.name}.url' = '{url}', {quick}{kind.reader},
            'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead');
        CREATE TABLE dead (reason STRING) WITH ({dead});
        SELECT id FROM t;""",
        tmp_path / "state",
    )

    written = [0]

    def more(version: int, number: int) -> None:
        numbers = range(written[0], written[0] + ROUND)
        written[0] += ROUND
        kafka_kit.produce(kafka, topic, [{"value": header(number) + write[version](n)} for n in numbers])

    more(5, ids[0])
    running.until(partial(has_read, running, written[0]))
    for fault, version, number in ((FaultProxy.refuse, 1, ids[1]), (FaultProxy.black_hole, 3, ids[2])):
        fault(proxy)
        more(5, ids[0])
        running.until(partial(has_read, running, written[0]))  # known: nobody is asked
        before = written[0]
        more(version, number)
        running.until(partial(waits, running))
        assert running.read == before
        proxy.heal()
        running.until(partial(has_read, running, written[0]))
    assert proxy.counts.held >= 1
    running.stop()
    assert running.rows["id"].to_list() == list(range(written[0]))
    assert kafka_kit.consume(kafka, target) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_n22_a_registry_that_stays_away(
    kafka: str, schema_registry: str, fault_proxy: Proxies, tmp_path: Path, kind: Kind
) -> None:
    """N22: after its limit the job stops clearly, with no row dropped; the next run reads them."""
    topic = kafka_kit.new_topic(kafka)
    registry = Registry(Access(schema_registry, retries=0))
    proxy, url = through(schema_registry, fault_proxy)
    write = kind.write(tmp_path)
    known, unknown = (
        registry.register(f"{topic}-{name}", RegistrySchema(kind.versions[v], kind.registered))
        for name, v in (("value", 5), ("new", 1))
    )
    read = kit.options(
        connector="kafka", topic=topic, properties__bootstrap__servers=kafka, scan__startup__mode="earliest-offset"
    )
    script = f"""SET 'tailrace.source.retry-limit' = '2 s'; SET 'execution.checkpointing.interval' = '200 ms';
        CREATE TABLE t ({kind.columns}) WITH ({read}, 'format' = '{kind.name}', '{kind.name}.url' = '{url}',
            '{kind.name}.tailrace.retries' = '0'{kind.reader}, 'tailrace.on-error' = 'drop');
        SELECT id FROM t;"""
    kafka_kit.produce(kafka, topic, [{"value": header(known) + write[5](0)}])
    running = kit.Running(script, tmp_path / "state")
    running.until(partial(has_read, running, 1))
    proxy.refuse()
    kafka_kit.produce(kafka, topic, [{"value": header(unknown) + write[1](n)} for n in range(1, 4)])
    with pytest.raises(TerminalError, match="can't be reached"):
        running.finish()
    proxy.heal()
    again = kit.Running(script, tmp_path / "state")
    again.until(lambda: again.read >= 3 and len(again.rows) >= 3)
    again.stop()
    assert set(again.rows["id"]) | set(running.rows["id"]) == {0, 1, 2, 3}
