"""The format `raw`: the bytes of a row are the value of its one column."""

from __future__ import annotations

from tailrace.errors import ConfigError
from tailrace.formats.base import Decoder, Encoder, Format
from tailrace.formats.raw.codec import BYTE_ORDERS, RawDecoder, RawEncoder, charset
from tailrace.options import Option, OptionSet, Values, choice
from tailrace.schema import Schema


class RawFormat(Format):
    """Rows are values without any framing."""

    name = "raw"
    options = OptionSet(
        "format 'raw'",
        (
            Option("charset", charset, "utf-8", "how texts are written"),
            Option("endianness", choice(*BYTE_ORDERS), "big-endian", "the order of the bytes of numbers"),
        ),
    )

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        _one_column(whole or schema)
        return RawDecoder(schema, options)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        _one_column(schema)
        return RawEncoder(schema.fields[0], options)


def _one_column(schema: Schema) -> None:
    if len(schema) != 1:
        raise ConfigError(
            f"the format 'raw' has one column, and the table has {len(schema)}: {', '.join(schema.names)}",
            hint="declare one column of STRING, BYTES or a number",
        )


FORMAT = RawFormat()
