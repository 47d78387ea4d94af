"""
Hostile bytes for each format: each bad row stands alone, with its number, a code and a reason; all others are read.

One table for all formats: the rows of a case are put between two good ones. What they become is a value, or the code of a reject.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from both_ways import options

from tailrace.engine.batch import KIND
from tailrace.formats import registry
from tailrace.formats.base import Decoder, Rows
from tailrace.schema import BIGINT, DOUBLE, STRING, Field, Schema, decimal

SCHEMA = Schema((Field("n", BIGINT), Field("s", STRING), Field("d", DOUBLE), Field("m", decimal(10, 2))))
WITHOUT_DECIMAL = Schema(SCHEMA.fields[:3])
GOOD = {"n": 7, "s": "good", "d": 0.5, "m": "1.25"}
PROTO = (
    'syntax = "proto3"; message T { optional int64 n = 1; optional string s = 2; optional double d = 3; T next = 4; }'
)
THRIFT = "struct T { 1: i64 n, 2: string s, 3: double d, 4: string m, 5: list<T> more }"


@dataclass(frozen=True)
class Kind:
    """A format as it is tested: its name, its options, and the columns that it has."""

    name: str
    given: dict[str, str]
    schema: Schema = SCHEMA

    @property
    def format(self) -> Any:
        return registry.get(self.name)

    @property
    def options(self) -> Any:
        return options(self.format.options, self.given)


@cache
def kinds() -> dict[str, Kind]:
    """Give all formats, with the files that they need."""
    folder = Path(tempfile.mkdtemp(prefix="tailrace-hostile-"))
    (folder / "t.proto").write_text(PROTO)
    (folder / "t.thrift").write_text(THRIFT)
    thrift = {"thrift-file": str(folder / "t.thrift")}
    return {
        "json": Kind("json", {}),
        "csv": Kind("csv", {}),
        "debezium-json": Kind("debezium-json", {}),
        "avro": Kind("avro", {}),
        "avro json": Kind("avro", {"encoding": "json"}),
        "protobuf": Kind("protobuf", {"proto-file": str(folder / "t.proto")}, WITHOUT_DECIMAL),
        "thrift": Kind("thrift", thrift),
        "thrift compact": Kind("thrift", thrift | {"protocol": "compact"}),
    }


NAMES = ("json", "csv", "debezium-json", "avro", "avro json", "protobuf", "thrift", "thrift compact")
BINARY = ("avro", "protobuf", "thrift", "thrift compact")
TEXT = ("json", "csv", "debezium-json", "avro json")


def good(kind: Kind, **change: Any) -> bytes:
    """Give a row as the format itself writes it."""
    values = GOOD | change
    frame = pl.DataFrame([pl.Series(f.name, [values[f.name]]).cast(f.type.polars) for f in kind.schema])
    if kind.format.changes:
        frame = frame.with_columns(pl.lit(0, dtype=pl.Int8).alias(KIND))
    row = kind.format.encoder(kind.schema, kind.options).encode(frame).row(0)
    assert row is not None
    return bytes(row)


@cache
def prepared(name: str) -> tuple[Decoder, bytes]:
    """Give the decoder of a format, and a good row."""
    kind = kinds()[name]
    return kind.format.decoder(kind.schema, kind.options, kind.schema), good(kind)


def outcome(name: str, row: bytes | None) -> Any:
    """Read a row between two good ones, and insist that those are read; give its columns, or the code of its reject."""
    kind = kinds()[name]
    decoder, neighbour = prepared(name)
    decoded = decoder.decode(Rows.of([neighbour, row, neighbour]))
    names = list(kind.schema.names)
    frame = decoded.frame.select(names)
    assert frame.row(0) == frame.row(-1) == decoder.decode(Rows.of([neighbour])).frame.select(names).row(0)
    if decoded.rejects:
        (reject,) = decoded.rejects
        assert reject.row == 1
        assert reject.code
        assert reject.reason
        assert reject.reason.isprintable()  # nothing of the row is shown that could harm a terminal
        assert frame.height == 2
        assert decoded.kept is not None
        assert decoded.kept.tolist() == [0, 2]
        return reject.code
    return frame.row(1, named=True) if frame.height == 3 else "left out"


def cut(kind: Kind) -> bytes:
    return good(kind)[:-3]


def trailing(kind: Kind) -> bytes:
    return good(kind) + b"\x00"


def of_other(name: str) -> Callable[[Kind], bytes]:
    return lambda _: good(kinds()[name])


def bad_text(kind: Kind) -> bytes:
    """A text that is not UTF-8 in the place of `good`."""
    return good(kind).replace(b"good", b"g\xff\xfed")


# the faults D1 and D2: what is no row at all
NO_ROWS: dict[str, tuple[Callable[[Kind], bytes | None], dict[str, str]]] = {
    "tombstone": (lambda _: None, dict.fromkeys(NAMES, "tombstone") | {"debezium-json": "left out"}),
    "zero bytes": (lambda _: b"", dict.fromkeys(NAMES, "empty") | {"debezium-json": "left out", "protobuf": "nulls"}),
    "cut": (cut, dict.fromkeys(NAMES, "syntax") | {"csv": "read"}),  # its last number is shorter, which nothing tells
    "trailing": (trailing, dict.fromkeys(NAMES, "syntax") | {"csv": "read"}),  # as a space
    "JSON in another": (of_other("json"), dict.fromkeys(("csv", *BINARY), "syntax")),
    "Avro in another": (of_other("avro"), dict.fromkeys(("json", "csv", "debezium-json", "avro json"), "utf-8")),
    "not UTF-8": (bad_text, dict.fromkeys(NAMES, "utf-8")),
}


@pytest.mark.parametrize(("case", "name"), [(c, n) for c, (_, by) in NO_ROWS.items() for n in by])
def test_what_is_no_row(case: str, name: str) -> None:
    make, expected = NO_ROWS[case]
    found = outcome(name, make(kinds()[name]))
    if expected[name] == "read":
        assert found["n"] == 7
    elif expected[name] == "nulls":
        assert found == dict.fromkeys(kinds()[name].schema.names)
    else:
        assert found == expected[name]


def as_json(text: str) -> Callable[[Kind], bytes]:
    """Give a row whose fields stand in a text of JSON, as each format of JSON has them."""

    def make(kind: Kind) -> bytes:
        if kind.name == "debezium-json":
            return f'{{"before": null, "after": {text}, "op": "c"}}'.encode("utf-8", "surrogatepass")
        return text.encode("utf-8", "surrogatepass")

    return make


# the faults D3 to D6 and D8 in JSON: the field that counts, and what it is, or the code
JSON_ROWS: dict[str, tuple[str | bytes, str, Any]] = {
    "BOM": (b'\xef\xbb\xbf{"n": 1}', "n", 1),
    "NUL in a text": (r'{"s": "a\u0000b"}', "s", "a\0b"),
    "bidi and control characters": ('{"s": "\u202eabc\u0007"}', "s", "\u202eabc\u0007"),
    "half of a surrogate pair": (r'{"s": "\ud800"}', "s", "utf-8"),
    "a surrogate as bytes": (b'{"s": "\xed\xa0\x80"}', "s", "utf-8"),
    "NaN": ('{"d": NaN}', "d", "syntax"),
    "Infinity": ('{"d": Infinity}', "d", "syntax"),
    "1e400": ('{"d": 1e400}', "d", "range"),
    "-0.0": ('{"d": -0.0}', "d", "-0.0"),
    "2^63": ('{"n": 9223372036854775808}', "n", "range"),
    "2^64": ('{"n": 18446744073709551616}', "n", "range"),
    "5,000 digits": (f'{{"n": {"9" * 5000}}}', "n", "range"),
    "a decimal of 40 digits": (f'{{"m": {"9" * 40}}}', "m", "range"),
    "a key twice": ('{"n": 1, "n": 2}', "n", 2),
    "a key in another case": ('{"N": 1}', "n", None),
    "odd keys": (r'{"a.b": 1, "a\"b": 2, "select": 3, "a b": 4, "n": 5}', "n", 5),
    "10,000 keys": (json.dumps({f"k{i}": i for i in range(10_000)} | {"n": 1}), "n", 1),
    "100,000 levels": ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", "n", "depth"),
    "a million elements": ('{"x": [' + "1," * 999_999 + '1], "n": 1}', "n", 1),
    "a text of 10 MB": ('{"n": 1, "s": "' + "x" * 10_000_000 + '"}', "n", 1),
    "a text for a number": ('{"n": "x"}', "n", "type"),
    "an object for a number": ('{"n": {"a": 1}}', "n", "type"),
    "an object for a text": ('{"s": {"a": 1}}', "s", '{"a":1}'),
    "fields in another order": ('{"m": 1, "d": 2, "s": "x", "n": 3}', "n", 3),
    "a missing and an unknown field": ('{"unknown": 1}', "n", None),
    "null": ('{"n": null}', "n", None),
}


@pytest.mark.parametrize("case", JSON_ROWS)
@pytest.mark.parametrize("name", ["json", "debezium-json"])
def test_odd_rows_of_json(name: str, case: str) -> None:
    text, field, expected = JSON_ROWS[case]
    if isinstance(text, bytes):
        if name == "debezium-json":
            text = b'{"before": null, "op": "c", "after": ' + text.removeprefix(b"\xef\xbb\xbf") + b"}"
        found = outcome(name, text)
    else:
        found = outcome(name, as_json(text)(kinds()[name]))
    if isinstance(found, dict):
        found = found[field]
    assert (str(found) if case == "-0.0" else found) == expected


# the same in CSV: the whole row, the field that counts, and what it is
CSV_ROWS: dict[str, tuple[str | bytes, str, Any]] = {
    "BOM": (b"\xef\xbb\xbf1,a,1,1", "n", 1),
    "NUL in a text": ("1,a\0b,1,1", "s", "a\0b"),
    "bidi characters": ("1,\u202eabc,1,1", "s", "\u202eabc"),
    "a surrogate as bytes": (b"1,\xed\xa0\x80,1,1", "s", "utf-8"),
    "1e400": ("1,a,1e400,1", "d", "range"),
    "-0.0": ("1,a,-0.0,1", "d", "-0.0"),
    "2^63": ("9223372036854775808,a,1,1", "n", "range"),
    "5,000 digits": (f"{'9' * 5000},a,1,1", "n", "range"),
    "a decimal of 40 digits": (f"1,a,1,{'9' * 40}", "m", "range"),
    "too few fields": ("1,a", "n", "shape"),
    "too many fields": ("1,a,1,1,1", "n", "shape"),
    "10,000 fields": (",".join(["1"] * 10_000), "n", "shape"),
    "a quote without an end": ('1,"a,1,1', "n", "syntax"),
    "something behind a quote": ('1,"a"b,1,1', "n", "syntax"),
    "quotes, a comma and a line end within": ('1,"a ""b"",\nc",1,1', "s", 'a "b",\nc'),
    "a formula": ("1,=cmd(),1,1", "s", "=cmd()"),
    "a text for a number": ("x,a,1,1", "n", "type"),
    "a text of 10 MB": (f"1,{'x' * 10_000_000},1,1", "n", 1),
}


@pytest.mark.parametrize("case", CSV_ROWS)
def test_odd_rows_of_csv(case: str) -> None:
    text, field, expected = CSV_ROWS[case]
    found = outcome("csv", text if isinstance(text, bytes) else text.encode())
    if isinstance(found, dict):
        found = found[field]
    assert (str(found) if case == "-0.0" else found) == expected


_NESTED = {
    "protobuf": b"",
    "thrift": b"\x0f\x00\x05\x0c\x00\x00\x00\x01" * 100_000,
    "thrift compact": b"\x59\x1c" * 100_000,
}


def nested(levels: int) -> bytes:
    """Give a message of Protobuf within itself."""
    made = b""
    for _ in range(levels):
        size, left = bytearray(), len(made)
        while left >= 128:
            size.append(left & 127 | 128)
            left >>= 7
        size.append(left)
        made = b"\x22" + bytes(size) + made
    return made


@pytest.mark.parametrize("name", _NESTED)
def test_what_is_nested_too_deep(name: str) -> None:
    """D6: no error of Python's own stack, and no memory that grows with it."""
    assert outcome(name, _NESTED[name] or nested(2_000)) == "depth"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("avro", b"\x02\x0e\x02" + b"\xfe\xff\xff\xff\x0f" + b"x"),
        ("protobuf", b"\x12\xff\xff\xff\xff\x07x"),
        ("thrift", b"\x0b\x00\x02\x7f\xff\xff\xffx"),
        ("thrift", b"\x0f\x00\x05\x0c\x7f\xff\xff\xff\x00"),
        ("thrift compact", b"\x28\xff\xff\xff\xff\x07x"),
        ("thrift compact", b"\x59\xfc\xff\xff\xff\xff\x07\x00"),
    ],
)
def test_a_size_beyond_the_row(name: str, row: bytes) -> None:
    """D6: what a size promises is not reserved before it is there."""
    assert outcome(name, row) == "syntax"


@pytest.mark.parametrize("name", BINARY)
def test_a_row_of_ten_megabytes(name: str) -> None:
    """D7: it is read as any other; what is too large the connector refuses."""
    found = outcome(name, good(kinds()[name], s="x" * 10_000_000))
    assert len(found["s"]) == 10_000_000


@pytest.mark.parametrize("name", BINARY)
def test_texts_with_anything_in_them(name: str) -> None:
    """D3: NUL, control and bidi characters are kept."""
    text = "a\0b\u202e\u0007\ufeff"
    assert outcome(name, good(kinds()[name], s=text))["s"] == text


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "-0.0"])
def test_numbers_that_are_none(name: str, number: str) -> None:
    """D4: they are values, with their signs."""
    assert str(outcome(name, good(kinds()[name], d=float(number)))["d"]) == number


@pytest.mark.parametrize("name", BINARY)
def test_every_cut_and_every_changed_byte_stands_alone(name: str) -> None:
    """No byte of a row can make the reader fail, nor reach another row."""
    whole = good(kinds()[name])
    for place in range(len(whole)):
        outcome(name, whole[:place])
        outcome(name, whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
