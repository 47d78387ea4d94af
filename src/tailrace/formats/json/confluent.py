"""JSON with the schemas of a registry: each row says by an id which JSON Schema it keeps to."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from tailrace.clock import Clock
from tailrace.errors import ConfigError
from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns, Reject, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.by_id import ByIdDecoder
from tailrace.formats.confluent.client import RegistrySchema, registry
from tailrace.formats.confluent.framing import frame
from tailrace.formats.confluent.places import Place
from tailrace.formats.confluent.registering import RegisteringEncoder
from tailrace.formats.json.decoder import JsonDecoder
from tailrace.formats.json.encoder import JsonEncoder
from tailrace.formats.json.options import OF_REGISTRY
from tailrace.formats.json.schema_types import columns, json_schema
from tailrace.formats.json.validation import ValidatingDecoder, ValidatingEncoder, Validator
from tailrace.options import Values
from tailrace.schema import Schema


class JsonConfluentFormat(Format):
    """Rows are JSON objects with the id of their JSON Schema before them."""

    name = "json-confluent"
    options = OF_REGISTRY

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or Place()

    def on_topic(self, topic: str, *, key: bool) -> Format:
        return JsonConfluentFormat(Place(topic, key))

    def columns(self, options: Values) -> FoundColumns | None:
        if options["schema"]:
            return FoundColumns(columns(options["schema"]))
        asked = registry(Access.of(options))
        name = self._place.subject(options, "")
        version = asked.latest(name)
        if version is None or version.schema.kind != "JSON":
            hint = "declare the columns, or name the 'subject'"
            message = (
                f"the schema registry {asked.shown} has no JSON Schema under '{name}', from which to take the columns"
            )
            raise ConfigError(message, hint=hint, location=options.location("url"))
        return FoundColumns(columns(json.loads(version.schema.text)))

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have names
        return _ConfluentDecoder(schema, options, self._place)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return _ConfluentEncoder(schema, options, self._place)


class _ConfluentDecoder(ByIdDecoder):
    def __init__(self, schema: Schema, options: Values, place: Place, clock: Clock | None = None) -> None:
        super().__init__(schema, registry(Access.of(options)), options.location("url"), clock)
        self._options = options
        self._place = place
        self._inner = JsonDecoder(schema, options)

    def check(self) -> str:
        return self._place.found(self._registry, self._options, "")

    def _made(self, number: int) -> Decoder | Reject:
        given = self._registry.schema(number)
        if given.kind != "JSON":
            return Reject(0, "schema", f"schema {number} is one of {given.kind}, and no JSON Schema")
        if not self._options["tailrace.validate"]:
            return self._inner
        referenced = self._registry.referenced(given)
        try:
            others = {name: json.loads(found.text) for name, found in referenced.items()}
            validator = Validator(json.loads(given.text), others)
        except ConfigError as error:
            return Reject(0, "schema", f"schema {number}: {error.message}")
        except ValueError as error:
            return Reject(0, "schema", f"schema {number} or one that it refers to is no JSON: {error}")
        return ValidatingDecoder(validator, self._inner, ignore_errors=self._options["ignore-parse-errors"])


class _ConfluentEncoder(RegisteringEncoder):
    """Writes rows with the id of the table's schema before each: the option `schema`, else what the columns make."""

    def __init__(self, schema: Schema, options: Values, place: Place) -> None:
        given: Any = options["schema"] or json_schema(schema)
        encoder: Encoder = JsonEncoder(schema, options)
        if options["tailrace.validate"]:
            encoder = ValidatingEncoder(Validator(given, at=options.location("schema")), encoder)
        super().__init__(options, place, str(given.get("title", "")))
        self._encoder = encoder
        self._text = json.dumps(given)

    def _known(self, *, register: bool) -> RegistrySchema:
        return RegistrySchema(self._text, "JSON")

    def _written(self, batch: pl.DataFrame, before: bytes) -> Rows:
        return frame(self._encoder.encode(batch), before)


CONFLUENT = JsonConfluentFormat()
