"""Generated messages of Protobuf: their descriptors, the columns that they have, and values."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import strategies as st

from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    STRING,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
)

F = descriptor_pb2.FieldDescriptorProto
_COUNTER = itertools.count()

_I32 = st.integers(-(2**31), 2**31 - 1)
_U32 = st.integers(0, 2**32 - 1)
_I64 = st.integers(-(2**63), 2**63 - 1)
_U64 = st.integers(0, 2**64 - 1)
_FLOAT = st.floats(width=32, allow_nan=False)
_TEXT = st.text(max_size=12)

SCALARS: dict[int, tuple[DataType, st.SearchStrategy[Any]]] = {
    F.TYPE_INT32: (INT, _I32),
    F.TYPE_SINT32: (INT, _I32),
    F.TYPE_SFIXED32: (INT, _I32),
    F.TYPE_UINT32: (BIGINT, _U32),
    F.TYPE_FIXED32: (BIGINT, _U32),
    F.TYPE_INT64: (BIGINT, _I64),
    F.TYPE_SINT64: (BIGINT, _I64),
    F.TYPE_SFIXED64: (BIGINT, _I64),
    F.TYPE_UINT64: (decimal(20, 0), _U64.map(Decimal)),
    F.TYPE_FIXED64: (decimal(20, 0), _U64.map(Decimal)),
    F.TYPE_BOOL: (BOOLEAN, st.booleans()),
    F.TYPE_FLOAT: (FLOAT, _FLOAT),
    F.TYPE_DOUBLE: (DOUBLE, st.floats(allow_nan=False)),
    F.TYPE_STRING: (STRING, _TEXT),
    F.TYPE_BYTES: (BYTES, st.binary(max_size=12)),
}
_KEYS = [t for t in SCALARS if t not in (F.TYPE_FLOAT, F.TYPE_DOUBLE, F.TYPE_BYTES)]
_NUMBERS = st.one_of(st.integers(1, 40), st.integers(41, 18_999), st.integers(20_000, 2**29 - 1))
_COLOURS = {"RED": 0, "GREEN": 3, "BLUE": -7}


@dataclass
class Spec:
    """A field: what it is, its column's type, and what values it may have in a row (None: it is not there)."""

    name: str
    kind: DataType
    values: st.SearchStrategy[Any]
    put: Callable[[Any, Any], None]


@dataclass
class Generated:
    """A message: its class, its columns, and rows of values."""

    message: Any
    schema: Schema
    rows: list[dict[str, Any]] = field(default_factory=list)
    specs: list[Spec] = field(default_factory=list)

    def bytes_of(self, values: dict[str, Any]) -> bytes:
        """Give the message of a row, as the library writes it."""
        made = message_factory.GetMessageClass(self.message)()
        fill(made, self.specs, values)
        return bytes(made.SerializeToString())


def fill(message: Any, specs: list[Spec], values: dict[str, Any]) -> None:
    """Put the values of a row into a message."""
    for spec in specs:
        if values[spec.name] is not None:
            spec.put(message, values[spec.name])


def _plain(value: Any) -> Any:
    """Give a value as the library takes it."""
    return int(value) if isinstance(value, Decimal) else value


def _of(made: Any) -> Callable[[Any], Any]:
    return _COLOURS.__getitem__ if made.type == F.TYPE_ENUM else _plain


def _default(kind: DataType) -> Any:
    if kind.kind is Kind.DECIMAL:
        return Decimal(0)
    return {BOOLEAN: False, STRING: "", BYTES: b"", FLOAT: 0.0, DOUBLE: 0.0}.get(kind, 0)


@st.composite
def _field(draw: Any, host: Any, name: str, number: int, syntax: str, depth: int) -> Spec:  # noqa: C901
    """Add a field to the descriptor `host`."""
    made = host.field.add(name=name, number=number, label=F.LABEL_OPTIONAL)
    values: st.SearchStrategy[Any]
    shape = draw(st.sampled_from(["plain", "plain", "optional", "repeated", "map", "message", "messages", "enum"]))
    if depth > 2 and shape in ("message", "messages"):
        shape = "plain"
    if shape in ("message", "messages"):
        made.type = F.TYPE_MESSAGE
        inner = host.nested_type.add(name=f"M{number}")
        made.type_name = inner.name
        specs = draw(_fields(inner, syntax, depth + 1))
        kind = row({s.name: s.kind for s in specs})
        one = st.fixed_dictionaries({s.name: s.values for s in specs})
        if shape == "message":

            def put_message(m: Any, v: Any) -> None:
                getattr(m, name).SetInParent()
                fill(getattr(m, name), specs, v)

            return Spec(name, kind, st.none() | one, put_message)
        made.label = F.LABEL_REPEATED

        def put_messages(m: Any, v: Any) -> None:
            for each in v:
                fill(getattr(m, name).add(), specs, each)

        return Spec(name, array(kind), st.none() | st.lists(one, min_size=1, max_size=3), put_messages)
    if shape == "map":
        spec: Spec = draw(_map(host, made, number))
        return spec
    if shape == "enum":
        made.type, made.type_name = F.TYPE_ENUM, "Colour"
        kind, values = STRING, st.sampled_from(list(_COLOURS))
    else:
        made.type = draw(st.sampled_from(list(SCALARS)))
        kind, values = SCALARS[made.type]
    of = _of(made)
    if shape == "repeated":
        made.label = F.LABEL_REPEATED
        if made.type not in (F.TYPE_STRING, F.TYPE_BYTES):
            made.options.packed = draw(st.booleans())

        def put_list(m: Any, v: Any) -> None:
            getattr(m, name).extend([of(x) for x in v])

        return Spec(name, array(kind), st.none() | st.lists(values, min_size=1, max_size=5), put_list)
    if syntax == "proto3" and shape != "optional":
        default = "RED" if shape == "enum" else _default(kind)
        values = st.just(default) | values
    else:
        values = st.none() | values
        if syntax == "proto3":
            made.proto3_optional = True
            made.oneof_index = -1  # numbered at the end: those of this kind come last
    return Spec(name, kind, values, lambda m, v: setattr(m, name, of(v)))


