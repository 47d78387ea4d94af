"""JSON Schema: rows that it refuses stand alone, with the path of what fails; columns from a schema, and a schema from columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
from both_ways import options
from hypothesis import given
from hypothesis import strategies as st

from tailrace.errors import ConfigError, DataError
from tailrace.formats import json as json_format
from tailrace.formats.base import Decoded, Rows
from tailrace.formats.json.schema_types import columns, json_schema
from tailrace.formats.json.validation import Validator
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    STRING,
    TINYINT,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
)

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "name": {"type": ["string", "null"], "maxLength": 5},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
    },
    "$defs": {"item": {"type": "object", "properties": {"a/b": {"type": "integer"}}}},
}
COLUMNS = Schema((Field("id", BIGINT), Field("name", STRING)))


@pytest.fixture
def schema_file(tmp_path: Path) -> str:
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER))
    return str(path)


def read(file: str, rows: list[bytes | None], **more: str) -> Decoded:
    values = options(json_format.FORMAT.options, {"tailrace.schema-file": file} | more)
    return json_format.FORMAT.decoder(COLUMNS, values).decode(Rows.of(rows))


REFUSED: list[tuple[bytes | None, str]] = [
    (b'{"name": "a"}', "schema: at '': \"id\" is a required property (rule '/required')"),
    (b'{"id": "secret"}', "schema: at '/id': a value is not of type \"integer\" (rule '/properties/id/type')"),
    (b'{"id": 0}', "schema: at '/id': a value is less than the minimum of 1 (rule '/properties/id/minimum')"),
    (
        b'{"id": 1, "items": [{}, {"a/b": "secret"}]}',
        "schema: at '/items/1/a~1b': a value is not of type \"integer\" (rule '/$defs/item/properties/a~1b/type')",
    ),
    (b'{"id": 1, "more": "secret"}', "schema: at '': Additional properties are not allowed"),
    (b'\xef\xbb\xbf{"id": 0}', "schema: at '/id'"),
    (b'{"id": 0, "name": "\x01"}', "schema: at '/id'"),
    (b'{"id": 1, "id": 0}', "schema: at '/id'"),
    (b"[1]", "schema: at '': a value is not of type \"object\" (rule '/type')"),
    (b'{"id": 1', "syntax: not JSON"),
    (b'{"id": NaN}', "syntax: NaN is no JSON"),
    (b'{"id": 1, "name": "\\ud800"}', "utf-8: field 'name'"),
    (b'{"id": 1, "items": ' + b"[" * 100_000, "depth: nested"),
    (b"", "empty: a row of zero bytes"),
    (None, "tombstone: a row without bytes"),
]


@pytest.mark.parametrize(("data", "expected"), REFUSED, ids=[f"{i}-{repr(d)[:30]}" for i, (d, _) in enumerate(REFUSED)])
def test_a_refused_row_stands_alone(schema_file: str, data: bytes | None, expected: str) -> None:
    good = b'{"id": 7, "name": "abc", "items": [{"a/b": 1}]}'
    decoded = read(schema_file, [good, data, good])
    assert decoded.frame.rows() == [(7, "abc"), (7, "abc")]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [0, 2]
    (reject,) = decoded.rejects
    assert reject.row == 1
    assert f"{reject.code}: {reject.reason}".startswith(expected)
    assert "secret" not in reject.reason
    assert read(schema_file, [data], **{"ignore-parse-errors": "true"}).rejects == []


def test_rejects_of_both_kinds_keep_their_numbers(schema_file: str) -> None:
    decoded = read(schema_file, [b"x", b'{"id": 1}', b'{"id": 0}', b"{", b'{"id": 2}', b'{"id": 1e30}'])
    assert [(r.row, r.code) for r in decoded.rejects] == [(0, "syntax"), (2, "schema"), (3, "syntax"), (5, "range")]
    assert decoded.frame["id"].to_list() == [1, 2]


def test_what_is_written_is_checked(schema_file: str) -> None:
    values = options(json_format.FORMAT.options, {"tailrace.schema-file": schema_file})
    encoder = json_format.FORMAT.encoder(COLUMNS, values)
    assert encoder.encode(pl.DataFrame({"id": [1], "name": ["a"]})).row(0) == b'{"id":1,"name":"a"}'
    with pytest.raises(DataError, match=r"the row breaks the JSON Schema: at '/name'"):
        encoder.encode(pl.DataFrame({"id": [1, 2], "name": ["a", "too long"]}))


def test_wrong_schemas(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read(str(tmp_path / "none.json"), [])
    for text, message in (
        ("{", "is no JSON"),
        ('{"type": "nope"}', "can't be used"),
        ('{"$ref": "https://example.com/other.json"}', "can't be used"),
        ('{"$ref": "file:///etc/passwd"}', "can't be used"),
    ):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read(str(tmp_path / "s.json"), [])


def test_schemas_that_refer_to_others() -> None:
    validator = Validator(
        {"properties": {"a": {"$ref": "other.json"}}}, {"json-schema:///other.json": {"type": "integer"}}
    )
    assert validator.reason(b'{"a": 1}') == ""
    assert validator.reason(b'{"a": "x"}').startswith("at '/a'")


def test_columns_of_the_tables_own_schema(schema_file: str) -> None:
    values = options(json_format.FORMAT.options, {"tailrace.schema-file": schema_file})
    found = json_format.FORMAT.columns(values)
    assert found is not None
    assert {f.name: str(f.type) for f in found.columns} == {
        "id": "BIGINT NOT NULL", "name": "STRING", "items": "ARRAY<ROW<`a/b` BIGINT> NOT NULL>",
    }  # fmt: skip
    assert json_format.FORMAT.columns(options(json_format.FORMAT.options, {})) is None


def test_columns_of_a_schema() -> None:
    found = columns(
        {
            "$defs": {"money": {"type": "number"}},
            "properties": {
                "id": {"type": "integer"},
                "price": {"$ref": "#/$defs/money"},
                "maybe": {"oneOf": [{"type": "null"}, {"type": "boolean"}]},
                "list": {"type": "array", "items": {"type": ["string", "null"]}},
                "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                "inner": {"properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]},
                "bytes": {"type": "string", "contentEncoding": "base64"},
                "kind": {"enum": ["a", "b"]},
            },
            "required": ["id", "maybe", "price"],
        }
    )
    assert {f.name: str(f.type) for f in found} == {
        "id": "BIGINT NOT NULL",
        "price": "DOUBLE NOT NULL",
        "maybe": "BOOLEAN",
        "list": "ARRAY<STRING>",
        "map": "MAP<STRING NOT NULL, BIGINT NOT NULL>",
        "inner": "ROW<`day` DATE NOT NULL>",
        "bytes": "BYTES",
        "kind": "STRING",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "string"}, "describes no object"),
        ({"properties": {}}, "no properties"),
        ({"properties": {"a": {"type": ["string", "integer"]}}}, "no one type for 'a'"),
        ({"properties": {"a": True}}, "does not say what 'a' is"),
        ({"properties": {"a": {"$ref": "#/nope"}}}, "has no '#/nope'"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "refers to 'other.json'"),
        ({"properties": {"a": {"$ref": "#"}}}, "nested too deep, or in itself"),
    ],
    ids=repr,
)
def test_schemas_that_are_no_table(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        columns(given)


EVERY = Schema(
    (
        Field("b", BOOLEAN.with_nullable(False)),
        Field("t", TINYINT),
        Field("n", INT),
        Field("x", DOUBLE),
        Field("d", decimal(10, 2)),
        Field("s", STRING),
        Field("y", BYTES),
        Field("day", DATE),
        Field("ts", timestamp(3)),
        Field("l", array(STRING)),
        Field("m", map_type(STRING, BIGINT)),
        Field("r", row({"a": INT.with_nullable(False), "b": STRING})),
    )
)


def test_the_schema_of_columns_is_one_that_its_rows_keep_to() -> None:
    made = json_schema(EVERY)
    jsonschema_rs.meta.validate(made)
    encoder = json_format.FORMAT.encoder(EVERY, options(json_format.FORMAT.options, {}))
    rows = [
        (True, 1, 2, 0.5, "1.25", "a", b"a", "2026-01-31", "2026-01-31 12:00:00", ["a", None], [{"key": "k", "value": 1}], {"a": 1, "b": None}),
        (False, *[None] * 11),
    ]  # fmt: skip
    plain = pl.DataFrame(rows, schema=[*EVERY.names], orient="row")
    frame = plain.with_columns(
        pl.col("d").cast(pl.Decimal(10, 2)), pl.col("day").str.to_date(), pl.col("ts").str.to_datetime()
    )
    written = encoder.encode(frame.cast(EVERY.polars))  # type: ignore[arg-type]
    validator = Validator(made)
    assert [validator.reason(written.row(i) or b"") for i in range(2)] == ["", ""]
    assert validator.reason(b'{"b": null}').startswith("at '/b'")
    assert validator.reason(b'{"b": true, "t": 128}').startswith("at '/t'")


KINDS = st.recursive(
    st.sampled_from([BOOLEAN, BIGINT, DOUBLE, STRING, BYTES, DATE]),
    lambda inner: st.one_of(
        inner.map(array),
        inner.map(lambda k: map_type(STRING.with_nullable(False), k)),
        st.dictionaries(st.text(min_size=1, max_size=3), inner, min_size=1, max_size=3).map(row),
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(KINDS, st.booleans()), min_size=1, max_size=5))
def test_columns_to_a_schema_and_back(kinds: list[tuple[Any, bool]]) -> None:
    given_columns = Schema(tuple(Field(f"c{i}", k.with_nullable(n)) for i, (k, n) in enumerate(kinds)))
    assert columns(json.loads(json.dumps(json_schema(given_columns)))) == given_columns
