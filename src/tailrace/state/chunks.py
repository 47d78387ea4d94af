"""Columns by slot that only grow: rows are appended as slots are made, and gathered by slot number."""

from __future__ import annotations

import polars as pl

from tailrace.state.kernels import I64

_MANY = 64


class RowLog:
    """
    Rows by number, appended in whole chunks and gathered by number.

    >>> log = RowLog({"card": pl.String()})
    >>> log.append(pl.DataFrame({"card": ["a", "b"]}))
    >>> import numpy as np
    >>> log.gather(np.array([1, 0]))["card"].to_list()
    ['b', 'a']
    """

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self._chunks = [pl.DataFrame(schema=schema)]
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def nbytes(self) -> int:
        """The memory that it holds, about."""
        return sum(int(c.estimated_size()) for c in self._chunks)

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows; the first gets the next number."""
        if len(rows):
            self._chunks.append(rows)
            self._length += len(rows)
        if len(self._chunks) > _MANY:
            self._frame()

    def gather(self, numbers: I64) -> pl.DataFrame:
        """Give the rows of these numbers, in this order."""
        return self._frame()[numbers]

    def keep(self, numbers: I64) -> None:
        """Drop every row but these; they are numbered anew in this order."""
        self._chunks = [self.gather(numbers)]
        self._length = len(numbers)

    def _frame(self) -> pl.DataFrame:
        if len(self._chunks) > 1:
            self._chunks = [pl.concat(self._chunks, rechunk=True)]
        return self._chunks[0]
