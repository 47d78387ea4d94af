"""Avro: what fastavro writes is read, what is written fastavro reads, and rows that can't be read are told apart."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from avro_kit import decode, exact, logical, read, record, records, written
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import columns, derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.types import parse
from tailrace.formats.avro.values import MisfitError
from tailrace.schema import (
    BIGINT,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    DataType,
    Field,
    Kind,
    Schema,
    decimal,
    timestamp,
)


def plain(value: Any, kind: DataType) -> Any:
    """Give a value of fastavro as a column has it."""
    if value is None:
        return None
    if isinstance(value, uuid.UUID):
        return str(value)
    if kind.kind is Kind.ARRAY:
        return [plain(v, kind.children[0]) for v in value]
    if kind.kind is Kind.MAP:
        return {k: plain(v, kind.children[1]) for k, v in value.items()}
    if kind.kind is Kind.ROW:
        return {n: plain(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    if isinstance(value, dt.datetime) and kind.kind is Kind.TIMESTAMP:
        return value.replace(tzinfo=None)
    return value


def ours(value: Any, kind: DataType) -> Any:
    """Give a value of a column with maps as dicts."""
    if value is None:
        return None
    if kind.kind is Kind.ARRAY:
        return [ours(v, kind.children[0]) for v in value]
    if kind.kind is Kind.MAP:
        return {e["key"]: ours(e["value"], kind.children[1]) for e in value}
    if kind.kind is Kind.ROW:
        return {n: ours(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    return value


QUICK = settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to make a failure small takes minutes: the schemas are small as they are
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@QUICK
@given(records(), st.data())
def test_both_sides(given: tuple[Any, list[Any]], data: st.DataObject) -> None:
    """What fastavro writes is read, whichever columns are asked for; what is written from that fastavro reads: all equal."""
    schema, values = given
    rows = written(schema, values)
    whole = columns(parse(json.dumps(schema)))
    asked = Schema(tuple(f for f in whole if data.draw(st.booleans(), label=f.name)))

    decoded = decode(schema, list(rows), whole)
    part = decode(schema, list(rows), asked)

    assert not decoded.rejects
    assert part.frame.to_dicts() == decoded.frame.select(asked.names).to_dicts() or not len(asked)
    expected = read(schema, rows)
    for k, f in enumerate(whole):
        got = [ours(v, f.type) for v in decoded.frame[f.name].to_list()]
        assert got == [plain(v[f"c{k}"], f.type) for v in expected], f
    encoded = AvroEncoder(whole, parse(json.dumps(schema))).encode(decoded.frame)
    again = [encoded.row(i) for i in range(len(rows))]
    assert read(schema, [row or b"" for row in again]) == expected
    mine = derived(whole)
    encoded = AvroEncoder(whole, parse(mine)).encode(decoded.frame)
    back = AvroDecoder(parse(mine), whole).decode(encoded)
    assert back.frame.equals(decoded.frame)


@QUICK
@given(records(), st.data())
def test_changed_bytes(given: tuple[Any, list[Any]], data: st.DataObject) -> None:
    """Rows with changed, lost or more bytes are read as both ways agree, or are rejects; the row beside them is always read."""
    schema, values = given
    rows: list[bytes | None] = [*written(schema, values)]
    good = rows[0]
    bad = bytearray(data.draw(st.sampled_from([r for r in rows if r is not None])))
    for _ in range(data.draw(st.integers(1, 3))):
        if bad:
            bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(bad)))
    more = data.draw(st.binary(max_size=3))

    decoded = decode(schema, [bytes(bad[:cut]) + more, good])

    assert 1 not in {r.row for r in decoded.rejects}


ONE = record(("v", "string"), ("w", {"type": "array", "items": "int"}), ("x", ["null", "double"]), ("b", "boolean"))
GOOD = {"v": "né", "w": [1, 2, 3], "x": 1.5, "b": True}


@pytest.mark.parametrize(
    ("row", "code", "reason"),
    [
        (None, "tombstone", "without bytes"),
        (b"", "empty", "zero bytes"),
        (b"\x04n", "syntax", "ends within"),
        (b"\x03x", "syntax", "a length below zero"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "syntax", "a length below zero"),
        (b"\xff" * 11, "syntax", "more than 64 bits"),
        (b"\x02\xff", "utf-8", "not UTF-8"),
        (b"\x02a\x02\x02\x00\x05", "syntax", "no such branch"),
        (b"\x02a\x00\x00\x07", "syntax", "neither 0 nor 1"),
        (b"\x02a\x01\x01\x00", "syntax", "a length below zero"),
        (b"\x02a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", "syntax", "a length below zero"),
        (b"\x02a\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "range", "more items"),
        (b"{}", "syntax", ""),
    ],
)
def test_hostile(row: bytes | None, code: str, reason: str) -> None:
    """Each bad row is a reject of its own, with the reason; those around it are read."""
    good = written(ONE, [GOOD])[0]
    decoded = decode(ONE, [good, row, good])
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, code)]
    assert reason in decoded.rejects[0].reason
    assert decoded.frame["v"].to_list() == ["né", "né"]


def test_cut_everywhere() -> None:
    """A row that ends too early, anywhere, or has something behind it, is a reject."""
    good = written(ONE, [GOOD])[0]
    rows: list[bytes | None] = [good[:n] for n in range(1, len(good))]
    decoded = decode(ONE, [*rows, good + b"\0"])
    assert {r.code for r in decoded.rejects} == {"syntax"}
    assert len(decoded.rejects) == len(good)


def test_deep_and_many() -> None:
    """A row nested too deep, and one of countless items without bytes, end; they cost neither the stack nor the memory."""
    tree = record(("next", ["null", "R"]), ("n", {"type": "array", "items": "null"}))
    schema = record(("id", "int"), ("tree", tree), name="Top")
    asked = Schema((Field("id", INT),))
    deep = b"\x02" + b"\x02" * 100_000
    bomb = b"\x02\x00" + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    flat = written(schema, [{"id": 1, "tree": {"next": None, "n": [None] * 5}}])[0]
    decoded = decode(schema, [deep, bomb, flat], asked)
    assert [r.code for r in decoded.rejects] == ["depth", "range"]
    assert decoded.frame["id"].to_list() == [1]


EVOLUTION: list[tuple[str, Any, Any, DataType, Any]] = [
    ("int to long", "int", 7, BIGINT, 7),
    ("int to float", "int", 2**24 + 1, FLOAT, float(2**24)),
    ("int to double", "int", -7, DOUBLE, -7.0),
    ("long to float", "long", 2**63 - 1, FLOAT, 2.0**63),
    ("long to double", "long", -(2**63), DOUBLE, -(2.0**63)),
    ("float to double", "float", 0.1, DOUBLE, 0.10000000149011612),
    ("string to bytes", "string", "é", BYTES, "é".encode()),
    ("bytes to string", "bytes", "é".encode(), STRING, "é"),
    ("int to smallint", "int", -32768, SMALLINT, -32768),
    ("enum to string", {"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", STRING, "B"),
    (
        "uuid of 16 bytes",
        logical("fixed", "uuid", name="U", size=16),
        b"\1" * 16,
        STRING,
        str(uuid.UUID(bytes=b"\1" * 16)),
    ),
    (
        "more digits behind the point",
        logical("bytes", "decimal", precision=6, scale=3),
        Decimal("1.235"),
        decimal(10, 2),
        Decimal("1.24"),
    ),
    (
        "fewer digits behind the point",
        logical("bytes", "decimal", precision=6, scale=1),
        Decimal("-1.5"),
        decimal(10, 2),
        Decimal("-1.50"),
    ),
    (
        "micros to millis",
        logical("long", "timestamp-micros"),
        -1,
        timestamp(3),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999000),
    ),
    ("millis to micros", logical("long", "timestamp-millis"), 1, timestamp(6), dt.datetime(1970, 1, 1, 0, 0, 0, 1000)),
    ("nanos to micros", logical("long", "timestamp-nanos"), 1999, timestamp(6), dt.datetime(1970, 1, 1, 0, 0, 0, 1)),
    ("millis to seconds", logical("long", "timestamp-millis"), 1999, timestamp(0), dt.datetime(1970, 1, 1, 0, 0, 1)),
]


@pytest.mark.parametrize(
    ("kind", "value", "column", "expected"), [e[1:] for e in EVOLUTION], ids=[e[0] for e in EVOLUTION]
)
def test_promotion(kind: Any, value: Any, column: DataType, expected: Any) -> None:
    """A value of the writer's type is that of the column's, exactly or by the rule of the docs."""
    bare = (
        {k: v for k, v in kind.items() if k != "logicalType"}
        if isinstance(value, int) and isinstance(kind, dict)
        else kind
    )
    rows = written(record(("v", bare)), [{"v": value}])
    decoded = decode(record(("v", kind)), [*rows], Schema((Field("v", column),)))
    assert decoded.frame["v"].to_list() == [expected]


@pytest.mark.parametrize(
    ("kind", "value", "column"),
    [
        ("int", 40_000, SMALLINT),
        (logical("bytes", "decimal", precision=6, scale=2), Decimal("1000.00"), decimal(4, 2)),
        (logical("bytes", "decimal", precision=6, scale=1), Decimal("1000.0"), decimal(4, 2)),
        ("long", 2**62, timestamp(6)),
        ("long", 2**63 - 1, timestamp(9)),
        ("int", 86_400_000, DataType(Kind.TIME, precision=3)),
        ("int", 2**30, DataType(Kind.DATE)),
    ],
)
def test_beyond_the_column(kind: Any, value: Any, column: DataType) -> None:
    """A value that its column can't hold is a reject, never cut in silence; the others go on."""
    rows = written(record(("v", kind)), [{"v": value}, {"v": type(value)(1)}])
    decoded = decode(record(("v", kind)), [*rows], Schema((Field("v", column),)))
    assert [(r.row, r.code) for r in decoded.rejects] == [(0, "range")]
    assert len(decoded.frame) == 1


