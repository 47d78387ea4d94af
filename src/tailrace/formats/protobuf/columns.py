"""From what the kernel left in its tables to columns."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.buffers import bytes_column, fixed_column, text_column
from tailrace.formats.kernels import protobuf_decode as k
from tailrace.formats.kernels.strings import gather, total_size
from tailrace.formats.protobuf import shapes as s
from tailrace.formats.protobuf.plan import Cell, Plan
from tailrace.formats.protobuf.rows import FIRST_SECOND, LAST_SECOND, LONGEST, NANOSECOND_LIMIT, PLACES
from tailrace.formats.protobuf.shapes import Role, Shape
from tailrace.formats.scalars import BOUNDS
from tailrace.schema import BINARIES, INTEGERS, INTERVAL_SECOND, STRINGS, DataType, Kind

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]
Number = TypeVar("Number", bound=np.generic)


class Room:
    """The arrays of all tables; the tables of elements grow while rows are read."""

    def __init__(self, plan: Plan, rows: int) -> None:
        self._plan = plan
        self.words: list[Numbers] = []
        self.valid: list[Marks] = []
        self.marks: list[Numbers] = []
        state = plan.state
        state[:, k.LENGTH] = state[:, k.FULL] = 0
        for number, table in enumerate(plan.tables):
            room = rows if number == 0 else max(16, rows)
            self.words.append(np.empty((max(1, table.words), room), dtype=np.int64))
            self.valid.append(np.zeros((max(1, table.valids), room), dtype=np.uint8))
            self.marks.append(np.zeros((max(1, table.marks), room), dtype=np.int64))
            self._tell(number)
        state[0, k.LENGTH] = rows

    def grow(self) -> None:
        """Double the tables that were full."""
        for number in np.flatnonzero(self._plan.state[:, k.FULL]).tolist():
            self.words[number] = _doubled(self.words[number])
            self.valid[number] = _doubled(self.valid[number])
            self.marks[number] = _doubled(self.marks[number])
            self._tell(number)
        self._plan.state[:, k.FULL] = 0

    def _tell(self, number: int) -> None:
        row = self._plan.state[number]
        row[k.WORDS] = self.words[number].ctypes.data
        row[k.VALIDS] = self.valid[number].ctypes.data
        row[k.MARKS] = self.marks[number].ctypes.data
        row[k.ROOM] = self.words[number].shape[1]

    def length(self, table: int) -> int:
        """Give the number of entries of a table."""
        return int(self._plan.state[table, k.LENGTH])


class Columns:
    """
    Makes the columns of one block.

    Rows whose values turn out to have no place in their type are marked `slow`; rows that are marked have no meaning in what
    is made.
    """

    def __init__(self, plan: Plan, room: Room, slow: Marks, *, read_defaults: bool) -> None:
        self._plan = plan
        self._room = room
        self._slow = slow
        self._read_defaults = read_defaults
        self._roots: dict[int, Numbers] = {}
        room.valid[0][:, slow != 0] = 0
        room.marks[0][:, slow != 0] = 0

    def frame(self) -> pl.DataFrame:
        """Give all columns."""
        return pl.DataFrame([self._column(cell).alias(cell.shape.name) for cell in self._plan.cells])

    def _column(self, cell: Cell) -> pl.Series:
        match cell.shape.role:
            case Role.LIST:
                return self._list(cell, self._column(cell.inner[0]))
            case Role.MAP:
                return self._map(cell)
            case Role.ROW:
                return self._row(cell)
            case Role.WRAPPER:
                return self._wrapper(cell)
            case Role.TIMESTAMP | Role.DURATION:
                return self._time(cell)
        return self._scalar(cell)

    def _valid(self, cell: Cell) -> Marks:
        """Tell in which entries a value is there; elements always are."""
        count = self._room.length(cell.table)
        return np.ones(count, dtype=np.uint8) if cell.valid < 0 else self._room.valid[cell.table][cell.valid, :count]

    def _words(self, cell: Cell, size: int = 1) -> Numbers:
        count = self._room.length(cell.table)
        return self._room.words[cell.table][cell.word : cell.word + size, :count]

    def _scalar(self, cell: Cell) -> pl.Series:
        """Give a column of values that are no messages, with the defaults of those that are not there."""
        shape, valid = cell.shape, self._valid(cell)
        if not shape.present and not valid.all():
            valid = self._put_zeros(cell, valid)
        made = self._made(cell, valid)
        if shape.present and self._read_defaults and made.null_count():
            default = pl.lit(_default(shape), dtype=made.dtype)
            return made.to_frame("v").select(pl.col("v").fill_null(default)).to_series()
        return made

    def _put_zeros(self, cell: Cell, valid: Marks) -> Marks:
        """Give values that are not there the default of all fields without presence: nothing."""
        words = self._words(cell, 2 if cell.shape.field.type in (s.STRING_, s.BYTES_) else 1)
        words[:, valid == 0] = 0
        return np.ones(len(valid), dtype=np.uint8)

    def _made(self, cell: Cell, valid: Marks) -> pl.Series:
        kind, found = cell.shape.type, cell.shape.field.type
        if found in (s.STRING_, s.BYTES_):
            return _texts(self._words(cell, 2), valid, kind)
        words = self._words(cell)
        if found == s.FLOAT_:
            words = words.astype(np.uint32).view(np.float32).astype(np.float64).view(np.int64)[None].reshape(1, -1)
        if cell.shape.role is Role.ENUM and kind.kind in STRINGS:
            return _names(words[0], valid, cell.shape)
        if kind.kind is Kind.DECIMAL:
            return fixed_column(kind, np.concatenate([words, np.zeros_like(words)]), valid)
        if kind.kind in INTEGERS:
            self._check(cell.table, _beyond(words[0], found, kind), valid)
        return fixed_column(kind, words, valid)

    def _check(self, table: int, bad: npt.NDArray[np.bool_], valid: Marks) -> None:
        """Mark the rows of bad values as slow."""
        bad &= valid != 0
        if bad.any():
            self._slow[self._root(table)[bad]] = 1

    def _root(self, table: int) -> Numbers:
        """Give the row that each entry of a table belongs to."""
        if table not in self._roots:
            if table == 0:
                self._roots[0] = np.arange(self._room.length(0))
            else:
                of = self._plan.tables[table]
                self._roots[table] = np.repeat(self._root(of.parent), self._counts(of.parent, of.count_mark))
        return self._roots[table]

    def _counts(self, table: int, mark: int) -> Numbers:
        return self._room.marks[table][mark, : self._room.length(table)]

    def _row(self, cell: Cell) -> pl.Series:
        fields = [self._column(inner).alias(inner.shape.name) for inner in cell.inner]
        made = pl.DataFrame(fields).to_struct()
        valid = self._valid(cell)
        if valid.all() or (self._read_defaults and cell.shape.present) or cell.shape.single:
            return made
        return pl.select(pl.when(pl.Series(valid != 0)).then(pl.lit(made))).to_series()

    def _wrapper(self, cell: Cell) -> pl.Series:
        """Give what a wrapper wraps: its default if the wrapper is empty, NULL if there is none."""
        made = self._scalar(cell.inner[0])
        valid = self._valid(cell)
        return made if valid.all() or cell.shape.single else made.set(pl.Series(valid == 0), None)

    def _time(self, cell: Cell) -> pl.Series:
        seconds, nanos = (self._number(inner) for inner in cell.inner)
        valid = np.ones(len(seconds), dtype=np.uint8) if cell.shape.single else self._valid(cell)
        kind = cell.shape.type
        if cell.shape.role is Role.DURATION:
            bad = (np.abs(seconds) > LONGEST) | (np.abs(nanos) >= 10**9) | (np.sign(seconds) * np.sign(nanos) < 0)
            self._check(cell.table, bad, valid)
            whole = seconds * 1000 + np.sign(nanos) * (np.abs(nanos) // 10**6)
            made = pl.Series(whole).cast(pl.Int64).cast(INTERVAL_SECOND.polars)
            return made if valid.all() else made.set(pl.Series(valid == 0), None)
        low, high = NANOSECOND_LIMIT if kind.time_unit == "ns" else (FIRST_SECOND, LAST_SECOND)
        self._check(cell.table, (seconds < low) | (seconds > high) | (nanos < 0) | (nanos >= 10**9), valid)
        places = PLACES[kind.time_unit]
        step = 10 ** (9 - min(places, kind.precision))
        return fixed_column(kind, (seconds * 10**places + nanos // step * step // 10 ** (9 - places))[None], valid)

    def _number(self, cell: Cell) -> Numbers:
        """Give a number of a message of Google's own; 0 where it is not there."""
        return np.where(self._valid(cell) != 0, self._words(cell)[0], 0)

    def _list(self, cell: Cell, values: pl.Series) -> pl.Series:
        """Give lists of elements; one without elements is NULL, or empty with defaults."""
        counts = self._counts(cell.table, cell.word)
        owners = np.flatnonzero(counts)
        dtype = cell.shape.type.polars
        if not len(owners):
            made = pl.Series([None], dtype=dtype).new_from_index(0, len(counts))
        else:
            parents = pl.Series("p", np.repeat(owners, counts[owners])).set_sorted()
            grouped = pl.DataFrame([parents, values.alias("v")]).group_by("p", maintain_order=True).agg("v")["v"]
            made = grouped if len(owners) == len(counts) else grouped.gather(_places(counts))
        return made.fill_null(pl.Series([[]], dtype=dtype).first()) if self._read_defaults else made

    def _map(self, cell: Cell) -> pl.Series:
        """Give maps; a row that has a key twice goes the slow way."""
        key, value = (self._column(inner) for inner in cell.inner)
        roots = pl.Series("root", self._root(cell.child))
        counts = self._counts(cell.table, cell.word)
        parents = pl.Series("p", np.repeat(np.arange(len(counts)), counts))
        twice = pl.DataFrame([parents, key.alias("key")]).is_duplicated()
        self._slow[roots.filter(twice).to_numpy()] = 1
        entries = pl.DataFrame([key.alias("key"), value.alias("value")]).to_struct()
        return self._list(cell, entries)


