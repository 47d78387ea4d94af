"""
How the fields of a message and the columns of a table belong together.

| Protobuf | SQL |
| --- | --- |
| bool | BOOLEAN |
| int32, sint32, sfixed32, uint32, fixed32 and those of 64 bits | any integer; those of 64 bits without a sign also DECIMAL(20, 0) |
| float, double | FLOAT, DOUBLE; a float also DOUBLE |
| string, bytes | STRING, BYTES |
| enum | STRING (its name), any integer (its number) |
| message | ROW |
| repeated, map | ARRAY, MAP |
| Timestamp | TIMESTAMP, TIMESTAMP_LTZ, ROW |
| Duration | INTERVAL DAY TO SECOND, ROW |
| wrappers | what they wrap, ROW |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tailrace.errors import ConfigError, did_you_mean
from tailrace.schema import (
    BIGINT,
    BINARIES,
    BOOLEAN,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    INTEGERS,
    INTERVAL_SECOND,
    STRING,
    STRINGS,
    TIMESTAMPS,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp_ltz,
)

DOUBLE_, FLOAT_, INT64, UINT64, INT32, FIXED64, FIXED32, BOOL, STRING_, GROUP, MESSAGE, BYTES_, UINT32, ENUM = range(
    1, 15
)
SFIXED32, SFIXED64, SINT32, SINT64 = range(15, 19)
"""The types of fields, by the numbers that descriptors have for them."""

_INTEGERS = (INT64, UINT64, INT32, FIXED64, FIXED32, UINT32, SFIXED32, SFIXED64, SINT32, SINT64)
UNSIGNED_64 = (UINT64, FIXED64)
_WIDE = (INT64, UINT64, FIXED64, SFIXED64, SINT64, UINT32, FIXED32)

_PACKAGE = "google.protobuf."
_WRAPPERS = {
    f"{_PACKAGE}{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
}
_MOST_DEPTH = 5
"""So deep a message that has itself within goes into a schema that is made of it."""


class Role(Enum):
    """What a shape is."""

    SCALAR = "scalar"
    ENUM = "enum"
    ROW = "row"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    WRAPPER = "wrapper"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Shape:
    """
    A field and the type that it has in the table.

    `children` are the fields of a ROW, the element of a list, key and value of a map, the one field of a wrapper, seconds and
    nanos of a timestamp or duration. `single` is a value without presence of its own: an element, key or value.
    """

    name: str
    field: Any
    type: DataType
    role: Role
    single: bool = False
    children: tuple[Shape, ...] = field(default=())

    @property
    def present(self) -> bool:
        """Whether the message tells a field that is not there from one that has its default."""
        return not self.single and bool(self.field.has_presence)


def shapes(message: Any, fields: Iterable[Field]) -> tuple[Shape, ...]:
    """
    Give the shapes of the columns that are fields of a message.

    Raises:
        ConfigError: the message has no such field, or one of another type.
    """
    return tuple(_shape(message, f.name, f.type) for f in fields)


def _shape(message: Any, name: str, kind: DataType) -> Shape:
    found = message.fields_by_name.get(name)
    if found is None:
        known = list(message.fields_by_name)
        hint = did_you_mean(name, known) or f"fields: {', '.join(known)}"
        raise ConfigError(f"message '{message.full_name}' has no field '{name}'", hint=hint)
    if not found.is_repeated:
        return _single(name, found, kind)
    entry = map_entry(found)
    if entry is not None and kind.kind is Kind.MAP:
        pair = [
            _single(n, entry.fields_by_name[n], k, within=True)
            for n, k in zip(("key", "value"), kind.children, strict=True)
        ]
        return Shape(name, found, kind, Role.MAP, children=tuple(pair))
    if entry is None and kind.kind is Kind.ARRAY:
        return Shape(name, found, kind, Role.LIST, children=(_single(name, found, kind.children[0], within=True),))
    raise _wrong(found, kind)


def map_entry(found: Any) -> Any:
    """Give the message of the entries of a field that is a map; None if it is none."""
    message = found.message_type
    return message if message is not None and message.GetOptions().map_entry else None


def _single(name: str, found: Any, kind: DataType, *, within: bool = False) -> Shape:
    if found.type not in (MESSAGE, GROUP):
        role = Role.ENUM if found.type == ENUM else Role.SCALAR
        if not _takes(found, kind):
            raise _wrong(found, kind)
        return Shape(name, found, kind, role, within)
    message = found.message_type
    if kind.kind is Kind.ROW:
        inner = tuple(_shape(message, n, k) for n, k in zip(kind.names, kind.children, strict=True))
        return Shape(name, found, kind, Role.ROW, within, inner)
    known, parts = _well_known(message, kind)
    if known is None:
        raise _wrong(found, kind)
    return Shape(name, found, kind, known, within, tuple(_single(n, message.fields_by_name[n], k) for n, k in parts))


def _well_known(message: Any, kind: DataType) -> tuple[Role | None, list[tuple[str, DataType]]]:
    """Tell how a message of Google's own stands in a column of a type that is no ROW, and the types of its fields."""
    parts = [("seconds", BIGINT), ("nanos", INT)]
    if message.full_name == f"{_PACKAGE}Timestamp" and kind.kind in TIMESTAMPS:
        return Role.TIMESTAMP, parts
    if message.full_name == f"{_PACKAGE}Duration" and kind.kind is Kind.INTERVAL_SECOND:
        return Role.DURATION, parts
    if message.full_name in _WRAPPERS and _takes(message.fields_by_name["value"], kind):
        return Role.WRAPPER, [("value", kind)]
    return None, []


