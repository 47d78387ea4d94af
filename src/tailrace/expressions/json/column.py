"""Columns of any type written as JSON, as whole columns."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from tailrace.expressions.casts.writing import java_double
from tailrace.expressions.json.text import write
from tailrace.schema import BINARIES, FLOATS, INTEGERS, STRINGS, TIMESTAMPS, DataType, Kind

_CODES = {chr(i): f"\\u{i:04X}" for i in range(32)}
_ESCAPED = _CODES | {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_NULL = "null"


def refuse(t: DataType) -> None:
    """
    Refuse types that Flink does not write.

    Raises:
        ValueError: it does not write this one.
    """
    written = (Kind.BOOLEAN, Kind.DECIMAL, *INTEGERS, *FLOATS, *STRINGS, *BINARIES, *TIMESTAMPS)
    if t.kind not in (*written, Kind.ARRAY, Kind.MAP, Kind.ROW):
        raise ValueError(f"{t.sql()} can't be written as JSON")
    if t.kind is Kind.MAP and t.children[0].kind not in STRINGS:
        raise ValueError("the keys of a map must be texts")
    for child in t.children:
        refuse(child)


def quoted(text: pl.Expr) -> pl.Expr:
    """Write a text in quotes."""
    return pl.concat_str([pl.lit('"'), text.str.replace_many(_ESCAPED), pl.lit('"')])


def written(value: pl.Expr, t: DataType) -> pl.Expr:
    """Write a value; NULL for NULL."""
    if t.kind in STRINGS:
        return quoted(value)
    if t.kind is Kind.BOOLEAN:
        return pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
    if t.kind in BINARIES:
        return pl.concat_str([pl.lit('"'), value.bin.encode("base64"), pl.lit('"')])
    if t.kind in TIMESTAMPS:
        return _time(value, t)
    if t.kind in FLOATS:
        return value.cast(pl.Float64).map_batches(_doubles, return_dtype=pl.String)
    if t.kind is Kind.DECIMAL and t.scale > 6:
        return value.map_batches(_decimals, return_dtype=pl.String)
    return _nested(value, t) if t.children else value.cast(pl.String)


def _time(value: pl.Expr, t: DataType) -> pl.Expr:
    digits = {"ms": 3, "us": 6, "ns": 9}[t.time_unit]
    fraction = value.dt.to_string(f"%.{digits}f").str.strip_chars_end("0").str.strip_chars_end(".")
    zone = "Z" if t.kind is Kind.TIMESTAMP_LTZ else ""
    return pl.concat_str([pl.lit('"'), value.dt.to_string("%Y-%m-%dT%H:%M:%S"), fraction, pl.lit(zone + '"')])


def _doubles(values: pl.Series) -> pl.Series:
    texts = [None if v is None else _double(v) for v in values]
    return pl.Series(values.name, texts, dtype=pl.String)


def _double(value: float) -> str:
    if value == 0:
        return "0.0"  # also for that below zero
    text = java_double(value)
    return str(Decimal(text)) if text[-1].isdigit() else f'"{text}"'


def _decimals(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _nested(value: pl.Expr, t: DataType) -> pl.Expr:
    if t.kind is Kind.ARRAY:
        texts = value.list.eval(written(pl.element(), t.children[0]).fill_null(_NULL))
        return pl.concat_str([pl.lit("["), texts.list.join(","), pl.lit("]")])
    if t.kind is Kind.ROW:
        fields = sorted(zip(t.names, t.children, strict=True))
        members = [member(name, written(value.struct.field(name), c)) for name, c in fields]
        return pl.when(value.is_not_null()).then(braced(members))
    key, inside = pl.element().struct.field("key"), pl.element().struct.field("value")
    pair = pl.concat_str([quoted(key), pl.lit(":"), written(inside, t.children[1]).fill_null(_NULL)])
    texts = value.list.eval(pair.sort_by(key))
    return pl.concat_str([pl.lit("{"), texts.list.join(","), pl.lit("}")])


def member(name: str, text: pl.Expr, *, absent: bool = False) -> pl.Expr:
    """Write a member of an object; NULL for a value that is `absent` where it is NULL."""
    return pl.concat_str([pl.lit(f"{write(name)}:"), text if absent else text.fill_null(_NULL)])


def braced(members: list[pl.Expr]) -> pl.Expr:
    """Write an object of members; those that are NULL are left out."""
    return _listed(members, "{", "}")


def bracketed(items: list[pl.Expr]) -> pl.Expr:
    """Write an array of items; those that are NULL are left out."""
    return _listed(items, "[", "]")


def _listed(parts: list[pl.Expr], start: str, end: str) -> pl.Expr:
    if not parts:
        return pl.lit(start + end)
    inside = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.concat_str([pl.lit(start), inside, pl.lit(end)])
