"""Rows of CSV, plain, quoted, ragged and hostile: one policy in a block and row by row, and back again."""

from __future__ import annotations

import csv as oracle
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from both_ways import one, options, outcome, read_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.errors import ConfigError, DataError, UnsupportedError
from tailrace.formats import csv
from tailrace.formats.base import Rows
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    STRING,
    DataType,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    row,
    time_type,
    timestamp,
)

SCHEMA = Schema((Field("id", BIGINT), Field("name", STRING), Field("price", decimal(10, 2)), Field("ts", timestamp(3))))


def test_plain_rows() -> None:
    decoded = read_csv(SCHEMA, [b"1,a,2.5,2024-01-02 03:04:05", b"2,,-0.005,2024-01-02 03:04:05.678"])
    assert decoded.frame.rows() == [
        (1, "a", Decimal("2.50"), dt.datetime(2024, 1, 2, 3, 4, 5)),
        (2, "", Decimal("-0.01"), dt.datetime(2024, 1, 2, 3, 4, 5, 678000)),
    ]


def test_columns_are_found_by_their_place() -> None:
    schema = Schema((SCHEMA["ts"], SCHEMA["id"]))
    decoded = read_csv(schema, [b'1,"x,y",2.5,2024-01-02 03:04:05'], SCHEMA)
    assert decoded.frame.row(0) == (dt.datetime(2024, 1, 2, 3, 4, 5), 1)


VALUES: list[tuple[DataType, bytes, Any]] = [
    (STRING, b'"a, b"', "a, b"),
    (STRING, b'"a ""b"""', 'a "b"'),
    (STRING, b'"a\nb"', "a\nb"),
    (STRING, b'a "b"', 'a "b"'),
    (STRING, b" a ", " a "),
    (STRING, b'"a"b', "reject: syntax"),
    (STRING, b'"a', "reject: syntax"),
    (STRING, b"a\nb", "reject: syntax"),
    (STRING, b"a,b", "reject: shape"),
    (STRING, b"\xff", "reject: utf-8"),
    (STRING, b"", "reject: empty"),
    (STRING, b"=cmd()", "=cmd()"),
    (STRING, b"a\x00b", "a\x00b"),
    (INT, b" 12 ", 12),
    (INT, b'"12"', 12),
    (INT, b"007", 7),
    (INT, b"+7", 7),
    (INT, b"x", "reject: type"),
    (INT, b"2147483648", "reject: range"),
    (DOUBLE, b"1e400", "reject: range"),
    (BOOLEAN, b"true", True),
    (BOOLEAN, b"False", False),
    (BOOLEAN, b"yes", "reject: type"),
    (DATE, b"2024-02-29", dt.date(2024, 2, 29)),
    (DATE, b"2023-02-29", "reject: type"),
    (time_type(3), b"01:02:03.5", dt.time(1, 2, 3, 500000)),
    (BYTES, b"aGk=", b"hi"),
    (array(INT), b"1;2;3", [1, 2, 3]),
    (array(INT), b"1;x", "reject: type"),
    (row({"a": INT, "b": STRING}), b"1;x", {"a": 1, "b": "x"}),
    (row({"a": INT, "b": STRING}), b"1", "reject: shape"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), VALUES, ids=lambda v: repr(v)[:40])
def test_value(kind: DataType, text: bytes, expected: Any) -> None:
    assert outcome(read_csv(one(kind), [text])) == expected


def test_tombstones_are_rejected() -> None:
    assert outcome(read_csv(one(INT), [None])) == "reject: tombstone"


def test_the_reason_of_an_empty_number_says_what_to_do() -> None:
    (reject,) = read_csv(SCHEMA, [b",a,1,2024-01-02 03:04:05"]).rejects
    assert "'csv.null-literal' = '' would make it NULL" in reject.reason
    decoded = read_csv(SCHEMA, [b",a,,"], null_literal="")
    assert decoded.frame.row(0) == (None, "a", None, None)


def test_null_literal() -> None:
    schema = Schema((Field("a", STRING), Field("b", INT)))
    assert read_csv(schema, [b"n/a,n/a", b'"n/a",1'], null_literal="n/a").frame.rows() == [(None, None), (None, 1)]


def test_ragged_rows_cost_themselves_alone() -> None:
    schema = Schema((Field("a", INT), Field("b", INT)))
    rows: list[bytes | None] = [b"1,2", b"3", b"4,5,6", b"7,8", b"9,10,"]
    decoded = read_csv(schema, rows)
    assert decoded.frame.rows() == [(1, 2), (7, 8)]
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, "shape"), (2, "shape"), (4, "shape")]
    lenient = read_csv(schema, [*rows, b"x,11"], ignore_parse_errors="true")
    assert lenient.frame.rows() == [(1, 2), (3, None), (7, 8), (None, 11)]
    assert lenient.rejects == []


