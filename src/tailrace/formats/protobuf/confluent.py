"""
Protobuf with the schemas of a registry: each row says by an id which schema it was written with, and which message of it.

The reader's message decides about the columns, by the numbers of its fields, as the rules of Protobuf have it: what a writer
does not know is not there, what the reader does not know is skipped. So rows of several versions may stand beside each other.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from tailrace.clock import Clock
from tailrace.errors import ConfigError
from tailrace.formats.base import Decoded, Decoder, Reject, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.by_id import ByIdDecoder, together
from tailrace.formats.confluent.client import Reference, Registry, RegistrySchema, registry
from tailrace.formats.confluent.framing import frame
from tailrace.formats.confluent.places import Place
from tailrace.formats.confluent.registering import RegisteringEncoder
from tailrace.formats.protobuf import indexes
from tailrace.formats.protobuf.compiling import compile_texts, require_compiler
from tailrace.formats.protobuf.decoder import ProtobufDecoder
from tailrace.formats.protobuf.deriving import derived, text_of
from tailrace.formats.protobuf.descriptors import SOURCES, library, loaded, message_of, texts_of
from tailrace.formats.protobuf.encoder import ProtobufEncoder
from tailrace.formats.protobuf.shapes import schema_of as columns_of
from tailrace.options import Values
from tailrace.schema import Schema

_FILE = "tailrace-schema.proto"
"""The name under which the text of an id is compiled."""
_OF_PROTOBUF = "google/protobuf/"
"""What the names of the files begin with that every registry has."""


def message_given(options: Values) -> Any:
    """Give the message that the options of a table name, or None if they name no file."""
    return message_of(options) if any(options[key] for key in SOURCES) else None


class ConfluentDecoder(ByIdDecoder):
    """Reads the columns of a schema from rows with the ids of their writers' schemas, and the places of their messages."""

    def __init__(self, schema: Schema, options: Values, place: Place, clock: Clock | None = None) -> None:
        library()
        require_compiler()
        super().__init__(schema, registry(Access.of(options)), options.location("url"), clock)
        self._options = options
        self._place = place
        self._given = message_given(options)
        self._reader = self._given
        if self._reader is not None:
            ProtobufDecoder(self._reader, schema, options)  # a column that it has not is refused at once

    def check(self) -> str:
        found = self._place.found(self._registry, self._options, self._record)
        if self._given is None and (latest := self._latest()) is not None:
            ProtobufDecoder(latest, self._schema, self._options)
        return found

    @property
    def _record(self) -> str:
        return "" if self._given is None else str(self._given.full_name)

    def _latest(self, *, kept: bool = False) -> Any:
        subject = self._place.subject_if_known(self._options, self._record)
        return latest_message(self._registry, self._options, subject, kept=kept)

    def _made(self, number: int) -> Decoder | Reject:
        given = self._registry.schema(number)
        if given.kind != "PROTOBUF":
            return Reject(0, "schema", f"schema {number} is one of {given.kind}, and not of Protobuf")
        try:
            file = file_of(self._registry, given)
        except ConfigError as error:
            return Reject(0, "schema", f"schema {number} can't be read: {error.message}")
        if self._reader is None:
            self._reader = self._latest(kept=True)
        return _Writer(number, file, self._reader, self._schema, self._options)


