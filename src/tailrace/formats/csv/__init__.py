"""The format `csv`: the fields of a row, in the order of the table's columns."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format
from tailrace.formats.csv.decoder import CsvDecoder
from tailrace.formats.csv.encoder import CsvEncoder
from tailrace.formats.csv.options import OPTIONS
from tailrace.options import Values
from tailrace.schema import Schema


class CsvFormat(Format):
    """Rows are fields with a delimiter between them, without a line of names."""

    name = "csv"
    options = OPTIONS

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        return CsvDecoder(schema, options, whole or schema)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return CsvEncoder(schema, options)


FORMAT = CsvFormat()
