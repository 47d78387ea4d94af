"""The program by which kernels walk over rows of one writer's schema, made for the columns that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.avro.types import AvroType
from tailrace.formats.avro.values import Convert, MisfitError, Reading, find, missing, nullable, reading
from tailrace.formats.kernels import avro_decode as kernel
from tailrace.schema import DataType, Kind, Schema

Numbers = npt.NDArray[np.int64]
_FIXED = {"boolean": 1, "float": 4, "double": 8}
_TWO_WORDS = (kernel.STRING, kernel.BINARY, kernel.FIXED, kernel.ENUM, kernel.DECIMAL, kernel.DECIMAL_FIXED)

MOST_SLOTS = 4096
"""Beyond so many fields, ROWs are read one by one."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a ROW: its slot, or (-1) the one value that all of its rows have."""

    name: str
    slot: int
    constant: Any = None


@dataclass(frozen=True, slots=True)
class Program:
    """
    How rows of a writer's schema become columns.

    A column is a slot of its number; the fields of a ROW have slots behind those, which `rows` names, so that a ROW is read with all that is
    in it. Slot k has its words from `firsts[k]` on. `spans` are the slots whose bytes the kernel leaves, with the type and what reads its
    values; `places` all that the kernel gives. `constants` are the columns that the writer does not have; `fields` what reads the others one by one, by the writer's names.
    """

    writer: AvroType
    schema: Schema
    code: Numbers
    firsts: list[int]
    words: int
    slots: list[DataType]
    rows: dict[int, list[Part]]
    spans: dict[int, tuple[AvroType, Convert]]
    constants: dict[int, Any]
    places: frozenset[int]
    fields: dict[int, tuple[str, Convert]]
    kept: list[Any] = field(default_factory=list)
    """Memory that the code points into."""


def compiled(writer: AvroType, schema: Schema, reader: AvroType | None = None) -> Program:
    """
    Make the program for the columns of a schema; `reader` is what a reader's schema says of them, if there is one.

    Raises:
        MisfitError: a column can't be read from what the writer has.
    """
    record = writer
    optional = writer.optional
    if optional is not None and optional[1].kind == "record":
        record = optional[1]
    if record.kind != "record":
        raise MisfitError("", f"is no record but {writer}")
    return _Compiler(writer, record, schema, _record_of(reader)).program()


def _record_of(reader: AvroType | None) -> AvroType | None:
    optional = reader.optional if reader is not None else None
    return optional[1] if optional else reader


def walk(writer: AvroType) -> Numbers:
    """Give a program that reads no column: it finds where rows end."""
    code = _Code()
    code.skip(writer)
    return code.assembled()


