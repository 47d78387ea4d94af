"""A message for the columns of a table that names none."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tailrace.errors import ConfigError
from tailrace.formats.protobuf import shapes as s
from tailrace.formats.protobuf.descriptors import files_of
from tailrace.schema import BINARIES, STRINGS, TIMESTAMPS, DataType, Kind, Schema

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = {
    Kind.BOOLEAN: s.BOOL,
    Kind.TINYINT: s.INT32,
    Kind.SMALLINT: s.INT32,
    Kind.INT: s.INT32,
    Kind.BIGINT: s.INT64,
    Kind.FLOAT: s.FLOAT_,
    Kind.DOUBLE: s.DOUBLE_,
    **dict.fromkeys(STRINGS, s.STRING_),
    **dict.fromkeys(BINARIES, s.BYTES_),
}
_KNOWN = {
    **dict.fromkeys(TIMESTAMPS, "timestamp"),
    Kind.INTERVAL_SECOND: "duration",
}
_OPTIONAL, _REPEATED = 1, 3


def derived(schema: Schema, name: str = "Row", package: str = "tailrace") -> Any:
    """
    Give the descriptor of a message (of proto3) with a field for each column, numbered from 1 on.

    A column that may be NULL is `optional`; a ROW is a message within, TIMESTAMP is google.protobuf.Timestamp.

    Raises:
        ConfigError: a type or name that Protobuf does not have.

    >>> from tailrace.schema import BIGINT, Field
    >>> derived(Schema((Field("id", BIGINT),))).full_name
    'tailrace.Row'
    """
    return files_of(file_set(schema, name, package))[-1].message_types_by_name[name]


def file_set(schema: Schema, name: str = "Row", package: str = "tailrace") -> Any:
    """Give the files of such a message, as a descriptor set; the last is its own."""
    protos = importlib.import_module("google.protobuf.descriptor_pb2")
    found = protos.FileDescriptorSet()
    file = protos.FileDescriptorProto(name=f"{name.lower()}.proto", package=package, syntax="proto3")
    message = file.message_type.add(name=name)
    _fill(message, ((f.name, f.type) for f in schema), f".{package}.{name}" if package else f".{name}")
    for known in sorted(set(_imports(message))):
        module = importlib.import_module(f"google.protobuf.{known}_pb2")
        module.DESCRIPTOR.CopyToProto(found.file.add())
        file.dependency.append(module.DESCRIPTOR.name)
    found.file.append(file)
    return found


def _imports(message: Any) -> list[str]:
    named = [f.type_name.removeprefix(".google.protobuf.").lower() for f in message.field]
    own = [n for n in named if n in ("timestamp", "duration")]
    return own + [n for inner in message.nested_type for n in _imports(inner)]


def _fill(message: Any, columns: Iterable[tuple[str, DataType]], full_name: str) -> None:
    given = list(columns)
    _check([name for name, _ in given])
    within = _Within(message, full_name, {name for name, _ in given})
    for number, (name, kind) in enumerate(given, 1):
        # numbers from 19000 to 19999 are Protobuf's own
        field = message.field.add(name=name, number=number if number < 19_000 else number + 1000, label=_OPTIONAL)
        _type(field, kind, within)
        if kind.nullable and field.label == _OPTIONAL and field.type != s.MESSAGE:
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=within.free(f"_{name}", "X"))


def _check(names: list[str]) -> None:
    """
    Check the names of the fields of a message.

    Raises:
        ConfigError: one is none, or two are the same in Protobuf's JSON.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name):
            hint = "names in Protobuf have letters, digits and '_', and begin with no digit"
            raise ConfigError(f"column '{name}' has no name in Protobuf", hint=hint)
        first = seen.setdefault(re.sub("_+(.?)", lambda match: match[1].upper(), name), name)
        if first != name:
            message = f"columns '{first}' and '{name}' are the same to Protobuf, as it writes their names in JSON"
            raise ConfigError(message, hint="name one of them otherwise")