class _Writer(Decoder):
    """Reads rows of one schema, which begin with the place of their message."""

    def __init__(self, number: int, file: Any, reader: Any, schema: Schema, options: Values) -> None:
        self._number = number
        self._file = file
        self._reader = reader
        self._schema = schema
        self._options = options
        self._known: dict[indexes.Path, ProtobufDecoder | Reject] = {}

    def decode(self, rows: Rows) -> Decoded:
        found, bad = indexes.split(rows)
        rejects = [Reject(int(n), "header", "behind the id is no place of a message") for n in bad]
        parts: list[tuple[pl.DataFrame, np.ndarray]] = []
        for path, numbers, messages in found:
            decoder = self._decoder(path)
            if isinstance(decoder, Reject):
                rejects += [Reject(int(n), decoder.code, decoder.reason) for n in numbers]
                continue
            decoded = decoder.decode(messages)
            rejects += [Reject(int(numbers[r.row]), r.code, r.reason) for r in decoded.rejects]
            parts.append((decoded.frame, numbers if decoded.kept is None else numbers[decoded.kept]))
        return together(self._schema, parts, rejects, len(rows))

    def _decoder(self, path: indexes.Path) -> ProtobufDecoder | Reject:
        if path not in self._known:
            made = self._made(path)
            if isinstance(made, Reject):
                return made  # so many as a sender likes: they are not kept
            self._known[path] = made
        return self._known[path]

    def _made(self, path: indexes.Path) -> ProtobufDecoder | Reject:
        writer = indexes.message_at(self._file, path)
        if writer is None:
            return Reject(0, "schema", f"schema {self._number} has no message at {list(path)}")
        reader = writer if self._reader is None else self._reader
        if within(writer) != within(reader):
            return Reject(0, "schema", f"a row of message '{writer.full_name}', where '{reader.full_name}' is read")
        misfit = first_misfit(writer, reader, set())
        if misfit:
            return Reject(0, "schema", f"schema {self._number} does not fit the table: {misfit}")
        return ProtobufDecoder(reader, self._schema, self._options)


class ConfluentEncoder(RegisteringEncoder):
    """
    Writes rows with the id of the table's schema, and the place of the message in it, before each.

    The message is the one that the options name, else one that is derived from the columns.
    """

    def __init__(self, schema: Schema, options: Values, place: Place) -> None:
        library()
        given = message_given(options)
        self._message = derived(schema) if given is None else given
        super().__init__(options, place, str(self._message.full_name))
        self._encoder = ProtobufEncoder(self._message, schema, options)
        self._behind = indexes.encoded(indexes.path_of(self._message))
        file = self._message.file
        self._texts = {str(file.name): text_of(self._message)} if given is None else texts_of(options, file)

    def _known(self, *, register: bool) -> RegistrySchema | None:
        return schema_of(self._registry, self._message.file, self._texts, register=register)

    def _written(self, batch: pl.DataFrame, before: bytes) -> Rows:
        return frame(self._encoder.encode(batch), before + self._behind)


def found_columns(options: Values, place: Place) -> Schema:
    """
    Find the columns of a table in the message that its options name, or in the newest schema of its subject.

    Raises:
        ConfigError: there is none, or it has no columns.
    """
    library()
    require_compiler()
    asked, location = registry(Access.of(options)), options.location("url")
    given = message_given(options)
    if given is None:
        name = place.subject(options, "")
        given = latest_message(asked, options, name)
        if given is None:
            hint = "declare the columns, or name the 'subject'"
            message = f"the schema registry {asked.shown} has no message under '{name}', from which to take the columns"
            raise ConfigError(message, hint=hint, location=location)
    return columns_of(given)


def latest_message(client: Registry, options: Values, subject: str, *, kept: bool = False) -> Any:
    """
    Give the message of the newest version of a subject: that of `message-name`, else the first; None if there is none.

    Raises:
        ConfigError: the file can't be read, or has no such message.
    """
    version = client.latest(subject, kept=kept) if subject else None
    if version is None or version.schema.kind != "PROTOBUF":
        return None
    file = file_of(client, version.schema)
    wanted = options["message-name"]
    found = {str(m.full_name): m for m in _all(file.message_types_by_name.values())}
    if wanted and wanted not in found:
        hint = f"messages: {', '.join(sorted(found))}"
        raise ConfigError(f"subject '{subject}' has no message '{wanted}'", hint=hint, location=options.location("url"))
    return found[wanted] if wanted else next(iter(file.message_types_by_name.values()), None)


