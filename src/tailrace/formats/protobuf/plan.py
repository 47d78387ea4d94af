"""The message of a table as the kernel walks it: nodes, fields and tables, as arrays of 64-bit words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels import protobuf_decode as k
from tailrace.formats.kernels.tables import FIELD, NODE_WORDS, TABLE_WORDS
from tailrace.formats.protobuf import shapes as s
from tailrace.formats.protobuf.shapes import Role, Shape
from tailrace.formats.tables import Table, nodes_of, state_of

Numbers = npt.NDArray[np.int64]

_MOST_REQUIRED = 62

WIRES = {
    s.INT32: (0, k.INT32),
    s.ENUM: (0, k.INT32),
    s.INT64: (0, k.INT64),
    s.UINT64: (0, k.INT64),
    s.UINT32: (0, k.UINT32),
    s.SINT32: (0, k.SINT32),
    s.SINT64: (0, k.SINT64),
    s.BOOL: (0, k.BOOL),
    s.DOUBLE_: (1, k.FIXED64),
    s.FIXED64: (1, k.FIXED64),
    s.SFIXED64: (1, k.FIXED64),
    s.FLOAT_: (5, k.FIXED32),
    s.FIXED32: (5, k.FIXED32),
    s.SFIXED32: (5, k.SFIXED32),
    s.STRING_: (2, k.TEXT),
    s.BYTES_: (2, k.BINARY),
    s.MESSAGE: (2, k.MESSAGE),
    s.GROUP: (3, k.MESSAGE),  # begins with a type that goes the slow way
}
"""The type on the wire, and how it is read."""
_TWO_WORDS = (k.TEXT, k.BINARY)


@dataclass(frozen=True, slots=True)
class Cell:
    """
    Where a shape's values are: a table, the first word in it, the mark of presence.

    `inner` are the cells of its children; those of a list or map are in a table of their own.
    """

    shape: Shape
    table: int
    word: int = -1
    valid: int = -1
    inner: tuple[Cell, ...] = ()
    child: int = -1


@dataclass(slots=True)
class Plan:
    """All of it; `Build` makes one. Addresses are of the arrays that it holds."""

    cells: tuple[Cell, ...]
    tables: list[Table]
    arrays: tuple[Numbers, ...]
    root: int
    state: Numbers
    """The words of the tables, as the kernel has them."""
    frames: Numbers = field(default_factory=lambda: np.zeros((k.MAX_DEPTH + 1, 4), dtype=np.int64))


def plan_of(message: Any, fields: Sequence[Shape]) -> Plan | None:
    """Make the plan of a message; None if it has something that only the library reads."""
    builder = _Builder()
    try:
        cells = builder.node_of(message, fields, 0)[1]
    except _OnlyTheLibraryError:
        return None
    return builder.plan(cells)


class _OnlyTheLibraryError(Exception):
    """A message that has something that the kernel does not know."""


def _size(code: int) -> int:
    """Give how many words a value has."""
    return 2 if code in _TWO_WORDS else 1


@dataclass(slots=True)
class _Field:
    """A field before addresses are known; `node`, `table`, `child` and `owner` are numbers, -1 for none."""

    number: int
    wire: int
    code: int
    flags: int = 0
    table: int = -1
    place: int = 0
    valid: int = 0
    node: int = -1
    child: int = -1
    oneof: int = -1
    owner: int = -1
    required: int = 0
    enum: tuple[int, ...] = ()


class _Builder:
    def __init__(self) -> None:
        self._nodes: list[list[_Field]] = []
        self._checked: dict[str, int] = {}
        self._tables = [Table()]

    def node_of(self, message: Any, fields: Sequence[Shape], table: int) -> tuple[int, tuple[Cell, ...]]:
        """Add the node of a message some of whose fields go into a table; give its number and their cells."""
        if message.GetOptions().message_set_wire_format:
            raise _OnlyTheLibraryError
        number = len(self._nodes)
        rows: list[_Field] = []
        self._nodes.append(rows)
        wanted = {f.field.number: f for f in fields}
        cells: dict[str, Cell] = {}
        for found in message.fields:
            row = self._field(found)
            shape = wanted.get(found.number)
            if shape is not None:
                cells[shape.name] = self._place(row, shape, table)
            elif found.message_type is not None:
                row.node = self._checking(found.message_type)
            rows.append(row)
        self._mark_required(message, rows)
        self._mark_oneofs(message, rows, wanted, table)
        return number, tuple(cells[f.name] for f in fields)

    def _checking(self, message: Any) -> int:
        """Give the node of a message of which nothing is wanted."""
        if message.full_name not in self._checked:
            self._checked[message.full_name] = len(self._nodes)
            self.node_of(message, (), -1)
        return self._checked[message.full_name]

    @staticmethod
    def _field(found: Any) -> _Field:
        wire, code = WIRES[found.type]
        row = _Field(found.number, wire, code)
        if found.is_repeated:
            row.flags |= k.REPEATED | (k.PACKABLE if wire != 2 else 0)
        return row

    def _place(self, row: _Field, shape: Shape, table: int) -> Cell:
        """Give a wanted field its place."""
        if shape.role in (Role.LIST, Role.MAP):
            return self._many(row, shape, table)
        row.table = table
        row.valid = self._tables[table].add_valid()
        if shape.children:
            row.node, inner = self.node_of(shape.field.message_type, shape.children, table)
            return Cell(shape, table, valid=row.valid, inner=inner)
        self._close(row, shape)
        row.place = self._tables[table].add_words(_size(row.code))
        return Cell(shape, table, row.place, row.valid)

    def _many(self, row: _Field, shape: Shape, table: int) -> Cell:
        """Give a repeated field a table of its elements."""
        row.table, row.place = table, self._tables[table].add_mark()
        row.child = len(self._tables)
        self._tables.append(Table(table, count_mark=row.place))
        element = shape.children[0]
        if shape.role is Role.MAP:
            row.node, inner = self.node_of(s.map_entry(shape.field), shape.children, row.child)
            return Cell(shape, table, row.place, inner=inner, child=row.child)
        if element.children:
            row.node, parts = self.node_of(shape.field.message_type, element.children, row.child)
            return Cell(shape, table, row.place, inner=(Cell(element, row.child, inner=parts),), child=row.child)
        self._close(row, element)
        word = self._tables[row.child].add_words(_size(row.code))
        assert word == 0
        return Cell(shape, table, row.place, inner=(Cell(element, row.child, word),), child=row.child)

    @staticmethod
    def _close(row: _Field, shape: Shape) -> None:
        """Note the values of an enum that has no others."""
        if shape.role is Role.ENUM and shape.field.enum_type.is_closed:
            row.flags |= k.CLOSED
            row.enum = tuple(sorted(shape.field.enum_type.values_by_number))

    @staticmethod
    def _mark_required(message: Any, rows: list[_Field]) -> None:
        needed = [row for row, found in zip(rows, message.fields, strict=True) if found.is_required]
        if len(needed) > _MOST_REQUIRED:
            raise _OnlyTheLibraryError
        for bit, row in enumerate(needed):
            row.required = 1 << bit

    def _mark_oneofs(self, message: Any, rows: list[_Field], wanted: dict[int, Shape], table: int) -> None:
        """Give each oneof of which a field is wanted a mark that says which of its fields is there."""
        by_number = {row.number: row for row in rows}
        for oneof in message.oneofs:
            if len(oneof.fields) > 1 and any(f.number in wanted for f in oneof.fields):
                mark = self._tables[table].add_mark()
                for member in oneof.fields:
                    by_number[member.number].oneof, by_number[member.number].owner = mark, table

    def plan(self, cells: tuple[Cell, ...]) -> Plan:
        """Put all into arrays, with addresses in the place of numbers."""
        state = state_of(self._tables)
        ordered = [sorted(node, key=lambda f: f.number) for node in self._nodes]
        rows = [f for node in ordered for f in node]
        fields = np.zeros((max(1, len(rows)), FIELD), dtype=np.int64)
        enums = np.array([v for f in rows for v in f.enum] or [0], dtype=np.int64)
        required = [sum(f.required for f in node) for node in ordered]
        nodes, *dense = nodes_of([[f.number for f in node] for node in ordered], required, fields)
        self._fill_fields(rows, fields, nodes, state, enums)
        return Plan(cells, self._tables, (fields, nodes, enums, *dense), nodes.ctypes.data, state)

    @staticmethod
    def _fill_fields(rows: list[_Field], fields: Numbers, nodes: Numbers, state: Numbers, enums: Numbers) -> None:
        def table(number: int) -> int:
            return 0 if number < 0 else state.ctypes.data + 8 * TABLE_WORDS * number

        enum = enums.ctypes.data
        for at, f in enumerate(rows):
            end = enum + 8 * len(f.enum)
            node = 0 if f.node < 0 else nodes.ctypes.data + 8 * NODE_WORDS * f.node
            fields[at] = [
                f.number, f.wire, f.code, f.flags, table(f.table), f.place, f.valid, node, table(f.child),
                f.oneof, table(f.owner), f.required, enum, end,
            ]  # fmt: skip
            enum = end
