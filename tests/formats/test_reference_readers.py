"""
What is written is read by the reference library of each format, and the reverse, over generated columns and values.

Avro, Protobuf and Thrift have such tests of their own, over generated schemas; here are JSON, CSV, Debezium's envelopes, Parquet and
the serializers of a registry.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from both_ways import options
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailrace.connectors.filesystem.parquets import ParquetFile
from tailrace.engine.batch import KIND
from tailrace.formats import registry
from tailrace.formats.base import Decoded, Rows
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
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
    timestamp_ltz,
)

quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8)
_STAMPS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)
SCALARS: list[tuple[DataType, st.SearchStrategy[Any]]] = [
    (BOOLEAN, st.booleans()),
    (INT, st.integers(-(2**31), 2**31 - 1)),
    (BIGINT, st.integers(-(2**63), 2**63 - 1)),
    (DOUBLE, st.floats(allow_nan=False, allow_infinity=False)),
    (decimal(20, 3), st.decimals(-(10**15), 10**15, places=3)),
    (STRING, _TEXTS),
    (BYTES, st.binary(max_size=6)),
    (DATE, st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))),
    (timestamp(3), _STAMPS),
    (timestamp_ltz(3), _STAMPS.map(lambda t: t.replace(tzinfo=dt.UTC))),
]
scalars = st.sampled_from(SCALARS)
nested = st.one_of(
    scalars,
    scalars.map(lambda k: (array(k[0]), st.lists(st.none() | k[1], max_size=3))),
    scalars.map(
        lambda k: (
            map_type(STRING, k[0]),
            st.dictionaries(_TEXTS, k[1], max_size=3).map(lambda d: [{"key": n, "value": v} for n, v in d.items()]),
        )
    ),
    st.tuples(scalars, scalars).map(
        lambda k: (
            row({"a": k[0][0], "b": k[1][0]}),
            st.fixed_dictionaries({"a": st.none() | k[0][1], "b": st.none() | k[1][1]}),
        )
    ),
)


@st.composite
def tables(draw: st.DrawFn, of: Any = nested) -> tuple[Schema, pl.DataFrame]:
    """Give columns and rows."""
    kinds = draw(st.lists(of, min_size=1, max_size=4))
    schema = Schema(tuple(Field(f"c{i}", kind) for i, (kind, _) in enumerate(kinds)))
    rows = draw(st.lists(st.tuples(*(st.none() | values for _, values in kinds)), min_size=1, max_size=4))
    columns = [pl.Series(f.name, [r[i] for r in rows], dtype=f.type.polars, strict=False) for i, f in enumerate(schema)]
    return schema, pl.DataFrame(columns)


def written(name: str, schema: Schema, frame: pl.DataFrame, **more: str) -> list[bytes]:
    made = registry.get(name)
    rows = made.encoder(schema, options(made.options, more)).encode(frame)
    return [rows.row(i) or b"" for i in range(len(rows))]


def read(name: str, schema: Schema, rows: list[bytes], **more: str) -> Decoded:
    made = registry.get(name)
    decoded = made.decoder(schema, options(made.options, more), schema).decode(Rows.of(list(rows)))
    assert decoded.rejects == []
    return decoded


def to_json(value: Any, kind: DataType) -> Any:
    """Give a value as any program would put it into JSON: the types of JSON itself, texts for the others."""
    if value is None:
        return None
    match kind.kind:
        case Kind.ARRAY:
            return [to_json(v, kind.children[0]) for v in value]
        case Kind.MAP:
            return {e["key"]: to_json(e["value"], kind.children[1]) for e in value}
        case Kind.ROW:
            return {n: to_json(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
        case Kind.VARBINARY:
            return base64.b64encode(value).decode()
        case Kind.DATE:
            return value.isoformat()
        case Kind.TIMESTAMP:
            return value.isoformat(" ")
        case Kind.TIMESTAMP_LTZ:
            return value.replace(tzinfo=None).isoformat(" ") + "Z"
    return value


def from_json(value: Any, kind: DataType) -> Any:
    """Give a value of JSON as any program would read it."""
    if value is None:
        return None
    match kind.kind:
        case Kind.ARRAY:
            return [from_json(v, kind.children[0]) for v in value]
        case Kind.MAP:
            return [{"key": k, "value": from_json(v, kind.children[1])} for k, v in value.items()]
        case Kind.ROW:
            return {n: from_json(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
        case Kind.VARBINARY:
            return base64.b64decode(value)
        case Kind.DATE:
            return dt.date.fromisoformat(value)
        case Kind.TIMESTAMP | Kind.TIMESTAMP_LTZ:
            return dt.datetime.fromisoformat(value)
        case Kind.DOUBLE:
            return float(value)
    return value


class _Encoder(json.JSONEncoder):
    """Writes decimals as texts, which a DECIMAL takes too."""

    def default(self, o: Any) -> Any:
        return str(o) if isinstance(o, Decimal) else super().default(o)


def plain(text: bytes, schema: Schema) -> dict[str, Any]:
    """Read a row by the standard library."""
    found = json.loads(text, parse_float=Decimal)
    return {f.name: from_json(found[f.name], f.type) for f in schema}


@quick
@given(tables())
def test_json_is_read_by_the_standard_library(table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    assert [plain(text, schema) for text in written("json", schema, frame)] == frame.to_dicts()


@quick
@given(tables())
def test_json_of_the_standard_library_is_read(table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    rows = [{f.name: to_json(r[f.name], f.type) for f in schema} for r in frame.to_dicts()]
    texts = [json.dumps(r, cls=_Encoder).encode() for r in rows]
    assert read("json", schema, texts).frame.to_dicts() == frame.to_dicts()


@quick
@given(tables())
def test_envelopes_of_debezium_both_ways(table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    kinds = pl.Series(KIND, [0, 3] * len(frame), dtype=pl.Int8).head(len(frame))
    texts = written("debezium-json", schema, frame.with_columns(kinds))
    for text, want, kind in zip(texts, frame.to_dicts(), kinds, strict=True):
        envelope = json.loads(text, parse_float=Decimal)
        assert envelope["op"] == ("c" if kind == 0 else "d")
        image = envelope["after" if kind == 0 else "before"]
        assert {f.name: from_json(image[f.name], f.type) for f in schema} == want
    assert read("debezium-json", schema, texts).frame.drop(KIND).to_dicts() == frame.to_dicts()


@quick
@given(tables(scalars))
def test_csv_both_ways(table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    null = "\\N"  # NULL has a text of its own; no generated text is it
    texts = written("csv", schema, frame, **{"null-literal": null})
    found = list(csv.reader(io.StringIO(b"\n".join(texts).decode())))
    expected = [[_csv_text(r[f.name], f.type, null) for f in schema] for r in frame.to_dicts()]
    assert [[_same(v, f.type, null) for v, f in zip(r, schema, strict=True)] for r in found] == [
        [_same(v, f.type, null) for v, f in zip(r, schema, strict=True)] for r in expected
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(expected)
    given_rows = out.getvalue().encode().split(b"\n")[:-1]
    assert read("csv", schema, given_rows, **{"null-literal": null}).frame.to_dicts() == frame.to_dicts()


def _csv_text(value: Any, kind: DataType, null: str) -> str:
    given_value = to_json(value, kind)
    if given_value is None:
        return null
    return str(given_value).lower() if kind.kind is Kind.BOOLEAN else str(given_value)


def _same(text: str, kind: DataType, null: str) -> Any:
    """Give what a text says, where one value has more than one."""
    if text == null:
        return None
    if kind.kind in (Kind.DOUBLE, Kind.DECIMAL):
        return Decimal(text)
    if kind.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ):
        return dt.datetime.fromisoformat(text)
    return text


@quick
@given(table=tables())
def test_parquet_both_ways(tmp_path_factory: Any, table: tuple[Schema, pl.DataFrame]) -> None:
    schema, frame = table
    folder: Path = tmp_path_factory.mktemp("parquet") / str(uuid.uuid4())
    folder.mkdir()
    frame.write_parquet(folder / "ours.parquet")
    theirs = pq.read_table(folder / "ours.parquet")
    pq.write_table(theirs, folder / "theirs.parquet")
    for name in ("ours", "theirs"):
        found = ParquetFile(folder / f"{name}.parquet", schema, 0).read(100)
        assert found is not None
        assert found[0].to_dicts() == frame.to_dicts()
