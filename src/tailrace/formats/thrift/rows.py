"""One struct to the values of a schema, by the library: the slow path, and the oracle of the fast one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tailrace.formats import scalars
from tailrace.formats.decoding import BadRowError
from tailrace.formats.scalars import BOUNDS, BadValueError
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.idl import Struct, ThriftType
from tailrace.formats.thrift.shapes import Role, Shape
from tailrace.formats.thrift.walking import Walker
from tailrace.schema import BINARIES, INTEGERS, STRINGS, DataType, Kind

Convert = Callable[[Any], Any]
"""Turns a value, as the library has it, into one of the shape's type; raises BadValueError."""


def protocol_of(compact: bool) -> Any:
    """Give the library's class of a protocol; those written in Python, which tell texts and bytes apart."""
    if compact:
        return idl.library("thriftpy2.protocol.compact").TCompactProtocol
    return idl.library("thriftpy2.protocol.binary").TBinaryProtocol


class RowReader:
    """Reads structs one by one."""

    def __init__(self, struct: Struct, fields: Sequence[Shape], *, compact: bool) -> None:
        self._walker = Walker(struct, fields, compact=compact)
        self._protocol = protocol_of(compact)
        self._buffer = idl.library("thriftpy2.transport").TMemoryBuffer
        self._class = class_of(struct.name, fields)
        self._gets = [(s.name, nullable(s)) for s in fields]

    def read(self, row: bytes | None) -> list[Any]:
        """
        Give the values of a row.

        Raises:
            BadRowError: it can't be read.
        """
        if row is None:
            raise BadRowError("tombstone", "a row without bytes (a tombstone)")
        self._walker.check(row)
        made = self._class()
        made.read(self._protocol(self._buffer(row)))
        values = []
        for name, get in self._gets:
            try:
                values.append(get(getattr(made, name)))
            except BadValueError as error:
                raise BadRowError(error.code, f"field '{name}': {error}") from None
        return values


def class_of(name: str, fields: Sequence[Shape]) -> Any:
    """Make a class as the library makes them, with no fields but those that are asked for."""
    module = idl.library("thriftpy2.thrift")
    spec = {}
    for shape in fields:
        of = _spec(shape)
        spec[shape.number] = (of[0], shape.name, *of[1:], shape.required)
    defaults = [(shape.name, shape.default) for shape in fields]
    return module.gen_init(type(name, (module.TPayload,), {"_ttype": idl.STRUCT}), spec, defaults)


def _spec(shape: Shape) -> tuple[Any, ...]:
    """Give what the library wants to know of a type."""
    number = shape.type.number
    if shape.kind.kind in BINARIES:
        number = idl.BINARY
    if shape.role is Role.ROW:
        return idl.STRUCT, class_of(shape.name, shape.children)
    if shape.role is Role.LIST:
        return number, _part(shape.children[0])
    if shape.role is Role.MAP:
        return number, tuple(_part(child) for child in shape.children)
    return (number,)


def _part(shape: Shape) -> Any:
    of = _spec(shape)
    return of if len(of) > 1 else of[0]


def nullable(shape: Shape) -> Convert:
    """Give what turns a value that may be None."""
    convert = converter(shape)
    return lambda value: None if value is None else convert(value)


def converter(shape: Shape) -> Convert:
    """Give what turns a value, as the library has it, into one of the shape's type."""
    match shape.role:
        case Role.ROW:
            gets = [(c.name, nullable(c)) for c in shape.children]
            return lambda value: {n: get(getattr(value, n)) for n, get in gets}
        case Role.LIST:
            element = converter(shape.children[0])
            return lambda values: [element(v) for v in values]
        case Role.MAP:
            key_of, value_of = (converter(c) for c in shape.children)
            return lambda values: [{"key": key_of(k), "value": value_of(v)} for k, v in values.items()]
        case Role.TIME:
            return shape.scale.value
        case Role.ENUM if shape.kind.kind in STRINGS:
            known = shape.type.enum or {}
            return lambda number: known.get(number) or str(number)
    return _scalar(shape.type, shape.kind)


def _scalar(given: ThriftType, kind: DataType) -> Convert:
    if kind.kind in INTEGERS:
        least, most = BOUNDS[kind.kind]

        def integer(value: int) -> int:
            if not least <= value <= most:
                raise BadValueError(f"out of the range of {kind.sql()}", "range")
            return value

        return integer
    if kind.kind is Kind.DECIMAL:
        return lambda value: scalars.decimal(_text(value), kind)
    if kind.kind in STRINGS:
        return _text
    if given.number == idl.STRING:
        return lambda value: value.encode() if isinstance(value, str) else value
    return lambda value: value


def _text(value: Any) -> str:
    """Take a text; the library gives bytes for one that is not UTF-8."""
    if isinstance(value, bytes):
        raise BadValueError("not UTF-8", "utf-8")
    return str(value)
