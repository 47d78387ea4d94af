"""Schemas of Avro from columns, as Flink derives them, and columns from schemas."""

from __future__ import annotations

import json
from typing import Any

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.formats.avro.types import AvroType
from tailrace.schema import (
    BIGINT,
    BINARIES,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    MAPS,
    STRING,
    STRINGS,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
    time_type,
    timestamp,
    timestamp_ltz,
)

RECORD = "org.apache.flink.avro.generated.record"
"""The name that Flink gives the record of a table; the records of nested rows have their fields' names behind it."""
_SIMPLE = {
    Kind.BOOLEAN: "boolean",
    Kind.TINYINT: "int",
    Kind.SMALLINT: "int",
    Kind.INT: "int",
    Kind.BIGINT: "long",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.NULL: "null",
}
_COLUMNS = {
    "boolean": BOOLEAN,
    "int": INT,
    "long": BIGINT,
    "float": FLOAT,
    "double": DOUBLE,
    "string": STRING,
    "enum": STRING,
    "bytes": BYTES,
}
MOST_DIGITS = 38


def derived(schema: Schema, *, legacy: bool = True) -> str:
    """
    Give the schema that Flink writes for columns, as text.

    >>> derived(Schema((Field("n", INT),)))[-61:]
    '"fields":[{"name":"n","type":["null","int"],"default":null}]}'

    Raises:
        ConfigError: a type that Avro can't carry.
    """
    fields = [(f.name, f.type) for f in schema]
    return json.dumps(_record(fields, RECORD, legacy), separators=(",", ":"))


def _record(fields: list[tuple[str, DataType]], name: str, legacy: bool) -> dict[str, Any]:
    out = []
    for field, kind in fields:
        one: dict[str, Any] = {"name": field, "type": _of(kind, f"{name}_{field}", field, legacy)}
        if kind.nullable:
            one["default"] = None
        out.append(one)
    package, _, short = name.rpartition(".")
    return {"type": "record", "name": short, "namespace": package, "fields": out}


def _of(kind: DataType, name: str, field: str, legacy: bool) -> Any:
    plain = _plain(kind, name, field, legacy)
    return ["null", plain] if kind.nullable and plain != "null" else plain


def _plain(kind: DataType, name: str, field: str, legacy: bool) -> Any:
    k = kind.kind
    if k in _SIMPLE:
        return _SIMPLE[k]
    if k in STRINGS or k in BINARIES:
        return "string" if k in STRINGS else "bytes"
    if k is Kind.DECIMAL:
        return {"type": "bytes", "logicalType": "decimal", "precision": kind.precision, "scale": kind.scale}
    if k is Kind.DATE:
        return {"type": "int", "logicalType": "date"}
    if k is Kind.TIME:
        of, unit = ("int", "millis") if kind.precision <= 3 else ("long", "micros")
        return {"type": of, "logicalType": f"time-{unit}"}
    if k in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ):
        local = "local-" if not legacy and k is Kind.TIMESTAMP else ""
        unit = {"ms": "millis", "us": "micros", "ns": "nanos"}[kind.time_unit]
        return {"type": "long", "logicalType": f"{local}timestamp-{unit}"}
    if k is Kind.ROW:
        return _record(list(zip(kind.names, kind.children, strict=True)), name, legacy)
    if k is Kind.ARRAY:
        return {"type": "array", "items": _of(kind.children[0], name, field, legacy)}
    if k in MAPS and kind.entry[0].kind in STRINGS:
        return {"type": "map", "values": _of(kind.entry[1], name, field, legacy)}
    hint = "the keys of a map are texts in Avro" if k in MAPS else "CAST it to a type that Avro has"
    raise ConfigError(f"column '{field}': Avro has no place for {kind.sql()}", hint=hint)


def columns(given: AvroType, *, legacy: bool = True) -> Schema:
    """
    Give the columns of a record: nullable where they are a union with null.

    With `legacy` all timestamps are TIMESTAMP, as Flink has them by default; else those that are not local are TIMESTAMP_LTZ.

    Raises:
        UnsupportedError: a type that has no column, or no record.
    """
    optional = given.optional
    of = optional[1] if optional else given
    if of.kind != "record":
        raise UnsupportedError(
            f"the schema is {of}, and no record with columns", hint="declare the columns of the table"
        )
    return Schema(tuple(Field(f.name, _Columns(legacy).of(f.type, f.name, (of,))) for f in of.fields))


class _Columns:
    def __init__(self, legacy: bool) -> None:
        self._legacy = legacy

    def of(self, given: AvroType, path: str, within: tuple[AvroType, ...]) -> DataType:
        optional = given.optional
        if optional is not None:
            return self.of(optional[1], path, within).with_nullable(optional[0] >= 0)
        if given.kind == "union":
            raise _unsupported(path, f"is a {given}: only a union with null has a column")
        if given.kind == "null":
            return STRING
        return self._bare(given, path, within).with_nullable(False)

    def _bare(self, given: AvroType, path: str, within: tuple[AvroType, ...]) -> DataType:
        if given.logical:
            return self._logical(given, path)
        if given.kind == "fixed":
            return DataType(Kind.BINARY, length=max(1, given.size))
        if given.kind == "array":
            return array(self.of(given.item, f"{path}[]", within))
        if given.kind == "map":
            return map_type(STRING.with_nullable(False), self.of(given.item, f"{path}{{}}", within))
        if given.kind != "record":
            return _COLUMNS[given.kind]
        if given in within:
            raise _unsupported(path, f"holds itself ({given}), which no column can")
        if not given.fields:
            raise _unsupported(path, f"is a {given} without fields")
        inner = {f.name: self.of(f.type, f"{path}.{f.name}", (*within, given)) for f in given.fields}
        return row(inner)

    def _logical(self, given: AvroType, path: str) -> DataType:
        logical = given.logical
        unit = {"millis": 3, "micros": 6, "nanos": 9}.get(logical.rpartition("-")[2], 0)
        if logical == "decimal":
            if given.precision > MOST_DIGITS:
                raise _unsupported(path, f"is a {given}: a DECIMAL has {MOST_DIGITS} digits")
            return decimal(given.precision, given.scale)
        if logical == "date":
            return DATE
        if logical == "uuid":
            return STRING
        if logical.startswith("time-"):
            return time_type(unit)
        return timestamp(unit) if self._legacy or logical.startswith("local-") else timestamp_ltz(unit)


def _unsupported(path: str, why: str) -> UnsupportedError:
    return UnsupportedError(f"field '{path}' {why}", hint="declare the columns of the table, without this one")