class _Code:
    """Instructions, one after the other, and the procedures that skip the records within others."""

    def __init__(self) -> None:
        self._lines: list[list[int]] = []
        self._label = 0
        self._calls: list[tuple[int, AvroType]] = []

    def emit(self, op: int, *args: int) -> int:
        """Add an instruction; give its place."""
        last = self._lines[-1] if self._lines else [kernel.END]
        if op == kernel.SKIP_FIXED and last[0] == op and self._label < len(self._lines):
            last[1] += args[0]
            return len(self._lines) - 1
        self._lines.append([op, *args])
        return len(self._lines) - 1

    def here(self) -> int:
        """Give the next place, to which others may go."""
        self._label = len(self._lines)
        return self._label

    def set(self, at: int, argument: int, value: int) -> None:
        """Fill in an argument of an instruction."""
        self._lines[at][argument] = value

    def skip(self, given: AvroType) -> None:
        """Walk over a value."""
        kind = given.kind
        if kind in _FIXED or kind == "fixed":
            size = _FIXED.get(kind, given.size)
            if size:
                self.emit(kernel.SKIP_FIXED, size)
        elif kind in ("int", "long"):
            self.emit(kernel.SKIP_VARINT)
        elif kind == "enum":
            self.emit(kernel.SKIP_INDEX, len(given.symbols), kernel.SYMBOL)
        elif kind in ("bytes", "string"):
            self.emit(kernel.SKIP_BYTES)
        elif kind == "union":
            self._branches(given.branches)
        elif kind in ("array", "map"):
            begin = self.emit(kernel.LOOP, 0)
            self.here()
            if kind == "map":
                self.emit(kernel.SKIP_BYTES)
            self.skip(given.item)
            self.emit(kernel.NEXT, begin)
            self.set(begin, 1, self.here())
        elif kind == "record":
            self._calls.append((self.emit(kernel.CALL, 0), given))

    def _branches(self, branches: list[AvroType]) -> None:
        if all(b.kind == "null" for b in branches):
            self.emit(kernel.SKIP_INDEX, len(branches), kernel.BRANCH)
            return
        self.emit(kernel.UNION, len(branches))
        targets = [self.emit(kernel.GO_TO, 0) for _ in branches]
        ends = []
        for target, branch in zip(targets, branches, strict=True):
            self.set(target, 1, self.here())
            self.skip(branch)
            ends.append(self.emit(kernel.GO_TO, 0))
        end = self.here()
        for at in ends:
            self.set(at, 1, end)

    def assembled(self) -> Numbers:
        """End the row, add the procedures, and give it all as numbers."""
        self.emit(kernel.END)
        made: dict[int, int] = {}
        while self._calls:
            at, record = self._calls.pop()
            if id(record) not in made:
                made[id(record)] = self.here()
                for one in record.fields:
                    self.skip(one.type)
                self.emit(kernel.RETURN)
            self.set(at, 1, made[id(record)])
        code = np.zeros((len(self._lines), kernel.WIDTH), dtype=np.int64)
        for k, line in enumerate(self._lines):
            code[k, : len(line)] = line
        return code


