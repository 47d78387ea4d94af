"""The formats `avro`, `avro-confluent`, `debezium-avro-confluent`, `avro-glue` and `avro-azure`."""

from __future__ import annotations

from tailrace.formats.avro.clouds import AvroAzureFormat, AvroGlueFormat
from tailrace.formats.avro.confluent import ConfluentDecoder, ConfluentEncoder, found_columns, parsed
from tailrace.formats.avro.debezium import DebeziumDecoder, DebeziumEncoder
from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.json_rows import AvroJsonDecoder, AvroJsonEncoder
from tailrace.formats.avro.options import PLAIN, of_registry
from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns
from tailrace.formats.confluent.places import Place
from tailrace.options import Values
from tailrace.schema import Schema


class AvroFormat(Format):
    """Rows are records of the schema that Flink derives from the table's columns, which is not in the rows."""

    name = "avro"
    options = PLAIN

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        writer = parsed(derived(whole or schema, legacy=options["timestamp_mapping.legacy"]))
        return AvroJsonDecoder(writer, schema) if options["encoding"] == "json" else AvroDecoder(writer, schema)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        writer = parsed(derived(schema, legacy=options["timestamp_mapping.legacy"]))
        return AvroJsonEncoder(schema, writer) if options["encoding"] == "json" else AvroEncoder(schema, writer)


class AvroConfluentFormat(Format):
    """Rows are records with the id of their schema in a registry before them."""

    name = "avro-confluent"
    options = of_registry("avro-confluent")

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or Place()

    def on_topic(self, topic: str, *, key: bool) -> Format:
        return AvroConfluentFormat(Place(topic, key))

    def columns(self, options: Values) -> FoundColumns | None:
        return found_columns(options, self._place)

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        return ConfluentDecoder(schema, options, self._place, whole)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return ConfluentEncoder(schema, options, self._place)


class DebeziumAvroFormat(Format):
    """Rows are envelopes of Debezium, with the id of their schema in a registry before them."""

    name = "debezium-avro-confluent"
    options = of_registry("debezium-avro-confluent")
    changes = True

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or Place()

    def on_topic(self, topic: str, *, key: bool) -> Format:
        return DebeziumAvroFormat(Place(topic, key))

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        return DebeziumDecoder(schema, options, self._place, whole or schema)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return DebeziumEncoder(schema, options, self._place)


AVRO = AvroFormat()
FORMATS: tuple[Format, ...] = (AVRO, AvroConfluentFormat(), DebeziumAvroFormat(), AvroGlueFormat(), AvroAzureFormat())
"""All of them."""
