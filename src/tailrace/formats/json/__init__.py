"""The format `json`: one object a row."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format
from tailrace.formats.decoding import refuse_both
from tailrace.formats.json.decoder import JsonDecoder
from tailrace.formats.json.encoder import JsonEncoder
from tailrace.formats.json.options import OPTIONS
from tailrace.options import Values
from tailrace.schema import Schema


class JsonFormat(Format):
    """Rows are JSON objects; a column is the field of its name."""

    name = "json"
    options = OPTIONS

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have names
        refuse_both(self.name, options)
        return JsonDecoder(schema, options)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return JsonEncoder(schema, options)


FORMAT = JsonFormat()
