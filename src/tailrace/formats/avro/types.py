"""Schemas of Avro as trees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tailrace.formats.avro.library import fastavro

NUMBERS = ("int", "long", "float", "double")
PRIMITIVES = ("null", "boolean", *NUMBERS, "bytes", "string")
MAX_SIZE = 5_000_000
"""The characters of a schema's text, at most."""
_MISSING = object()


class BadSchemaError(ValueError):
    """A text that is no schema of Avro."""


@dataclass(eq=False, slots=True)
class AvroField:
    """A field of a record; `default` is JSON, if `has_default`."""

    name: str
    type: AvroType
    aliases: tuple[str, ...] = ()
    has_default: bool = False
    default: Any = None
    doc: str = ""


@dataclass(eq=False, slots=True)
class AvroType:
    """
    A type; a record may hold itself.

    `items` is the element of an array, or the value of a map; `branches` are those of a union; `default` is that of an enum.
    """

    kind: str
    name: str = ""
    logical: str = ""
    precision: int = 0
    scale: int = 0
    size: int = 0
    symbols: tuple[str, ...] = ()
    default: str | None = None
    fields: list[AvroField] = field(default_factory=list)
    branches: list[AvroType] = field(default_factory=list)
    items: AvroType | None = None

    @property
    def item(self) -> AvroType:
        """The element of an array, or the value of a map."""
        assert self.items is not None
        return self.items

    @property
    def optional(self) -> tuple[int, AvroType] | None:
        """The place of null and the other branch of a union of two; -1 and the branch of a union of one; None for others."""
        if self.kind != "union" or not self.branches or len(self.branches) > 2:
            return None
        nulls = [k for k, b in enumerate(self.branches) if b.kind == "null"]
        if len(self.branches) == 1:
            return None if nulls else (-1, self.branches[0])
        return (nulls[0], self.branches[1 - nulls[0]]) if nulls else None

    def __str__(self) -> str:
        if self.logical == "decimal":
            return f"decimal({self.precision}, {self.scale})"
        if self.kind == "union":
            return "union of " + ", ".join(str(b) for b in self.branches)
        return f"{self.kind} {self.name}".strip() if self.name else self.logical or self.kind


def parse(text: str, references: Mapping[str, str] | None = None) -> AvroType:
    """
    Read a schema; `references` are the texts of those that it uses, those first that others need.

    >>> str(parse('{"type": "record", "name": "a.B", "fields": []}'))
    'record a.B'

    Raises:
        BadSchemaError: it is none.
    """
    named: dict[str, Any] = {}
    try:
        for other in (references or {}).values():
            _checked(other, named)
        return _Reader(named).read(_checked(text, named))
    except RecursionError:
        raise BadSchemaError("the schema is nested too deep") from None


def _checked(text: str, named: dict[str, Any]) -> Any:
    """Let fastavro check a schema and write out its names."""
    if len(text) > MAX_SIZE:
        raise BadSchemaError(f"a schema of more than {MAX_SIZE} characters")
    library = fastavro()
    try:
        given = json.loads(text)
    except ValueError:
        # a registry may have the bare name of a primitive type
        given = text.strip()
    try:
        return library.schema.parse_schema(given, named_schemas=named, _write_hint=False)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001  fastavro raises whatever comes of what it does not expect
        raise BadSchemaError(f"no schema of Avro: {str(error) or type(error).__name__}") from None


