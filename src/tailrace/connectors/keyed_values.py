"""Rows of a table at keys of a store: a prefix and the values of some columns, and bytes in the table's format."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tailrace.connectors.table_options import FormatChoice
from tailrace.connectors.texts import key_texts
from tailrace.formats.base import Decoder, Encoder, Reject, Rows, refuse_variants
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class KeyedValues:
    """
    Where the rows of a table are: at `prefix` and the values of `key`.

    `schema` has all columns; those of the key are in the value too, but for the format `raw`, which has one column.
    """

    prefix: str
    schema: Schema
    key: Schema
    format: FormatChoice | None

    def keys(self, frame: pl.DataFrame) -> list[str]:
        """Give the key in the store of each row."""
        return key_texts(frame, list(self.key), self.prefix).to_list()

    @property
    def value(self) -> Schema:
        """The columns in the value."""
        if self.format is None or self.format.format.name != "raw":
            return self.schema
        return Schema(tuple(f for f in self.schema if f.name not in self.key))

    def encoder(self) -> Encoder:
        """
        Make what writes a row as bytes.

        Raises:
            ConfigError: a type that the format can't write.
        """
        assert self.format is not None
        refuse_variants(self.value, self.format.format.name)
        return self.format.format.encoder(self.value, self.format.options)

    def decoder(self, asked: Schema) -> Decoder:
        """
        Make what reads some columns of a row from bytes.

        Raises:
            ConfigError: a type that the format can't read.
        """
        assert self.format is not None
        return self.format.format.decoder(asked, self.format.options, self.value)


def read_bytes(values: list[bytes | None], decoder: Decoder) -> tuple[pl.DataFrame, list[Reject]]:
    """Read bytes in the table's format as columns; the rows of rejects are not in the frame."""
    decoded = decoder.decode(Rows.of(values))
    return decoded.frame, decoded.rejects