class _Compiler:
    """Makes one program."""

    def __init__(self, writer: AvroType, record: AvroType, schema: Schema, reader: AvroType | None) -> None:
        self._writer, self._record, self._schema, self._reader = writer, record, schema, reader
        self._code = _Code()
        self._words = 0
        self._firsts = [0] * len(schema)
        self._spans: dict[int, tuple[AvroType, Convert]] = {}
        self._slots = [f.type for f in schema]
        self._rows: dict[int, list[Part]] = {}
        self._constants: dict[int, Any] = {}
        self._places: set[int] = set()
        self._fields: dict[int, tuple[str, Convert]] = {}
        self._kept: list[Any] = []

    def program(self) -> Program:
        of_reader = {f.name: f.type for f in self._reader.fields} if self._reader is not None else {}
        asked: dict[str, list[int]] = {}
        for k, column in enumerate(self._schema):
            source = find(self._record, column.name, self._reader)
            if source is None:
                self._constants[k] = missing(column.name, column.type, column.name, self._reader)
                continue
            asked.setdefault(source.name, []).append(k)
            convert = nullable(source.type, column.type, column.name, of_reader.get(column.name))
            self._fields[k] = (source.name, convert)
        self._top()
        for one in self._record.fields:
            places = asked.get(one.name, [])
            # a field that two columns stand for is read by the kernel for the first of them
            if places:
                name = self._schema.fields[places[0]].name
                self._read(one.type, places[0], name, of_reader.get(name))
            else:
                self._code.skip(one.type)
        again = [k for places in asked.values() for k in places[1:]]
        if again:
            names = ", ".join(f"'{self._schema.fields[k].name}'" for k in again)
            raise MisfitError(
                self._fields[again[0]][0], f"is what more than one column stands for ({names}), by aliases"
            )
        code = self._code.assembled()
        return Program(
            self._writer,
            self._schema,
            code,
            self._firsts,
            self._words,
            self._slots,
            self._rows,
            self._spans,
            self._constants,
            frozenset(self._places),
            self._fields,
            self._kept,
        )

    def _top(self) -> None:
        """Let a row that is a union with null be one that has a row."""
        optional = self._writer.optional
        if self._writer is self._record or optional is None:
            return
        if optional[0] < 0:
            self._code.emit(kernel.SKIP_INDEX, 1, kernel.BRANCH)
            return
        at = self._code.emit(kernel.NULLABLE, optional[0], 0)
        over = self._code.emit(kernel.GO_TO, 0)
        self._code.set(at, 2, self._code.here())
        self._code.emit(kernel.FAIL, kernel.NO_ROW)
        self._code.set(over, 1, self._code.here())

    def _read(self, given: AvroType, k: int, path: str, reader: AvroType | None) -> None:
        """Read values that may be null into a slot."""
        optional = given.optional
        if given.kind == "null":
            return
        inner = optional[1] if optional else given
        at = -1
        if optional is not None:
            at = self._code.emit(kernel.NULLABLE, optional[0], 0) if optional[0] >= 0 else -1
            if at < 0:
                self._code.emit(kernel.SKIP_INDEX, 1, kernel.BRANCH)
        if inner.kind == "record" and self._slots[k].kind is Kind.ROW and len(self._slots) < MOST_SLOTS:
            self._row(inner, k, path, _record_of(reader))
        else:
            self._value(inner, reading(inner, self._slots[k], path, reader), k)
        if at >= 0:
            self._code.set(at, 2, self._code.here())

    def _row(self, record: AvroType, k: int, path: str, reader: AvroType | None) -> None:
        """Read a record into the slots of a ROW's fields; its own slot says whether it is there."""
        kind = self._slots[k]
        parts, asked = [], {}
        of_reader = {f.name: f.type for f in reader.fields} if reader is not None else {}
        for name, child in zip(kind.names, kind.children, strict=True):
            source = find(record, name, reader)
            if source is None:
                parts.append(Part(name, -1, missing(name, child, f"{path}.{name}", reader)))
                continue
            if source.name in asked:
                raise MisfitError(f"{path}.{source.name}", "is what more than one field stands for, by aliases")
            slot = len(self._slots)
            self._slots.append(child)
            self._firsts.append(0)
            asked[source.name] = (slot, name)
            parts.append(Part(name, slot))
        self._rows[k] = parts
        first = self._begin(k)
        self._code.emit(kernel.SPAN_BEGIN, first, k)
        for one in record.fields:
            if one.name in asked:
                slot, name = asked[one.name]
                self._read(one.type, slot, f"{path}.{name}", of_reader.get(name))
            else:
                self._code.skip(one.type)
        self._code.emit(kernel.SPAN_END, first, k)

    def _begin(self, k: int, words: int = 2) -> int:
        """Give a slot its words."""
        first = self._words
        self._firsts[k] = first
        self._places.add(k)
        self._words += words
        return first

    def _value(self, inner: AvroType, how: Reading, k: int) -> None:
        if how.op is None:
            first = self._begin(k)
            self._spans[k] = (inner, how.convert)
            self._code.emit(kernel.SPAN_BEGIN, first, k)
            self._code.skip(inner)
            self._code.emit(kernel.SPAN_END, first, k)
            return
        first = self._begin(k, 2 if how.op in _TWO_WORDS else 1)
        params = [int(p) for p in how.params]
        if how.op == kernel.ENUM:
            params.append(self._symbols(how.symbols))
        self._code.emit(how.op, first, k, *params)

    def _symbols(self, symbols: tuple[str | None, ...]) -> int:
        """Keep the texts of an enum where kernels find them; give the address of their places and sizes."""
        texts = [(s or "").encode() for s in symbols]
        data = np.frombuffer(b"".join(texts) + b"\0", dtype=np.uint8)
        sizes = np.array([len(t) for t in texts], dtype=np.int64)
        table = np.empty((len(texts), 2), dtype=np.int64)
        table[:, 0] = data.ctypes.data + np.cumsum(sizes) - sizes
        table[:, 1] = np.where([s is None for s in symbols], -1, sizes)
        self._kept += [data, table]
        return int(table.ctypes.data)
