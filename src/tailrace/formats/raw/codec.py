"""Single values as bytes."""

from __future__ import annotations

import codecs
import struct
from typing import Any

import polars as pl

from tailrace.errors import UnsupportedError
from tailrace.formats.base import Decoded, Decoder, Encoder, Rows
from tailrace.formats.decoding import BadRowError, decode_both_ways
from tailrace.options import Values
from tailrace.schema import BINARIES, STRINGS, DataType, Field, Kind, Schema

BYTE_ORDERS = {"big-endian": ">", "little-endian": "<"}
_NUMBERS = {
    Kind.BOOLEAN: "?",
    Kind.TINYINT: "b",
    Kind.SMALLINT: "h",
    Kind.INT: "i",
    Kind.BIGINT: "q",
    Kind.FLOAT: "f",
    Kind.DOUBLE: "d",
}


def charset(text: str) -> str:
    """
    Read the name of a character set.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise ValueError("expected the name of a character set, as 'utf-8' or 'iso-8859-1'") from None


def _number_format(kind: DataType, options: Values) -> struct.Struct | None:
    """Give the layout of a number; None for texts and bytes."""
    if kind.kind in STRINGS or kind.kind in BINARIES:
        return None
    if kind.kind not in _NUMBERS:
        raise UnsupportedError(
            f"the format 'raw' can't carry {kind.sql()}", hint="it takes STRING, BYTES, BOOLEAN and numbers"
        )
    return struct.Struct(BYTE_ORDERS[options["endianness"]] + _NUMBERS[kind.kind])


class RawDecoder(Decoder):
    """Reads rows as values of one type; a tombstone is NULL, as in Flink."""

    def __init__(self, schema: Schema, options: Values) -> None:
        self._schema = schema
        self._charset: str = options["charset"]
        self._kinds = [f.type for f in schema]
        self._numbers = [_number_format(kind, options) for kind in self._kinds]

    def decode(self, rows: Rows) -> Decoded:
        return decode_both_ways(rows, self._schema, None, self._read, ignore_errors=False)

    def _read(self, row: bytes | None) -> list[Any]:
        pairs = zip(self._kinds, self._numbers, strict=True)
        return [None if row is None else self._value(row, kind, number) for kind, number in pairs]

    def _value(self, row: bytes, kind: DataType, number: struct.Struct | None) -> Any:
        if kind.kind in BINARIES:
            return row
        if number is None:
            return self._text(row)
        if len(row) != number.size:
            raise BadRowError("shape", f"{len(row)} bytes, where {kind.sql()} has {number.size}")
        return number.unpack(row)[0]

    def _text(self, row: bytes) -> str:
        try:
            return row.decode(self._charset)
        except UnicodeDecodeError as error:
            code = "utf-8" if self._charset == "utf-8" else "charset"
            raise BadRowError(code, f"not {self._charset} from byte {error.start} on") from None


class RawEncoder(Encoder):
    """Writes the values of one column; NULL is a row without bytes."""

    def __init__(self, field: Field, options: Values) -> None:
        self._name = field.name
        self._charset: str = options["charset"]
        self._number = _number_format(field.type, options)

    def encode(self, frame: pl.DataFrame) -> Rows:
        return Rows.of([None if v is None else self._bytes(v) for v in frame[self._name].to_list()])

    def _bytes(self, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        return value.encode(self._charset) if self._number is None else self._number.pack(value)
