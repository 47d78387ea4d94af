"""The tables into which kernels put the values of rows of Protobuf and Thrift, and columns from what they have put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.buffers import bytes_column, text_column
from tailrace.formats.kernels import tables as k
from tailrace.formats.kernels.strings import gather, total_size
from tailrace.schema import BINARIES, DataType

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]
Number = TypeVar("Number", bound=np.generic)

_DENSE = 512
"""Fields of smaller numbers are found by them at once."""


@dataclass(slots=True)
class Table:
    """The entries of one level: of the rows, or of the elements of one repeated field. Counts what an entry has."""

    parent: int = -1
    words: int = 0
    valids: int = 0
    marks: int = 0
    count_mark: int = -1
    """The mark of the parent that counts the elements."""

    def add_words(self, size: int) -> int:
        """Give an entry more words; the place of the first."""
        self.words += size
        return self.words - size

    def add_valid(self) -> int:
        """Give an entry one more mark of presence; its place."""
        self.valids += 1
        return self.valids - 1

    def add_mark(self) -> int:
        """Give an entry one more count; its place."""
        self.marks += 1
        return self.marks - 1


def state_of(tables: Sequence[Table]) -> Numbers:
    """Give the words of tables, as kernels have them; `Room` fills in the rest."""
    state = np.zeros((len(tables), k.TABLE_WORDS), dtype=np.int64)
    state[:, k.VALID_COUNT] = [t.valids for t in tables]
    state[:, k.MARK_COUNT] = [t.marks for t in tables]
    return state


def nodes_of(numbers: Sequence[Sequence[int]], required: Sequence[int], fields: Numbers) -> tuple[Numbers, ...]:
    """
    Give the words of nodes, and the arrays that they point into; `numbers` are those of each node's fields, ascending.

    `fields` has the words of all fields, in the order of the nodes.
    """
    nodes = np.zeros((len(numbers), k.NODE_WORDS), dtype=np.int64)
    dense = [np.zeros(min(_DENSE, max(n, default=0) + 1), dtype=np.int64) for n in numbers]
    place = 0
    for n, node in enumerate(numbers):
        first = fields.ctypes.data + 8 * k.FIELD * place
        nodes[n] = [first, len(node), dense[n].ctypes.data, len(dense[n]), required[n]]
        for at, number in enumerate(node):
            if number < len(dense[n]):
                dense[n][number] = first + 8 * k.FIELD * at
        place += len(node)
    return nodes, *dense


class Room:
    """The arrays of all tables; the tables of elements grow while rows are read."""

    def __init__(self, tables: Sequence[Table], state: Numbers, rows: int) -> None:
        self._tables = tables
        self._state = state
        self._roots: dict[int, Numbers] = {}
        self.words: list[Numbers] = []
        self.valid: list[Marks] = []
        self.marks: list[Numbers] = []
        state[:, k.LENGTH] = state[:, k.FULL] = 0
        for number, table in enumerate(tables):
            room = rows if number == 0 else max(16, rows)
            self.words.append(np.empty((max(1, table.words), room), dtype=np.int64))
            self.valid.append(np.zeros((max(1, table.valids), room), dtype=np.uint8))
            self.marks.append(np.zeros((max(1, table.marks), room), dtype=np.int64))
            self._tell(number)
        state[0, k.LENGTH] = rows

    def grow(self) -> None:
        """Double the tables that were full."""
        for number in np.flatnonzero(self._state[:, k.FULL]).tolist():
            self.words[number] = _doubled(self.words[number])
            self.valid[number] = _doubled(self.valid[number])
            self.marks[number] = _doubled(self.marks[number])
            self._tell(number)
        self._state[:, k.FULL] = 0

    def _tell(self, number: int) -> None:
        row = self._state[number]
        row[k.WORDS] = self.words[number].ctypes.data
        row[k.VALIDS] = self.valid[number].ctypes.data
        row[k.MARKS] = self.marks[number].ctypes.data
        row[k.ROOM] = self.words[number].shape[1]

    def forget(self, slow: Marks) -> None:
        """Take away what slow rows have left."""
        self.valid[0][:, slow != 0] = 0
        self.marks[0][:, slow != 0] = 0

    def length(self, table: int) -> int:
        """Give the number of entries of a table."""
        return int(self._state[table, k.LENGTH])

    def presence(self, table: int, place: int) -> Marks:
        """Tell in which entries a value is there; for elements, whose place is -1, in all."""
        count = self.length(table)
        return np.ones(count, dtype=np.uint8) if place < 0 else self.valid[table][place, :count]

    def counts(self, table: int, mark: int) -> Numbers:
        """Give the number of elements of each entry."""
        return self.marks[table][mark, : self.length(table)]

    def root(self, table: int) -> Numbers:
        """Give the row that each entry of a table belongs to."""
        if table not in self._roots:
            if table == 0:
                self._roots[0] = np.arange(self.length(0))
            else:
                of = self._tables[table]
                self._roots[table] = np.repeat(self.root(of.parent), self.counts(of.parent, of.count_mark))
        return self._roots[table]


def _doubled(old: npt.NDArray[Number]) -> npt.NDArray[Number]:
    new = np.empty((old.shape[0], 2 * old.shape[1]), dtype=old.dtype)
    new[:, : old.shape[1]] = old
    return new


def lists(values: pl.Series, counts: Numbers, kind: DataType) -> pl.Series:
    """Give lists of elements, by how many each has; one without elements is NULL."""
    owners = np.flatnonzero(counts)
    if not len(owners):
        return pl.Series([None], dtype=kind.polars).new_from_index(0, len(counts))
    parents = pl.Series("p", np.repeat(owners, counts[owners])).set_sorted()
    grouped = pl.DataFrame([parents, values.alias("v")]).group_by("p", maintain_order=True).agg("v")["v"]
    return grouped if len(owners) == len(counts) else grouped.gather(_places(counts))


def _places(counts: Numbers) -> pl.Series:
    """Give the number of each list among those that are not empty; NULL for one that is."""
    has = counts > 0
    places = pl.Series((np.cumsum(has) - 1).astype(np.uint32))
    return pl.select(pl.when(pl.Series(has)).then(places)).to_series()


def twice(keys: pl.Series, counts: Numbers) -> pl.Series:
    """Tell which entries of maps have a key that is there more than once."""
    parents = pl.Series("p", np.repeat(np.arange(len(counts)), counts))
    return pl.DataFrame([parents, keys.alias("key")]).is_duplicated()


def texts(words: Numbers, valid: Marks, kind: DataType) -> pl.Series:
    """Make a column of texts, or of bytes, from their addresses and sizes."""
    starts, sizes = words
    out = np.empty(total_size(sizes, valid), dtype=np.uint8)
    offsets = np.empty(len(valid) + 1, dtype=np.int64)
    gather(starts, sizes, valid, offsets, out)
    return bytes_column(offsets, out, valid) if kind.kind in BINARIES else text_column(offsets, out, valid)


def names(numbers: Numbers, valid: Marks, known: Mapping[int, str]) -> pl.Series:
    """Give the names of an enum's values; a number that has none as it is."""
    given = pl.Series(numbers)
    if not valid.all():
        given = given.set(pl.Series(valid == 0), None)
    return given.replace_strict(known, default=given.cast(pl.String), return_dtype=pl.String)
