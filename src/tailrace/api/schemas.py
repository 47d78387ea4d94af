"""The columns of a table, as Python has them."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Protocol, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import polars as pl

from tailrace.api import trees
from tailrace.api.expr import Expr
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.schema import DataType, Schema
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s


class Described(Protocol):
    """What has columns by name, as a `Contract`."""

    @property
    def columns(self) -> dict[str, str]:
        """The types of the columns as SQL."""


Declared = Mapping[str, Any] | Schema | type
"""Columns in the words of Python and SQL."""

Columns = Declared | str | Path | Described
"""
The columns of a table: a mapping of names, the schema of another table, a class with annotations (dataclass, NamedTuple,
TypedDict, Pydantic, msgspec), or whatever else `Contract` takes.

A column is a SQL type as text ("DECIMAL(10, 2)"), a Python type, `metadata(...)`, or an expression that computes it. In a
class a column that is not `| None` is NOT NULL; `Annotated[Decimal, "DECIMAL(10, 2)"]` gives the type as SQL.
"""

_SIMPLE: dict[Any, str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "STRING",
    bytes: "BYTES",
    Decimal: "DECIMAL(38, 18)",
    dt.date: "DATE",
    dt.time: "TIME(0)",
    dt.datetime: "TIMESTAMP(3)",
    UUID: "STRING",
}
_POLARS: dict[type[pl.DataType], str] = {
    pl.Boolean: "BOOLEAN",
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INT",
    pl.Int64: "BIGINT",
    pl.UInt8: "SMALLINT",
    pl.UInt16: "INT",
    pl.UInt32: "BIGINT",
    pl.UInt64: "DECIMAL(20, 0)",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.String: "STRING",
    pl.Categorical: "STRING",
    pl.Enum: "STRING",
    pl.Null: "STRING",
    pl.Binary: "BYTES",
    pl.Date: "DATE",
    pl.Time: "TIME(0)",
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """A column that the connector gives, as the offset of a record."""

    type: str
    key: str = ""
    virtual: bool = True


def metadata(type: str, key: str = "", *, virtual: bool = True) -> Metadata:  # noqa: A002  as in SQL
    """
    Declare a column that the connector gives: its SQL type, and its key if that is not the column's name.

    >>> import tailrace as tr
    >>> tr.metadata("BIGINT", "offset").key
    'offset'
    """
    return Metadata(type, key, virtual)


def column_trees(columns: Declared) -> list[n.Node]:
    """
    Give the columns of a CREATE TABLE.

    Raises:
        ConfigError: a type is none that SQL has.
    """
    return [_column(name, kind) for name, kind in declared(columns).items()]


def declared(columns: Declared) -> dict[str, Any]:
    """
    Give what each column is declared as: its type, as SQL where it comes from a class, or what it is computed from.

    Raises:
        ConfigError: a type is none that SQL has.
    """
    if isinstance(columns, Mapping):
        return dict(columns)
    if isinstance(columns, Schema):
        return {f.name: str(f.type) for f in columns}
    return {name: sql_type(kind, strict=True) for name, kind in _hints(columns).items()}


def _hints(columns: type) -> dict[str, Any]:
    found = get_type_hints(columns, include_extras=True)
    if not found:
        message = f"{columns.__name__} has no annotated fields"
        hint = "give a dict of names and types, or a class as a dataclass is"
        raise ConfigError(message, hint=hint, location=place().location())
    bounds = {name: field.metadata for name, field in getattr(columns, "model_fields", {}).items()}
    return {name: Annotated[kind, *extras] if (extras := bounds.get(name)) else kind for name, kind in found.items()}


def _column(name: str, kind: Any) -> n.Node:
    column = trees.identifier(name)
    if isinstance(kind, Expr):
        return placed(s.ComputedColumn(name=column, expr=kind.tree.copy()))
    if isinstance(kind, Metadata):
        key = trees.literal(kind.key) if kind.key else None
        return placed(s.MetadataColumn(name=column, type=trees.type_tree(kind.type), key=key, virtual=kind.virtual))
    return placed(s.PhysicalColumn(name=column, type=trees.type_tree(sql_type(kind, strict=False))))


def sql_type(kind: Any, *, strict: bool) -> str:
    """
    Give a type as SQL; `strict` makes what may not be None NOT NULL.

    Raises:
        ConfigError: there is none.
    """
    if isinstance(kind, str):
        return kind
    if isinstance(kind, DataType):
        return str(kind)
    plain, *extras = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    inner = get_args(plain)
    if get_origin(plain) in (Union, types.UnionType) and type(None) in inner and len(inner) == 2:
        value = next(i for i in inner if i is not type(None))
        return sql_type(Annotated[value, *extras] if extras else value, strict=strict).removesuffix(" NOT NULL")
    return _value_type(kind, strict=strict) + (" NOT NULL" if strict else "")


def _value_type(kind: Any, *, strict: bool) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        given = next((a for a in inner[1:] if isinstance(a, str)), None)
        return given or (inner[0] is Decimal and _digits(inner[1:])) or _value_type(inner[0], strict=strict)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if values := _choices(kind):
        return _value_type(values.pop(), strict=strict) if len(values) == 1 else _no_type(kind)
    if origin is list:
        return f"ARRAY<{sql_type(inner[0], strict=strict)}>"
    if origin is dict:
        return f"MAP<{sql_type(inner[0], strict=strict)}, {sql_type(inner[1], strict=strict)}>"
    if isinstance(kind, type) and getattr(kind, "__annotations__", None):
        fields = (f"`{f.replace('`', '``')}` {sql_type(t, strict=strict)}" for f, t in _hints(kind).items())
        return f"ROW<{', '.join(fields)}>"
    return _no_type(kind)


def _digits(extras: Sequence[Any]) -> str:
    """Give the type of a Decimal whose digits Pydantic's `Field` bounds; empty if it does not."""
    for of in (m for extra in extras for m in (extra, *getattr(extra, "metadata", ()))):
        most, places = getattr(of, "max_digits", None), getattr(of, "decimal_places", None)
        if most is not None and places is not None:
            return f"DECIMAL({most}, {places})"
    return ""


