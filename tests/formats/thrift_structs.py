"""Generated structs of Thrift: the text of a file, the columns of a table, and rows of values, for property tests."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tailrace.formats.thrift.idl import Struct, Structs, chosen, load
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INT,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    Field,
    Schema,
    array,
    map_type,
    row,
)


def load_text(text: str, name: str = "", **others: str) -> tuple[Struct, Structs]:
    """Load a file of a text, beside others that it may include, by their names without `.thrift`."""
    with tempfile.TemporaryDirectory() as folder:
        for other, content in {**others, "main": text}.items():
            Path(folder, f"{other}.thrift").write_text(content)
        known = load(Path(folder, "main.thrift"), [])
    return chosen(known, name), known


@dataclass(frozen=True)
class Part:
    """A type: its text in a file, the type of its column, and its values."""

    text: str
    kind: DataType
    values: st.SearchStrategy[Any]


@dataclass(frozen=True)
class Generated:
    """A struct, the columns of a table, which may be fewer than its fields, and the rows: values by name."""

    struct: Struct
    known: Structs
    schema: Schema
    whole: Schema
    rows: list[dict[str, Any]] = field(default_factory=list)


def _whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_SCALARS = (
    Part("bool", BOOLEAN, st.booleans()),
    Part("i8", TINYINT, _whole(8)),
    Part("i16", SMALLINT, _whole(16)),
    Part("i32", INT, _whole(32)),
    Part("i64", BIGINT, _whole(64)),
    Part("double", DOUBLE, st.floats(allow_nan=False)),
    Part("string", STRING, st.text(max_size=5)),
    Part("binary", BYTES, st.binary(max_size=5)),
    Part("Color", STRING, st.sampled_from(["RED", "GREEN", "7"])),
)
_KEYS = tuple(p for p in _SCALARS if p.text not in ("double", "Color"))


class _File:
    """The structs of a file as they come up."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = "enum Color { RED = 1, GREEN = 5 }\n"
        self.count = 0

    def part(self, depth: int) -> Part:
        choice = self.draw(st.integers(0, 4 if depth else 0))
        if choice == 1:
            inner = self.part(depth - 1)
            word = self.draw(st.sampled_from(["list", "set"]))
            return Part(f"{word}<{inner.text}>", array(inner.kind), st.lists(inner.values, max_size=17))
        if choice == 2:
            key, value = self.draw(st.sampled_from(_KEYS)), self.part(depth - 1)
            entries = st.dictionaries(key.values, value.values, max_size=3)
            return Part(f"map<{key.text}, {value.text}>", map_type(key.kind, value.kind), entries)
        if choice == 3:
            name, inner_fields = self.struct(depth - 1)
            values = st.fixed_dictionaries({n: st.none() | p.values for n, p in inner_fields.items()})
            return Part(name, row({n: p.kind for n, p in inner_fields.items()}), values)
        return self.draw(st.sampled_from(_SCALARS))

    def struct(self, depth: int) -> tuple[str, dict[str, Part]]:
        numbers = self.draw(
            st.lists(st.sampled_from([1, 2, 3, 4, 15, 16, 17, 600, 32767]), min_size=1, max_size=4, unique=True)
        )
        parts = {f"f{n}": self.part(depth) for n in numbers}
        self.count += 1
        name = f"S{self.count}"
        fields = "".join(f"  {n[1:]}: optional {p.text} {n}\n" for n, p in parts.items())
        self.text += f"struct {name} {{\n{fields}}}\n"
        return name, parts


@st.composite
def structs(draw: st.DrawFn, rows: int = 4) -> Generated:
    """Give a struct, some of its fields as columns, and rows."""
    file = _File(draw)
    name, parts = file.struct(2)
    struct, known = load_text(file.text, name)
    whole = Schema(tuple(Field(n, p.kind) for n, p in parts.items()))
    asked = draw(st.lists(st.sampled_from(list(parts)), min_size=1, unique=True))
    schema = Schema(tuple(f for n in asked for f in whole if f.name == n))
    values = st.fixed_dictionaries({n: st.none() | p.values for n, p in parts.items()})
    return Generated(struct, known, schema, whole, draw(st.lists(values, min_size=1, max_size=rows)))


def as_given(value: Any, kind: DataType) -> Any:
    """Give a generated value as Polars takes it."""
    if value is None:
        return None
    if kind.kind.value == "MAP":
        return [{"key": k, "value": as_given(v, kind.children[1])} for k, v in value.items()]
    if kind.kind.value == "ARRAY":
        return [as_given(v, kind.children[0]) for v in value]
    if kind.kind.value == "ROW":
        return {n: as_given(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    return value