@pytest.mark.parametrize(
    ("kind", "column", "said"),
    [
        ("long", INT, "field 'v' is long, which can't be read as INT"),
        ("string", INT, "can't be read as INT"),
        ("double", FLOAT, "can't be read as FLOAT"),
        (["int", "string"], INT, "only a union with null"),
        (["null", "int", "string"], INT, "only a union with null"),
        (logical("long", "timestamp-millis"), DataType(Kind.DATE), "can't be read as DATE"),
        ({"type": "map", "values": "int"}, DataType(Kind.ARRAY, children=(INT,)), "can't be read as ARRAY"),
    ],
)
def test_misfits(kind: Any, column: DataType, said: str) -> None:
    with pytest.raises(MisfitError, match=said.replace("'", ".")):
        AvroDecoder(parse(json.dumps(record(("v", kind)))), Schema((Field("v", column),)))


def test_unions_that_nobody_asks_for() -> None:
    """Fields that can't be columns are passed by."""
    odd = ["string", {"type": "map", "values": ["int", "string"]}, {"type": "array", "items": "R"}]
    schema = record(("before", odd), ("v", "int"), ("behind", odd))
    value = {"before": {"a": 1, "b": "x"}, "v": 5, "behind": [{"before": "q", "v": 1, "behind": []}]}
    rows = written(schema, [value, value | {"v": 6}])
    assert decode(schema, [*rows], Schema((Field("v", INT),))).frame["v"].to_list() == [5, 6]


