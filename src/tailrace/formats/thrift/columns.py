"""From what the kernel left in its tables to columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.buffers import fixed_column
from tailrace.formats.columns import column
from tailrace.formats.scalars import BOUNDS
from tailrace.formats.tables import Room, lists, names, texts, twice
from tailrace.formats.thrift import idl
from tailrace.formats.thrift.plan import Cell, Plan
from tailrace.formats.thrift.rows import converter
from tailrace.formats.thrift.shapes import Role
from tailrace.schema import INTEGERS, STRINGS, Kind

Marks = npt.NDArray[np.uint8]


class Columns:
    """
    Makes the columns of one block.

    Rows whose values turn out to have no place in their type are marked `slow`; rows that are marked have no meaning in what
    is made.
    """

    def __init__(self, plan: Plan, room: Room, slow: Marks) -> None:
        self._plan = plan
        self._room = room
        self._slow = slow
        room.forget(slow)

    def frame(self) -> pl.DataFrame:
        """Give all columns."""
        return pl.DataFrame([self._column(cell).alias(cell.shape.name) for cell in self._plan.cells])

    def _column(self, cell: Cell) -> pl.Series:
        valid = self._room.presence(cell.table, cell.valid)
        if cell.shape.role is Role.ROW:
            return self._row(cell, valid)
        if cell.shape.role in (Role.LIST, Role.MAP):
            return self._many(cell, valid)
        made = self._made(cell, valid)
        if cell.shape.default is None or not made.null_count():
            return made
        default = column("", [converter(cell.shape)(cell.shape.default)], cell.shape.kind)
        return made.fill_null(default.first())

    def _made(self, cell: Cell, valid: Marks) -> pl.Series:
        kind = cell.shape.kind
        count = self._room.length(cell.table)
        words = self._room.words[cell.table][cell.word : cell.word + 2, :count]
        if cell.shape.type.wire == idl.STRING and kind.kind is not Kind.DECIMAL:
            return texts(words, valid, kind)
        if cell.shape.role is Role.ENUM and kind.kind in STRINGS:
            return names(words[0], valid, cell.shape.type.enum or {})
        if cell.shape.role is Role.TIME:
            scaled, bad = cell.shape.scale.values(words[0])
            self._check(cell.table, bad, valid)
            return fixed_column(kind, scaled[None], valid)
        if kind.kind in INTEGERS:
            least, most = BOUNDS[kind.kind]
            self._check(cell.table, (words[0] < least) | (words[0] > most), valid)
        return fixed_column(kind, words, valid)

    def _check(self, table: int, bad: npt.NDArray[np.bool_], valid: Marks) -> None:
        """Mark the rows of bad values as slow."""
        bad &= valid != 0
        if bad.any():
            self._slow[self._room.root(table)[bad]] = 1

    def _row(self, cell: Cell, valid: Marks) -> pl.Series:
        if not cell.inner:
            return pl.Series([{}] * len(valid), dtype=cell.shape.kind.polars)
        made = pl.DataFrame([self._column(inner).alias(inner.shape.name) for inner in cell.inner]).to_struct()
        if valid.all():
            return made
        return pl.select(pl.when(pl.Series(valid != 0)).then(pl.lit(made))).to_series()

    def _many(self, cell: Cell, valid: Marks) -> pl.Series:
        """Give lists or maps; a row that has a key twice goes the slow way."""
        parts = [self._column(inner) for inner in cell.inner]
        counts = self._room.counts(cell.table, cell.count)
        values = parts[0]
        if cell.shape.role is Role.MAP:
            again = twice(values, counts).to_numpy()
            self._slow[self._room.root(cell.child)[again]] = 1
            values = pl.DataFrame([values.alias("key"), parts[1].alias("value")]).to_struct()
        made = lists(values, counts, cell.shape.kind)
        empty = pl.Series((valid != 0) & (counts == 0))
        if not empty.any():
            return made
        none = pl.Series([[]], dtype=made.dtype)
        return pl.select(pl.when(empty).then(pl.lit(none)).otherwise(pl.lit(made))).to_series()
