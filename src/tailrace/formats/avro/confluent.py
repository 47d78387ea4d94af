"""
Avro with the schemas of a registry: each row says by an id which schema it was written with.

Rows of several schemas may stand beside each other: each is read by its writer's, into the columns of the table.
"""

from __future__ import annotations

import json

import polars as pl

from tailrace.clock import Clock
from tailrace.errors import ConfigError, Location
from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import columns, derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.types import AvroField, AvroType, BadSchemaError, as_json, parse
from tailrace.formats.avro.values import MisfitError
from tailrace.formats.base import FoundColumns, Reject, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.by_id import ByIdDecoder
from tailrace.formats.confluent.client import Registry, RegistrySchema, registry
from tailrace.formats.confluent.places import Place
from tailrace.formats.confluent.registering import RegisteringEncoder
from tailrace.options import Values
from tailrace.schema import Schema


def access_of(options: Values) -> tuple[Registry, Location | None]:
    """Give the registry that options name, and where they name it."""
    return registry(Access.of(options)), options.location("url")


def found_columns(options: Values, place: Place) -> FoundColumns:
    """
    Find the columns of a table in the newest schema of its subject, or in the option `schema`.

    Raises:
        ConfigError: there is none, or it has no columns.
    """
    if options["schema"]:
        return FoundColumns(columns(parse(options["schema"]), legacy=options["timestamp_mapping.legacy"]))
    asked, location = access_of(options)
    name = place.subject(options, "")
    version = asked.latest(name)
    if version is None:
        hint = "declare the columns, or name the 'subject'"
        message = f"the schema registry {asked.shown} has no subject '{name}', from which to take the columns"
        raise ConfigError(message, hint=hint, location=location)
    references = {n: s.text for n, s in asked.referenced(version.schema).items()}
    try:
        found = parse(version.schema.text, references)
    except BadSchemaError as error:
        raise ConfigError(f"version {version.version} of subject '{name}': {error}", location=location) from None
    text = json.dumps(as_json(found, logical=True))
    return FoundColumns(columns(found, legacy=options["timestamp_mapping.legacy"]), {"schema": text})


class ConfluentDecoder(ByIdDecoder):
    """Reads the columns of a schema from rows with the ids of their writers' schemas."""

    def __init__(
        self, schema: Schema, options: Values, place: Place, whole: Schema | None, clock: Clock | None = None
    ) -> None:
        super().__init__(schema, *access_of(options), clock)
        self._place = place
        self._options = options
        self._only = whole.names[0] if whole is not None and len(whole) == 1 else ""
        self._reader = parse(options["schema"]) if options["schema"] else None

    def check(self) -> str:
        return self._place.found(self._registry, self._options, self._reader.name if self._reader is not None else "")

    def _made(self, number: int) -> AvroDecoder | Reject:
        given = self._registry.schema(number)
        if given.kind != "AVRO":
            return Reject(0, "schema", f"schema {number} is one of {given.kind}, and not of Avro")
        references = {name: s.text for name, s in self._registry.referenced(given).items()}
        try:
            return AvroDecoder(self._as_record(parse(given.text, references)), self._schema, self._reader)
        except (BadSchemaError, MisfitError) as error:
            return Reject(0, "schema", f"schema {number} does not fit the table: {error}")

    def _as_record(self, writer: AvroType) -> AvroType:
        """Take a schema without fields, as keys often have it, for a record of the only column."""
        optional = writer.optional
        inner = optional[1] if optional else writer
        if inner.kind == "record" or not self._only:
            return writer
        return AvroType("record", "tailrace_row", fields=[AvroField(self._only, writer)])


class ConfluentEncoder(RegisteringEncoder):
    """
    Writes rows with the id of the table's schema before each.

    The schema is the option `schema`, else the one that Flink derives from the columns.
    """

    def __init__(self, schema: Schema, options: Values, place: Place) -> None:
        self._text: str = options["schema"] or derived(schema, legacy=options["timestamp_mapping.legacy"])
        self._type = parsed(self._text)
        optional = self._type.optional
        super().__init__(options, place, (optional[1] if optional else self._type).name)
        self._encoder = AvroEncoder(schema, self._type)

    def _known(self, *, register: bool) -> RegistrySchema:
        return RegistrySchema(self._text)

    def _written(self, batch: pl.DataFrame, before: bytes) -> Rows:
        self._encoder.before = before
        return self._encoder.encode(batch)


def parsed(text: str) -> AvroType:
    """
    Read a schema that was derived or given.

    Raises:
        ConfigError: it is none: a column's name is no name in Avro.
    """
    try:
        return parse(text)
    except BadSchemaError as error:
        hint = "names in Avro have letters, digits and '_', and begin with no digit"
        raise ConfigError(f"the columns of the table have no schema in Avro: {error}", hint=hint) from None
