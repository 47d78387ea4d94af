"""Blocks of CSV rows to columns: by a kernel, and row by row where it is not sure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Decoded, Decoder, Rows
from tailrace.formats.csv.options import Dialect
from tailrace.formats.csv.rows import RowReader
from tailrace.formats.csv.values import check, converter
from tailrace.formats.decoding import decode_both_ways
from tailrace.formats.kernels import csv_decode as kernel
from tailrace.formats.layout import Layout
from tailrace.options import Values
from tailrace.schema import Schema

Marks = npt.NDArray[np.uint8]


class CsvDecoder(Decoder):
    """
    Reads the columns of `schema` from rows with the fields of `whole`; with `fast` False all rows one by one (for tests).

    Raises:
        UnsupportedError: a type that CSV can't carry.
    """

    def __init__(self, schema: Schema, options: Values, whole: Schema, *, fast: bool = True) -> None:
        for field in whole:
            check(field.type)
        self._schema = schema
        self._dialect = Dialect.of(options)
        self._ignore_errors: bool = options["ignore-parse-errors"]
        self._layout = Layout.of(schema, "SQL", lambda kind: converter(kind, self._dialect))
        places = {f.name: i for i, f in enumerate(whole)}
        fields = {places[f.name]: (f.name, converter(f.type, self._dialect)) for f in schema}
        self._reader = RowReader(self._dialect, len(whole), fields, lenient=self._ignore_errors)
        self._columns = np.full(len(whole), kernel.NONE, dtype=np.int64)
        self._columns[list(fields)] = np.arange(len(schema))
        self._bytes = _bytes(self._dialect)
        self._null = np.frombuffer((self._dialect.null or "").encode(), dtype=np.uint8)
        self._fast = fast

    def decode(self, rows: Rows) -> Decoded:
        block = self._block if self._fast else None
        return decode_both_ways(rows, self._schema, block, self._reader.read, ignore_errors=self._ignore_errors)

    def _block(self, rows: Rows) -> tuple[pl.DataFrame | None, Marks]:
        layout = self._layout
        words, valid, slow = layout.room(len(rows))
        kernel.decode(
            rows.data.ctypes.data, rows.starts, rows.ends, self._bytes, self._dialect.null is not None, self._null,
            self._columns, layout.kinds, layout.params, layout.firsts, words, valid, slow,
        )  # fmt: skip
        if rows.nulls is not None:
            slow |= rows.nulls.view(np.uint8)
        return layout.frame(rows.data, words, valid, slow), slow


def _bytes(dialect: Dialect) -> npt.NDArray[np.int64]:
    marks = (dialect.delimiter, dialect.quote, dialect.escape, dialect.comment)
    return np.array([kernel.NONE if mark is None else ord(mark) for mark in marks], dtype=np.int64)
