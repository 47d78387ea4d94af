"""Avro's JSON encoding: rows go to fastavro and come from it, and odd ones stand alone."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import polars as pl
import pytest
from both_ways import options

from tailrace.formats.avro import AVRO
from tailrace.formats.avro.deriving import derived
from tailrace.formats.avro.options import PLAIN
from tailrace.formats.base import Decoded, Rows
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    STRING,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
)

SCHEMA = Schema(
    (
        Field("id", BIGINT.with_nullable(nullable=False)), Field("name", STRING), Field("price", decimal(10, 2)),
        Field("at", timestamp(3)), Field("day", DATE), Field("raw", BYTES), Field("real", DOUBLE), Field("single", FLOAT),
        Field("flag", BOOLEAN), Field("tags", array(STRING)), Field("stock", map_type(STRING, INT)),
        Field("inner", row({"a": INT, "b": STRING})),
    )
)  # fmt: skip
JSON = {"encoding": "json"}
FULL: dict[str, Any] = {
    "id": -1, "name": 'Ü"', "price": Decimal("-12.30"), "at": dt.datetime(2024, 1, 2, 3, 4, 5, 6000),
    "day": dt.date(2024, 1, 2), "raw": b"\x00\xff", "real": 0.1, "single": 0.5, "flag": True, "tags": ["a", None],
    "stock": [{"key": "x", "value": 1}], "inner": {"a": None, "b": "z"},
}  # fmt: skip
ROWS = [FULL, dict.fromkeys(SCHEMA.names) | {"id": 2}]


def written(rows: list[dict[str, Any]]) -> list[bytes]:
    """Give rows as they are written."""
    frame = pl.DataFrame([pl.Series(f.name, [r[f.name] for r in rows], dtype=f.type.polars) for f in SCHEMA])
    made = AVRO.encoder(SCHEMA, options(PLAIN, JSON)).encode(frame)
    return [made.row(n) or b"" for n in range(len(made))]


def read(rows: list[bytes | None], schema: Schema = SCHEMA) -> Decoded:
    return AVRO.decoder(schema, options(PLAIN, JSON), SCHEMA).decode(Rows.of(rows))


def test_what_is_written_fastavro_reads() -> None:
    text = "\n".join(row_of.decode() for row_of in written(ROWS))
    full, nulls = fastavro.json_reader(io.StringIO(text), json.loads(derived(SCHEMA)))
    assert nulls == ROWS[1]
    assert full == FULL | {"stock": {"x": 1}, "at": FULL["at"].replace(tzinfo=dt.UTC)}


def test_what_fastavro_writes_is_read() -> None:
    out = io.StringIO()
    given = [FULL | {"stock": {"x": 1}, "at": FULL["at"].replace(tzinfo=dt.UTC)}, ROWS[1]]
    fastavro.json_writer(out, fastavro.parse_schema(json.loads(derived(SCHEMA))), given)
    decoded = read([line.encode() for line in out.getvalue().splitlines()])
    assert decoded.rejects == []
    assert decoded.frame.to_dicts() == ROWS


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_texts(text: str) -> None:
    (row_of,) = written([FULL | {"real": float(text)}])
    assert json.loads(row_of)["real"] == {"double": text}
    assert str(read([row_of]).frame["real"][0]) == str(float(text))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "x"}, "type"), ({"id": 1.5}, "type"), ({"id": 2**63}, "range"), ({"id": None}, "type"),
        ({"name": "bare"}, "type"), ({"name": {"long": 1}}, "type"), ({"name": {"string": "\ud800"}}, "utf-8"),
        ({"raw": {"bytes": "€"}}, "type"), ({"single": {"float": 1e39}}, "range"), ({"flag": {"boolean": 1}}, "type"),
        ({"tags": {"array": 7}}, "type"), ({"inner": {"int": 1}}, "type"), ({"price": {"bytes": "\x7f" * 40}}, "range"),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_type_is_an_error_of_its_row(change: dict[str, Any], code: str) -> None:
    good = json.loads(written([FULL])[0])
    rows: list[bytes | None] = [json.dumps(r).encode() for r in (good, good | change, good)]
    decoded = read(rows)
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, code)]
    assert decoded.frame["id"].to_list() == [-1, -1]


@pytest.mark.parametrize(
    ("row_of", "code"),
    [
        (None, "tombstone"), (b"", "empty"), (b"{", "syntax"), (b"[]", "type"), (b'{"id": 1}', "missing"),
        (b'{"id": "\xff"}', "utf-8"), (b"[" * 300 + b"]" * 300, "depth"), (b"\x02\x00", "syntax"),
    ],
    ids=["tombstone", "empty", "cut", "no object", "missing", "utf-8", "depth", "binary"],
)  # fmt: skip
def test_odd_rows_stand_alone(row_of: bytes | None, code: str) -> None:
    good = written([FULL])[0]
    decoded = read([good, row_of, good])
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, code)]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [0, 2]


def test_some_columns_are_read() -> None:
    assert read(list(written(ROWS)), Schema((SCHEMA["name"],))).frame["name"].to_list() == ['Ü"', None]
