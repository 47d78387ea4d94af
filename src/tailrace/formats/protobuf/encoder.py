"""Columns to messages."""

from __future__ import annotations

from typing import Any

import polars as pl

from tailrace.formats.base import Encoder, Rows
from tailrace.formats.columns import physical
from tailrace.formats.protobuf.shapes import shapes
from tailrace.formats.protobuf.writing import RowWriter
from tailrace.options import Values
from tailrace.schema import Schema


class ProtobufEncoder(Encoder):
    """
    Writes each row as one message; NULL is a field that is not there.

    Raises:
        ConfigError: the message has no such field, or one of another type.
    """

    def __init__(self, message: Any, schema: Schema, options: Values) -> None:
        self._schema = schema
        self._writer = RowWriter(message, shapes(message, schema), options["write-null-string-literal"])

    def encode(self, frame: pl.DataFrame) -> Rows:
        columns = [frame[f.name].cast(physical(f.type)).to_list() for f in self._schema]
        return Rows.of([self._writer.write(values) for values in zip(*columns, strict=True)])
