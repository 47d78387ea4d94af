"""Rows as items of a container, and back: ids, partition keys, and numbers that a double can't hold."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import msgspec
import polars as pl

from tailrace.connectors.texts import refuse_textless, text
from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats import registry
from tailrace.formats.base import Decoded, Decoder, Rows, refuse_variants
from tailrace.formats.json.objects import Objects, Style
from tailrace.options import OptionText
from tailrace.plan.catalog import Table
from tailrace.schema import STRING, TIMESTAMPS, Field, Kind, Schema

ID, ETAG = "id", "_etag"
SYSTEM = ("_attachments", "_etag", "_lsn", "_rid", "_self", "_ts")
"""Properties that the service writes."""
_STYLE = Style(separator="T")
_OPTIONS = {"timestamp-format.standard": OptionText("ISO-8601")}
_EXACT = 2**53
_FORBIDDEN = {"%": "%25", "/": "%2F", "\\": "%5C", "?": "%3F", "#": "%23"}
_WIDE = (Kind.BIGINT, Kind.INTERVAL_SECOND)


class Ids:
    """
    The id of a row's item: the column `id`, or the values of the primary key.

    In an id that is made of the key, characters that an id can't have (and a delimiter inside of a value) are written as in an URL.
    """

    def __init__(self, table: Table, delimiter: str) -> None:
        self._delimiter = delimiter
        self.own = ID in table.physical
        self.key = Schema(tuple(table.physical[name] for name in table.primary_key or (ID,)))
        if self.own and table.primary_key and ID not in table.primary_key:
            message = "the column 'id' is the id of the item, and not in the PRIMARY KEY"
            raise ConfigError(message, hint="add it to the key", location=table.location)
        refuse_textless(self.key, "the id of an item", table.location, binary=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of."""
        return (ID,) if self.own else self.key.names

    def of(self) -> pl.Expr:
        """Give the expression of it."""
        if self.own:
            return _bare(self.key[ID])
        escaped = dict(_FORBIDDEN)
        if len(self.key) > 1:
            escaped |= {c: "".join(f"%{b:02X}" for b in c.encode()) for c in self._delimiter}
        parts = [part for f in self.key for part in (pl.lit(self._delimiter), _escaped(_bare(f), escaped))][1:]
        return pl.concat_str(parts).str.replace(" $", "%20")

    def values(self, id_: str) -> dict[str, str]:
        """Give the texts of the key's columns that an id was made of."""
        if self.own:
            return {ID: id_}
        parts = id_.split(self._delimiter) if len(self.key) > 1 else [id_]
        return {name: unquote(part) for name, part in zip(self.key.names, parts, strict=False)}


def _escaped(value: pl.Expr, escaped: dict[str, str]) -> pl.Expr:
    for character, written in escaped.items():  # the % is the first
        value = value.str.replace_all(character, written, literal=True)
    return value


def _bare(field: Field) -> pl.Expr:
    return text(field).str.replace(" ", "T", literal=True) if field.type.kind in TIMESTAMPS else text(field)


class Items:
    """Writes rows as items: all columns but those of the service, and the id."""

    def __init__(self, table: Table, ids: Ids) -> None:
        schema = table.written
        refuse_variants(schema, "json")
        for name in schema.names:
            if name in SYSTEM and name != ETAG:
                message = f"property '{name}' of items is written by the service alone"
                raise ConfigError(message, hint="leave the column out", location=table.location)
        self.ids = ids
        self.etags = ETAG in schema
        self.names = tuple(n for n in schema.names if n != ETAG)
        self._fields = tuple(Field(f.name, STRING) if f.name == ID else f for f in schema if f.name != ETAG)
        if not ids.own:
            self._fields = (Field(ID, STRING), *self._fields)
        self._objects = Objects(Schema(self._fields), _STYLE)
        self._nested = any(f.type.children for f in self._fields)
        decimals = any(f.type.holds(Kind.DECIMAL) for f in self._fields)
        self._decoder = msgspec.json.Decoder(float_hook=exact) if decimals else msgspec.json.Decoder()

    def of(self, rows: pl.DataFrame) -> tuple[list[dict[str, Any]], list[int]]:
        """Give the items of rows, and the bytes of each."""
        names = [f.name for f in self._fields]
        written = rows.with_columns(self.ids.of().alias(ID)).select(names)
        texts = self._objects.texts(written)
        items = [self._decoder.decode(t) for t in texts.to_list()]
        if self._nested or _has_wide(written, self._fields):
            items = [safe(item) for item in items]
        return items, texts.str.len_bytes().to_list()


