"""Rows as texts of JSON objects, put together column by column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace.errors import DataError
from tailrace.formats.texts import decimal_texts, json_value, scalar_texts
from tailrace.schema import FLOATS, INTEGERS, MAPS, DataType, Field, Kind, Schema

_ESCAPES = {chr(i): f"\\u{i:04x}" for i in range(32)} | {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
}  # fmt: skip
_MUST_ESCAPE = r'[\x00-\x1f"\\]'
_BARE = (*INTEGERS, Kind.BOOLEAN, Kind.INTERVAL_MONTH, Kind.INTERVAL_SECOND)


@dataclass(frozen=True, slots=True)
class Style:
    """
    What may be written in more than one way.

    `decimals` is 'number' (very small ones with an exponent), 'plain' or 'text'; `null_key` is written for a NULL key of a
    map, unless `drop_null_keys`; None and not dropped is an error.
    """

    separator: str = " "
    decimals: str = "number"
    without_nulls: bool = False
    null_key: str | None = None
    drop_null_keys: bool = False
    comma: str = ","
    colon: str = ":"


class Objects:
    """Writes rows of a schema."""

    def __init__(self, schema: Schema, style: Style) -> None:
        self._schema = schema
        self._style = style
        self._keys = [json.dumps(f.name, ensure_ascii=False) + style.colon for f in schema]
        self._encoder = json.JSONEncoder(ensure_ascii=False, separators=(style.comma, style.colon))

    def texts(self, frame: pl.DataFrame) -> pl.Series:
        """
        Give each row of a frame as an object.

        Raises:
            DataError: a map has a NULL key.
        """
        if not len(self._schema):
            return pl.Series(["{}"]).new_from_index(0, len(frame))
        columns = [self._column(frame[f.name], f).alias(f"v{i}") for i, f in enumerate(self._schema)]
        joined = self._sparse() if self._style.without_nulls else self._whole()
        return pl.DataFrame(columns).select(joined).to_series()

    def _whole(self) -> pl.Expr:
        parts: list[pl.Expr] = []
        for i, key in enumerate(self._keys):
            parts += [pl.lit((self._style.comma if i else "{") + key), pl.col(f"v{i}").fill_null("null")]
        return pl.concat_str([*parts, pl.lit("}")])

    def _sparse(self) -> pl.Expr:
        """Give objects without the fields that have no value."""
        comma = self._style.comma
        fields = [pl.lit(comma + k) + pl.col(f"v{i}") for i, k in enumerate(self._keys)]
        joined = pl.concat_str(fields, ignore_nulls=True)
        return pl.lit("{") + joined.str.slice(len(comma)) + pl.lit("}")

    def _column(self, values: pl.Series, field: Field) -> pl.Series:
        """Give a column as JSON texts; NULL stays NULL."""
        kind = field.type
        if kind.children:
            return self._nested(values, kind)
        if kind.kind is Kind.DECIMAL:
            style = self._style.decimals
            return _quoted(values.cast(pl.String)) if style == "text" else decimal_texts(values, plain=style == "plain")
        texts = scalar_texts(values, kind, self._style.separator)
        if kind.kind in _BARE:
            return texts
        if kind.kind in FLOATS:
            odd = (values.is_nan() | values.is_infinite()).fill_null(value=False)
            return texts if not odd.any() else _quoted(texts).zip_with(odd, texts)
        return _quoted(_escaped(texts))

    def _nested(self, values: pl.Series, kind: DataType) -> pl.Series:
        out = [None if v is None else self._nested_text(v, kind) for v in values.to_list()]
        return pl.Series(values.name, out, dtype=pl.String)

    def _nested_text(self, value: Any, kind: DataType) -> str:
        style = self._style
        if style.drop_null_keys:
            value = _without_null_keys(value, kind)
        try:
            return self._dump(json_value(value, kind, style.separator, style.null_key))
        except ValueError as error:
            raise DataError(str(error)) from None

    def _dump(self, value: Any) -> str:
        """Write a nested value; decimals in it, which Python's encoder does not know, by the style."""
        match value:
            case dict():
                fields = [f"{self._dump(k)}{self._style.colon}{self._dump(v)}" for k, v in value.items()]
                return "{" + self._style.comma.join(fields) + "}"
            case list():
                return "[" + self._style.comma.join(map(self._dump, value)) + "]"
            case Decimal():
                return f'"{value:f}"' if self._style.decimals == "text" else f"{value:f}"
        return self._encoder.encode(value)


def _without_null_keys(value: Any, kind: DataType) -> Any:
    if value is None:
        return None
    if kind.kind in MAPS:
        inner = kind.entry[1]
        kept = [e for e in value if e["key"] is not None]
        return [{"key": e["key"], "value": _without_null_keys(e["value"], inner)} for e in kept]
    if kind.kind is Kind.ARRAY:
        return [_without_null_keys(v, kind.children[0]) for v in value]
    if kind.kind is Kind.ROW:
        return {n: _without_null_keys(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    return value


def _escaped(texts: pl.Series) -> pl.Series:
    if not texts.str.contains(_MUST_ESCAPE).any():
        return texts
    return texts.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def _quoted(texts: pl.Series) -> pl.Series:
    return '"' + texts + '"'
