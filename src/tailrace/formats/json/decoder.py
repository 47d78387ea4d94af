"""
Blocks of JSON rows to columns.

The kernel takes all rows at once and flags those that it does not understand; these are read one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Decoded, Decoder, Rows
from tailrace.formats.buffers import fixed_column, text_column
from tailrace.formats.columns import column
from tailrace.formats.decoding import Assembly, BadRowError
from tailrace.formats.json.layout import Layout
from tailrace.formats.json.rows import RowReader
from tailrace.formats.json.values import Converters, NotJsonError, parse
from tailrace.formats.kernels import json_decode as kernel
from tailrace.formats.kernels.strings import gather, total_size
from tailrace.formats.scalars import BadValueError
from tailrace.options import Values
from tailrace.schema import Field, Schema

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]


class JsonDecoder(Decoder):
    """
    Reads the columns of a schema from JSON objects; with `fast` False it reads all rows one by one (for tests).

    Raises:
        UnsupportedError: a type that JSON can't carry.
    """

    def __init__(self, schema: Schema, options: Values, *, fast: bool = True) -> None:
        standard: str = options["timestamp-format.standard"]
        self._all_needed: bool = options["fail-on-missing-field"]
        self._ignore_errors: bool = options["ignore-parse-errors"]
        converters = Converters(standard, fail_on_missing=self._all_needed, ignore_errors=self._ignore_errors)
        self._schema = schema
        self._reader = RowReader(schema, converters, fail_on_missing=self._all_needed)
        self._layout = Layout.of(schema, standard)
        # nested values are not ignored one by one here: any trouble in them sends their row the slow way
        strict = Converters(standard, fail_on_missing=self._all_needed, ignore_errors=False)
        self._spans = {
            k: strict.of(f.type) for k, f in enumerate(schema) if self._layout.kinds[k] == kernel.SPAN
        }  # fmt: skip
        self._fast = fast

    def decode(self, rows: Rows) -> Decoded:
        assembly = Assembly(self._schema, len(rows), ignore_errors=self._ignore_errors)
        slow = np.ones(len(rows), dtype=np.uint8)
        block = self._block(rows, slow) if self._fast else None
        for number in np.flatnonzero(slow):
            self._slow(rows, int(number), assembly)
        in_block = np.flatnonzero(slow == 0)
        if block is not None and len(in_block) < len(rows):
            block = block[in_block] if len(self._schema) else pl.DataFrame(height=len(in_block))
        return assembly.decoded(block, in_block)

    def _slow(self, rows: Rows, number: int, assembly: Assembly) -> None:
        try:
            assembly.add(number, self._reader.read(rows.row(number)))
        except BadRowError as error:
            assembly.reject(number, error.code, error.reason)

    def _block(self, rows: Rows, slow: Marks) -> pl.DataFrame | None:
        """Read all rows at once; those marked `slow` have no meaning in the result."""
        layout = self._layout
        words = np.empty((layout.words, len(rows)), dtype=np.int64)
        valid = np.zeros((len(self._schema), len(rows)), dtype=np.uint8)
        kernel.decode(
            rows.data, rows.starts, rows.ends,
            layout.keys, layout.key_ends, layout.table, layout.kinds, layout.params, layout.firsts,
            self._all_needed, words, valid, slow,
        )  # fmt: skip
        if rows.nulls is not None:
            slow |= rows.nulls.view(np.uint8)
        if slow.any():
            valid[:, slow != 0] = 0
        if slow.all():
            return None
        if not len(self._schema):
            return pl.DataFrame(height=len(rows))
        spans = {k: self._read_spans(k, rows, words, valid[k], slow) for k in self._spans}
        columns = [
            spans[k] if k in spans else self._column(k, f, rows, words, valid[k]) for k, f in enumerate(self._schema)
        ]
        return pl.DataFrame(columns)

    def _column(self, k: int, field: Field, rows: Rows, words: Numbers, valid: Marks) -> pl.Series:
        first = self._layout.firsts[k]
        if self._layout.kinds[k] != kernel.STRING:
            return fixed_column(field.type, words[first : first + 2], valid).alias(field.name)
        starts, sizes = words[first], words[first + 1]
        out = np.empty(total_size(sizes, valid), dtype=np.uint8)
        offsets = np.empty(len(valid) + 1, dtype=np.int64)
        gather(rows.data, starts, sizes, valid, offsets, out)
        return text_column(offsets, out, valid).alias(field.name)

    def _read_spans(self, k: int, rows: Rows, words: Numbers, valid: Marks, slow: Marks) -> pl.Series:
        """Read the values that the kernel found and left as text; a bad one marks its row `slow`."""
        convert = self._spans[k]
        first = self._layout.firsts[k]
        starts, sizes = words[first], words[first + 1]
        values: list[Any] = [None] * len(rows)
        for r in np.flatnonzero(valid):
            text = rows.data[starts[r] : starts[r] + sizes[r]].tobytes().decode()
            try:
                values[r] = convert(parse(text))
            except (BadValueError, NotJsonError):
                slow[r] = 1
        field = self._schema.fields[k]
        return column(field.name, values, field.type)
