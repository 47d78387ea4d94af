"""Rows as documents: their JSON, ids and indices, and the mapping of their columns."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

from tailrace.connectors.texts import text
from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.formats import registry
from tailrace.formats.base import Decoder
from tailrace.formats.json.objects import Objects, Style
from tailrace.options import OptionText
from tailrace.schema import BINARIES, INTERVALS, MAPS, TIMESTAMPS, DataType, Field, Kind, Schema

STYLE = Style(separator="T")
"""Times as ISO 8601 writes them, which is what the type `date` reads."""
_OPTIONS = {"timestamp-format.standard": OptionText("ISO-8601")}
_PLACE = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
_PATTERN = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_NUMBERS = {
    Kind.BOOLEAN: "boolean",
    Kind.TINYINT: "byte",
    Kind.SMALLINT: "short",
    Kind.INT: "integer",
    Kind.BIGINT: "long",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.DATE: "date",
}


def decoder(schema: Schema) -> Decoder:
    """Make what reads documents that this connector, or another program, has written."""
    chosen = registry.get("json")
    return chosen.decoder(schema, chosen.options.parse(_OPTIONS))


def documents(schema: Schema) -> Objects:
    """Make what writes rows as JSON."""
    return Objects(schema, STYLE)


def ids(key: list[Field], delimiter: str) -> pl.Expr:
    """Give the expression of a row's id."""
    parts = [part for f in key for part in (pl.lit(delimiter), _bare(f))][1:]
    return pl.concat_str(parts)


def _bare(field: Field) -> pl.Expr:
    return text(field).str.replace(" ", "T", literal=True) if field.type.kind in TIMESTAMPS else text(field)


def indices(pattern: str, schema: Schema, location: Location | None) -> pl.Expr | None:
    """
    Give the expression of a row's index; None if all have the same.

    Raises:
        ConfigError: the pattern names no column, or a date pattern that can't be.
    """
    found = list(_PLACE.finditer(pattern))
    if not found:
        return None
    parts: list[pl.Expr] = []
    end = 0
    for match in found:
        parts += [pl.lit(pattern[end : match.start()]), _place(match[1], match[2], schema, location)]
        end = match.end()
    return pl.concat_str([*parts, pl.lit(pattern[end:])]).str.to_lowercase()


def _place(name: str, pattern: str | None, schema: Schema, location: Location | None) -> pl.Expr:
    if name not in schema:
        hint = did_you_mean(name, schema.names)
        raise ConfigError(f"'index' names no column '{name}'", hint=hint, location=location)
    field = schema[name]
    if pattern is None:
        return text(field).fill_null("null")
    if field.type.kind not in (Kind.DATE, *TIMESTAMPS):
        raise ConfigError(f"column '{name}' of 'index' is no time, and has no date pattern", location=location)
    strftime = re.sub(r"[A-Za-z]+", lambda m: _PATTERN.get(m[0], "\0"), pattern or "yyyy-MM-dd")
    if "\0" in strftime:
        known = ", ".join(_PATTERN)
        raise ConfigError(f"the date pattern '{pattern}' can't be read", hint=f"it may have {known}", location=location)
    return pl.col(name).dt.strftime(strftime).fill_null("null")


def glob(pattern: str) -> str:
    """
    Give the name of all indices that a pattern makes.

    >>> glob("logs-{day|yyyy-MM}-x")
    'logs-*-x'
    """
    return _PLACE.sub("*", pattern).lower()


def mapping(schema: Schema) -> dict[str, Any]:
    """
    Give the mapping of columns to types of fields.

    >>> from tailrace.schema import BIGINT
    >>> mapping(Schema((Field("n", BIGINT),)))
    {'properties': {'n': {'type': 'long'}}}
    """
    return {"properties": {f.name: _mapped(f.type) for f in schema}}


def _mapped(of: DataType) -> dict[str, Any]:
    kind = of.kind
    if kind in _NUMBERS:
        return {"type": _NUMBERS[kind]}
    if kind is Kind.DECIMAL:
        exact = of.precision <= 15
        return {"type": "scaled_float", "scaling_factor": 10**of.scale} if exact else {"type": "double"}
    if kind in TIMESTAMPS:
        return {"type": "date" if of.precision <= 3 else "date_nanos"}
    if kind is Kind.ARRAY:
        return _mapped(of.children[0])
    if kind is Kind.ROW:
        return {"properties": {n: _mapped(c) for n, c in zip(of.names, of.children, strict=True)}}
    if kind in MAPS:
        return {"type": "object"}
    if kind in BINARIES:
        return {"type": "binary"}
    if kind in INTERVALS:
        return {"type": "long"}
    return {"type": "keyword", "ignore_above": 8191}


def encoded(value: pl.Expr) -> pl.Expr:
    """Give the expression of a text as JSON writes it."""
    return pl.struct(value.alias("v")).struct.json_encode().str.slice(5).str.head(-1)


def index_body(schema: Schema) -> str:
    """Give the body of a request that makes an index."""
    return json.dumps({"mappings": mapping(schema)})


def template_body(pattern: str, schema: Schema, *, stream: bool) -> str:
    """Give the body of an index template for a data stream, or for the indices of a pattern."""
    body: dict[str, Any] = {
        "index_patterns": [glob(pattern)],
        "template": {"mappings": mapping(schema)},
        "priority": 200,
    }
    return json.dumps(body | ({"data_stream": {}} if stream else {}))
