"""
Columns to messages.

The kernel writes all rows at once. What it does not know, and values that have no place in their field, go to the library, row by
row, which says what is wrong.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tailrace.formats.base import Encoder, Rows
from tailrace.formats.columns import physical
from tailrace.formats.protobuf.program import OnlyTheLibraryError, Program, is_simple
from tailrace.formats.protobuf.shapes import shapes
from tailrace.formats.protobuf.writing import RowWriter
from tailrace.options import Values
from tailrace.schema import Schema


class ProtobufEncoder(Encoder):
    """
    Writes each row as one message; NULL is a field that is not there.

    With `fast` False it writes all rows by the library (for tests).

    Raises:
        ConfigError: the message has no such field, or one of another type.
    """

    def __init__(self, message: Any, schema: Schema, options: Values, *, fast: bool = True) -> None:
        self._schema = schema
        self._fields = shapes(message, schema)
        self._null_text: str = options["write-null-string-literal"]
        self._writer = RowWriter(message, self._fields, self._null_text)
        self._fast = fast and is_simple(message, self._fields)

    def encode(self, frame: pl.DataFrame) -> Rows:
        if not len(frame):
            return Rows.of([])
        if self._fast:
            try:
                return Program(self._null_text).run(self._fields, frame)
            except OnlyTheLibraryError:
                pass  # it says which value has no place
        columns = [frame[f.name].cast(physical(f.type)).to_list() for f in self._schema]
        return Rows.of([self._writer.write(values) for values in zip(*columns, strict=True)])