def _has_wide(rows: pl.DataFrame, fields: Sequence[Field]) -> bool:
    """Tell whether there may be an integer that a double can't hold."""
    if any(f.type.kind is Kind.DECIMAL for f in fields):
        return True
    wide = [pl.col(f.name).cast(pl.Int64) for f in fields if f.type.kind in _WIDE]
    beyond = [((value > _EXACT) | (value < -_EXACT)).any() for value in wide]
    return bool(wide) and bool(rows.select(pl.any_horizontal(beyond)).item())


def exact(written: str) -> float | str:
    """
    Read a number with a point; one that a double can't hold stays a text, as the service has no other numbers.

    >>> exact("12.5"), exact("0.12345678901234567890")
    (12.5, '0.12345678901234567890')
    """
    value = float(written)
    return value if Decimal(repr(value)) == Decimal(written) else written


def safe(value: Any) -> Any:
    """
    Give integers that a double can't hold as texts.

    >>> safe({"a": [1, 2**60]})
    {'a': [1, '1152921504606846976']}
    """
    if isinstance(value, dict):
        return {k: safe(v) for k, v in value.items()}
    if isinstance(value, list):
        return [safe(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return str(value)
    return value


def at(item: dict[str, Any], path: str) -> Any:
    """
    Give what stands at the path of a partition key.

    >>> at({"a": {"b": 1}}, "/a/b")
    1
    """
    value: Any = item
    for name in parts(path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def parts(path: str) -> list[str]:
    """
    Give the names of a path.

    >>> parts('/a/"b c"')
    ['a', 'b c']
    """
    return [name.strip('"') for name in path.strip("/").split("/")]


def partition_key(item: dict[str, Any], paths: Sequence[str]) -> Any:
    """Give the partition key of an item: one value, or a list of those of a hierarchy."""
    values = [at(item, path) for path in paths]
    return values[0] if len(values) == 1 else values


def require_partition_key(table: Table, ids: Ids, paths: Sequence[str], container: str) -> None:
    """
    Make sure that the key of a table tells the partition key of its items.

    Raises:
        ConfigError: a column of it is missing, or not in the PRIMARY KEY: then an item could not be found again.
    """
    heads = [parts(path)[0] for path in paths]
    for head in heads:
        if head == ID or head in table.primary_key:
            continue
        message = f"container '{container}' has the partition key {';'.join(paths)}"
        if head in table.physical:
            more = f"column '{head}' is not in the PRIMARY KEY of table '{table.name}'"
            raise ConfigError(f"{message}: {more}", hint="add it to the key", location=table.location)
        hint = did_you_mean(head, table.physical.names) or f"declare a column `{head}`, and add it to the PRIMARY KEY"
        raise ConfigError(f"{message}: table '{table.name}' has no column '{head}'", hint=hint, location=table.location)
    if ids.own and (more_ := [n for n in table.primary_key if n != ID and n not in heads]):
        message = f"column '{more_[0]}' of the PRIMARY KEY is neither the id nor of the partition key {';'.join(paths)}"
        hint = "items are found by their id and partition key: leave it out of the key, or name 'id' another way"
        raise ConfigError(message, hint=hint, location=table.location)


def decoder(schema: Schema) -> Decoder:
    """Make what reads items that this connector, or another program, has written."""
    chosen = registry.get("json")
    return chosen.decoder(schema, chosen.options.parse(_OPTIONS))


def decoded(of: Decoder, items: Sequence[dict[str, Any]]) -> tuple[Decoded, list[bytes]]:
    """Read items as the columns of a decoder, and give their texts too."""
    texts = [msgspec.json.encode(item) for item in items]
    return of.decode(Rows.of(list(texts))), texts
