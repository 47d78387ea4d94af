"""Which type of Cassandra carries which of Flink's, both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import polars as pl

from tailrace.errors import ConfigError, Location, TerminalError
from tailrace.schema import STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema
from tailrace.user_functions.columns import column

_TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.TINYINT: "tinyint",
    Kind.SMALLINT: "smallint",
    Kind.INT: "int",
    Kind.BIGINT: "bigint",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.DECIMAL: "decimal",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.BINARY: "blob",
    Kind.VARBINARY: "blob",
    **dict.fromkeys(STRINGS, "text"),
    **dict.fromkeys(TIMESTAMPS, "timestamp"),
}


def cql_type(of: DataType) -> str:
    """
    Give the type of Cassandra; empty if there is none.

    >>> from tailrace.schema import BIGINT, array
    >>> cql_type(array(BIGINT))
    'list<bigint>'
    """
    if of.kind is Kind.ARRAY:
        element = cql_type(of.children[0])
        return f"list<{element}>" if element else ""
    if of.kind is Kind.MAP:
        parts = [cql_type(c) for c in of.children]
        return f"map<{', '.join(parts)}>" if all(parts) else ""
    if of.kind in TIMESTAMPS and of.precision > 3:
        return ""
    return _TYPES.get(of.kind, "")


def refuse_others(schema: Schema, location: Location | None) -> None:
    """
    Check that each column has a type in Cassandra.

    Raises:
        ConfigError: one has none.
    """
    for field in schema:
        if not cql_type(field.type):
            times = field.type.kind in TIMESTAMPS
            hint = "Cassandra keeps milliseconds: declare TIMESTAMP(3)" if times else "write its fields as columns"
            message = f"column '{field.name}' of type {field.type.sql()} has no place in Cassandra"
            raise ConfigError(message, hint=hint, location=location)


def frame_of(rows: Sequence[Sequence[Any]], schema: Schema, table: str) -> pl.DataFrame:
    """
    Give rows of the client as columns.

    Raises:
        TerminalError: a value is not of its column's type.
    """
    if not rows:
        return schema.empty()
    columns = zip(*rows, strict=True)
    return pl.DataFrame([_series(list(values), f, table) for values, f in zip(columns, schema, strict=True)])


def _series(values: list[Any], field: Field, table: str) -> pl.Series:
    change = _CHANGES.get(field.type.kind, lambda v: v)
    try:
        return column([None if v is None else change(v) for v in values], field.type).alias(field.name)
    except Exception:  # noqa: BLE001  Polars and the client raise of all kinds
        message = f"a value of column '{field.name}' of Cassandra table '{table}' is no {field.type.sql()}"
        raise TerminalError(message, hint="mend the type of the column") from None


_CHANGES: dict[Kind, Callable[[Any], Any]] = {
    Kind.DATE: lambda v: v.date(),
    Kind.TIME: lambda v: v.time(),
    Kind.TIMESTAMP_LTZ: lambda v: v.replace(tzinfo=UTC),
    Kind.ARRAY: list,
    Kind.MAP: dict,
}