@st.composite
def _map(draw: Any, host: Any, made: Any, number: int) -> Spec:
    key, value = draw(st.sampled_from(_KEYS)), draw(st.sampled_from(list(SCALARS)))
    entry = host.nested_type.add(name=f"E{number}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL, type=key)
    entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL, type=value)
    made.type, made.type_name, made.label = F.TYPE_MESSAGE, entry.name, F.LABEL_REPEATED
    made.name = f"e{number}"
    entry.name = f"E{number}Entry"

    def put(m: Any, v: Any) -> None:
        for k, x in v.items():
            getattr(m, f"e{number}")[_plain(k)] = _plain(x)

    entries = st.dictionaries(SCALARS[key][1], SCALARS[value][1], min_size=1, max_size=4)
    kind = map_type(SCALARS[key][0], SCALARS[value][0])
    return Spec(f"e{number}", kind, st.none() | entries, put)


@st.composite
def _fields(draw: Any, host: Any, syntax: str, depth: int) -> list[Spec]:
    numbers = draw(st.lists(_NUMBERS, min_size=1, max_size=6, unique=True))
    specs = [draw(_field(host, f"f{number}", number, syntax, depth)) for number in numbers]
    for made in host.field:
        if made.HasField("oneof_index"):
            made.oneof_index = len(host.oneof_decl)
            host.oneof_decl.add(name=f"_{made.name}")
    return specs


@st.composite
def _oneof(draw: Any, host: Any) -> list[str]:
    """Make a oneof of some fields; give their names in the order in which they are put."""
    able = [f for f in host.field if f.label == F.LABEL_OPTIONAL]
    chosen = able if len(able) > 1 and draw(st.booleans()) else []
    if chosen:
        host.oneof_decl.add(name="one")
    for made in chosen:
        made.oneof_index = 0
    return [made.name for made in chosen]


@st.composite
def messages(draw: Any, rows: int = 4) -> Generated:
    """Give a message with fields of all kinds, some of its columns in any order, and rows."""
    syntax = draw(st.sampled_from(["proto2", "proto3"]))
    number = next(_COUNTER)
    file = descriptor_pb2.FileDescriptorProto(name=f"g{number}.proto", package=f"g{number}", syntax=syntax)
    enum = file.enum_type.add(name="Colour")
    for name, value in _COLOURS.items():
        enum.value.add(name=name, number=value)
    host = file.message_type.add(name="M")
    specs = draw(_fields(host, syntax, 0))
    together = draw(_oneof(host)) if syntax == "proto2" else []
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    message = pool.FindMessageTypeByName(f"{file.package}.M")
    given = draw(st.lists(st.fixed_dictionaries({s.name: s.values for s in specs}), min_size=1, max_size=rows))
    for values in given:
        for name in [n for n in together if values[n] is not None][:-1]:
            values[name] = None  # each that is put takes the one before away
    asked = draw(st.permutations(specs))[: draw(st.integers(1, len(specs)))]
    return Generated(message, Schema(tuple(Field(s.name, s.kind) for s in asked)), given, specs)


def plain(value: Any, kind: DataType) -> Any:
    """Give a value with maps as dicts, whose order says nothing, and numbers that compare by their bits."""
    if value is None:
        return None
    if kind.kind is Kind.MAP:
        pairs = value.items() if isinstance(value, dict) else [(e["key"], e["value"]) for e in value]
        return {k: plain(v, kind.children[1]) for k, v in pairs}
    if kind.kind is Kind.ARRAY:
        return [plain(v, kind.children[0]) for v in value]
    if kind.kind is Kind.ROW:
        return {n: plain(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    if kind.kind is Kind.FLOAT:
        return np.float32(value).tobytes()
    return np.float64(value).tobytes() if kind.kind is Kind.DOUBLE else value


def plain_rows(frame: pl.DataFrame, schema: Schema) -> list[list[Any]]:
    """Give the rows of a frame as `plain` values."""
    columns = [[plain(v, f.type) for v in frame[f.name].to_list()] for f in schema]
    return [list(values) for values in zip(*columns, strict=True)]