def _takes(found: Any, kind: DataType) -> bool:
    """Tell whether a column of a type can take a field that is no message."""
    match found.type:
        case t if t == BOOL:
            return kind.kind is Kind.BOOLEAN
        case t if t == STRING_:
            return kind.kind in STRINGS
        case t if t == BYTES_:
            return kind.kind in BINARIES
        case t if t == ENUM:
            return kind.kind in (*STRINGS, *INTEGERS)
        case t if t == FLOAT_:
            return kind.kind in (Kind.FLOAT, Kind.DOUBLE)
        case t if t == DOUBLE_:
            return kind.kind is Kind.DOUBLE
    if found.type in UNSIGNED_64 and kind.kind is Kind.DECIMAL:
        return kind.scale == 0 and kind.precision >= 20
    return kind.kind in INTEGERS


def _wrong(found: Any, kind: DataType) -> ConfigError:
    hint = f"declare it as {type_of(found, [])}"
    return ConfigError(f"field '{found.full_name}' can't be a column of type {kind.sql()}", hint=hint)


_SIMPLE = {
    BOOL: BOOLEAN,
    STRING_: STRING,
    BYTES_: BYTES,
    ENUM: STRING,
    FLOAT_: FLOAT,
    DOUBLE_: DOUBLE,
    **dict.fromkeys(_INTEGERS, INT),
    **dict.fromkeys(_WIDE, BIGINT),
    **dict.fromkeys(UNSIGNED_64, decimal(20, 0)),
}


def schema_of(message: Any) -> Schema:
    """
    Give the columns that a message has by itself; one that has itself within is followed a few levels deep.

    Raises:
        ConfigError: it has no fields.
    """
    names = [(f.name, type_of(f, [message.full_name])) for f in message.fields]
    fields = tuple(Field(n, k) for n, k in names if k.kind is not Kind.NULL)
    if not fields:
        raise ConfigError(f"message '{message.full_name}' has no fields that can be columns")
    return Schema(fields)


def type_of(found: Any, path: list[str]) -> DataType:
    """Give the type that a field has in SQL by itself; NULL for one that goes too deep, or has no fields."""
    if not found.is_repeated:
        return _type_of_single(found, path)
    entry = map_entry(found)
    if entry is not None:
        key, value = (_type_of_single(entry.fields_by_name[n], path) for n in ("key", "value"))
        return value if value.kind is Kind.NULL else map_type(key.with_nullable(False), value)
    element = _type_of_single(found, path)
    return element if element.kind is Kind.NULL else array(element)


def _type_of_single(found: Any, path: list[str]) -> DataType:
    message = found.message_type
    if message is None:
        return _SIMPLE[found.type]
    if message.full_name == f"{_PACKAGE}Timestamp":
        return timestamp_ltz(9)
    if message.full_name == f"{_PACKAGE}Duration":
        return INTERVAL_SECOND
    if message.full_name in _WRAPPERS:
        return _SIMPLE[message.fields_by_name["value"].type]
    if path.count(message.full_name) >= _MOST_DEPTH or len(path) > 8 * _MOST_DEPTH:
        return DataType(Kind.NULL)
    inner = {f.name: type_of(f, [*path, message.full_name]) for f in message.fields}
    inner = {n: k for n, k in inner.items() if k.kind is not Kind.NULL}
    return row(inner) if inner else DataType(Kind.NULL)