@dataclass(slots=True)
class _Within:
    """A message that is made, its full name, and the names that are taken in it."""

    message: Any
    full_name: str
    taken: set[str]

    def nested(self, field: Any, name: str) -> Any:
        """Add a message within, as the type of a field."""
        self.taken.add(name)
        field.type, field.type_name = s.MESSAGE, f"{self.full_name}.{name}"
        return self.message.nested_type.add(name=name)

    def free(self, name: str, before: str = "") -> str:
        """Give a name that nothing else within has: by putting `before` before it, or `_` behind it."""
        while name in self.taken:
            name = before + name if before else f"{name}_"
        return name


def _type(field: Any, kind: DataType, within: _Within) -> None:
    """Give a field its type; what is within goes into the message around it."""
    if kind.kind is Kind.ARRAY and kind.children[0].kind not in (Kind.ARRAY, Kind.MAP):
        _type(field, kind.children[0], within)
        field.label = _REPEATED
    elif kind.kind is Kind.MAP and _is_key(kind.children[0]) and kind.children[1].kind not in (Kind.ARRAY, Kind.MAP):
        _map(field, kind, within)
    elif kind.kind is Kind.ROW:
        inner = within.nested(field, within.free(_camel(field.name)))
        _fill(inner, zip(kind.names, kind.children, strict=True), field.type_name)
    elif kind.kind in _KNOWN:
        field.type, field.type_name = s.MESSAGE, f".google.protobuf.{_KNOWN[kind.kind].capitalize()}"
    elif kind.kind in _KINDS:
        field.type = _KINDS[kind.kind]
    else:
        hint = "name a message of your own for the table"
        raise ConfigError(f"column '{field.name}': Protobuf has no type for {kind.sql()}", hint=hint)


def _map(field: Any, kind: DataType, within: _Within) -> None:
    name = f"{_camel(field.name)}Entry"  # it can have no other
    if name in within.taken:
        raise ConfigError(f"column '{field.name}': '{name}' is taken", hint="name one of the columns otherwise")
    entry = within.nested(field, name)
    entry.options.map_entry = True
    for number, (part, inner) in enumerate(zip(("key", "value"), kind.children, strict=True), 1):
        # a message that is a value stands beside the entry, which has room for nothing
        _type(entry.field.add(name=part, number=number, label=_OPTIONAL), inner, within)
    field.label = _REPEATED


def _is_key(kind: DataType) -> bool:
    return _KINDS.get(kind.kind) not in (None, s.FLOAT_, s.DOUBLE_, s.BYTES_)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "X"


def text_of(message: Any) -> str:
    """
    Write a message that was `derived` as a `.proto` file.

    >>> from tailrace.schema import BIGINT, Field
    >>> print(text_of(derived(Schema((Field("id", BIGINT),)))).strip().splitlines()[-2])
      optional int64 id = 1;
    """
    file = message.file
    lines = ['syntax = "proto3";', ""]
    lines += [f"package {file.package};", ""] if file.package else []
    imports = [f'import "{d.name}";' for d in file.dependencies]
    lines += [*imports, ""] if imports else []
    return "\n".join([*lines, *_lines(message, "")]) + "\n"


_WORDS = {
    s.BOOL: "bool", s.INT32: "int32", s.INT64: "int64", s.FLOAT_: "float", s.DOUBLE_: "double",
    s.STRING_: "string", s.BYTES_: "bytes",
}  # fmt: skip


def _lines(message: Any, indent: str) -> list[str]:
    out = [f"{indent}message {message.name} {{"]
    for inner in message.nested_types:
        if not inner.GetOptions().map_entry:
            out += _lines(inner, indent + "  ")
    out += [f"{indent}  {_declared(f)} {f.name} = {f.number};" for f in message.fields]
    return [*out, f"{indent}}}"]


def _declared(field: Any) -> str:
    entry = s.map_entry(field)
    if entry is not None:
        return f"map<{_word(entry.fields_by_name['key'])}, {_word(entry.fields_by_name['value'])}>"
    if field.is_repeated:
        return f"repeated {_word(field)}"
    optional = field.message_type is None and field.has_presence
    return f"optional {_word(field)}" if optional else _word(field)


def _word(field: Any) -> str:
    return str(field.message_type.full_name) if field.message_type is not None else _WORDS[field.type]
