"""
Blocks of Avro rows to columns.

The kernel walks over all rows, and says of each whether it is well-formed. Values that it leaves (nested ones, decimals of another
scale), and rows in which a value has no place in its column, are read by fastavro.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.avro.library import fastavro
from tailrace.formats.avro.program import Program, compiled
from tailrace.formats.avro.types import AvroType, as_json
from tailrace.formats.avro.values import Convert
from tailrace.formats.base import Decoded, Decoder, Rows
from tailrace.formats.buffers import bytes_column, fixed_column, text_column
from tailrace.formats.columns import column
from tailrace.formats.decoding import Assembly, BadRowError
from tailrace.formats.kernels import avro_decode as kernel
from tailrace.formats.kernels.strings import gather, total_size
from tailrace.formats.scalars import BadValueError
from tailrace.schema import BINARIES, STRINGS, Field, Schema

Marks = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

_REASONS = {
    kernel.TRUNCATED: ("syntax", "the row ends within a value"),
    kernel.TRAILING: ("syntax", "there is something behind the row"),
    kernel.LENGTH: ("syntax", "a length below zero, or beyond the row"),
    kernel.BRANCH: ("syntax", "a union has no such branch"),
    kernel.SYMBOL: ("syntax", "an enum has no such symbol"),
    kernel.VARINT: ("syntax", "a number of more than 64 bits"),
    kernel.TRUTH: ("syntax", "a truth value that is neither 0 nor 1"),
    kernel.TEXT: ("utf-8", "a text that is not UTF-8"),
    kernel.DEPTH: ("depth", f"nested deeper than {kernel.MAX_DEPTH} levels"),
    kernel.MANY: ("range", "more items than the row has bytes for"),
    kernel.NO_ROW: ("null", "null in the place of a row"),
}


class AvroDecoder(Decoder):
    """
    Reads the columns of a schema from rows that one writer's schema describes.

    `reader` is a reader's schema, whose aliases and defaults count; with `fast` False all rows are read one by one (for tests).

    Raises:
        MisfitError: a column can't be read from what the writer has.
    """

    def __init__(
        self,
        writer: AvroType,
        schema: Schema,
        reader: AvroType | None = None,
        *,
        ignore_errors: bool = False,
        fast: bool = True,
    ) -> None:
        self._program = compiled(writer, schema, reader)
        self._schema = schema
        self._ignore = ignore_errors
        self._fast = fast
        self._rows = RowReader(self._program)
        self._spans = {k: SpanReader(of, convert) for k, (of, convert) in self._program.spans.items()}

    def decode(self, rows: Rows) -> Decoded:
        words, valid, status, stops = self._walk(rows)
        assembly = Assembly(self._schema, len(rows), ignore_errors=self._ignore)
        bad = np.flatnonzero(status > kernel.SLOW)
        for number in bad.tolist():
            assembly.reject(number, *_why(rows, number, int(status[number]), int(stops[number])))
        slow = status != kernel.GOOD
        if not self._fast:
            slow[:] = True
        block = None if slow.all() else self._frame(rows, words, valid, slow)
        for number in np.flatnonzero(slow & (status <= kernel.SLOW)).tolist():
            try:
                assembly.add(number, self._rows.read(rows.row(number)))
            except BadRowError as error:
                assembly.reject(number, error.code, error.reason)
        in_block = np.flatnonzero(~slow)
        if block is not None and len(in_block) < len(rows):
            block = block[in_block] if len(self._schema) else pl.DataFrame(height=len(in_block))
        return assembly.decoded(block, in_block)

    def _walk(self, rows: Rows) -> tuple[Numbers, Marks, Marks, Numbers]:
        program = self._program
        count = len(rows)
        words = np.empty((max(1, program.words), count), dtype=np.int64)
        valid = np.zeros((max(1, len(program.slots)), count), dtype=np.uint8)
        status = np.empty(count, dtype=np.uint8)
        stops = np.empty(count, dtype=np.int64)
        kernel.decode(rows.data.ctypes.data, rows.starts, rows.ends, program.code, words, valid, status, stops)
        if rows.nulls is not None:
            status[rows.nulls] = kernel.TRUNCATED
        return words, valid, status, stops

    def _frame(self, rows: Rows, words: Numbers, valid: Marks, slow: npt.NDArray[np.bool_]) -> pl.DataFrame:
        """Give what the kernel left as columns; `slow` rows have no meaning in them."""
        if slow.any():
            valid[:, slow] = 0
        if not len(self._schema):
            return pl.DataFrame(height=len(slow))
        # what is left as bytes comes first, as it may turn out that a row is slow
        spans = {k: self._span(k, rows, words, valid[k], slow) for k in self._spans}
        return pl.DataFrame([self._column(k, f, words, valid, spans) for k, f in enumerate(self._schema)])

    def _column(self, k: int, field: Field, words: Numbers, valid: Marks, spans: dict[int, pl.Series]) -> pl.Series:
        """Give a column, or a field of a ROW: what is in a slot."""
        program, marks = self._program, valid[k]
        if k in program.constants:
            return column(field.name, [program.constants[k]], field.type).new_from_index(0, len(marks))
        if k in spans:
            return spans[k].alias(field.name)
        if k not in program.places:
            return pl.Series(field.name, [None], dtype=field.type.polars).new_from_index(0, len(marks))
        if k in program.rows:
            return self._row(k, field, words, valid, spans)
        first = program.firsts[k]
        if field.type.kind not in STRINGS and field.type.kind not in BINARIES:
            return fixed_column(field.type, words[first : first + 2], marks).alias(field.name)
        starts, sizes = words[first], words[first + 1]
        out = np.empty(total_size(sizes, marks), dtype=np.uint8)
        offsets = np.empty(len(marks) + 1, dtype=np.int64)
        gather(starts, sizes, marks, offsets, out)
        make = text_column if field.type.kind in STRINGS else bytes_column
        return make(offsets, out, marks).alias(field.name)

    def _row(self, k: int, field: Field, words: Numbers, valid: Marks, spans: dict[int, pl.Series]) -> pl.Series:
        """Put a ROW together from the slots of its fields."""
        kinds = dict(zip(field.type.names, field.type.children, strict=True))
        inner = []
        for part in self._program.rows[k]:
            of = Field(part.name, kinds[part.name])
            if part.slot < 0:
                inner.append(column(of.name, [part.constant], of.type).new_from_index(0, valid.shape[1]))
            else:
                inner.append(self._column(part.slot, of, words, valid, spans))
        whole = pl.DataFrame(inner).to_struct(field.name)
        there = pl.Series(valid[k] != 0)
        return whole if there.all() else pl.select(pl.when(there).then(whole).alias(field.name)).to_series()

    def _span(self, k: int, rows: Rows, words: Numbers, valid: Marks, slow: npt.NDArray[np.bool_]) -> pl.Series:
        """Read the values that the kernel has left as bytes; a bad one marks its row `slow`."""
        reader, first = self._spans[k], self._program.firsts[k]
        starts, sizes = words[first] - rows.data.ctypes.data, words[first + 1]
        values: list[Any] = [None] * len(valid)
        for r in np.flatnonzero(valid):
            try:
                values[r] = reader.read(rows.data[starts[r] : starts[r] + sizes[r]].tobytes())
            except (BadValueError, BadRowError):
                slow[r] = True
        return column("", values, self._program.slots[k])


def _why(rows: Rows, number: int, status: int, stop: int) -> tuple[str, str]:
    """Give the code and the reason of a row that is not well-formed."""
    if rows.nulls is not None and rows.nulls[number]:
        return "tombstone", "a row without bytes (a tombstone)"
    if rows.ends[number] == rows.starts[number] and status == kernel.TRUNCATED:
        return "empty", "a row of zero bytes"
    code, reason = _REASONS[status]
    return code, f"{reason} (byte {stop})"


class SpanReader:
    """Reads values of one type from their bytes."""

    def __init__(self, of: AvroType, convert: Convert) -> None:
        record = AvroType("record", "tailrace_value")
        given = {"type": "record", "name": record.name, "fields": [{"name": "v", "type": as_json(of)}]}
        self._library = fastavro()
        self._schema = self._library.parse_schema(given)
        self._convert = convert

    def read(self, data: bytes) -> Any:
        """
        Give the value.

        Raises:
            BadValueError, BadRowError: it has no place in its column.
        """
        return self._convert(_read(self._library, data, self._schema)["v"])


class RowReader:
    """Reads rows one by one by fastavro: those in which something has no place in its column."""

    def __init__(self, program: Program) -> None:
        self._library = fastavro()
        self._schema = self._library.parse_schema(as_json(program.writer))
        self._program = program

    def read(self, row: bytes | None) -> list[Any]:
        """
        Give the values of a row that is well-formed.

        Raises:
            BadRowError: a value has no place in its column.
        """
        value = _read(self._library, row or b"", self._schema)
        values = []
        for k, field in enumerate(self._program.schema):
            if k in self._program.constants:
                values.append(self._program.constants[k])
                continue
            source, convert = self._program.fields[k]
            try:
                values.append(convert(value[source]))
            except BadValueError as error:
                raise BadRowError(error.code, f"field '{field.name}': {error}") from None
        return values


def _read(library: Any, data: bytes, schema: Any) -> Any:
    try:
        return library.schemaless_reader(io.BytesIO(data), schema, None)
    except UnicodeDecodeError as error:
        raise BadRowError("utf-8", f"a text that is not UTF-8 from its byte {error.start} on") from None
    except (EOFError, ValueError, IndexError, RecursionError, OverflowError) as error:
        raise BadRowError("syntax", f"not read: {error}") from None
