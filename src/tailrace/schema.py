"""
Flink's logical types, each with the one Polars type that carries it.

| Flink                        | Polars                                    |
| ---------------------------- | ----------------------------------------- |
| BOOLEAN                      | Boolean                                   |
| TINYINT SMALLINT INT BIGINT  | Int8 Int16 Int32 Int64                    |
| FLOAT DOUBLE                 | Float32 Float64                           |
| DECIMAL(p, s)                | Decimal(p, s)                             |
| CHAR VARCHAR STRING          | String                                    |
| BINARY VARBINARY BYTES       | Binary                                    |
| DATE                         | Date                                      |
| TIME(p)                      | Time                                      |
| TIMESTAMP(p)                 | Datetime("ms" p<=3, "us" p<=6, "ns")      |
| TIMESTAMP_LTZ(p)             | the same with time zone "UTC"             |
| INTERVAL YEAR TO MONTH       | Int32, months                             |
| INTERVAL DAY TO SECOND       | Duration("ms")                            |
| ARRAY<t>                     | List(t)                                   |
| MAP<k, v>                    | List(Struct(key, value))                  |
| MULTISET<t>                  | List(Struct(key, value)), value: how often |
| ROW<...>                     | Struct                                    |
| VARIANT                      | String, as JSON                           |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

import polars as pl

MAX_LENGTH = 2_147_483_647


class Kind(Enum):
    """The families of types, named as Flink names them."""

    BOOLEAN = "BOOLEAN"
    TINYINT = "TINYINT"
    SMALLINT = "SMALLINT"
    INT = "INT"
    BIGINT = "BIGINT"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    CHAR = "CHAR"
    VARCHAR = "VARCHAR"
    BINARY = "BINARY"
    VARBINARY = "VARBINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_LTZ = "TIMESTAMP_LTZ"
    INTERVAL_MONTH = "INTERVAL YEAR TO MONTH"
    INTERVAL_SECOND = "INTERVAL DAY TO SECOND"
    ARRAY = "ARRAY"
    MAP = "MAP"
    MULTISET = "MULTISET"
    ROW = "ROW"
    VARIANT = "VARIANT"
    NULL = "NULL"


INTEGERS = (Kind.TINYINT, Kind.SMALLINT, Kind.INT, Kind.BIGINT)
"""From the narrowest to the widest."""
FLOATS = (Kind.FLOAT, Kind.DOUBLE)
STRINGS = (Kind.CHAR, Kind.VARCHAR)
BINARIES = (Kind.BINARY, Kind.VARBINARY)
TIMESTAMPS = (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ)
MAPS = (Kind.MAP, Kind.MULTISET)
INTERVALS = (Kind.INTERVAL_MONTH, Kind.INTERVAL_SECOND)

_SIMPLE: dict[Kind, pl.DataType] = {
    Kind.BOOLEAN: pl.Boolean(),
    Kind.TINYINT: pl.Int8(),
    Kind.SMALLINT: pl.Int16(),
    Kind.INT: pl.Int32(),
    Kind.BIGINT: pl.Int64(),
    Kind.FLOAT: pl.Float32(),
    Kind.DOUBLE: pl.Float64(),
    Kind.CHAR: pl.String(),
    Kind.VARCHAR: pl.String(),
    Kind.BINARY: pl.Binary(),
    Kind.VARBINARY: pl.Binary(),
    Kind.DATE: pl.Date(),
    Kind.TIME: pl.Time(),
    Kind.INTERVAL_MONTH: pl.Int32(),
    Kind.INTERVAL_SECOND: pl.Duration("ms"),
    Kind.VARIANT: pl.String(),
    Kind.NULL: pl.Null(),
}


@dataclass(frozen=True, slots=True)
class DataType:
    """
    One logical type.

    `precision` is that of DECIMAL, TIME and timestamps; `scale` of DECIMAL; `length` of strings and bytes;
    `children` are the element (ARRAY, MULTISET), key and value (MAP) or fields (ROW, with `names`;
    with `class_name` it is what OBJECT_OF gives, Flink's STRUCTURED).

    >>> str(DataType(Kind.DECIMAL, precision=10, scale=2, nullable=False))
    'DECIMAL(10, 2) NOT NULL'
    """

    kind: Kind
    nullable: bool = True
    precision: int = 0
    scale: int = 0
    length: int = 0
    children: tuple[DataType, ...] = ()
    names: tuple[str, ...] = ()
    class_name: str = ""

    def __str__(self) -> str:
        return self.sql() + ("" if self.nullable else " NOT NULL")

    def sql(self) -> str:
        """Give the type as Flink writes it, without its nullability."""
        k = self.kind
        if k is Kind.DECIMAL:
            return f"DECIMAL({self.precision}, {self.scale})"
        if k is Kind.TIME or k in TIMESTAMPS:
            return f"{k.value}({self.precision})"
        if k in (Kind.VARCHAR, Kind.VARBINARY) and self.length == MAX_LENGTH:
            return "STRING" if k is Kind.VARCHAR else "BYTES"
        if k in (*STRINGS, *BINARIES):
            return f"{k.value}({self.length})"
        if k is Kind.ROW:
            fields = (f"`{n.replace('`', '``')}` {t}" for n, t in zip(self.names, self.children, strict=True))
            return (
                f"STRUCTURED<'{self.class_name}', {', '.join(fields)}>"
                if self.class_name
                else f"ROW<{', '.join(fields)}>"
            )
        if self.children:
            return f"{k.value}<{', '.join(map(str, self.children))}>"
        return str(k.value)

    def holds(self, kind: Kind) -> bool:
        """
        Tell whether it is of a kind, or a part of it is.

        >>> array(VARIANT).holds(Kind.VARIANT)
        True
        """
        return self.kind is kind or any(c.holds(kind) for c in self.children)

    @property
    def polars(self) -> pl.DataType:
        """The Polars type that carries this one."""
        k = self.kind
        if k in _SIMPLE:
            return _SIMPLE[k]
        if k is Kind.DECIMAL:
            return pl.Decimal(self.precision, self.scale)
        if k in TIMESTAMPS:
            return pl.Datetime(self.time_unit, "UTC" if k is Kind.TIMESTAMP_LTZ else None)
        inner = [c.polars for c in self.children]
        if k is Kind.ARRAY:
            return pl.List(inner[0])
        if k in (Kind.MAP, Kind.MULTISET):
            key, value = self.entry
            return pl.List(pl.Struct([pl.Field("key", key.polars), pl.Field("value", value.polars)]))
        return pl.Struct([pl.Field(n, t) for n, t in zip(self.names, inner, strict=True)])

    @property
    def entry(self) -> tuple[DataType, DataType]:
        """The types of key and value of a MAP; of a MULTISET, of an element and of how often it is there."""
        key = self.children[0]
        return key, self.children[1] if self.kind is Kind.MAP else INT.with_nullable(False)

    @property
    def time_unit(self) -> Literal["ms", "us", "ns"]:
        """The Polars unit of a timestamp: 'ms', 'us' or 'ns' by its precision."""
        return "ms" if self.precision <= 3 else "us" if self.precision <= 6 else "ns"

    def with_nullable(self, nullable: bool) -> DataType:
        """Give the same type with this nullability."""
        return self if nullable == self.nullable else replace(self, nullable=nullable)

    def same_as(self, other: DataType) -> bool:
        """Tell whether both are the same but for nullability at the top."""
        return self.with_nullable(True) == other.with_nullable(True)


BOOLEAN = DataType(Kind.BOOLEAN)
TINYINT = DataType(Kind.TINYINT)
SMALLINT = DataType(Kind.SMALLINT)
INT = DataType(Kind.INT)
BIGINT = DataType(Kind.BIGINT)
FLOAT = DataType(Kind.FLOAT)
DOUBLE = DataType(Kind.DOUBLE)
STRING = DataType(Kind.VARCHAR, length=MAX_LENGTH)
BYTES = DataType(Kind.VARBINARY, length=MAX_LENGTH)
DATE = DataType(Kind.DATE)
INTERVAL_MONTH = DataType(Kind.INTERVAL_MONTH)
INTERVAL_SECOND = DataType(Kind.INTERVAL_SECOND)
VARIANT = DataType(Kind.VARIANT)
NULL = DataType(Kind.NULL)


def decimal(precision: int, scale: int) -> DataType:
    """Give DECIMAL(precision, scale)."""
    return DataType(Kind.DECIMAL, precision=precision, scale=scale)


def char(length: int) -> DataType:
    """Give CHAR(length): what a string literal is."""
    return DataType(Kind.CHAR, length=length)


def varchar(length: int) -> DataType:
    """Give VARCHAR(length)."""
    return DataType(Kind.VARCHAR, length=length)


def time_type(precision: int = 0) -> DataType:
    """Give TIME(precision)."""
    return DataType(Kind.TIME, precision=precision)


def timestamp(precision: int = 6) -> DataType:
    """Give TIMESTAMP(precision)."""
    return DataType(Kind.TIMESTAMP, precision=precision)


def timestamp_ltz(precision: int = 6) -> DataType:
    """Give TIMESTAMP_LTZ(precision)."""
    return DataType(Kind.TIMESTAMP_LTZ, precision=precision)


def array(element: DataType) -> DataType:
    """Give ARRAY<element>."""
    return DataType(Kind.ARRAY, children=(element,))


def map_type(key: DataType, value: DataType) -> DataType:
    """Give MAP<key, value>."""
    return DataType(Kind.MAP, children=(key, value))


def multiset(element: DataType) -> DataType:
    """Give MULTISET<element>."""
    return DataType(Kind.MULTISET, children=(element,))


def row(fields: Mapping[str, DataType]) -> DataType:
    """Give ROW<name type, ...>."""
    return DataType(Kind.ROW, children=tuple(fields.values()), names=tuple(fields))


class TimeAttribute(Enum):
    """What makes a column a time attribute, as Flink marks them."""

    ROWTIME = "ROWTIME"
    PROCTIME = "PROCTIME"


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, its type, and whether it is a time attribute."""

    name: str
    type: DataType
    time: TimeAttribute | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """
    The columns of a relation, in order; names are unique and case-sensitive, as in Flink.

    >>> schema = Schema((Field("id", BIGINT), Field("name", STRING)))
    >>> schema.names, schema["id"].type.sql()
    (('id', 'name'), 'BIGINT')
    """

    fields: tuple[Field, ...]
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {f.name: f for f in reversed(self.fields)})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(f.name for f in self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def select(self, names: tuple[str, ...]) -> Schema:
        """Give only these columns, in this order."""
        return Schema(tuple(self[n] for n in names))

    @property
    def polars(self) -> dict[str, pl.DataType]:
        """The Polars schema that carries it."""
        return {f.name: f.type.polars for f in self.fields}

    def empty(self) -> pl.DataFrame:
        """Give a frame of no rows."""
        return pl.DataFrame(schema=self.polars)
