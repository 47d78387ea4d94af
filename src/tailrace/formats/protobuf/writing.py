"""One row to a message, by the library: the plain path of writing, and the oracle of the fast one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from tailrace.errors import DataError
from tailrace.formats.protobuf.shapes import BYTES_, STRING_, Role, Shape
from tailrace.schema import STRINGS, Kind

Put = Callable[[Any, Any], None]
"""Puts a value into a message."""
Convert = Callable[[Any], Any]


class NoSuchValueError(ValueError):
    """A text that is no value of an enum."""


_UNITS = {"ms": 1000, "us": 10**6, "ns": 10**9}


class RowWriter:
    """Writes rows one by one; `null_text` is written for a NULL in a list or map of texts."""

    def __init__(self, message: Any, fields: Sequence[Shape], null_text: str) -> None:
        factory = importlib.import_module("google.protobuf.message_factory")
        self._error = importlib.import_module("google.protobuf.message").EncodeError
        self._class = factory.GetMessageClass(message)
        self._puts = [(s.name, _putter(s, null_text)) for s in fields]

    def write(self, values: Sequence[Any]) -> bytes:
        """
        Give the message of a row.

        Raises:
            DataError: a value has no place in its field, or a required field has none.
        """
        message = self._class()
        for (name, put), value in zip(self._puts, values, strict=True):
            try:
                if value is not None:
                    put(message, value)
            except NoSuchValueError as error:
                raise DataError(f"column '{name}' can't be written as Protobuf: {error}") from None
            except ValueError:  # its text shows the value
                raise DataError(
                    f"column '{name}' can't be written as Protobuf: out of the range of its field"
                ) from None
        try:
            return bytes(message.SerializeToString())
        except self._error as error:
            raise DataError(f"the row can't be written as Protobuf: {error}") from None


def _putter(shape: Shape, null_text: str) -> Put:
    """Give what puts a value that is not NULL into its field."""
    name = shape.field.name
    match shape.role:
        case Role.LIST:
            return _list(shape, null_text)
        case Role.MAP:
            return _map(shape, null_text)
        case Role.SCALAR | Role.ENUM:
            convert = _converter(shape)
            return lambda message, value: setattr(message, name, convert(value))
    fill = _filler(shape, null_text)

    def put(message: Any, value: Any) -> None:
        inner = getattr(message, name)
        inner.SetInParent()
        fill(inner, value)

    return put


def _list(shape: Shape, null_text: str) -> Put:
    name, element = shape.field.name, shape.children[0]
    if element.role in (Role.SCALAR, Role.ENUM):
        convert, null = _converter(element), _null(element, null_text)

        def put(message: Any, values: Any) -> None:
            getattr(message, name).extend([null if v is None else convert(v) for v in values])

        return put
    fill = _filler(element, null_text)

    def put_messages(message: Any, values: Any) -> None:
        for value in values:
            inner = getattr(message, name).add()
            if value is not None:
                fill(inner, value)

    return put_messages


def _map(shape: Shape, null_text: str) -> Put:
    name = shape.field.name
    key, value = shape.children
    key_of, null_key = _converter(key), _null(key, null_text)
    plain = value.role in (Role.SCALAR, Role.ENUM)
    fill = None if plain else _filler(value, null_text)
    value_of, null = (_converter(value), _null(value, null_text)) if plain else (None, None)

    def put(message: Any, entries: Any) -> None:
        target = getattr(message, name)
        for entry in entries:
            at = null_key if entry["key"] is None else key_of(entry["key"])
            given = entry["value"]
            if value_of is not None:
                target[at] = null if given is None else value_of(given)
            elif fill is not None:
                inner = target[at]
                inner.Clear()  # of two entries with one key the last counts
                if given is not None:
                    fill(inner, given)

    return put


def _filler(shape: Shape, null_text: str) -> Put:
    """Give what puts the parts of a value into its message."""
    if shape.role is Role.ROW:
        puts = [(c.name, _putter(c, null_text)) for c in shape.children]

        def fill(message: Any, value: Any) -> None:
            for name, put in puts:
                if value[name] is not None:
                    put(message, value[name])

        return fill
    if shape.role is Role.WRAPPER:
        convert = _converter(shape.children[0])
        return lambda message, value: setattr(message, "value", convert(value))
    per_second = 1000 if shape.role is Role.DURATION else _UNITS[shape.type.time_unit]
    downwards = shape.role is Role.TIMESTAMP

    def fill_time(message: Any, value: int) -> None:
        seconds, rest = divmod(value, per_second)
        if rest and seconds < 0 and not downwards:  # both parts of a duration have one sign
            seconds, rest = seconds + 1, rest - per_second
        message.seconds, message.nanos = seconds, rest * (10**9 // per_second)

    return fill_time


def _converter(shape: Shape) -> Convert:
    """Give what turns a value into one that the library takes."""
    if shape.role is Role.ENUM and shape.type.kind in STRINGS:
        return lambda text: number_of(text, shape.field.enum_type)
    return int if shape.type.kind is Kind.DECIMAL else lambda value: value


def number_of(text: str, enum: Any) -> int:
    """
    Give the number of an enum's value, by its name; a number as a text is one too.

    Raises:
        NoSuchValueError: there is none.
    """
    found = enum.values_by_name.get(text)
    if found is not None:
        return int(found.number)
    if not enum.is_closed and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    raise NoSuchValueError(f"enum '{enum.full_name}' has no value of this name")


def _null(shape: Shape, null_text: str) -> Any:
    """Give what is written for a NULL where Protobuf has none: within lists and maps."""
    if shape.field.type == STRING_:
        return null_text
    if shape.role is Role.ENUM:
        return shape.field.enum_type.values[0].number
    return b"" if shape.field.type == BYTES_ else 0
