"""
Columns to structs.

The kernel writes all rows at once. What it does not know, and values that have no place in their field, go to the library, row by
row, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from tailrace.errors import ConfigError
from tailrace.formats.base import Encoder, Rows
from tailrace.formats.columns import physical
from tailrace.formats.thrift.idl import Struct, Structs
from tailrace.formats.thrift.program import OnlyTheLibraryError, Program
from tailrace.formats.thrift.shapes import Shape, shapes
from tailrace.formats.thrift.writing import RowWriter
from tailrace.options import Values
from tailrace.schema import Schema


class ThriftEncoder(Encoder):
    """
    Writes each row as one struct; NULL is a field that is not there.

    With `fast` False it writes all rows by the library (for tests).

    Raises:
        ConfigError: the struct has no such field, or one of another type, or a required one that no column gives.
    """

    def __init__(self, struct: Struct, known: Structs, schema: Schema, options: Values, *, fast: bool = True) -> None:
        self._fields = _ordered(struct, shapes(struct, known, schema))
        self._compact: bool = options["protocol"] == "compact"
        self._writer = RowWriter(struct, self._fields, compact=self._compact)
        self._fast = fast

    def encode(self, frame: pl.DataFrame) -> Rows:
        if not len(frame):
            return Rows.of([])
        if self._fast:
            try:
                return Program().run(self._fields, frame, compact=self._compact)
            except OnlyTheLibraryError:
                pass  # it says which value has no place
        columns = [frame[f.name].cast(physical(f.kind)).to_list() for f in self._fields]
        return Rows.of([self._writer.write(values) for values in zip(*columns, strict=True)])


def _ordered(struct: Struct, fields: Sequence[Shape]) -> tuple[Shape, ...]:
    """Put fields in the order of the struct, in which the library writes them; all that are required must be given."""
    given = {f.number: f for f in fields}
    lacking = [f.name for f in struct.fields if f.required and f.number not in given]
    if lacking:
        hint = "add a column of that name"
        raise ConfigError(f"struct '{struct.name}' requires the field '{lacking[0]}', which no column gives", hint=hint)
    return tuple(_within(given[f.number]) for f in struct.fields if f.number in given)


def _within(shape: Shape) -> Shape:
    if shape.struct is not None:
        return replace(shape, children=_ordered(shape.struct, shape.children))
    return replace(shape, children=tuple(_within(c) for c in shape.children))
