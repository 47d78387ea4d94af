"""How the kernels read and leave the columns of a schema: as words of 64 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.buffers import fixed_column, text_column
from tailrace.formats.columns import column
from tailrace.formats.kernels import values as kernel
from tailrace.formats.kernels.strings import gather, total_size
from tailrace.formats.scalars import BOUNDS, BadValueError
from tailrace.schema import INTEGERS, TIMESTAMPS, DataType, Field, Kind, Schema

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]

_PLACES = {"ms": 3, "us": 6, "ns": 9}
_PLAIN = {
    Kind.DOUBLE: kernel.DOUBLE,
    Kind.FLOAT: kernel.FLOAT,
    Kind.BOOLEAN: kernel.BOOLEAN,
    Kind.DATE: kernel.DATE,
    Kind.CHAR: kernel.STRING,
    Kind.VARCHAR: kernel.STRING,
}
_TWO_WORDS = (kernel.DECIMAL, kernel.STRING, kernel.SPAN)


def _code(kind: DataType) -> int:
    """Give the number by which kernels know how to read a type; SPAN for one that they leave as text."""
    if kind.kind in INTEGERS:
        return kernel.INTEGER
    if kind.kind in TIMESTAMPS:
        return kernel.TIMESTAMP
    if kind.kind is Kind.DECIMAL:
        return kernel.DECIMAL
    return _PLAIN.get(kind.kind, kernel.SPAN)


def _parameters(kind: DataType, standard: str) -> list[int]:
    """Give what kernels must know of a type beside its code."""
    if kind.kind in INTEGERS:
        return [*BOUNDS[kind.kind], 0, 0]
    if kind.kind is Kind.DECIMAL:
        return [kind.precision, kind.scale, 0, 0]
    if kind.kind in TIMESTAMPS:
        separator = ord("T") if standard == "ISO-8601" else ord(" ")
        return [separator, kind.kind is Kind.TIMESTAMP_LTZ, kind.precision, _PLACES[kind.time_unit]]
    return [0, 0, 0, 0]


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How each column is read (`kinds`, `params`), where its words begin (`firsts`), and how many words a row has.

    `spans` has what reads the text of a column that kernels leave as text; it raises BadValueError.
    """

    schema: Schema
    kinds: Numbers
    params: Numbers
    firsts: Numbers
    words: int
    spans: dict[int, Callable[[str], Any]]

    @classmethod
    def of(cls, schema: Schema, standard: str, converter: Callable[[DataType], Callable[[str], Any]]) -> Layout:
        """Make the layout of a schema; `converter` gives the `spans` of a type."""
        kinds = np.array([_code(f.type) for f in schema], dtype=np.int64)
        params = np.array([_parameters(f.type, standard) for f in schema], dtype=np.int64)
        sizes = np.where(np.isin(kinds, _TWO_WORDS), 2, 1)
        firsts = (np.cumsum(sizes) - sizes).astype(np.int64)
        spans = {k: converter(f.type) for k, f in enumerate(schema) if kinds[k] == kernel.SPAN}
        return cls(schema, kinds, params.reshape(-1, kernel.PARAMETERS), firsts, int(sizes.sum()), spans)

    def room(self, rows: int) -> tuple[Numbers, Marks, Marks]:
        """Give empty words, and marks of valid values (all 0) and slow rows (all 1), for so many rows."""
        return (
            np.empty((self.words, rows), dtype=np.int64),
            np.zeros((len(self.schema), rows), dtype=np.uint8),
            np.ones(rows, dtype=np.uint8),
        )

    def frame(self, data: Bytes, words: Numbers, valid: Marks, slow: Marks) -> pl.DataFrame | None:
        """Give what a kernel left as columns, None if all rows are `slow`; those have no meaning in the result."""
        if slow.any():
            valid[:, slow != 0] = 0
        if slow.all():
            return None
        if not len(self.schema):
            return pl.DataFrame(height=len(slow))
        spans = {k: self._span(k, data, words, valid[k], slow) for k in self.spans}
        columns = [
            spans[k] if k in spans else self._column(k, f, data, words, valid[k]) for k, f in enumerate(self.schema)
        ]
        return pl.DataFrame(columns)

    def _column(self, k: int, field: Field, data: Bytes, words: Numbers, valid: Marks) -> pl.Series:
        first = self.firsts[k]
        if self.kinds[k] != kernel.STRING:
            return fixed_column(field.type, words[first : first + 2], valid).alias(field.name)
        starts, sizes = words[first], words[first + 1]
        out = np.empty(total_size(sizes, valid), dtype=np.uint8)
        offsets = np.empty(len(valid) + 1, dtype=np.int64)
        gather(starts, sizes, valid, offsets, out)
        return text_column(offsets, out, valid).alias(field.name)

    def _span(self, k: int, data: Bytes, words: Numbers, valid: Marks, slow: Marks) -> pl.Series:
        """Read the values that the kernel found and left as text; a bad one marks its row `slow`."""
        convert, first = self.spans[k], self.firsts[k]
        starts, sizes = words[first] - data.ctypes.data, words[first + 1]
        values: list[Any] = [None] * len(valid)
        for r in np.flatnonzero(valid):
            try:
                values[r] = convert(data[starts[r] : starts[r] + sizes[r]].tobytes().decode())
            except BadValueError:
                slow[r] = 1
        field = self.schema.fields[k]
        return column(field.name, values, field.type)