def test_names_defaults_and_aliases() -> None:
    """A reader's schema finds a field by its alias, and has a value for one that the writer does not have."""
    old = record(("gone", "string"), ("n", "int"), ("e", {"type": "enum", "name": "E", "symbols": ["A", "B"]}))
    symbols = {"type": "enum", "name": "E", "symbols": ["A", "OTHER"], "default": "OTHER"}
    new = record(
        {"name": "number", "type": "long", "aliases": ["n"]},
        {"name": "text", "type": "string", "default": "none"},
        {"name": "amount", "type": logical("bytes", "decimal", precision=4, scale=2), "default": "\u0001\u0000"},
        {"name": "maybe", "type": ["null", "int"], "default": None},
        {"name": "e", "type": symbols},
    )
    rows = written(old, [{"gone": "x", "n": 3, "e": "A"}, {"gone": "y", "n": 4, "e": "B"}])
    decoded = decode(old, [*rows], columns(parse(json.dumps(new))), new)
    expected = {"text": "none", "amount": Decimal("2.56"), "maybe": None}
    assert decoded.frame.to_dicts() == [{"number": 3, **expected, "e": "A"}, {"number": 4, **expected, "e": "OTHER"}]


def test_symbols_without_a_place() -> None:
    old = record(("e", {"type": "enum", "name": "E", "symbols": ["A", "B"]}))
    new = record(("e", {"type": "enum", "name": "E", "symbols": ["A"]}))
    rows = written(old, [{"e": "A"}, {"e": "B"}])
    decoded = decode(old, [*rows], reader=new)
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, "enum")]


