"""Rows by number that only grow: appended as slots are made or rows come, and read by number."""

from __future__ import annotations

from collections.abc import Iterable

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
