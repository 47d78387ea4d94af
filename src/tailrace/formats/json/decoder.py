"""
Blocks of JSON rows to columns.

The kernel takes all rows at once and flags those that it does not understand; these are read one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Decoded, Decoder, Rows
from tailrace.formats.decoding import decode_both_ways
from tailrace.formats.json.keys import Keys
from tailrace.formats.json.rows import RowReader
from tailrace.formats.json.values import Converters, NotJsonError, parse
from tailrace.formats.kernels import json_decode as kernel
from tailrace.formats.layout import Layout
from tailrace.formats.scalars import BadValueError
from tailrace.options import Values
from tailrace.schema import DataType, Schema

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
        # nested values are not ignored one by one in a block: any trouble in them sends their row the slow way
        strict = Converters(standard, fail_on_missing=self._all_needed, ignore_errors=False)
        self._layout = Layout.of(schema, standard, lambda kind: _span(strict, kind))
        self._keys = Keys.of(schema)
        self._fast = fast

    def decode(self, rows: Rows) -> Decoded:
        block = self._block if self._fast else None
        return decode_both_ways(rows, self._schema, block, self._reader.read, ignore_errors=self._ignore_errors)

    def _block(self, rows: Rows) -> tuple[pl.DataFrame | None, Marks]:
        layout, keys = self._layout, self._keys
        words, valid, slow = layout.room(len(rows))
        kernel.decode(
            rows.data.ctypes.data, rows.starts, rows.ends, keys.names, keys.ends, keys.table,
            layout.kinds, layout.params, layout.firsts, self._all_needed, words, valid, slow,
        )  # fmt: skip
        if rows.nulls is not None:
            slow |= rows.nulls.view(np.uint8)
        return layout.frame(rows.data, words, valid, slow), slow


def _span(converters: Converters, kind: DataType) -> Callable[[str], Any]:
    """Give what reads the text of a nested value."""
    convert = converters.of(kind)

    def read(text: str) -> Any:
        try:
            return convert(parse(text))
        except NotJsonError as error:
            raise BadValueError(str(error)) from None

    return read
