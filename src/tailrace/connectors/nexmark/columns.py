"""The columns that a table may declare, and their types."""

from __future__ import annotations

from tailrace.connectors.nexmark.fields import FIELDS
from tailrace.connectors.nexmark.shape import EventKind
from tailrace.connectors.nexmark.wide import TIMES, TYPE, Wanted
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, INT, STRING, DataType, Field, Kind, Schema, row, timestamp

_NUMBERS = ("id", "initialBid", "reserve", "seller", "category", "auction", "bidder", "price")


def _type(field: str) -> DataType:
    return timestamp(3) if field in TIMES else BIGINT if field in _NUMBERS else STRING


COLUMNS: dict[str, DataType] = {TYPE: INT} | {
    kind.name.lower(): row({name: _type(name) for name in FIELDS[kind]}) for kind in EventKind
}
"""All columns with their types; a table may leave out columns, and fields of a ROW."""


def wanted(schema: Schema, table: Table) -> Wanted:
    """
    Give the columns and fields that a schema asks for.

    Raises:
        ConfigError: one that does not exist, or is of another type.
    """
    return {field.name: _fields(field, table) for field in schema}


def _fields(field: Field, table: Table) -> tuple[str, ...]:
    known = COLUMNS.get(field.name)
    if known is None:
        raise _unknown(field.name, COLUMNS, table)
    if known.kind is not Kind.ROW or field.type.kind is not Kind.ROW:
        _check_type(field.name, field.type, known, table)
        return ()
    types = dict(zip(known.names, known.children, strict=True))
    for name, of in zip(field.type.names, field.type.children, strict=True):
        path = f"{field.name}.{name}"
        if name not in types:
            raise _unknown(path, [f"{field.name}.{n}" for n in types], table)
        _check_type(path, of, types[name], table)
    return field.type.names


def _check_type(path: str, given: DataType, known: DataType, table: Table) -> None:
    if given.polars != known.polars:
        message = f"column '{path}' of connector 'nexmark' is {known.sql()}, not {given.sql()}"
        raise ConfigError(message, location=table.location)


def _unknown(path: str, known: object, table: Table) -> ConfigError:
    names = list(known) if isinstance(known, dict | list) else []
    hint = did_you_mean(path, names) or f"it has: {', '.join(names)}"
    return ConfigError(f"connector 'nexmark' has no column '{path}'", hint=hint, location=table.location)
