"""Messages that columns make: they carry any rows of them, and their text is the same message."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from both_ways import options
from google.protobuf import descriptor_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from protobuf_messages import plain_rows

from tailrace.errors import ConfigError
from tailrace.formats.base import Rows
from tailrace.formats.protobuf import OPTIONS
from tailrace.formats.protobuf.compiling import compile_texts
from tailrace.formats.protobuf.decoder import ProtobufDecoder
from tailrace.formats.protobuf.deriving import derived, text_of
from tailrace.formats.protobuf.descriptors import loaded
from tailrace.formats.protobuf.encoder import ProtobufEncoder
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    INTERVAL_SECOND,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
    timestamp_ltz,
)

_MOMENT = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
LEAVES: list[tuple[DataType, st.SearchStrategy[Any]]] = [
    (BOOLEAN, st.booleans()),
    (TINYINT, st.integers(-128, 127)),
    (SMALLINT, st.integers(-(2**15), 2**15 - 1)),
    (INT, st.integers(-(2**31), 2**31 - 1)),
    (BIGINT, st.integers(-(2**63), 2**63 - 1)),
    (FLOAT, st.floats(width=32, allow_nan=False)),
    (DOUBLE, st.floats(allow_nan=False)),
    (STRING, st.text(max_size=5)),
    (BYTES, st.binary(max_size=5)),
    (timestamp(6), _MOMENT),
    (timestamp_ltz(3), _MOMENT.map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000, tzinfo=dt.UTC))),
    (INTERVAL_SECOND, st.integers(-(10**9), 10**9).map(lambda ms: dt.timedelta(milliseconds=ms))),
]
_KEYS = [leaf for leaf in LEAVES if leaf[0] in (STRING, INT, BIGINT, BOOLEAN)]


def _row(parts: list[tuple[DataType, st.SearchStrategy[Any]]]) -> tuple[DataType, st.SearchStrategy[Any]]:
    kinds = row({f"f{i}": k for i, (k, _) in enumerate(parts)})
    return kinds, st.fixed_dictionaries({f"f{i}": st.none() | v for i, (_, v) in enumerate(parts)})


def _map(key: tuple[DataType, Any], value: tuple[DataType, Any]) -> tuple[DataType, st.SearchStrategy[Any]]:
    pairs = st.dictionaries(key[1], value[1], min_size=1, max_size=3)
    entries = pairs.map(lambda d: [{"key": k, "value": v} for k, v in d.items()])
    return map_type(key[0].with_nullable(False), value[0]), entries


_BASIC = st.sampled_from(LEAVES)
_ROWS = st.recursive(
    st.lists(_BASIC, min_size=1, max_size=3).map(_row),
    lambda inner: st.lists(_BASIC | inner, min_size=1, max_size=3).map(_row),
    max_leaves=4,
)
COLUMNS = st.one_of(
    _BASIC,
    _ROWS,
    (_BASIC | _ROWS).map(lambda k: (array(k[0]), st.lists(k[1], min_size=1, max_size=3))),
    st.builds(_map, st.sampled_from(_KEYS), _BASIC | _ROWS),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(COLUMNS, min_size=1, max_size=4), st.data())
def test_rows_of_any_columns(kinds: list[tuple[DataType, st.SearchStrategy[Any]]], data: st.DataObject) -> None:
    schema = Schema(tuple(Field(f"c_{i}", kind) for i, (kind, _) in enumerate(kinds)))
    rows = data.draw(st.lists(st.tuples(*(st.none() | values for _, values in kinds)), min_size=1, max_size=4))
    columns = [pl.Series(f.name, [r[i] for r in rows], dtype=f.type.polars, strict=False) for i, f in enumerate(schema)]
    frame = pl.DataFrame(columns)
    message = derived(schema)
    values = options(OPTIONS, {})
    for fast in (True, False):
        written = ProtobufEncoder(message, schema, values, fast=fast).encode(frame)
        for by_block in (True, False):
            decoded = ProtobufDecoder(message, schema, values, fast=by_block).decode(
                Rows.of([written.row(i) for i in range(len(written))])
            )
            assert decoded.rejects == []
            assert plain_rows(decoded.frame, schema) == plain_rows(frame, schema)


def test_the_text_is_the_same_message() -> None:
    schema = Schema(
        (
            *(Field(f"l{i}", kind.with_nullable(i % 2 == 0)) for i, (kind, _) in enumerate(LEAVES)),
            Field("list_", array(row({"a": INT, "b": array(row({"c": STRING}))}))),
            Field("map_one", map_type(STRING, row({"a": timestamp(3)}))),
            Field("MapOne", row({"a": INT})),
            Field("Value", row({"_b": INT, "b": INT.with_nullable(False), "c": INT, "_c": INT})),
            Field("List_", INT),
        )
    )
    message = derived(schema, "Order", "shop.v1")
    text = text_of(message)
    (*_, again) = loaded(compile_texts("order.proto", {"order.proto": text}), "order.proto", None)
    ours, theirs = descriptor_pb2.DescriptorProto(), descriptor_pb2.DescriptorProto()
    message.CopyToProto(ours)
    again.message_types_by_name["Order"].CopyToProto(theirs)
    for made in (ours, theirs):
        _without_json_names(made)
    assert [str(f) for f in ours.field] == [str(f) for f in theirs.field]


def _without_json_names(message: Any) -> None:
    for field in message.field:
        field.ClearField("json_name")


WRONG: list[tuple[str, DataType, str]] = [
    ("a", decimal(10, 2), "Protobuf has no type for DECIMAL"),
    ("a", DATE, "Protobuf has no type for DATE"),
    ("a", array(array(INT)), "Protobuf has no type for ARRAY"),
    ("a", map_type(DOUBLE, INT), "Protobuf has no type for MAP"),
    ("a", map_type(STRING, array(INT)), "Protobuf has no type for MAP"),
    ("a", DataType(Kind.NULL), "Protobuf has no type for NULL"),
    ("a b", INT, "has no name in Protobuf"),
    ("1a", INT, "has no name in Protobuf"),
    ("ot_her", INT, "columns 'ot_her' and 'otHer' are the same to Protobuf"),
]


@pytest.mark.parametrize(("name", "kind", "message"), WRONG, ids=[f"{n}-{k.sql()}" for n, k, _ in WRONG])
def test_columns_without_a_place(name: str, kind: DataType, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        derived(Schema((Field(name, kind), Field("otHer", INT))))
