"""
Whether bytes are a struct, and what is wrong with them in words: checked before the library reads them.

The library trusts what it reads: a wrong size, type or count would give it other values than were written, or take it all memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from tailrace.formats.decoding import BadRowError
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.idl import Struct
from tailrace.formats.thrift.shapes import Role, Shape

_MOST_DEPTH = 64
_STOP = 0
_OF_COMPACT = {
    0: _STOP,
    1: idl.BOOL,
    2: idl.BOOL,
    3: idl.BYTE,
    4: idl.I16,
    5: idl.I32,
    6: idl.I64,
    7: idl.DOUBLE,
    8: idl.STRING,
    9: idl.LIST,
    10: idl.SET,
    11: idl.MAP,
    12: idl.STRUCT,
}
_SIZES = {idl.BOOL: 1, idl.BYTE: 1, idl.I16: 2, idl.I32: 4, idl.I64: 8, idl.DOUBLE: 8}
_TYPES = (*_SIZES, idl.STRING, idl.STRUCT, idl.MAP, idl.SET, idl.LIST)


class _Bytes(ABC):
    """The bytes of a row, and how far they have been read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def bad(self, reason: str) -> BadRowError:
        """Make the error of a row that is no struct."""
        return BadRowError("syntax", f"no struct of Thrift: {reason}")

    def take(self, size: int) -> bytes:
        """Read bytes."""
        if size > len(self.data) - self.at:
            raise self.bad(f"cut off at byte {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def known(self, number: int, at: int, *, empty: bool = False) -> int:
        """Insist that a type is one."""
        if number in _TYPES or (empty and number == _STOP):
            return number
        raise self.bad(f"there is no type {number}, at byte {at}")

    def size(self) -> int:
        """Read a size or count; each takes at least one of the bytes that are left."""
        at = self.at
        size = self.length()
        left = len(self.data) - self.at
        if not 0 <= size <= left:
            raise self.bad(f"{size} are to follow byte {at}, and {left} bytes are left")
        return size

    @abstractmethod
    def length(self) -> int:
        """Read a size as it stands there."""

    @abstractmethod
    def field(self, last: int) -> tuple[int, int, bool]:
        """Read the head of a field that follows number `last`: its type, its number, and whether its value is in it."""

    @abstractmethod
    def elements(self) -> tuple[int, int]:
        """Read the head of a list: the type of elements, and how many."""

    @abstractmethod
    def entries(self) -> tuple[int, int, int]:
        """Read the head of a map: the types of keys and values, and how many."""

    @abstractmethod
    def pass_by(self, number: int) -> None:
        """Pass by a number or truth value."""


class _Binary(_Bytes):
    def length(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def field(self, last: int) -> tuple[int, int, bool]:
        at = self.at
        number = self.take(1)[0]
        if number == _STOP:
            return number, 0, False
        return self.known(number, at), int.from_bytes(self.take(2), "big", signed=True), False

    def elements(self) -> tuple[int, int]:
        at, (number,) = self.at, self.take(1)
        count = self.size()
        return self.known(number, at, empty=not count), count

    def entries(self) -> tuple[int, int, int]:
        at, (key, value) = self.at, self.take(2)
        count = self.size()
        empty = not count and key == value
        return self.known(key, at, empty=empty), self.known(value, at + 1, empty=empty), count

    def pass_by(self, number: int) -> None:
        self.take(_SIZES[number])


class _Compact(_Bytes):
    def length(self) -> int:
        return self._varint()

    def _varint(self) -> int:
        at, value, shift = self.at, 0, 0
        while True:
            code = self.take(1)[0]
            if shift > 63 or (shift == 63 and code > 1):
                raise self.bad(f"a number of more than 64 bits, at byte {at}")
            value |= (code & 127) << shift
            if code < 128:
                return value
            shift += 7

    def _type(self, code: int, at: int, *, empty: bool = False) -> int:
        return self.known(_OF_COMPACT.get(code, -code), at, empty=empty)

    def field(self, last: int) -> tuple[int, int, bool]:
        at, (code,) = self.at, self.take(1)
        if code & 15 == 0:
            return _STOP, 0, False
        number = last + (code >> 4)
        if code < 16:
            raw = self._varint()
            number = raw >> 1 ^ -(raw & 1)
            if not -32768 <= number < 32768:
                raise self.bad(f"a field of number {number}, at byte {at}")
        kind = self._type(code & 15, at)
        return kind, number, kind == idl.BOOL

    def elements(self) -> tuple[int, int]:
        at, (code,) = self.at, self.take(1)
        count = code >> 4
        if count == 15:
            count = self.size()
        elif count > len(self.data) - self.at:
            raise self.bad(f"cut off at byte {len(self.data)}")
        return self._type(code & 15, at, empty=not count), count

    def entries(self) -> tuple[int, int, int]:
        count = self.size()
        if not count:
            return _STOP, _STOP, 0
        at, (code,) = self.at, self.take(1)
        return self._type(code >> 4, at), self._type(code & 15, at), count

    def pass_by(self, number: int) -> None:
        if number in (idl.I16, idl.I32, idl.I64):
            self._varint()
        else:
            self.take(_SIZES[number])


class Walker:
    """Checks rows of one struct, some of whose fields are asked for."""

    def __init__(self, struct: Struct, fields: Sequence[Shape], *, compact: bool) -> None:
        self._struct = struct
        self._fields = _Fields(struct, fields)
        self._bytes: type[_Bytes] = _Compact if compact else _Binary
        self._made: dict[int, _Fields] = {}

    def check(self, row: bytes) -> None:
        """
        Walk over a row.

        Raises:
            BadRowError: it is no struct, or not one that has these fields.
        """
        if not row:
            raise BadRowError("empty", "a row of zero bytes")
        data = self._bytes(row)
        self._walk(data, self._fields, 1)
        if data.at < len(row):
            raise data.bad(f"something follows its end at byte {data.at}")

    def _walk(self, data: _Bytes, fields: _Fields | None, depth: int) -> None:
        if depth > _MOST_DEPTH:
            raise BadRowError("depth", f"nested deeper than {_MOST_DEPTH} levels")
        last, seen = 0, set()
        while True:
            number, last, inline = data.field(last)
            if number == _STOP:
                break
            wire = fields.wires.get(last) if fields is not None else None
            if fields is not None and wire is not None:
                seen.add(last)
                _insist(fields.names[last], wire, number)
            shape = fields.asked.get(last) if fields is not None else None
            if not inline:
                self._value(data, number, shape, depth)
        missing = fields.required - seen if fields is not None else ()
        if fields is not None and missing:
            raise BadRowError("missing", f"there is no required field '{fields.names[min(missing)]}'")

    def _value(self, data: _Bytes, number: int, shape: Shape | None, depth: int) -> None:
        if number == idl.STRUCT:
            self._walk(data, self._of(shape), depth + 1)
        elif number in (idl.LIST, idl.SET, idl.MAP):
            self._container(data, number, shape, depth + 1)
        elif number == idl.STRING:
            data.take(data.size())
        else:
            data.pass_by(number)

    def _of(self, shape: Shape | None) -> _Fields | None:
        if shape is None or shape.struct is None:
            return None
        if id(shape) not in self._made:
            self._made[id(shape)] = _Fields(shape.struct, shape.children)
        return self._made[id(shape)]

    def _container(self, data: _Bytes, number: int, shape: Shape | None, depth: int) -> None:
        if depth > _MOST_DEPTH:
            raise BadRowError("depth", f"nested deeper than {_MOST_DEPTH} levels")
        at = data.at
        *types, count = data.entries() if number == idl.MAP else data.elements()
        if number == idl.MAP and 2 * count > len(data.data) - data.at:
            raise data.bad(f"{count} entries are to follow byte {at}, and {len(data.data) - data.at} bytes are left")
        parts = shape.children if shape is not None and shape.role in (Role.LIST, Role.MAP) else ()
        if count and parts:
            for part, wire in zip(parts, types, strict=True):
                _insist(part.name, part.type.wire, wire)
        for _ in range(count):
            for place, wire in enumerate(types):
                self._value(data, wire, parts[place] if parts else None, depth)


class _Fields:
    """What is asked of the fields of a struct, by their numbers."""

    def __init__(self, struct: Struct, shapes: Sequence[Shape]) -> None:
        self.asked: Mapping[int, Shape] = {s.number: s for s in shapes}
        self.required = {f.number for f in struct.fields if f.required}
        looked_at = [f for f in struct.fields if f.number in self.asked or f.required]
        self.wires = {f.number: f.type.wire for f in looked_at}
        self.names = {f.number: f.name for f in looked_at}


def _insist(name: str, wanted: int, found: int) -> None:
    if found != wanted:
        raise BadRowError("type", f"'{name}' is a {idl.NAMES[found]} where the struct has a {idl.NAMES[wanted]}")