def _choices(kind: Any) -> set[type]:
    """Give the types of the values of an enum or a Literal."""
    if get_origin(kind) is Literal:
        return {type(v) for v in get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {type(member.value) for member in kind}
    return set()


def _no_type(kind: Any) -> NoReturn:
    hint = 'give it as SQL: "STRING", or Annotated[..., "STRING"] in a class'
    raise ConfigError(f"there is no SQL type for {kind!r}", hint=hint, location=place().location())


def from_polars_type(kind: pl.DataType) -> str:
    """
    Give the SQL type that carries a Polars type.

    Raises:
        ConfigError: there is none.

    >>> from_polars_type(pl.List(pl.Int32()))
    'ARRAY<INT>'
    """
    if type(kind) in _POLARS:
        return _POLARS[type(kind)]
    match kind:
        case pl.Decimal():
            return f"DECIMAL({kind.precision or 38}, {kind.scale})"
        case pl.Datetime():
            precision = {"ms": 3, "us": 6, "ns": 9}[kind.time_unit]
            return f"TIMESTAMP{'' if kind.time_zone is None else '_LTZ'}({precision})"
        case pl.List() | pl.Array():
            inner = kind.inner
            return f"ARRAY<{from_polars_type(inner if isinstance(inner, pl.DataType) else inner())}>"
        case pl.Struct():
            fields = (
                (f.name.replace("`", "``"), f.dtype if isinstance(f.dtype, pl.DataType) else f.dtype())
                for f in kind.fields
            )
            return f"ROW<{', '.join(f'`{name}` {from_polars_type(t)}' for name, t in fields)}>"
    raise ConfigError(f"there is no SQL type for {kind}", hint="cast the column before", location=place().location())
