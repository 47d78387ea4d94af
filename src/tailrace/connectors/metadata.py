"""The metadata columns of a table against the keys that its connector offers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tailrace.connectors.base import Connector
from tailrace.connectors.table_options import TableOptions
from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr
from tailrace.formats.base import MetadataKey
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import DataType
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect.flink import Flink
from tailrace.sql.dialect.types import TypeParser
from tailrace.sql.source import Source


@cache
def parse_type(text: str) -> DataType:
    """
    Read a type as Flink writes it.

    >>> str(parse_type("MAP<STRING NOT NULL, BYTES>"))
    'MAP<STRING NOT NULL, BYTES>'
    """
    source = Source(text, "<type>")
    return data_type(TypeParser(Flink().tokenize(text), source).type(), source)


def offered(connector: Connector, options: TableOptions) -> tuple[MetadataKey, ...]:
    """Give what a connector offers, and what the format of the rows does where the connector lets it."""
    value = options.value
    return (*connector.metadata, *(value.format.metadata if value and connector.format_metadata else ()))


def find(column: MetadataColumn, offered: Sequence[MetadataKey], connector: str) -> MetadataKey:
    """
    Give the key for a column among those that a connector of this name offers.

    Raises:
        ConfigError: there is no such key; points at the column.
    """
    known = {m.key: m for m in offered}
    if column.key not in known:
        has = f"it has: {', '.join(known)}" if known else "it has no metadata"
        raise ConfigError(
            f"connector '{connector}' has no metadata '{column.key}'",
            hint=did_you_mean(column.key, known) or has,
            location=column.location,
        )
    return known[column.key]


def converted(column: MetadataColumn, key: MetadataKey) -> Expr:
    """
    Give the expression that makes the declared type of the key's column.

    Raises:
        ConfigError: the one can't be cast to the other; points at the column.
    """
    offered = parse_type(key.type)
    given = Column(offered, key.key)
    if offered.same_as(column.type):
        return given
    try:
        return catalogue.cast(given, column.type, safe=True, location=column.location)
    except ConfigError as error:
        message = f"metadata '{key.key}' is {offered} and can't be read as {column.type}"
        raise ConfigError(message, hint=error.hint, location=column.location) from None


def check(table: Table, connector: Connector, options: TableOptions, *, writing: bool) -> None:
    """
    Check all metadata columns of a table.

    Raises:
        ConfigError: an unknown key, a type that does not go with it, or one that is written and can't be.
    """
    keys = offered(connector, options)
    for column in table.metadata:
        key = find(column, keys, connector.name)
        converted(column, key)
        if writing and not column.virtual and not key.writable:
            raise ConfigError(
                f"metadata '{key.key}' of connector '{connector.name}' can't be written",
                hint=f"declare the column as '{column.name} {column.type} METADATA FROM '{key.key}' VIRTUAL'",
                location=column.location,
            )
