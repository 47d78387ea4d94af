"""What is written as JSON is read back by us and by Python's own reader."""

from __future__ import annotations

import datetime as dt
import json as oracle
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from both_ways import one, options, outcome, read_json
from hypothesis import given
from hypothesis import strategies as st

from tailrace.engine.batch import KIND
from tailrace.errors import DataError
from tailrace.formats import json
from tailrace.formats.rows_as_json import jsonl
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
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
    timestamp_ltz,
)

VALUES: list[tuple[DataType, Any, str]] = [
    (BIGINT, -(2**63), "-9223372036854775808"),
    (BOOLEAN, True, "true"),
    (DOUBLE, 0.1, "0.1"),
    (DOUBLE, math.inf, '"Infinity"'),
    (FLOAT, 0.5, "0.5"),
    (decimal(38, 2), Decimal("123456789012345678901234567890123456.78"), "123456789012345678901234567890123456.78"),
    (decimal(10, 9), Decimal("0.000000027"), "2.7E-8"),
    (STRING, 'a"\\\n\x01é', r'"a\"\\\n\u0001é"'),
    (DATE, dt.date(2024, 2, 29), '"2024-02-29"'),
    (time_type(0), dt.time(1, 2, 3), '"01:02:03"'),
    (time_type(3), dt.time(1, 2, 3, 40000), '"01:02:03.04"'),
    (timestamp(3), dt.datetime(2024, 1, 2, 3, 4, 5, 600000), '"2024-01-02 03:04:05.6"'),
    (timestamp(3), dt.datetime(2024, 1, 2, 3, 4, 50), '"2024-01-02 03:04:50"'),
    (timestamp_ltz(3), dt.datetime(2024, 1, 2, tzinfo=dt.UTC), '"2024-01-02 00:00:00Z"'),
    (BYTES, b"hi", '"aGk="'),
    (array(INT), [1, None], "[1,null]"),
    (array(decimal(5, 2)), [Decimal("1.50")], "[1.50]"),
    (map_type(STRING, INT), [{"key": "a", "value": 1}], '{"a":1}'),
    (row({"a": INT, "b": timestamp(3)}), {"a": 1, "b": dt.datetime(2024, 1, 2)}, '{"a":1,"b":"2024-01-02 00:00:00"}'),
    (INT, None, "null"),
]


def frame_of(kind: DataType, value: Any) -> pl.DataFrame:
    return pl.DataFrame([pl.Series("v", [value], dtype=kind.polars)])


def encoded(kind: DataType, value: Any, **given: str) -> bytes:
    encoder = json.FORMAT.encoder(
        one(kind), options(json.FORMAT.options, {k.replace("_", "-"): v for k, v in given.items()})
    )
    return encoder.encode(frame_of(kind, value)).row(0) or b""


@pytest.mark.parametrize(("kind", "value", "text"), VALUES, ids=[v[2][:30] for v in VALUES])
def test_value(kind: DataType, value: Any, text: str) -> None:
    written = encoded(kind, value)
    assert written == f'{{"v":{text}}}'.encode()
    oracle.loads(written)
    assert outcome(read_json(one(kind), [written])) == value


def test_options() -> None:
    assert (
        encoded(decimal(10, 9), Decimal("0.000000027"), **{"encode.decimal_as_plain_number": "true"})
        == b'{"v":0.000000027}'
    )
    assert encoded(INT, None, **{"encode.ignore_null_fields": "true"}) == b"{}"
    iso = {"timestamp_format.standard": "ISO-8601"}
    assert encoded(timestamp(3), dt.datetime(2024, 1, 2), **iso) == b'{"v":"2024-01-02T00:00:00"}'


def test_null_keys_of_maps() -> None:
    kind, value = map_type(STRING, INT), [{"key": None, "value": 1}, {"key": "a", "value": 2}]
    with pytest.raises(DataError, match="a map has a NULL key"):
        encoded(kind, value)
    assert encoded(kind, value, **{"map_null_key.mode": "DROP"}) == b'{"v":{"a":2}}'
    literal = {"map_null_key.mode": "LITERAL", "map_null_key.literal": "none"}
    assert encoded(kind, value, **literal) == b'{"v":{"none":1,"a":2}}'


def test_sparse_rows() -> None:
    schema = Schema((Field("a", INT), Field("b", INT), Field("c", INT)))
    frame = pl.DataFrame(
        {"a": [None, 1, None], "b": [1, None, None], "c": [2, 3, None]}, schema={f.name: pl.Int32 for f in schema}
    )
    encoder = json.FORMAT.encoder(schema, options(json.FORMAT.options, {"encode.ignore-null-fields": "true"}))
    assert encoder.encode(frame).data.tobytes() == b'{"b":1,"c":2}\n{"a":1,"c":3}\n{}\n'


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_comes_back(text: str) -> None:
    written = encoded(STRING, text)
    assert oracle.loads(written) == {"v": text}
    assert outcome(read_json(one(STRING), [written])) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_comes_back(value: float) -> None:
    written = encoded(DOUBLE, value)
    assert oracle.loads(written) == {"v": value}
    assert outcome(read_json(one(DOUBLE), [written])) == value


def test_lines_of_a_result() -> None:
    schema = Schema((Field("a", decimal(5, 2)), Field("t", timestamp(3)), Field("m", array(decimal(3, 1)))))
    frame = pl.DataFrame(
        {"a": [Decimal("1.50"), None], "t": [dt.datetime(2024, 1, 2, 3, 4, 5), None], "m": [[Decimal("0.5")], []]},
        schema={f.name: f.type.polars for f in schema},
    )
    assert jsonl(frame, schema).decode().splitlines() == [
        '{"op": "+I", "row": {"a": "1.50", "t": "2024-01-02 03:04:05", "m": ["0.5"]}}',
        '{"op": "+I", "row": {"a": null, "t": null, "m": []}}',
    ]
    kinds = frame.with_columns(pl.Series(KIND, [1, 3], dtype=pl.Int8))
    assert [oracle.loads(line)["op"] for line in jsonl(kinds, schema).splitlines()] == ["-U", "-D"]
    assert jsonl(frame[:0], schema) == b""
