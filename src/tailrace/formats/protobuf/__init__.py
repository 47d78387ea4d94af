"""The format `protobuf`: one message a row. Its library is loaded when a table asks for it."""

from __future__ import annotations

from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns
from tailrace.formats.confluent.places import Place
from tailrace.formats.protobuf.options import OF_REGISTRY, OPTIONS
from tailrace.options import Values
from tailrace.schema import Schema


class ProtobufFormat(Format):
    """Rows are messages of Protobuf; a column is the field of its name."""

    name = "protobuf"
    options = OPTIONS

    def columns(self, options: Values) -> FoundColumns | None:
        from tailrace.formats.protobuf.descriptors import message_of  # noqa: PLC0415  an extra
        from tailrace.formats.protobuf.shapes import schema_of  # noqa: PLC0415

        return FoundColumns(schema_of(message_of(options)))

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have numbers
        from tailrace.formats.protobuf.decoder import ProtobufDecoder  # noqa: PLC0415  an extra
        from tailrace.formats.protobuf.descriptors import message_of  # noqa: PLC0415  an extra

        return ProtobufDecoder(message_of(options), schema, options)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        from tailrace.formats.protobuf.descriptors import message_of  # noqa: PLC0415  an extra
        from tailrace.formats.protobuf.encoder import ProtobufEncoder  # noqa: PLC0415  an extra

        return ProtobufEncoder(message_of(options), schema, options)


class ProtobufConfluentFormat(Format):
    """Rows are messages with the id of their schema in a registry, and their place in it, before them."""

    name = "protobuf-confluent"
    options = OF_REGISTRY

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or Place()

    def on_topic(self, topic: str, *, key: bool) -> Format:
        return ProtobufConfluentFormat(Place(topic, key))

    def columns(self, options: Values) -> FoundColumns | None:
        from tailrace.formats.protobuf.confluent import found_columns  # noqa: PLC0415  an extra

        return FoundColumns(found_columns(options, self._place))

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have numbers
        from tailrace.formats.protobuf.confluent import ConfluentDecoder  # noqa: PLC0415  an extra

        return ConfluentDecoder(schema, options, self._place)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        from tailrace.formats.protobuf.confluent import ConfluentEncoder  # noqa: PLC0415  an extra

        return ConfluentEncoder(schema, options, self._place)


__all__ = ["FORMAT", "OPTIONS", "ProtobufConfluentFormat", "ProtobufFormat"]

FORMAT = ProtobufFormat()
FORMATS: tuple[Format, ...] = (FORMAT, ProtobufConfluentFormat())
"""All of them."""