class _Reader:
    """Makes trees of what fastavro has checked."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._made: dict[str, AvroType] = {}

    def read(self, given: Any) -> AvroType:
        if isinstance(given, list):
            return AvroType("union", branches=[self.read(b) for b in given])
        if isinstance(given, str):
            if given in PRIMITIVES:
                return AvroType(given)
            return self._made[given] if given in self._made else self.read(self._named[given])
        kind = given["type"]
        if isinstance(kind, dict | list) or (isinstance(kind, str) and kind in self._named):
            return self.read(kind)
        if kind in ("record", "error", "enum", "fixed"):
            return self._read_named("record" if kind == "error" else kind, given)
        if kind in ("array", "map"):
            return AvroType(kind, items=self.read(given["items" if kind == "array" else "values"]))
        return _with_logical(AvroType(kind), given)

    def _read_named(self, kind: str, given: Any) -> AvroType:
        name = given["name"]
        if name in self._made:
            return self._made[name]
        made = AvroType(kind, name)
        self._made[name] = made
        if kind == "enum":
            made.symbols = tuple(given["symbols"])
            made.default = given.get("default")
        elif kind == "fixed":
            made.size = int(given["size"])
            _with_logical(made, given)
        else:
            made.fields = [self._field(f) for f in given["fields"]]
        return made

    def _field(self, given: Any) -> AvroField:
        default = given.get("default", _MISSING)
        has = default is not _MISSING
        aliases = tuple(given.get("aliases", ()))
        return AvroField(
            given["name"], self.read(given["type"]), aliases, has, default if has else None, str(given.get("doc", ""))
        )


def _with_logical(made: AvroType, given: Any) -> AvroType:
    """Note the logical type, unless it is not valid: then it means nothing, as the specification says."""
    logical = given.get("logicalType", "")
    on = {
        "decimal": ("bytes", "fixed"),
        "uuid": ("string", "fixed"),
        "date": ("int",),
        "time-millis": ("int",),
    }.get(logical, ("long",) if logical in _OF_LONG else ())
    if made.kind not in on or (logical == "uuid" and made.kind == "fixed" and made.size != 16):
        return made
    if logical == "decimal":
        precision, scale = given.get("precision", 0), given.get("scale", 0)
        if not (isinstance(precision, int) and isinstance(scale, int) and 0 <= scale <= precision and precision > 0):
            return made
        made.precision, made.scale = precision, scale
    made.logical = logical
    return made


UNITS = {
    "time-millis": 10**3,
    "time-micros": 10**6,
    "timestamp-millis": 10**3,
    "timestamp-micros": 10**6,
    "timestamp-nanos": 10**9,
    "local-timestamp-millis": 10**3,
    "local-timestamp-micros": 10**6,
    "local-timestamp-nanos": 10**9,
}
"""How many of a logical type are a second."""
_OF_LONG = tuple(name for name in UNITS if name != "time-millis")


def as_json(given: AvroType, *, logical: bool = False, _seen: set[str] | None = None) -> Any:
    """
    Give a type as JSON, as fastavro takes it.

    With `logical` it is all of the schema; else its values are plain numbers and bytes, and it has no defaults or aliases.
    """
    seen = set() if _seen is None else _seen
    if given.kind == "union":
        return [as_json(b, logical=logical, _seen=seen) for b in given.branches]
    if given.kind in ("array", "map"):
        inner = as_json(given.item, logical=logical, _seen=seen)
        return {"type": given.kind, "items" if given.kind == "array" else "values": inner}
    out: dict[str, Any] = {"type": given.kind}
    if given.name:
        if given.name in seen:
            return given.name
        seen.add(given.name)
        out["name"] = given.name
    out |= _of_named(given, logical, seen)
    if logical and given.logical:
        out["logicalType"] = given.logical
        if given.logical == "decimal":
            out |= {"precision": given.precision, "scale": given.scale}
    return out if len(out) > 1 else out["type"]


def _of_named(given: AvroType, logical: bool, seen: set[str]) -> dict[str, Any]:
    """Give what a record, enum or fixed type has beside its name."""
    if given.kind == "record":
        return {"fields": [_field_json(f, logical, seen) for f in given.fields]}
    if given.kind == "fixed":
        return {"size": given.size}
    if given.kind != "enum":
        return {}
    default = {"default": given.default} if logical and given.default is not None else {}
    return {"symbols": list(given.symbols)} | default


def _field_json(given: AvroField, logical: bool, seen: set[str]) -> dict[str, Any]:
    out = {"name": given.name, "type": as_json(given.type, logical=logical, _seen=seen)}
    if logical and given.aliases:
        out["aliases"] = list(given.aliases)
    if logical and given.has_default:
        out["default"] = given.default
    return out
