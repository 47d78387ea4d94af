"""Rows of JSON that are whole, odd or hostile: one policy in a block and row by row; a bad row never costs another."""

from __future__ import annotations

import pytest
from both_ways import one, outcome, read_json
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.schema import BIGINT, DOUBLE, INT, STRING, DataType, Field, Schema, array, decimal, timestamp

DEEP = b"[" * 100_000

HOSTILE = [
    (None, "reject: tombstone"),
    (b"", "reject: empty"),
    (b"{}", None),
    (b'{"v": 1', "reject: syntax"),
    (b'{"v": 1} x', "reject: syntax"),
    (b'{"v": 1}{"v": 2}', "reject: syntax"),
    (b'{"v": 1,}', "reject: syntax"),
    (b"{'v': 1}", "reject: syntax"),
    (b"\x00\x00\x00\x00\x01\x02", "reject: syntax"),
    (b"42", "reject: shape"),
    (b"[1]", "reject: shape"),
    (b"null", "reject: shape"),
    (b"\xef\xbb\xbf" + b'{"v": 1}', 1),
    (b'{"v": 1, "x": "\xff"}', "reject: utf-8"),
    (b'{"v": 1, "x": "\xed\xa0\x80"}', "reject: utf-8"),
    (b'{"v": 1, "v": 2}', 2),
    (b'{"V": 1}', None),
    (b'{"\\u0076": 1}', 1),
    (b' { "v" : 1 , "x" : [ { } ] } ', 1),
    (b'{"v": 1, "x": ' + DEEP, "reject: depth"),
    (b'{"v": 1, "x": ' + b"[" * 200 + b"]" * 200 + b"}", 1),
    (b'{"v": ' + b"9" * 100_000 + b"}", "reject: range"),
]


@pytest.mark.parametrize(("data", "expected"), HOSTILE, ids=[repr(d)[:40] for d, _ in HOSTILE])
def test_row(data: bytes | None, expected: object) -> None:
    assert outcome(read_json(one(INT), [data])) == expected


def test_one_bad_row_costs_itself_alone() -> None:
    rows: list[bytes | None] = [f'{{"v": {i}}}'.encode() for i in range(1000)]
    rows[1:1] = [data for data, _ in HOSTILE]
    decoded = read_json(one(INT), rows)
    good = [expected for _, expected in HOSTILE if not str(expected).startswith("reject")]
    assert decoded.frame["v"].to_list() == [0, *good, *range(1, 1000)]
    assert [r.row for r in decoded.rejects] == [
        i + 1 for i, (_, e) in enumerate(HOSTILE) if str(e).startswith("reject")
    ]
    assert decoded.kept is not None
    assert len(decoded.kept) == 1000 + len(good)


def test_reasons_name_the_field_and_never_show_the_value() -> None:
    (reject,) = read_json(one(INT), [b'{"v": "secret"}']).rejects
    assert reject.reason == "field 'v': not a number, as INT needs"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (Schema((Field("a.b", INT), Field("select", INT), Field('q"x', INT), Field("é", INT))), [1, 2, 3, 4]),
        (Schema((Field("é", INT), Field("a.b", INT))), [4, 1]),
    ],
)
def test_odd_names(schema: Schema, expected: list[int]) -> None:
    row = '{"a.b": 1, "select": 2, "q\\"x": 3, "é": 4}'.encode()
    assert list(read_json(schema, [row]).frame.row(0)) == expected


def test_ten_thousand_columns() -> None:
    schema = Schema(tuple(Field(f"c{i}", INT) for i in range(10_000)))
    row = ("{" + ",".join(f'"c{i}":{i}' for i in range(10_000)) + "}").encode()
    assert list(read_json(schema, [row, row]).frame.row(1)) == list(range(10_000))


def test_a_long_array() -> None:
    row = b'{"v": [' + b"1," * 999_999 + b"1]}"
    assert len(outcome(read_json(one(array(INT)), [row]))) == 1_000_000


def test_missing_fields() -> None:
    schema = Schema((Field("a", INT), Field("b", INT)))
    assert read_json(schema, [b'{"b": 1}']).frame.row(0) == (None, 1)
    (reject,) = read_json(schema, [b'{"b": 1}'], fail_on_missing_field="true").rejects
    assert (reject.code, reject.reason) == ("missing", "there is no field 'a'")


def test_not_null_columns() -> None:
    schema = Schema((Field("v", DataType(INT.kind, nullable=False)),))
    decoded = read_json(schema, [b'{"v": 1}', b'{"v": null}', b"{}"])
    assert decoded.frame["v"].to_list() == [1]
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, "null"), (2, "null")]


def test_ignored_rows_leave_no_reject() -> None:
    decoded = read_json(one(INT), [b"no json", b'{"v": 1}', b""], ignore_parse_errors="true")
    assert decoded.frame["v"].to_list() == [1]
    assert decoded.rejects == []


def test_no_columns_asked_for() -> None:
    decoded = read_json(Schema(()), [b'{"v": 1}', b"bad", b"{}"])
    assert len(decoded.frame) == 2
    assert [r.row for r in decoded.rejects] == [1]


SCHEMA = Schema(
    (
        Field("id", BIGINT),
        Field("price", decimal(10, 2)),
        Field("x", DOUBLE),
        Field("name", STRING),
        Field("ts", timestamp(3)),
    )
)
GOOD = b'{"id": 17, "price": 12.50, "x": -1.5e3, "name": "a\\u00e9\\n", "other": {"a": [1, "]"]}, "ts": "2024-01-02 03:04:05.678"}'


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, len(GOOD)),
)
def test_changed_bytes_never_part_the_two_ways(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(GOOD)
    for place, byte in changes:
        data[place] = byte
    read_json(SCHEMA, [GOOD, bytes(data), bytes(data[:cut]), GOOD])


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[-+]?[0-9]{0,25}(\.[0-9]{0,25})?([eE][-+]?[0-9]{0,4})?", fullmatch=True))
def test_numbers_are_the_same_both_ways(text: str) -> None:
    for kind in (INT, BIGINT, DOUBLE, decimal(10, 2), decimal(38, 18), STRING):
        read_json(one(kind), [f'{{"v": {text}}}'.encode(), f'{{"v": "{text}"}}'.encode()])
