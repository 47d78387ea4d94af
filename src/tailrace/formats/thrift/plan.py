"""The struct of a table as the kernel walks it: nodes, fields and tables, as arrays of 64-bit words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels import thrift_decode as k
from tailrace.formats.kernels.tables import FIELD, NODE_WORDS, TABLE_WORDS
from tailrace.formats.scalars import BadValueError
from tailrace.formats.tables import Table, nodes_of, state_of
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.idl import Struct
from tailrace.formats.thrift.rows import converter
from tailrace.formats.thrift.shapes import Role, Shape
from tailrace.schema import BINARIES, Kind

Numbers = npt.NDArray[np.int64]
_MOST_REQUIRED = 62


@dataclass(frozen=True, slots=True)
class Cell:
    """
    Where a shape's values are: a table, the first word in it, the mark of presence, the mark that counts elements.

    `inner` are the cells of its children; those of a list or map are in the table `child`.
    """

    shape: Shape
    table: int
    word: int = -1
    valid: int = -1
    count: int = -1
    inner: tuple[Cell, ...] = ()
    child: int = -1


@dataclass(slots=True)
class Plan:
    """All of it. Addresses are of the arrays that it holds."""

    cells: tuple[Cell, ...]
    tables: list[Table]
    arrays: tuple[Numbers, ...]
    root: int
    state: Numbers
    """The words of the tables, as the kernel has them."""
    frames: Numbers = field(default_factory=lambda: np.zeros((k.MAX_DEPTH + 1, k.FRAME), dtype=np.int64))


def plan_of(struct: Struct, fields: Sequence[Shape]) -> Plan | None:
    """Make the plan of a struct; None if it has something that only the library reads."""
    builder = _Builder()
    try:
        cells = builder.node_of(struct, fields, 0)[1]
    except _OnlyTheLibraryError:
        return None
    return builder.plan(cells)


class _OnlyTheLibraryError(Exception):
    """A struct that has something that the kernel does not know."""


@dataclass(slots=True)
class _Entry:
    """A field, element, key or value before addresses are known; numbers are -1 for none."""

    number: int
    type: int
    code: int = k.OTHER
    table: int = -1
    word: int = 0
    valid: int = -1
    count: int = 0
    node: int = -1
    child: int = -1
    item: int = -1
    value: int = -1
    required: int = 0
    precision: int = 0
    scale: int = 0


class _Builder:
    def __init__(self) -> None:
        self._nodes: list[list[_Entry]] = []
        self._parts: list[_Entry] = []
        self._tables = [Table()]

    def node_of(self, struct: Struct, fields: Sequence[Shape], table: int) -> tuple[int, tuple[Cell, ...]]:
        """Add the node of a struct some of whose fields go into a table; give its number and their cells."""
        number = len(self._nodes)
        entries: list[_Entry] = []
        self._nodes.append(entries)
        needed = [f for f in struct.fields if f.required]
        asked = {f.number for f in fields}
        if len(needed) > _MOST_REQUIRED or any(n < 0 for n in asked) or any(f.number < 0 for f in needed):
            raise _OnlyTheLibraryError
        cells = []
        for shape in fields:
            entry, cell = self._entry(shape, table, self._tables[table].add_valid())
            entries.append(entry)
            cells.append(cell)
        entries += [_Entry(f.number, f.type.wire) for f in needed if f.number not in asked]
        bits = {f.number: 1 << bit for bit, f in enumerate(needed)}
        for entry in entries:
            entry.required = bits.get(entry.number, 0)
        return number, tuple(cells)

    def _entry(self, shape: Shape, table: int, valid: int) -> tuple[_Entry, Cell]:
        """Give a shape its place in a table."""
        entry = _Entry(shape.number, shape.type.wire, table=table, valid=valid)
        if shape.default is not None and not _is_plain(shape):
            raise _OnlyTheLibraryError
        if shape.role is Role.ROW:
            assert shape.struct is not None
            entry.node, inner = self.node_of(shape.struct, shape.children, table)
            return entry, Cell(shape, table, valid=valid, inner=inner)
        if shape.role in (Role.LIST, Role.MAP):
            return entry, self._many(entry, shape, table, valid)
        if entry.type == idl.STRING:
            entry.code = _code(shape)
            entry.precision, entry.scale = shape.kind.precision, shape.kind.scale
        entry.word = self._tables[table].add_words(1 if entry.code == k.OTHER else 2)
        return entry, Cell(shape, table, entry.word, valid)

    def _many(self, entry: _Entry, shape: Shape, table: int, valid: int) -> Cell:
        """Give a list or map a table of its elements or entries."""
        entry.count = self._tables[table].add_mark()
        entry.child = len(self._tables)
        self._tables.append(Table(table, count_mark=entry.count))
        inner = []
        for place, child in enumerate(shape.children):
            part, cell = self._entry(child, entry.child, -1)
            inner.append(cell)
            self._parts.append(part)
            if place == 0:
                entry.item = len(self._parts) - 1
            else:
                entry.value = len(self._parts) - 1
        return Cell(shape, table, valid=valid, count=entry.count, inner=tuple(inner), child=entry.child)

    def plan(self, cells: tuple[Cell, ...]) -> Plan:
        """Put all into arrays, with addresses in the place of numbers."""
        state = state_of(self._tables)
        ordered = [sorted(node, key=lambda f: f.number) for node in self._nodes]
        rows = [f for node in ordered for f in node]
        fields = np.zeros((len(rows) + len(self._parts) + 1, FIELD), dtype=np.int64)
        required = [sum(f.required for f in node) for node in ordered]
        nodes, *dense = nodes_of([[f.number for f in node] for node in ordered], required, fields)

        def at(array: Numbers, words: int, number: int) -> int:
            return 0 if number < 0 else int(array.ctypes.data) + 8 * words * number

        def part(number: int) -> int:
            return 0 if number < 0 else at(fields, FIELD, len(rows) + number)

        for place, f in enumerate((*rows, *self._parts)):
            fields[place] = [
                f.number, f.type, f.code, at(state, TABLE_WORDS, f.table), f.word, f.valid, f.count,
                at(nodes, NODE_WORDS, f.node), at(state, TABLE_WORDS, f.child), part(f.item), part(f.value),
                f.required, f.precision, f.scale,
            ]  # fmt: skip
        return Plan(cells, self._tables, (fields, nodes, *dense), nodes.ctypes.data, state)


def _code(shape: Shape) -> int:
    """Tell how a STRING is read."""
    if shape.kind.kind is Kind.DECIMAL:
        return k.DECIMAL
    return k.BINARY if shape.kind.kind in BINARIES else k.TEXT


def _is_plain(shape: Shape) -> bool:
    """Tell whether a default is one value that the column can hold."""
    try:
        return shape.role not in (Role.ROW, Role.LIST, Role.MAP) and converter(shape)(shape.default) is not None
    except BadValueError:
        return False