def _doubled(old: npt.NDArray[Number]) -> npt.NDArray[Number]:
    new = np.empty((old.shape[0], 2 * old.shape[1]), dtype=old.dtype)
    new[:, : old.shape[1]] = old
    return new


def _places(counts: Numbers) -> pl.Series:
    """Give the number of each list among those that are not empty; NULL for one that is."""
    has = counts > 0
    places = pl.Series((np.cumsum(has) - 1).astype(np.uint32))
    return pl.select(pl.when(pl.Series(has)).then(places)).to_series()


def _beyond(words: Numbers, found: int, kind: DataType) -> npt.NDArray[np.bool_]:
    """Tell which numbers are out of the range of an integer type."""
    least, most = BOUNDS[kind.kind]
    if found in s.UNSIGNED_64:
        return (words < 0) | (words > most)
    return (words < least) | (words > most)


def _texts(words: Numbers, valid: Marks, kind: DataType) -> pl.Series:
    starts, sizes = words
    out = np.empty(total_size(sizes, valid), dtype=np.uint8)
    offsets = np.empty(len(valid) + 1, dtype=np.int64)
    gather(starts, sizes, valid, offsets, out)
    return bytes_column(offsets, out, valid) if kind.kind in BINARIES else text_column(offsets, out, valid)


def _names(numbers: Numbers, valid: Marks, shape: Shape) -> pl.Series:
    """Give the names of an enum's values; a number that has none as it is."""
    known = shape.field.enum_type.values_by_number
    given = pl.Series(numbers)
    if not valid.all():
        given = given.set(pl.Series(valid == 0), None)
    names = {number: value.name for number, value in known.items()}
    return given.replace_strict(names, default=given.cast(pl.String), return_dtype=pl.String)


def _default(shape: Shape) -> Any:
    """Give what the message says a field is that is not there."""
    value = shape.field.default_value
    if shape.role is not Role.ENUM or shape.type.kind not in STRINGS:
        return value
    return shape.field.enum_type.values_by_number[value].name
