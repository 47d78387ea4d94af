"""Avro with the schemas of AWS Glue's or Azure's registry: each row says by an id which schema it was written with."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import polars as pl

from tailrace.clock import Clock
from tailrace.errors import ConfigError
from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import columns, derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.options import LEGACY, SCHEMA
from tailrace.formats.avro.types import BadSchemaError, parse
from tailrace.formats.avro.values import MisfitError
from tailrace.formats.base import Decoder, Encoder, Format, FoundColumns, Reject, Rows
from tailrace.formats.clouds.named import AzureFraming, Framing, GlueFraming, Named
from tailrace.formats.clouds.registries import AzureRegistry, CloudRegistry, GlueRegistry
from tailrace.formats.confluent.access import address
from tailrace.formats.confluent.by_id import BySchemaDecoder
from tailrace.formats.confluent.client import UnknownSchemaError
from tailrace.options import Option, OptionSet, Values, boolean, choice, duration, string
from tailrace.schema import Schema

_NAME = Option(
    "schema.name", string, doc="the schema that a sink writes, or that gives a table its columns; by default the topic"
)
_TIMEOUT = Option("tailrace.timeout", duration, 10_000, "how long an answer may take")

GLUE = OptionSet(
    "format 'avro-glue'",
    (
        Option("aws.region", string, doc="the region of the registry, as `eu-central-1`", required=True),
        Option("aws.endpoint", string, doc="another address than that of AWS"),
        Option("registry.name", string, "default-registry", "the name of the registry"),
        _NAME,
        Option("schema.autoRegistration", boolean, False, "whether a sink registers its schema; else it must be there"),
        Option(
            "schema.compatibility",
            choice("NONE", "DISABLED", "BACKWARD", "BACKWARD_ALL", "FORWARD", "FORWARD_ALL", "FULL", "FULL_ALL"),
            "BACKWARD",
            "what a schema that a sink makes promises of its next versions",
        ),
        Option("schema.compression", choice("NONE", "ZLIB"), "NONE", "how a sink compresses rows: `NONE` or `ZLIB`"),
        SCHEMA,
        LEGACY,
        _TIMEOUT,
    ),
)
AZURE = OptionSet(
    "format 'avro-azure'",
    (
        Option(
            "url", address, doc="the namespace of Event Hubs, as `https://shop.servicebus.windows.net`", required=True
        ),
        Option("schema.group", string, doc="the schema group of `schema.name`"),
        _NAME,
        Option("auto.register.schemas", boolean, False, "whether a sink registers its schema; else it must be there"),
        Option(
            "bearer-auth.token",
            string,
            doc="a token; by default one of the identity that azure-identity finds",
            secret=True,
        ),
        Option(
            "tailrace.id-location",
            choice("payload", "header"),
            "payload",
            "where a sink puts the id of the schema: before the row (`payload`), or into the header `content-type` (`header`)",
        ),
        SCHEMA,
        LEGACY,
        _TIMEOUT,
    ),
)


class CloudDecoder(BySchemaDecoder):
    """Reads the columns of a schema from rows with the ids of their writers' schemas."""

    def __init__(
        self, schema: Schema, registry: CloudRegistry, framing: Framing, reader: str, clock: Clock | None = None
    ) -> None:
        super().__init__(schema, clock)
        self._registry, self._framing = registry, framing
        self._reader = parse(reader) if reader else None

    def _framed(self, rows: Rows) -> Named:
        return self._framing.unframe(rows)

    def _made(self, number: Any) -> Decoder | Reject:
        try:
            name = self._framing.text(number)
        except ValueError as error:
            return Reject(0, "header", str(error))
        try:
            return AvroDecoder(parse(self._registry.schema(name)), self._schema, self._reader)
        except (BadSchemaError, MisfitError) as error:
            return Reject(0, "schema", f"schema {name} does not fit the table: {error}")


