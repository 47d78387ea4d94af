"""How rows of a table are kept in Redis: keys of some columns, hashes of texts, or bytes in a format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from tailrace.connectors.keyed_values import KeyedValues
from tailrace.connectors.redis.options import HASH, SET
from tailrace.connectors.table_options import TableOptions
from tailrace.connectors.texts import key_texts, refuse_textless, text
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class Layout(KeyedValues):
    """Where the rows of a table are, and as what: `data_type`."""

    data_type: str

    @classmethod
    def of(cls, table: Table, options: Values, resolved: TableOptions) -> Layout:
        """
        Read it from a table.

        Raises:
            ConfigError: there is no key, no format where one is needed, or a type that has no place.
        """
        data_type, schema = options["data-type"], table.physical
        key = schema.select(_key_columns(table, options))
        refuse_textless(key, "a key of Redis", table.location, binary=False)
        if data_type == HASH:
            refuse_textless(schema, "a hash of Redis", table.location)
        if (data_type == HASH) != (resolved.value is None):
            hint = "leave 'format' out" if data_type == HASH else "add 'format' = 'json'"
            message = f"table '{table.name}': the data type '{data_type}' {'has no' if data_type == HASH else 'needs a'} format"
            raise ConfigError(message, hint=hint, location=table.location)
        prefix = options["key-prefix"] if options["key-prefix"] is not None else f"{table.name}:"
        return cls(prefix, schema, key, resolved.value, data_type)

    def names(self, frame: pl.DataFrame) -> pl.Series:
        """Give the key in Redis of each row."""
        return key_texts(frame, list(self.key), self.prefix)

    @property
    def many(self) -> bool:
        """Whether a key has several rows."""
        return self.data_type == SET


def _key_columns(table: Table, options: Values) -> tuple[str, ...]:
    names: tuple[str, ...] = options["key-columns"] or table.primary_key
    if not names:
        hint = "add PRIMARY KEY (...) NOT ENFORCED: its values are the key in Redis"
        message = f"table '{table.name}' of data type '{options['data-type']}' needs a PRIMARY KEY"
        raise ConfigError(message, hint=hint, location=table.location)
    for name in names:
        if name not in table.physical:
            hint = did_you_mean(name, table.physical.names)
            at = options.location("key-columns") or table.location
            raise ConfigError(f"the key names no column '{name}'", hint=hint, location=at)
    return names


def field_values(frame: pl.DataFrame, schema: Schema) -> list[tuple[Any, ...]]:
    """Give the texts (or bytes) of all columns, row by row; None for NULL."""
    return frame.select([text(f).alias(f.name) for f in schema]).rows()


def transposed(answers: Sequence[Sequence[bytes | None]], names: Sequence[str]) -> pl.DataFrame:
    """
    Give the values of fields of hashes as columns.

    >>> transposed([[b"1", b"x"], [b"2", None]], ["a", "b"])["b"].to_list()
    [b'x', None]
    """
    values = pl.Series(list(chain.from_iterable(answers)), dtype=pl.Binary)
    return pl.DataFrame({name: values.gather_every(len(names), i) for i, name in enumerate(names)})
