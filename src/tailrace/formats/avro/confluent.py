"""
Avro with the schemas of a registry: each row says by an id which schema it was written with.

Rows of several schemas may stand beside each other: each is read by its writer's, into the columns of the table.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.clock import Clock, SystemClock
from tailrace.errors import ConfigError, Location, TerminalError
from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.types import AvroField, AvroType, BadSchemaError, parse
from tailrace.formats.avro.values import MisfitError
from tailrace.formats.base import Decoded, Decoder, Encoder, Reject, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import (
    IncompatibleSchemaError,
    Registry,
    RegistrySchema,
    UnknownSchemaError,
    registry,
)
from tailrace.formats.confluent.framing import header, unframe
from tailrace.formats.confluent.subjects import TOPIC_NAME, subject
from tailrace.options import Values
from tailrace.schema import Schema

MAX_PROGRAMS = 1000
"""So many writer's schemas are kept ready."""
FORGET_SECONDS = 30.0
"""So long an id that the registry does not know is not asked for again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are: the topic (empty if there is none), and whether they are keys."""

    topic: str = ""
    key: bool = False

    def subject(self, options: Values, record: str) -> str:
        """
        Name the subject of a schema.

        Raises:
            ConfigError: nothing says what it is.
        """
        if options["subject"]:
            return str(options["subject"])
        try:
            return subject(options["tailrace.subject-strategy"], topic=self.topic, record=record, key=self.key)
        except ValueError as error:
            hint = "name it with the option 'subject'"
            raise ConfigError(f"the subject of the schema is not known: {error}", hint=hint) from None


def access_of(options: Values) -> tuple[Registry, Location | None]:
    """Give the registry that options name, and where they name it."""
    return registry(Access.of(options)), options.location("url")


class ConfluentDecoder(Decoder):
    """
    Reads the columns of a schema from rows with the ids of their writers' schemas.

    An id that the registry does not know, or whose schema can't be read as the table's columns, is a reject of its rows.
    """

    def __init__(
        self, schema: Schema, options: Values, place: Place, whole: Schema | None, clock: Clock | None = None
    ) -> None:
        self._registry, self._location = access_of(options)
        self._schema = schema
        self._place = place
        self._options = options
        self._only = whole.names[0] if whole is not None and len(whole) == 1 else ""
        self._reader = parse(options["schema"]) if options["schema"] else None
        self._clock = clock or SystemClock()
        self._known: OrderedDict[int, AvroDecoder | Reject] = OrderedDict()
        self._unknown: dict[int, float] = {}

    def check(self) -> str:
        shown = self._registry.shown
        record = self._reader.name if self._reader is not None else ""
        if self._options["tailrace.subject-strategy"] != TOPIC_NAME and not record and not self._options["subject"]:
            count = len(self._registry.subjects())
            return f"schema registry {shown}: {count} subjects"
        name = self._place.subject(self._options, record)
        versions = self._registry.versions(name)
        said = f"version {versions[-1]}" if versions else "not there yet"
        return f"schema registry {shown}: subject '{name}', {said}"

    def decode(self, rows: Rows) -> Decoded:
        framed = unframe(rows)
        rejects = list(framed.rejects)
        frames: list[pl.DataFrame] = []
        numbers: list[np.ndarray] = []
        for number, places in framed.by_id():
            decoder = self._decoder(number)
            of = framed.numbers[places]
            if isinstance(decoder, Reject):
                rejects += [Reject(int(n), decoder.code, decoder.reason) for n in of]
                continue
            whole = len(places) == len(framed.numbers)
            decoded = decoder.decode(framed.payloads if whole else framed.payloads.take(places))
            rejects += [Reject(int(of[r.row]), r.code, r.reason) for r in decoded.rejects]
            frames.append(decoded.frame)
            numbers.append(of if decoded.kept is None else of[decoded.kept])
        return self._together(frames, numbers, rejects, len(rows))

    def _together(
        self, frames: list[pl.DataFrame], numbers: list[np.ndarray], rejects: list[Reject], count: int
    ) -> Decoded:
        """Put the rows of all schemas into their order."""
        rejects.sort(key=lambda r: r.row)
        if len(frames) == 1:
            frame, kept = frames[0], numbers[0]
        elif frames:
            kept = np.concatenate(numbers)
            order = np.argsort(kept, kind="stable")
            kept = kept[order]
            frame = pl.concat(frames)[order] if len(self._schema) else pl.DataFrame(height=len(kept))
        else:
            frame, kept = self._schema.empty(), np.empty(0, dtype=np.int64)
        return Decoded(frame, kept if len(kept) < count else None, rejects)

    def _decoder(self, number: int) -> AvroDecoder | Reject:
        """Give what reads rows of an id; a reject if nothing does."""
        if number in self._known:
            self._known.move_to_end(number)
            return self._known[number]
        since = self._unknown.get(number)
        if since is not None and self._clock.monotonic() - since < FORGET_SECONDS:
            return self._reject(number)
        try:
            found = self._made(number)
        except UnknownSchemaError as error:
            return self._not_there(number, error)
        self._known[number] = found
        if len(self._known) > MAX_PROGRAMS:
            self._known.popitem(last=False)
        return found

    def _not_there(self, number: int, error: UnknownSchemaError) -> Reject:
        """Take an id that is unknown for a bad row, unless the registry can't be the one of these rows."""
        if not self._known and not self._registry.subjects():
            hint = "is it the registry of this topic? Its schemas may be lost"
            raise TerminalError(f"{error.message}, and no other", hint=hint, location=self._location) from None
        if len(self._unknown) >= MAX_PROGRAMS:
            self._unknown.clear()
        self._unknown[number] = self._clock.monotonic()
        return self._reject(number)

    def _reject(self, number: int) -> Reject:
        return Reject(0, "schema-id", f"the schema registry {self._registry.shown} knows no schema {number}")

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


