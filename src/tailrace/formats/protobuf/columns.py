"""From what the kernel left in its tables to columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.buffers import fixed_column
from tailrace.formats.protobuf import shapes as s
from tailrace.formats.protobuf.plan import Cell, Plan
from tailrace.formats.protobuf.rows import FIRST_SECOND, LAST_SECOND, LONGEST, NANOSECOND_LIMIT, PLACES
from tailrace.formats.protobuf.shapes import Role, Shape
from tailrace.formats.scalars import BOUNDS
from tailrace.formats.tables import Room, lists, names, texts, twice
from tailrace.schema import INTEGERS, INTERVAL_SECOND, STRINGS, DataType, Kind

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]


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
        room.forget(slow)

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
        return self._room.presence(cell.table, cell.valid)

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
            return texts(self._words(cell, 2), valid, kind)
        words = self._words(cell)
        if found == s.FLOAT_:
            words = words.astype(np.uint32).view(np.float32).astype(np.float64).view(np.int64)[None].reshape(1, -1)
        if cell.shape.role is Role.ENUM and kind.kind in STRINGS:
            known = cell.shape.field.enum_type.values_by_number
            return names(words[0], valid, {number: value.name for number, value in known.items()})
        if kind.kind is Kind.DECIMAL:
            return fixed_column(kind, np.concatenate([words, np.zeros_like(words)]), valid)
        if kind.kind in INTEGERS:
            self._check(cell.table, _beyond(words[0], found, kind), valid)
        return fixed_column(kind, words, valid)

    def _check(self, table: int, bad: npt.NDArray[np.bool_], valid: Marks) -> None:
        """Mark the rows of bad values as slow."""
        bad &= valid != 0
        if bad.any():
            self._slow[self._room.root(table)[bad]] = 1

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
        counts = self._room.counts(cell.table, cell.word)
        made = lists(values, counts, cell.shape.type)
        return made.fill_null(pl.Series([[]], dtype=cell.shape.type.polars).first()) if self._read_defaults else made

    def _map(self, cell: Cell) -> pl.Series:
        """Give maps; a row that has a key twice goes the slow way."""
        key, value = (self._column(inner) for inner in cell.inner)
        again = twice(key, self._room.counts(cell.table, cell.word)).to_numpy()
        self._slow[self._room.root(cell.child)[again]] = 1
        entries = pl.DataFrame([key.alias("key"), value.alias("value")]).to_struct()
        return self._list(cell, entries)


def _beyond(words: Numbers, found: int, kind: DataType) -> npt.NDArray[np.bool_]:
    """Tell which numbers are out of the range of an integer type."""
    least, most = BOUNDS[kind.kind]
    if found in s.UNSIGNED_64:
        return (words < 0) | (words > most)
    return (words < least) | (words > most)


def _default(shape: Shape) -> Any:
    """Give what the message says a field is that is not there."""
    value = shape.field.default_value
    if shape.role is not Role.ENUM or shape.type.kind not in STRINGS:
        return value
    return shape.field.enum_type.values_by_number[value].name
