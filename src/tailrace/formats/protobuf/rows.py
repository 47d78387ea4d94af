"""One message to the values of a schema, by the library: the slow path, and the oracle of the fast one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tailrace.formats.decoding import BadRowError
from tailrace.formats.protobuf.diagnosis import reason_of
from tailrace.formats.protobuf.shapes import Role, Shape
from tailrace.formats.scalars import BOUNDS, BadValueError
from tailrace.schema import INTEGERS, STRINGS, DataType, Kind

Get = Callable[[Any], Any]
"""Gives the value of a field of a message; raises BadValueError."""

LAST_SECOND = 253_402_300_799
"""The last of the year 9999; a Timestamp goes no further."""
FIRST_SECOND = -62_135_596_800
"""The first of the year 1."""
LONGEST = 315_576_000_000
"""The seconds of the longest Duration."""
PLACES = {"ms": 3, "us": 6, "ns": 9}
"""The digits of a second's fraction in each unit."""
NANOSECOND_LIMIT = (-(2**63) // 10**9 + 1, 2**63 // 10**9 - 1)
"""The seconds that can be counted in nanoseconds."""


class RowReader:
    """Reads messages one by one."""

    def __init__(self, message: Any, fields: Sequence[Shape], *, read_defaults: bool) -> None:
        factory = importlib.import_module("google.protobuf.message_factory")
        self._error = importlib.import_module("google.protobuf.message").DecodeError
        self._descriptor = message
        self._class = factory.GetMessageClass(message)
        self._gets = [(s.name, _getter(s, read_defaults)) for s in fields]

    def read(self, row: bytes | None) -> list[Any]:
        """
        Give the values of a row.

        Raises:
            BadRowError: it can't be read.
        """
        if row is None:
            raise BadRowError("tombstone", "a row without bytes (a tombstone)")
        message = self._class()
        try:
            message.MergeFromString(row)
        except self._error:
            raise BadRowError(*reason_of(row, self._descriptor)) from None
        if not message.IsInitialized():
            missing = message.FindInitializationErrors()
            raise BadRowError("missing", f"there is no required field '{missing[0]}'")
        values = []
        for name, get in self._gets:
            try:
                values.append(get(message))
            except BadValueError as error:
                raise BadRowError(error.code, f"field '{name}': {error}") from None
        return values


def _getter(shape: Shape, read_defaults: bool) -> Get:
    """Give what reads a field out of its message."""
    name = shape.field.name
    if shape.role in (Role.LIST, Role.MAP):
        return _many(shape, read_defaults)
    convert = converter(shape, read_defaults)
    if shape.present and not (read_defaults and shape.role in (Role.SCALAR, Role.ENUM, Role.ROW)):
        return lambda message: convert(getattr(message, name)) if message.HasField(name) else None
    return lambda message: convert(getattr(message, name))


def _many(shape: Shape, read_defaults: bool) -> Get:
    name = shape.field.name
    converters = [converter(child, read_defaults) for child in shape.children]
    if shape.role is Role.LIST:
        (element,) = converters

        def of_list(message: Any) -> Any:
            values = getattr(message, name)
            return [element(v) for v in values] if values or read_defaults else None

        return of_list
    key_of, value_of = converters

    def of_map(message: Any) -> Any:
        values = getattr(message, name)
        if not values and not read_defaults:
            return None
        # the library has no order of its own for them
        return [{"key": key_of(k), "value": value_of(values[k])} for k in sorted(values)]

    return of_map


def converter(shape: Shape, read_defaults: bool) -> Get:
    """Give what turns a value, as the library has it, into one of the shape's type."""
    match shape.role:
        case Role.ROW:
            gets = [(c.name, _getter(c, read_defaults)) for c in shape.children]
            return lambda message: {n: get(message) for n, get in gets}
        case Role.WRAPPER:
            (child,) = shape.children
            inner = converter(child, read_defaults)
            return lambda message: inner(message.value)
        case Role.TIMESTAMP:
            return lambda message: timestamp_value(message.seconds, message.nanos, shape.type)
        case Role.DURATION:
            return lambda message: duration_value(message.seconds, message.nanos)
        case Role.ENUM:
            return _enum(shape)
    return _scalar(shape.type)


def _scalar(kind: DataType) -> Get:
    if kind.kind in INTEGERS:
        least, most = BOUNDS[kind.kind]

        def integer(value: int) -> int:
            if not least <= value <= most:
                raise BadValueError(f"out of the range of {kind.sql()}", "range")
            return value

        return integer
    if kind.kind is Kind.DECIMAL:
        return Decimal
    return _text if kind.kind in STRINGS else lambda value: value


def _text(value: Any) -> str:
    """Take a text; the library gives bytes for one that is not UTF-8, which proto2 allows."""
    if isinstance(value, bytes):
        raise BadValueError("not UTF-8", "utf-8")
    return str(value)


def _enum(shape: Shape) -> Get:
    if shape.type.kind not in STRINGS:
        return _scalar(shape.type)
    names = {number: v.name for number, v in shape.field.enum_type.values_by_number.items()}
    return lambda number: names.get(number) or str(number)


def timestamp_value(seconds: int, nanos: int, kind: DataType) -> int:
    """Give a Timestamp in the unit of its type, cut to its precision."""
    low, high = NANOSECOND_LIMIT if kind.time_unit == "ns" else (FIRST_SECOND, LAST_SECOND)
    if not low <= seconds <= high or not 0 <= nanos < 10**9:
        raise BadValueError(f"out of the range of {kind.sql()}", "range")
    places = PLACES[kind.time_unit]
    step: int = 10 ** (9 - min(places, kind.precision))
    part: int = 10 ** (9 - places)
    unit: int = 10**places
    return int(seconds) * unit + int(nanos) // step * step // part


def duration_value(seconds: int, nanos: int) -> int:
    """Give a Duration in milliseconds, cut towards zero."""
    if abs(seconds) > LONGEST or abs(nanos) >= 10**9 or seconds * nanos < 0:
        raise BadValueError("out of the range of a Duration", "range")
    return int(seconds) * 1000 + (abs(nanos) // 10**6) * (1 if nanos >= 0 else -1)