class ConfluentEncoder(Encoder):
    """
    Writes rows with the id of the table's schema before each.

    The schema is the option `schema`, else the one that Flink derives from the columns. `open` registers it.
    """

    def __init__(self, schema: Schema, options: Values, place: Place) -> None:
        self._registry, self._location = access_of(options)
        self._text: str = options["schema"] or derived(schema, legacy=options["timestamp_mapping.legacy"])
        self._schema = schema
        self._type = parsed(self._text)
        optional = self._type.optional
        self._subject = place.subject(options, (optional[1] if optional else self._type).name)
        self._register: bool = options["tailrace.auto-register"]
        self._encoder = AvroEncoder(schema, self._type)
        self._ready = False

    def check(self) -> str:
        given = RegistrySchema(self._text)
        shown = f"schema registry {self._registry.shown}: subject '{self._subject}'"
        number = self._registry.registered(self._subject, given)
        if number is not None:
            return f"{shown}, schema {number}"
        if not self._register:
            raise self._not_registered()
        if not self._registry.compatible(self._subject, given):
            kept = self._registry.compatibility(self._subject)
            hint = f"see 'tailrace schema diff', or change the compatibility of the subject ({kept})"
            message = f"{shown}: the table's schema would break its compatibility"
            raise IncompatibleSchemaError(message, hint=hint, location=self._location)
        return f"{shown}, to be registered"

    def open(self) -> None:
        given = RegistrySchema(self._text)
        if self._register:
            self.check()
            number: int | None = self._registry.register(self._subject, given)
        else:
            number = self._registry.registered(self._subject, given)
        if number is None:
            raise self._not_registered()
        self._encoder.before = header(number)
        self._ready = True

    def _not_registered(self) -> ConfigError:
        hint = f"register it: tailrace schema register {self._subject} …, or set 'tailrace.auto-register' = 'true'"
        message = f"the table's schema is not registered under '{self._subject}' in {self._registry.shown}"
        return ConfigError(message, hint=hint, location=self._location)

    def encode(self, frame: pl.DataFrame) -> Rows:
        if not self._ready:
            self.open()
        return self._encoder.encode(frame)


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
