"""JSON Schema and the columns of a table: each from the other."""

from __future__ import annotations

from typing import Any

from tailrace.errors import ConfigError
from tailrace.formats.scalars import BOUNDS
from tailrace.schema import (
    BIGINT,
    BINARIES,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOATS,
    INTEGERS,
    STRING,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    map_type,
    row,
    time_type,
)

DRAFT = "http://json-schema.org/draft-07/schema#"
_MAX_DEPTH = 64


def json_schema(schema: Schema, title: str = "Row") -> dict[str, Any]:
    """
    Give the JSON Schema of rows with these columns, as the format `json` writes them.

    Raises:
        ConfigError: a column has no type in JSON.

    >>> from tailrace.schema import BIGINT
    >>> json_schema(Schema((Field("id", BIGINT),)))["properties"]
    {'id': {'oneOf': [{'type': 'null'}, {'type': 'integer'}]}}
    """
    return {"$schema": DRAFT, "title": title} | _object([(f.name, f.type) for f in schema])


def _object(fields: list[tuple[str, DataType]]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": {name: _written(kind) for name, kind in fields}}
    needed = [name for name, kind in fields if not kind.nullable]
    return made | ({"required": needed} if needed else {})


def _written(kind: DataType) -> dict[str, Any]:
    return {"oneOf": [{"type": "null"}, _type(kind)]} if kind.nullable else _type(kind)


def _type(kind: DataType) -> dict[str, Any]:
    k = kind.kind
    if k is Kind.ARRAY:
        return {"type": "array", "items": _written(kind.children[0])}
    if k is Kind.MAP:
        return {"type": "object", "additionalProperties": _written(kind.children[1])}
    if k is Kind.ROW:
        return _object(list(zip(kind.names, kind.children, strict=True)))
    if k is Kind.BOOLEAN:
        return {"type": "boolean"}
    if k in INTEGERS:
        least, most = BOUNDS[k]
        return {"type": "integer"} | ({} if k is Kind.BIGINT else {"minimum": least, "maximum": most})
    if k in (*FLOATS, Kind.DECIMAL):
        return {"type": "number"}
    if k in (Kind.VARIANT, Kind.NULL):
        raise ConfigError(f"there is no JSON Schema for {kind.sql()}")
    if k in BINARIES:
        return {"type": "string", "contentEncoding": "base64"}
    return {"type": "string"} | ({"format": "date"} if k is Kind.DATE else {})


def columns(schema: Any) -> Schema:
    """
    Give the columns of rows that a JSON Schema describes: of an object with `properties`.

    A property that is required, and can't be null, is NOT NULL. `$ref` within the schema is followed.

    Raises:
        ConfigError: it describes no object, or a property whose type it does not say.

    >>> [str(f.type) for f in columns({"properties": {"id": {"type": "integer"}}, "required": ["id"]})]
    ['BIGINT NOT NULL']
    """
    kind = _Reader(schema).type_of(schema, "the row", 0)
    if kind.kind is not Kind.ROW:
        raise ConfigError("the JSON Schema describes no object with 'properties'", hint="a row is an object")
    return Schema(tuple(Field(n, k) for n, k in zip(kind.names, kind.children, strict=True)))


class _Reader:
    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def type_of(self, given: Any, where: str, depth: int) -> DataType:
        """Give the type of a schema within; NOT NULL unless it takes null."""
        if depth > _MAX_DEPTH:
            raise ConfigError(f"the JSON Schema is nested too deep, or in itself, at {where}")
        given, nullable = self._without_null(self._resolved(given, where), where)
        return self._value(given, where, depth).with_nullable(nullable)

    def _resolved(self, given: Any, where: str) -> dict[str, Any]:
        for _ in range(_MAX_DEPTH):
            if not isinstance(given, dict) or "$ref" not in given:
                break
            given = self._at(str(given["$ref"]), where)
        if not isinstance(given, dict):
            raise ConfigError(f"the JSON Schema does not say what {where} is")
        return given

    def _at(self, reference: str, where: str) -> Any:
        """Follow a reference within the schema."""
        found = self._whole
        if not reference.startswith("#"):
            raise ConfigError(f"the JSON Schema refers to '{reference}' at {where}", hint="only '#/…' is followed")
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise ConfigError(f"the JSON Schema has no '{reference}', which {where} refers to")
            found = found[name]
        return found

    def _without_null(self, given: dict[str, Any], where: str) -> tuple[dict[str, Any], bool]:
        """Take null out of what a schema allows, and tell whether it was there."""
        kinds = given.get("type")
        if isinstance(kinds, list):
            left = [k for k in kinds if k != "null"]
            return given | {"type": left[0] if len(left) == 1 else left}, len(left) < len(kinds)
        for key in ("oneOf", "anyOf"):
            choices = given.get(key)
            if isinstance(choices, list):
                left = [c for c in choices if not (isinstance(c, dict) and c.get("type") == "null")]
                if len(left) == 1:
                    inner, nullable = self._without_null(self._resolved(left[0], where), where)
                    return inner, nullable or len(left) < len(choices)
        return given, False

    def _value(self, given: dict[str, Any], where: str, depth: int) -> DataType:
        match given.get("type"):
            case "object" | None if "properties" in given:
                return self._row(given, where, depth)
            case "object":
                inner = given.get("additionalProperties")
                value = (
                    self.type_of(inner, f"a value of {where}", depth + 1)
                    if isinstance(inner, dict) and inner
                    else STRING
                )
                return map_type(STRING.with_nullable(False), value)
            case "array":
                items = given.get("items")
                return array(self.type_of(items, f"an element of {where}", depth + 1) if items else STRING)
            case "boolean":
                return BOOLEAN
            case "integer":
                return BIGINT
            case "number":
                return DOUBLE
            case "string":
                return _string(given)
            case None if all(isinstance(v, str) for v in given.get("enum", [0])):
                return STRING
        hint = "give it one 'type', or declare the column in SQL"
        raise ConfigError(f"the JSON Schema says no one type for {where}", hint=hint)

    def _row(self, given: dict[str, Any], where: str, depth: int) -> DataType:
        needed = given.get("required", [])
        fields = {}
        for name, inner in given["properties"].items():
            kind = self.type_of(inner, f"'{name}'", depth + 1)
            fields[str(name)] = kind if name in needed else kind.with_nullable(True)
        if not fields:
            raise ConfigError(f"the JSON Schema has no properties for {where}")
        return row(fields)


def _string(given: dict[str, Any]) -> DataType:
    if given.get("contentEncoding") == "base64":
        return BYTES
    return {"date": DATE, "time": time_type(0)}.get(str(given.get("format")), STRING)
