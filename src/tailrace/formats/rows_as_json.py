"""Rows of a result as lines of JSON: `{"op": "+I", "row": {...}}`."""

from __future__ import annotations

import base64
import datetime as dt
import math
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.schema import BINARIES, FLOATS, TIMESTAMPS, DataType, Field, Kind, Schema


def jsonl(frame: pl.DataFrame, schema: Schema) -> bytes:
    r"""
    Give each row as a line: its row kind, and its columns in the order of the schema.

    Decimals are texts with their scale, bytes base64, timestamps `YYYY-MM-DD HH:MM:SS[.f]` without trailing zeros (with Z
    for TIMESTAMP_LTZ), maps objects; NaN and the infinities are texts.

    >>> from tailrace.schema import BIGINT, Field, Schema
    >>> jsonl(pl.DataFrame({"n": [1]}), Schema((Field("n", BIGINT),)))
    b'{"op":"+I","row":{"n":1}}\n'
    """
    if not len(frame):
        return b""
    columns = [_column(frame[f.name], f) for f in schema]
    kinds = {int(k): k.sign for k in RowKind}
    ops = frame[KIND].replace_strict(kinds, return_dtype=pl.String) if KIND in frame.columns else None
    op = pl.Series("op", ["+I"]).new_from_index(0, len(frame)) if ops is None else ops.alias("op")
    rows = pl.DataFrame([c.alias(f"c{i}") for i, c in enumerate(columns)] + [op])
    names = [f.name for f in schema]
    encode = msgspec.json.encode
    return b"".join(
        encode({"op": o, "row": dict(zip(names, values, strict=True))}) + b"\n" for *values, o in rows.iter_rows()
    )


def _column(values: pl.Series, field: Field) -> pl.Series:
    """Give a column whose values JSON has."""
    kind = field.type
    if kind.kind in TIMESTAMPS:
        return _stamps(values, kind)
    if kind.kind is Kind.DECIMAL or kind.kind in (Kind.DATE, Kind.INTERVAL_SECOND):
        return values.cast(pl.String)
    if kind.kind is Kind.TIME:
        return values.cast(pl.String).str.replace(r"\.?0+$", "") if kind.precision else values.dt.to_string("%H:%M:%S")
    if kind.kind in BINARIES:
        return values.bin.encode("base64")
    if kind.children or kind.kind in FLOATS:
        plain = [_value(v, kind) for v in values.to_list()]
        return pl.Series(values.name, plain, dtype=pl.Object)
    return values


def _stamps(values: pl.Series, kind: DataType) -> pl.Series:
    texts = values.dt.to_string("%Y-%m-%d %H:%M:%S%.f").str.replace(r"(\.\d*?)0+$", "${1}").str.strip_suffix(".")
    return texts + "Z" if kind.kind is Kind.TIMESTAMP_LTZ else texts


def _value(value: Any, kind: DataType) -> Any:
    """Give one value of a nested type as JSON has it."""
    if value is None:
        return None
    if kind.kind is Kind.ARRAY:
        return [_value(v, kind.children[0]) for v in value]
    if kind.kind is Kind.MAP:
        return {str(_value(e["key"], kind.children[0])): _value(e["value"], kind.children[1]) for e in value}
    if kind.kind is Kind.ROW:
        return {n: _value(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    return _scalar(value, kind)


def _scalar(value: Any, kind: DataType) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        return f"{value:.{kind.scale}f}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        return _stamps(pl.Series([value]).cast(kind.polars), kind)[0]
    return value if isinstance(value, str | int | bool) else str(value)
