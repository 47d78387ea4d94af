"""What several connectors check of the columns that a table declares."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import TIMESTAMPS, Schema


def require_key_columns(table: Table, schema: Schema) -> None:
    """
    Make sure that the columns of the primary key are among those that are written.

    Raises:
        ConfigError: one is not.
    """
    for name in table.primary_key:
        if name not in schema:
            hint = did_you_mean(name, schema.names)
            raise ConfigError(f"PRIMARY KEY names no column '{name}'", hint=hint, location=table.location)


def require_whole_key(table: Table, connector: str, keys: Iterable[str], key: Schema, what: str = "whole key") -> None:
    """
    Make sure that a lookup compares all columns of the key in the store, and no others.

    Raises:
        ConfigError: it does not.
    """
    if set(keys) != set(key.names):
        needed = ", ".join(key.names)
        message = f"table '{table.name}' of connector '{connector}' is looked up in by its {what}: {needed}"
        raise ConfigError(message, hint=f"compare {needed} in the join", location=table.location)


def write_timestamp(table: Table, options: Values) -> str | None:
    """
    Give the column that `write-timestamp-column` names, whose time is that of what is written; None if it names none.

    Raises:
        ConfigError: there is no such column, or it is no timestamp.
    """
    name: str | None = options["write-timestamp-column"]
    if name is None:
        return None
    at = options.location("write-timestamp-column")
    if name not in table.written:
        hint = did_you_mean(name, table.written.names)
        raise ConfigError(f"'write-timestamp-column' names no column '{name}'", hint=hint, location=at)
    if table.written[name].type.kind not in TIMESTAMPS:
        raise ConfigError(f"column '{name}' of 'write-timestamp-column' is no TIMESTAMP", location=at)
    return name