class CloudEncoder(Encoder):
    """Writes rows with the id of the table's schema before each, which `open` registers or looks up."""

    def __init__(self, schema: Schema, options: Values, registry: CloudRegistry, framing: Framing, name: str) -> None:
        self._text: str = options["schema"] or derived(schema, legacy=options["timestamp_mapping.legacy"])
        try:
            self._encoder = AvroEncoder(schema, parse(self._text))
        except BadSchemaError as error:
            hint = "names in Avro have letters, digits and '_', and begin with no digit"
            raise ConfigError(f"the columns of the table have no schema in Avro: {error}", hint=hint) from None
        self._registry, self._framing, self._name = registry, framing, name
        key = next(k for k in ("schema.autoRegistration", "auto.register.schemas") if k in options)
        self._register: bool = options[key]
        self._hint = f"set '{key}' = 'true', or register it: {self._text}"
        self._number = ""

    def check(self) -> str:
        shown = f"{self._registry.shown}: schema '{self._name}'"
        number = self._registry.registered(self._name, self._text)
        if number is None and not self._register:
            raise self._not_there()
        return f"{shown}, to be registered" if number is None else f"{shown}, {number}"

    def open(self) -> None:
        number = self._registry.registered(self._name, self._text)
        if number is None:
            if not self._register:
                raise self._not_there()
            number = self._registry.register(self._name, self._text)
        self._number = number

    def encode(self, frame: pl.DataFrame) -> Rows:
        return self._framing.framed(self._encoder.encode(frame), self._number)

    def _not_there(self) -> ConfigError:
        message = f"the table's schema is not registered as '{self._name}' in {self._registry.shown}"
        return ConfigError(message, hint=self._hint)


class CloudFormat(Format):
    """Rows are records with the id of their schema in a registry before them."""

    def __init__(self, topic: str = "", *, of_value: bool = False) -> None:
        self._topic, self._of_value = topic, of_value

    def on_topic(self, topic: str, *, key: bool) -> Format:
        return type(self)(topic, of_value=not key)

    def columns(self, options: Values) -> FoundColumns | None:
        text = options["schema"] or self._newest(options)
        try:
            found = columns(parse(text), legacy=options["timestamp_mapping.legacy"])
        except BadSchemaError as error:
            raise ConfigError(f"the schema from which to take the columns: {error}") from None
        return FoundColumns(found, {"schema": text})

    def _newest(self, options: Values) -> str:
        """Give the newest schema of the table's name."""
        name, registry = self._name(options), self._registry(options)
        try:
            text = registry.latest(name)
        except UnknownSchemaError as error:
            raise ConfigError(error.message) from None
        if text is None:
            hint = f"declare the columns, or name the schema with '{self.name}.schema.name'"
            raise ConfigError(f"{registry.shown} has no schema '{name}', from which to take the columns", hint=hint)
        return text

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have names
        return CloudDecoder(schema, self._registry(options), self._framing(options), options["schema"] or "")

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        registry, framing = self._registry(options), self._framing(options)
        return CloudEncoder(schema, options, registry, framing, self._name(options))

    def _name(self, options: Values) -> str:
        name: str = options["schema.name"] or self._topic
        if not name:
            raise ConfigError("the name of the schema is not known", hint=f"give '{self.name}.schema.name'")
        return name

    @abstractmethod
    def _registry(self, options: Values) -> CloudRegistry: ...

    @abstractmethod
    def _framing(self, options: Values) -> Framing: ...


class AvroGlueFormat(CloudFormat):
    """Rows are framed as the serializers of AWS Glue's schema registry frame them."""

    name = "avro-glue"
    options = GLUE

    def _registry(self, options: Values) -> CloudRegistry:
        return GlueRegistry(
            options["aws.region"],
            options["registry.name"],
            options["aws.endpoint"] or "",
            options["schema.compatibility"],
            options["tailrace.timeout"] / 1000,
        )

    def _framing(self, options: Values) -> Framing:
        return GlueFraming(compress=options["schema.compression"] == "ZLIB")


class AvroAzureFormat(CloudFormat):
    """Rows have the 32 digits of their schema's id in Azure's schema registry before them, or in a header of their message."""

    name = "avro-azure"
    options = AZURE
    reads_headers = True

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        if options["tailrace.id-location"] == "header" and not self._of_value:
            message = "the id of a schema can be in a header of values of a topic alone"
            raise ConfigError(message, location=options.location("tailrace.id-location"))
        return super().encoder(schema, options)

    def _name(self, options: Values) -> str:
        if not options["schema.group"]:
            raise ConfigError("the schema group is not known", hint="give 'avro-azure.schema.group'")
        return super()._name(options)

    def _registry(self, options: Values) -> CloudRegistry:
        seconds = options["tailrace.timeout"] / 1000
        return AzureRegistry(options["url"], options["schema.group"] or "", options["bearer-auth.token"] or "", seconds)

    def _framing(self, options: Values) -> Framing:
        return AzureFraming(beside=options["tailrace.id-location"] == "header")
