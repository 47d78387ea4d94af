"""Columns as texts, in the one form that all formats of text write."""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tailrace.formats.base import Rows
from tailrace.schema import BINARIES, FLOATS, MAPS, STRINGS, TIMESTAMPS, DataType, Kind


def scalar_texts(values: pl.Series, kind: DataType, separator: str = " ") -> pl.Series:
    """
    Write a column without nesting; NULL stays NULL.

    Timestamps are `yyyy-MM-dd HH:mm:ss[.f]` without trailing zeros (Z for TIMESTAMP_LTZ), decimals plain with all digits
    of their scale, doubles as short as they can be read back, bytes base64.

    >>> from tailrace.schema import timestamp
    >>> scalar_texts(pl.Series([1500, 2000]).cast(pl.Datetime("ms")), timestamp(3)).to_list()
    ['1970-01-01 00:00:01.5', '1970-01-01 00:00:02']
    """
    k = kind.kind
    if k in STRINGS:
        return values
    if k in TIMESTAMPS:
        return _stamps(values, kind, separator)
    if k in BINARIES:
        return values.bin.encode("base64")
    if k is Kind.TIME:
        return _without_zeros(values.dt.to_string("%H:%M:%S%.9f").str.slice(0, 9 + max(kind.precision, 0)))
    if k in FLOATS:
        return _reals(values)
    if k is Kind.INTERVAL_SECOND:
        return values.dt.total_milliseconds().cast(pl.String)
    return values.cast(pl.String)


def decimal_texts(values: pl.Series, *, plain: bool) -> pl.Series:
    """
    Write decimals; unless `plain`, numbers below a millionth have an exponent, as Java's `toString` writes them.

    >>> decimal_texts(pl.Series([Decimal("0.000000027")]), plain=False).to_list()
    ['2.7E-8']
    """
    texts = values.cast(pl.String)
    scale = values.dtype.scale if isinstance(values.dtype, pl.Decimal) else 0
    if plain or scale <= 6:
        return texts
    small = (values.abs() < Decimal("0.000001")).fill_null(value=False)
    if not small.any():
        return texts
    out = [str(v) if odd else t for v, t, odd in zip(values.to_list(), texts, small, strict=True)]
    return pl.Series(values.name, out, dtype=pl.String)


def lines(texts: pl.Series) -> Rows:
    r"""
    Give texts as rows with a line feed behind each.

    >>> lines(pl.Series(["a", "bc"])).data.tobytes()
    b'a\nbc\n'
    """
    sizes = texts.str.len_bytes().cast(pl.Int64).to_numpy()
    ends = np.cumsum(sizes + 1) - 1
    data = np.frombuffer((texts.str.join("\n").item() + "\n").encode(), dtype=np.uint8)
    return Rows(data, ends - sizes, ends)


def _stamps(values: pl.Series, kind: DataType, separator: str) -> pl.Series:
    texts = values.dt.to_string(f"%Y-%m-%d{separator}%H:%M:%S%.f")
    if not _is_whole(values):
        texts = _without_zeros(texts)
    return texts + "Z" if kind.kind is Kind.TIMESTAMP_LTZ else texts


def _is_whole(values: pl.Series) -> bool:
    unit = values.dtype.time_unit if isinstance(values.dtype, pl.Datetime) else "ms"
    second = {"ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}[unit or "ms"]
    return not (values.to_physical() % second != 0).any()


def _without_zeros(texts: pl.Series) -> pl.Series:
    """Cut the zeros at the end of a fraction, and its point if nothing is left of it."""
    has = texts.str.contains(".", literal=True)
    cut = texts.str.strip_chars_end("0").str.strip_suffix(".")
    return cut.zip_with(has.fill_null(value=False), texts)


def _reals(values: pl.Series) -> pl.Series:
    texts = values.cast(pl.String)
    special = values.is_nan() | values.is_infinite()
    if not special.fill_null(value=False).any():
        return texts
    names = {"inf": "Infinity", "-inf": "-Infinity", "NaN": "NaN"}
    return texts.replace(names)


def json_value(value: Any, kind: DataType, separator: str = " ", null_key: str | None = None) -> Any:
    """
    Give one value as the Python value that JSON writes; for nested types, row by row.

    Raises:
        ValueError: a map has a NULL key, and `null_key` says nothing of it.
    """
    if value is None:
        return None
    if kind.kind is Kind.ARRAY:
        return [json_value(v, kind.children[0], separator, null_key) for v in value]
    if kind.kind is Kind.ROW:
        return {n: json_value(value[n], c, separator, null_key) for n, c in zip(kind.names, kind.children, strict=True)}
    if kind.kind in MAPS:
        return _map(value, kind, separator, null_key)
    return _scalar(value, kind, separator)


def _map(value: Any, kind: DataType, separator: str, null_key: str | None) -> dict[str, Any]:
    out = {}
    key_type, value_type = kind.entry
    for entry in value:
        key = _scalar(entry["key"], key_type, separator) if entry["key"] is not None else null_key
        if key is None:
            raise ValueError("a map has a NULL key; set 'json.map-null-key.mode' to 'DROP' or 'LITERAL'")
        out[str(key)] = json_value(entry["value"], value_type, separator, null_key)
    return out


def _scalar(value: Any, kind: DataType, separator: str) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else scalar_texts(pl.Series([value]), kind)[0]
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return value
    return scalar_texts(pl.Series([value]).cast(kind.polars), kind, separator)[0]
