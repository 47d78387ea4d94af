"""
How the fields of a struct and the columns of a table belong together.

| Thrift | SQL |
| --- | --- |
| bool | BOOLEAN |
| i8, i16, i32, i64 | TINYINT, SMALLINT, INT, BIGINT, or any other integer |
| double | DOUBLE |
| string, binary | STRING, BYTES; of a string also DECIMAL |
| enum | STRING (its name), any integer (its number) |
| struct, union, exception | ROW |
| list, set | ARRAY |
| map | MAP |
| i64 | TIMESTAMP, TIMESTAMP_LTZ, TIME |
| i32 | DATE, TIME |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.idl import Struct, Structs, ThriftField, ThriftType
from tailrace.formats.times import Scale, scale_of
from tailrace.schema import (
    BIGINT,
    BINARIES,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INT,
    INTEGERS,
    SMALLINT,
    STRING,
    STRINGS,
    TIMESTAMPS,
    TINYINT,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    map_type,
    row,
)

_MOST_DEPTH = 5
"""So deep a struct that has itself within goes into a schema that is made of it."""

_SIMPLE = {
    idl.BOOL: BOOLEAN,
    idl.BYTE: TINYINT,
    idl.I16: SMALLINT,
    idl.I32: INT,
    idl.I64: BIGINT,
    idl.DOUBLE: DOUBLE,
    idl.STRING: STRING,
    idl.BINARY: BYTES,
}
WHOLE = (idl.BYTE, idl.I16, idl.I32, idl.I64)
"""The types of integers."""


class Role(Enum):
    """What a shape is."""

    SCALAR = "scalar"
    ENUM = "enum"
    TIME = "time"
    ROW = "row"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Shape:
    """
    A field, element, key or value, and the type that it has in the table.

    `children` are the fields of a ROW, the element of a list, key and value of a map. `number` is that of a field, -1 of what is
    none; `struct` is that of a ROW.
    """

    name: str
    number: int
    type: ThriftType
    kind: DataType
    role: Role
    children: tuple[Shape, ...] = ()
    required: bool = False
    default: Any = None
    struct: Struct | None = None

    @property
    def scale(self) -> Scale:
        """How the numbers of a time are read."""
        unit = None
        if self.kind.kind is Kind.TIME:
            unit = 10**3 if self.type.number == idl.I32 else 10**6
        return scale_of(self.kind, unit)


def shapes(struct: Struct, known: Structs, fields: Iterable[Field]) -> tuple[Shape, ...]:
    """
    Give the shapes of the columns that are fields of a struct.

    Raises:
        ConfigError: the struct has no such field, or one of another type.
    """
    return tuple(_field(struct, known, f.name, f.type) for f in fields)


def _field(struct: Struct, known: Structs, name: str, kind: DataType) -> Shape:
    found = struct.by_name.get(name)
    if found is None:
        hint = did_you_mean(name, struct.by_name) or f"fields: {', '.join(struct.by_name)}"
        raise ConfigError(f"struct '{struct.name}' has no field '{name}'", hint=hint)
    return _shape(found, known, found.type, kind, f"{struct.name}.{name}")


def _shape(found: ThriftField | None, known: Structs, given: ThriftType, kind: DataType, path: str) -> Shape:
    """Give the shape of a field, or of a part of one (`found` is None)."""
    role, struct = _role(given, kind), None
    children: tuple[Shape, ...] = ()
    if role is None:
        hint = f"declare it as {_declared(given, known, []).sql()}"
        raise ConfigError(f"field '{path}' is a {given}, and can't be a column of type {kind.sql()}", hint=hint)
    if role is Role.ROW:
        struct = known.of(given.struct)
        children = tuple(_field(struct, known, n, k) for n, k in zip(kind.names, kind.children, strict=True))
    elif role in (Role.LIST, Role.MAP):
        parts = zip(given.parts, kind.children, strict=True)
        children = tuple(_shape(None, known, of, k, path) for of, k in parts)
        if role is Role.MAP and children[0].children:
            raise ConfigError(f"field '{path}' is a {given}: a key of a MAP must be a number or a text")
    if found is None:
        return Shape(path, -1, given, kind, role, children, struct=struct)
    return Shape(found.name, found.number, given, kind, role, children, found.required, found.default, struct)


def _role(given: ThriftType, kind: DataType) -> Role | None:
    """Tell what a column of a type makes of a type of Thrift; None if it can't take it."""
    k, number = kind.kind, given.number
    if given.struct is not None:
        return Role.ROW if k is Kind.ROW else None
    if number in (idl.LIST, idl.SET):
        return Role.LIST if k is Kind.ARRAY else None
    if number == idl.MAP:
        return Role.MAP if k is Kind.MAP else None
    if given.enum is not None:
        return Role.ENUM if k in (*STRINGS, *INTEGERS) else None
    if (
        (number == idl.I64 and (k in TIMESTAMPS or k is Kind.TIME))
        or (number == idl.I32 and k in (Kind.DATE, Kind.TIME))
    ):  # fmt: skip
        return Role.TIME
    return Role.SCALAR if _takes(number, k) else None


def _takes(number: int, k: Kind) -> bool:
    if number in WHOLE:
        return k in INTEGERS
    if number == idl.STRING:
        return k in (*STRINGS, *BINARIES, Kind.DECIMAL)
    if number == idl.BINARY:
        return k in BINARIES
    return k is (Kind.BOOLEAN if number == idl.BOOL else Kind.DOUBLE)


def schema_of(struct: Struct, known: Structs) -> Schema:
    """
    Give the columns that a struct has by itself; one that has itself within is followed a few levels deep.

    Raises:
        ConfigError: it has no fields.
    """
    typed = [(f, _declared(f.type, known, [struct.name])) for f in struct.fields]
    fields = tuple(Field(f.name, k.with_nullable(not f.required)) for f, k in typed if k.kind is not Kind.NULL)
    if not fields:
        raise ConfigError(f"struct '{struct.name}' has no fields that can be columns")
    return Schema(fields)


def _declared(given: ThriftType, known: Structs, path: list[str]) -> DataType:
    """Give the type that a column has by itself; NULL for one that goes too deep, or has no fields."""
    if given.struct is not None:
        struct = known.of(given.struct)
        if path.count(struct.name) >= _MOST_DEPTH or len(path) > 8 * _MOST_DEPTH:
            return DataType(Kind.NULL)
        inner = {f.name: _declared(f.type, known, [*path, struct.name]) for f in struct.fields}
        inner = {n: k for n, k in inner.items() if k.kind is not Kind.NULL}
        return row(inner) if inner else DataType(Kind.NULL)
    parts = [_declared(p, known, path) for p in given.parts]
    if any(p.kind is Kind.NULL for p in parts):
        return DataType(Kind.NULL)
    if given.number == idl.MAP:
        return map_type(parts[0].with_nullable(nullable=False), parts[1])
    if parts:
        return array(parts[0])
    return STRING if given.enum is not None else _SIMPLE[given.number]
