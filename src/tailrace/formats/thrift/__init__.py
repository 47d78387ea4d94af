"""The format `thrift`: one struct a row. Its library is loaded when a table asks for it."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns
from tailrace.formats.thrift.decoder import ThriftDecoder
from tailrace.formats.thrift.encoder import ThriftEncoder
from tailrace.formats.thrift.idl import struct_of
from tailrace.formats.thrift.options import OPTIONS
from tailrace.formats.thrift.shapes import schema_of
from tailrace.options import Values
from tailrace.schema import Schema


class ThriftFormat(Format):
    """Rows are structs of Thrift; a column is the field of its name."""

    name = "thrift"
    options = OPTIONS

    def columns(self, options: Values) -> FoundColumns | None:
        return FoundColumns(schema_of(*struct_of(options)))

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have numbers
        return ThriftDecoder(*struct_of(options), schema, options)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return ThriftEncoder(*struct_of(options), schema, options)


__all__ = ["FORMAT", "OPTIONS", "ThriftFormat"]

FORMAT = ThriftFormat()