def file_of(client: Registry, schema: RegistrySchema) -> Any:
    """
    Give the descriptor of the file that a schema of a registry is: a text, or (in base64) a serialized descriptor.

    Raises:
        ConfigError: it can't be read.
        UnknownSchemaError: a schema that it refers to is not there.
    """
    others = client.referenced(schema)
    serialized = {name: data for name, found in others.items() if (data := _serialized(found.text)) is not None}
    main = _serialized(schema.text)
    texts = {name: found.text for name, found in others.items() if name not in serialized}
    if main is None:
        if serialized:
            raise ConfigError(f"it is a text that refers to '{next(iter(serialized))}', which is none")
        return loaded(compile_texts(_FILE, texts | {_FILE: schema.text}), _FILE, None)[-1]
    protos = library().descriptor_pb2
    whole = protos.FileDescriptorSet()
    for name in texts:
        whole.MergeFromString(compile_texts(name, texts))
    for name, data in serialized.items():
        whole.file.add().MergeFromString(data)
        whole.file[-1].name = name
    whole.file.add().MergeFromString(main)
    known = {f.name for f in whole.file}
    for name in {d for f in whole.file for d in f.dependency if d.startswith(_OF_PROTOBUF)} - known:
        module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        module.DESCRIPTOR.CopyToProto(whole.file.add())
    files = loaded(whole.SerializeToString(), _FILE, None)
    wanted = protos.FileDescriptorProto.FromString(main).name
    return next(f for f in files if f.name == wanted)


def _serialized(text: str) -> bytes | None:
    """Give the bytes of a descriptor in base64; None for a text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def schema_of(client: Registry, file: Any, texts: Mapping[str, str], *, register: bool) -> RegistrySchema | None:
    """
    Give a file as a schema of a registry, with the files that it imports under subjects of their names.

    A file whose text is not known is its descriptor in base64, as the registry's own serializer gives it. Without `register`
    it is None if one of the imported ones is not there yet.
    """
    references = []
    for imported in file.dependencies:
        name = str(imported.name)
        if name.startswith(_OF_PROTOBUF):
            continue
        schema = schema_of(client, imported, texts, register=register)
        if schema is None:
            return None
        number = client.register(name, schema) if register else client.registered(name, schema)
        if number is None:
            return None
        references.append(Reference(name, name, _version(client, name, number)))
    text = texts.get(str(file.name)) or base64.b64encode(file.serialized_pb).decode()
    return RegistrySchema(text, "PROTOBUF", tuple(references))


def _version(client: Registry, name: str, number: int) -> int:
    """Give the version that an id is of a subject."""
    for version in reversed(client.versions(name)):
        found = client.version(name, version)
        if found is not None and found.id == number:
            return version
    raise ConfigError(f"schema {number} is no version of subject '{name}'")


def _all(messages: Any) -> Iterator[Any]:
    for message in messages:
        yield message
        yield from _all(message.nested_types)


def within(message: Any) -> str:
    """Give the name of a message without its package, which may change."""
    package = message.file.package
    return str(message.full_name).removeprefix(f"{package}.") if package else str(message.full_name)


def first_misfit(writer: Any, reader: Any, seen: set[tuple[str, str]]) -> str:
    """Say which field of a writer's message can't be read as the reader's of the same number; empty if all can."""
    if (writer.full_name, reader.full_name) in seen:
        return ""
    seen.add((writer.full_name, reader.full_name))
    for field in writer.fields:
        own = reader.fields_by_number.get(field.number)
        if own is None:
            continue
        if _kind(field) != _kind(own):
            return f"field {field.number} is '{field.name}' of another type than '{own.name}'"
        if field.message_type is not None and (inner := first_misfit(field.message_type, own.message_type, seen)):
            return inner
    return ""


_ALIKE = [{3, 4, 5, 8, 13, 14}, {17, 18}, {6, 16}, {7, 15}, {9, 12}]
"""The types that are read as each other, by the rules of Protobuf: varints, those with zigzag, fixed ones, texts and bytes."""


def _kind(field: Any) -> int:
    return next((min(alike) for alike in _ALIKE if field.type in alike), field.type)