def test_dialects() -> None:
    schema = Schema((Field("a", STRING), Field("b", STRING)))
    assert read_csv(schema, [b"x\ty"], field_delimiter="\\t").frame.row(0) == ("x", "y")
    assert read_csv(schema, [b"'x;';y"], field_delimiter=";", quote_character="'").frame.row(0) == ("x;", "y")
    assert read_csv(schema, [b"x\\,y,z"], escape_character="\\").frame.row(0) == ("x,y", "z")
    assert read_csv(schema, [b'"x,y"'], disable_quote_character="true").frame.row(0) == ('"x', 'y"')
    commented = read_csv(schema, [b"# x", b"x,y", b"#"], allow_comments="true")
    assert commented.frame.rows() == [("x", "y")]
    assert commented.rejects == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"field-delimiter": '"'}, "must not be the quote"),
        ({"field-delimiter": ";;"}, "one ASCII character"),
        ({"quote-character": "é"}, "one ASCII character"),
        ({"array-element-delimiter": ""}, "must not be empty"),
    ],
)
def test_wrong_options(given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        csv.FORMAT.decoder(one(STRING), options(csv.FORMAT.options, given))


@pytest.mark.parametrize("kind", [map_type(STRING, INT), array(array(INT))])
def test_types_without_a_place_in_csv(kind: DataType) -> None:
    values = options(csv.FORMAT.options, {})
    with pytest.raises(UnsupportedError, match="CSV can't carry"):
        csv.FORMAT.decoder(one(kind), values)
    with pytest.raises(UnsupportedError, match="CSV can't carry"):
        csv.FORMAT.encoder(one(kind), values)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_python_reads_what_was_written_and_so_do_we(rows: list[tuple[str, str]]) -> None:
    schema = Schema((Field("a", STRING), Field("b", STRING)))
    encoder = csv.FORMAT.encoder(schema, options(csv.FORMAT.options, {}))
    written = encoder.encode(pl.DataFrame(rows, schema=["a", "b"], orient="row"))
    text = written.data.tobytes().decode()
    assert list(oracle.reader(io.StringIO(text, newline=""))) == [list(r) for r in rows]
    assert read_csv(schema, [written.row(i) for i in range(len(written))]).frame.rows() == rows


def test_written_types() -> None:
    schema = Schema(
        (
            Field("d", decimal(12, 9)), Field("x", DOUBLE), Field("t", timestamp(3)), Field("b", BYTES),
            Field("a", array(INT)), Field("r", row({"p": INT, "q": STRING})), Field("n", INT),
        )
    )  # fmt: skip
    frame = pl.DataFrame(
        {
            "d": [Decimal("0.000000027")], "x": [1.5], "t": [dt.datetime(2024, 1, 2, 3, 4, 5, 600000)], "b": [b"hi"],
            "a": [[1, 2]], "r": [{"p": 1, "q": "z"}], "n": [None],
        },
        schema={f.name: f.type.polars for f in schema},
    )  # fmt: skip
    encoder = csv.FORMAT.encoder(schema, options(csv.FORMAT.options, {"null-literal": "-"}))
    rows = encoder.encode(frame)
    assert rows.row(0) == b"2.7E-8,1.5,2024-01-02 03:04:05.6,aGk=,1;2,1;z,-"
    assert read_csv(schema, [rows.row(0)], null_literal="-").frame.row(0) == frame.row(0)


def test_a_row_of_one_empty_text_is_no_empty_line() -> None:
    encoder = csv.FORMAT.encoder(one(STRING), options(csv.FORMAT.options, {}))
    assert encoder.encode(pl.DataFrame({"v": ["", "a"]})).data.tobytes() == b'""\na\n'


def test_texts_that_the_dialect_cannot_write() -> None:
    encoder = csv.FORMAT.encoder(one(STRING), options(csv.FORMAT.options, {"disable-quote-character": "true"}))
    with pytest.raises(DataError, match="the quote character is disabled"):
        encoder.encode(pl.DataFrame({"v": ["a,b"]}))
    escaping = {"disable-quote-character": "true", "escape-character": "\\"}
    encoder = csv.FORMAT.encoder(one(STRING), options(csv.FORMAT.options, escaping))
    rows = encoder.encode(pl.DataFrame({"v": ["a,b\\"]}))
    assert (
        outcome(read_csv(one(STRING), [rows.row(0)], **{k.replace("-", "_"): v for k, v in escaping.items()}))
        == "a,b\\"
    )


GOOD = b'17,"a, b",12.50,2024-01-02 03:04:05.678'


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, len(GOOD)),
)
def test_changed_bytes_never_part_the_two_ways(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(GOOD)
    for place, byte in changes:
        data[place] = byte
    read_csv(SCHEMA, [GOOD, bytes(data), bytes(data[:cut]), GOOD], escape_character="\\")


def test_empty_frames() -> None:
    encoder = csv.FORMAT.encoder(one(STRING), options(csv.FORMAT.options, {}))
    assert len(encoder.encode(pl.DataFrame({"v": []}, schema={"v": pl.String}))) == 0
    assert len(csv.FORMAT.decoder(one(STRING), options(csv.FORMAT.options, {})).decode(Rows.of([])).frame) == 0
