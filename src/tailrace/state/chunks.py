"""Rows by number that only grow: appended as slots are made or rows come, and read by number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.state.columns import Column, column
from tailrace.state.kernels import I64


class RowLog:
    """
    Rows by number, appended in whole batches and gathered by number.

    >>> log = RowLog({"card": pl.String()})
    >>> log.append(pl.DataFrame({"card": ["a", "b"]}))
    >>> import numpy as np
    >>> log.gather(np.array([1, 0]))["card"].to_list()
    ['b', 'a']
    """

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self._schema = schema
        self._length = 0
        self._columns = self._empty()

    def _empty(self) -> dict[str, Column]:
        return {name: column(dtype) for name, dtype in self._schema.items()}

    def __len__(self) -> int:
        return self._length

    @property
    def nbytes(self) -> int:
        """The memory that it holds, about."""
        return sum(c.nbytes for c in self._columns.values())

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows; the first gets the next number."""
        for name, own in self._columns.items():
            own.append(rows[name])
        self._length += len(rows)

    def gather(self, numbers: I64, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Give the rows of these numbers, in this order; of all columns, or of these."""
        names = self._schema if columns is None else columns
        return pl.DataFrame([self._columns[name].take(numbers).alias(name) for name in names])

    def keep(self, numbers: I64) -> None:
        """Drop every row but these; they are numbered anew in this order."""
        kept = {name: own.take(numbers) for name, own in self._columns.items()}
        self._columns = self._empty()
        for name, own in self._columns.items():
            own.append(kept.pop(name))
        self._length = len(numbers)


class ChunkLog:
    """
    Rows by number as the batches that they came in, for rows that go about as they came.

    Nothing is copied, and a batch goes with its last row; only small batches are put together.

    >>> log = ChunkLog({"card": pl.String()})
    >>> log.append(pl.DataFrame({"card": ["a", "b"]}))
    >>> log.append(pl.DataFrame({"card": ["c"]}))
    >>> log.keep(np.array([1, 2]))
    >>> log.gather(np.array([1, 0]))["card"].to_list()
    ['c', 'b']
    """

    _LARGE = 65_536

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self._names = list(schema)
        self._empty = pl.DataFrame(schema=schema)
        self._chunks: list[pl.DataFrame] = []
        self._starts: I64 = np.zeros(1, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def nbytes(self) -> int:
        """The memory that it holds, about."""
        return sum(int(c.estimated_size()) for c in self._chunks)

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows; the first gets the next number."""
        if not len(rows):
            return
        self._chunks.append(rows.select(self._names))
        # chunks of about one size are merged, so that there are few and each row is copied a few times
        while len(self._chunks) > 1 and len(self._chunks[-2]) <= len(self._chunks[-1]) < self._LARGE:
            last = self._chunks.pop()
            self._chunks[-1] = pl.concat([self._chunks[-1], last], rechunk=True)
        self._number()

    def _number(self) -> None:
        self._starts = np.cumsum([0, *map(len, self._chunks)], dtype=np.int64)

    def gather(self, numbers: I64, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Give the rows of these numbers, in this order; of all columns, or of these."""
        names = self._names if columns is None else list(columns)
        if not len(numbers) or not names:
            return self._empty.select(names)
        order = None
        if (numbers[1:] < numbers[:-1]).any():
            order = np.argsort(numbers, kind="stable")
            numbers = numbers[order]
        rows = pl.concat(self._pieces(numbers, names), rechunk=True)
        if order is None:
            return rows
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return rows[place]

    def _pieces(self, numbers: I64, names: list[str]) -> list[pl.DataFrame]:
        """Give the rows of ascending numbers chunk by chunk; a whole chunk is given as it is."""
        bounds = np.searchsorted(numbers, self._starts)
        pieces = []
        for chunk, start, first, last in zip(self._chunks, self._starts, bounds, bounds[1:], strict=False):
            if first == last:
                continue
            own = chunk.select(names)
            own_numbers = numbers[first:last]
            run = own_numbers[-1] - own_numbers[0] + 1 == len(own_numbers) and (np.diff(own_numbers) == 1).all()
            pieces.append(own.slice(own_numbers[0] - start, last - first) if run else own[own_numbers - start])
        return pieces

    def keep(self, numbers: I64) -> None:
        """Drop every row but these, which are ascending; they are numbered anew in this order."""
        self._chunks = self._pieces(numbers, self._names) if len(numbers) else []
        self._number()
