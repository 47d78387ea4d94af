"""The format `protobuf`: one message a row. Its library is loaded when a table asks for it."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format
from tailrace.formats.protobuf.options import OPTIONS
from tailrace.options import Values
from tailrace.schema import Schema


class ProtobufFormat(Format):
    """Rows are messages of Protobuf; a column is the field of its name."""

    name = "protobuf"
    options = OPTIONS

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have numbers
        from tailrace.formats.protobuf.decoder import ProtobufDecoder  # noqa: PLC0415  an extra
        from tailrace.formats.protobuf.descriptors import message_of  # noqa: PLC0415  an extra

        return ProtobufDecoder(message_of(options), schema, options)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        from tailrace.formats.protobuf.descriptors import message_of  # noqa: PLC0415  an extra
        from tailrace.formats.protobuf.encoder import ProtobufEncoder  # noqa: PLC0415  an extra

        return ProtobufEncoder(message_of(options), schema, options)


__all__ = ["FORMAT", "OPTIONS", "ProtobufFormat"]

FORMAT = ProtobufFormat()
