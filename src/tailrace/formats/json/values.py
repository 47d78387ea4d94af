"""From parsed JSON to the values of a type: the slow path, and the oracle of the fast one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tailrace.errors import UnsupportedError
from tailrace.formats.scalars import MAX_NUMBER, BadValueError, Timestamps, parser
from tailrace.schema import STRINGS, DataType, Kind

MAX_DEPTH = 256
"""Deeper rows are refused."""

Convert = Callable[[Any], Any]


class Number(str):
    """The text of a number, as it stands in the row."""

    __slots__ = ()


class NotJsonError(ValueError):
    """A text that is not one JSON value; `code` is 'syntax' or 'depth'."""

    def __init__(self, reason: str, code: str = "syntax") -> None:
        super().__init__(reason)
        self.code = code


def _constant(name: str) -> None:
    raise NotJsonError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_constant, strict=False)


def parse(text: str) -> Any:
    """
    Parse one JSON value; numbers come as `Number`, the last of equal keys counts.

    Raises:
        NotJsonError: it is none, or nested too deep.
    """
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels", "depth")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON: {error.msg} at character {error.pos}") from None


def _depth(text: str) -> int:
    """Give the greatest number of open brackets, up to the first that is too many."""
    depth = deepest = 0
    i = 0
    while i < len(text) and deepest <= MAX_DEPTH:
        c = text[i]
        if c == '"':
            i = _string_end(text, i + 1)
        elif c in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "}]":
            depth -= 1
        i += 1
    return deepest


def _string_end(text: str, i: int) -> int:
    """Give the place of the quote that ends a string, or the end of the text."""
    while i < len(text) and text[i] != '"':
        i += 2 if text[i] == "\\" else 1
    return i


class Converters:
    """
    Makes converters for types; with `ignore_errors` a value that can't be read is NULL at its own level.

    Raises:
        UnsupportedError: a type that JSON can't carry.
    """

    def __init__(self, standard: str, *, fail_on_missing: bool, ignore_errors: bool) -> None:
        self._timestamps = Timestamps(standard)
        self._fail_on_missing = fail_on_missing
        self._ignore_errors = ignore_errors

    def of(self, kind: DataType) -> Convert:
        """Give what turns a parsed value (or None) into one of a type; it raises BadValueError."""
        inner = self._of(kind)
        ignore = self._ignore_errors

        def convert(value: Any) -> Any:
            if value is None:
                return None
            try:
                return inner(value)
            except BadValueError:
                if ignore:
                    return None
                raise

        return convert

    def _of(self, kind: DataType) -> Convert:
        match kind.kind:
            case Kind.ARRAY:
                return self._array(kind)
            case Kind.MAP:
                return self._map(kind)
            case Kind.ROW:
                return self._row(kind)
            case Kind.NULL:
                return lambda _: None
            case k if k in STRINGS:
                return text_of
        parse_text = parser(kind, self._timestamps)
        return lambda value: parse_text(_scalar(value, kind))

    def _array(self, kind: DataType) -> Convert:
        element = self.of(kind.children[0])

        def convert(value: Any) -> list[Any]:
            if not isinstance(value, list):
                raise BadValueError(f"{_name(value)} is no {kind.sql()}")
            return [element(v) for v in value]

        return convert

    def _map(self, kind: DataType) -> Convert:
        if kind.children[0].kind not in STRINGS:
            raise UnsupportedError(f"JSON can't carry {kind.sql()}: the keys of its objects are strings")
        value_of = self.of(kind.children[1])

        def convert(value: Any) -> list[dict[str, Any]]:
            if not isinstance(value, dict):
                raise BadValueError(f"{_name(value)} is no {kind.sql()}")
            return [{"key": _sound(k), "value": value_of(v)} for k, v in value.items()]

        return convert

    def _row(self, kind: DataType) -> Convert:
        fields = [(name, self.of(child)) for name, child in zip(kind.names, kind.children, strict=True)]

        def convert(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise BadValueError(f"{_name(value)} is no {kind.sql()}")
            if self._fail_on_missing:
                for name, _ in fields:
                    if name not in value:
                        raise BadValueError(f"there is no field '{name}'", "missing")
            return {name: of(value.get(name)) for name, of in fields}

        return convert


def _name(value: Any) -> str:
    """Say what a parsed value is."""
    if isinstance(value, Number):
        return "a number"
    return {str: "a string", bool: "true or false", dict: "an object", list: "an array"}[type(value)]


def _scalar(value: Any, kind: DataType) -> str:
    """Give the text of a value for a type that is not nested; a truth value is BOOLEAN alone."""
    if isinstance(value, (dict, list)) or (isinstance(value, bool) and kind.kind is not Kind.BOOLEAN):
        raise BadValueError(f"{_name(value)} is no {kind.sql()}")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _sound(text: str) -> str:
    """
    Refuse a string that is no Unicode text.

    Raises:
        BadValueError: half of a surrogate pair stands alone.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValueError("half of a surrogate pair without the other", "utf-8") from None
    return text


def text_of(value: Any) -> str:
    """Give the text of any value for a STRING: that of a number as it was written, that of an object as JSON."""
    if isinstance(value, Number):
        if len(value) > MAX_NUMBER:
            raise BadValueError(f"a number of more than {MAX_NUMBER} characters", "range")
        return str(value)
    return _sound(value) if isinstance(value, str) else _sound(text_of_json(value))


def text_of_json(value: Any) -> str:
    """Write a parsed value as compact JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{','.join(map(text_of_json, value))}]"
        case _:
            return (
                "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{text_of_json(v)}" for k, v in value.items()) + "}"
            )
