"""One row to a struct, by the library: the plain path of writing, and the oracle of the fast one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tailrace.errors import DataError
from tailrace.formats.scalars import BOUNDS
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.idl import Struct
from tailrace.formats.thrift.rows import class_of, protocol_of
from tailrace.formats.thrift.shapes import Role, Shape
from tailrace.schema import INTEGERS, STRINGS, Kind

Convert = Callable[[Any], Any]
_OF_WIRE = {idl.BYTE: Kind.TINYINT, idl.I16: Kind.SMALLINT, idl.I32: Kind.INT, idl.I64: Kind.BIGINT}

WHOLE = r"^-?[0-9]{1,10}$"
"""The texts of numbers."""


class _NoPlaceError(ValueError):
    """A value that has no place in its field; the text says why, without the value."""


class RowWriter:
    """Writes rows one by one."""

    def __init__(self, struct: Struct, fields: Sequence[Shape], *, compact: bool) -> None:
        self._protocol = protocol_of(compact)
        self._buffer = idl.library("thriftpy2.transport").TMemoryBuffer
        self._class = class_of(struct.name, [_without_default(f) for f in fields])
        self._fields = [(f, _converter(f)) for f in fields]

    def write(self, values: Sequence[Any]) -> bytes:
        """
        Give the struct of a row.

        Raises:
            DataError: a value has no place in its field, or a required field has none.
        """
        made = self._class()
        for (field, convert), value in zip(self._fields, values, strict=True):
            try:
                setattr(made, field.name, _checked(field, convert, value))
            except _NoPlaceError as error:
                raise DataError(f"column '{field.name}' can't be written as Thrift: {error}") from None
        buffer = self._buffer()
        made.write(self._protocol(buffer))
        return bytes(buffer.getvalue())


def _without_default(shape: Shape) -> Shape:
    """Let a field that has a default be absent where no value is."""
    return replace(shape, default=None, children=tuple(_without_default(c) for c in shape.children))


def _checked(field: Shape, convert: Convert, value: Any) -> Any:
    if value is not None:
        return convert(value)
    if field.required:
        raise _NoPlaceError(f"NULL in the required field '{field.name}'")
    return None


def _part(shape: Shape) -> Convert:
    convert = _converter(shape)

    def checked(value: Any) -> Any:
        if value is None:
            raise _NoPlaceError("NULL within a list, set or map, which have none")
        return convert(value)

    return checked


def _converter(shape: Shape) -> Convert:
    """Give what turns a value of a column into one that the library takes."""
    match shape.role:
        case Role.ROW:
            return _row(shape)
        case Role.LIST:
            element = _part(shape.children[0])
            return lambda values: [element(v) for v in values]
        case Role.MAP:
            key_of, value_of = (_part(c) for c in shape.children)
            return lambda values: {key_of(v["key"]): value_of(v["value"]) for v in values}
        case Role.TIME:
            times = shape.scale.times
            return _bounded(shape, lambda value: value // times)
        case Role.ENUM if shape.kind.kind in STRINGS:
            return lambda text: _number_of(text, shape)
    if shape.kind.kind in INTEGERS:
        return _bounded(shape, lambda value: value)
    return str if shape.kind.kind is Kind.DECIMAL else lambda value: value


def _row(shape: Shape) -> Convert:
    cls = class_of(shape.name, [_without_default(c) for c in shape.children])
    fields = [(c, _converter(c)) for c in shape.children]

    def convert(value: Any) -> Any:
        made = cls()
        for field, inner in fields:
            setattr(made, field.name, _checked(field, inner, value[field.name]))
        if shape.struct is not None and shape.struct.union:
            given = sum(value[c.name] is not None for c in shape.children)
            if given != 1:
                raise _NoPlaceError(f"union '{shape.struct.name}' has one field, and {given} are given")
        return made

    return convert


def _bounded(shape: Shape, convert: Convert) -> Convert:
    least, most = BOUNDS[_OF_WIRE[shape.type.number]]

    def checked(value: Any) -> int:
        number = int(convert(value))
        if not least <= number <= most:
            raise _NoPlaceError(f"out of the range of {idl.NAMES[shape.type.number]}")
        return number

    return checked


def _number_of(text: str, shape: Shape) -> int:
    """Give the number of an enum's value, by its name; a number as a text is one too."""
    for number, name in (shape.type.enum or {}).items():
        if name == text:
            return number
    if re.fullmatch(WHOLE, text) and -(2**31) <= int(text) < 2**31:
        return int(text)
    raise _NoPlaceError("an enum has no value of this name")
