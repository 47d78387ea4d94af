"""The format `json`: one object a row."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns
from tailrace.formats.decoding import refuse_both
from tailrace.formats.json.confluent import CONFLUENT
from tailrace.formats.json.decoder import JsonDecoder
from tailrace.formats.json.encoder import JsonEncoder
from tailrace.formats.json.options import OPTIONS
from tailrace.formats.json.schema_types import columns
from tailrace.formats.json.validation import ValidatingDecoder, ValidatingEncoder, Validator, schema_file
from tailrace.options import Values
from tailrace.schema import Schema


class JsonFormat(Format):
    """Rows are JSON objects; a column is the field of its name."""

    name = "json"
    options = OPTIONS

    def columns(self, options: Values) -> FoundColumns | None:
        key = "tailrace.schema-file"
        return FoundColumns(columns(schema_file(options[key], options.location(key)))) if options[key] else None

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have names
        refuse_both(self.name, options)
        decoder = JsonDecoder(schema, options)
        validator = _validator(options)
        ignore = bool(options["ignore-parse-errors"])
        return decoder if validator is None else ValidatingDecoder(validator, decoder, ignore_errors=ignore)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        encoder = JsonEncoder(schema, options)
        validator = _validator(options)
        return encoder if validator is None else ValidatingEncoder(validator, encoder)


def _validator(options: Values) -> Validator | None:
    """Give what checks rows against the table's JSON Schema, if it has one."""
    key = "tailrace.schema-file"
    if not options[key]:
        return None
    at = options.location(key)
    return Validator(schema_file(options[key], at), at=at)


FORMAT = JsonFormat()
FORMATS: tuple[Format, ...] = (FORMAT, CONFLUENT)
"""All of them."""