def test_null_where_none_may_be() -> None:
    schema = record(("v", ["null", "int"]))
    rows = written(schema, [{"v": None}, {"v": 1}])
    decoded = decode(schema, [*rows], Schema((Field("v", INT.with_nullable(False)),)))
    assert [(r.row, r.code) for r in decoded.rejects] == [(0, "null")]
    with pytest.raises(MisfitError, match="the column is NOT NULL"):
        AvroDecoder(parse(json.dumps(schema)), Schema((Field("other", INT.with_nullable(False)),)))


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_decimals_are_exact(number: int) -> None:
    """Of all sizes, in bytes of any number, also those with more of them than needed."""
    schema = record(("v", logical("bytes", "decimal", precision=38, scale=10)))
    assume(number != 0)
    size = (number.bit_length() + 8) // 8
    raws = [number.to_bytes(size + n, "big", signed=True) for n in (0, 1, 20)]
    rows: list[bytes | None] = [*written(record(("v", "bytes")), [{"v": raw} for raw in raws])]
    expected = exact(number, 10)
    decoded = decode(schema, rows)
    assert decoded.frame["v"].to_list() == [expected] * 3
    encoded = AvroEncoder(Schema((Field("v", decimal(38, 10)),)), parse(json.dumps(schema))).encode(decoded.frame[:1])
    assert encoded.row(0) == rows[0] or len(encoded.row(0) or b"") < len(rows[0] or b"")


def test_as_flink_derives() -> None:
    """The schema of columns is the one that Flink writes."""
    schema = Schema(
        (
            Field("id", BIGINT.with_nullable(False)),
            Field("amount", decimal(10, 2)),
            Field("ts", timestamp(3)),
            Field("inner", DataType(Kind.ROW, children=(INT,), names=("x",))),
        )
    )
    assert json.loads(derived(schema)) == {
        "type": "record",
        "name": "record",
        "namespace": "org.apache.flink.avro.generated",
        "fields": [
            {"name": "id", "type": "long"},
            {
                "name": "amount",
                "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}],
                "default": None,
            },
            {"name": "ts", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
            {
                "name": "inner",
                "type": [
                    "null",
                    {
                        "type": "record",
                        "name": "record_inner",
                        "namespace": "org.apache.flink.avro.generated",
                        "fields": [{"name": "x", "type": ["null", "int"], "default": None}],
                    },
                ],
                "default": None,
            },
        ],
    }
