"""The numbers that conditions read of rows: a cell for each expression that one row answers by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch
from tailrace.engine.decimals import to_pairs
from tailrace.engine.operator import Times
from tailrace.engine.predicate import with_time
from tailrace.expressions.lower import Check, Lowered, lower, needs
from tailrace.expressions.nodes import Expr, columns
from tailrace.schema import DataType
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves


@dataclass(frozen=True, slots=True)
class Cell:
    """An expression over the columns of a row; a `hashed` one can only be compared with others for being equal."""

    expr: Expr
    hashed: bool = False


class Cells:
    """Computes the cells of rows, as integers, each with a mark that it is not NULL; floating-point numbers by their bits."""

    def __init__(self, cells: Sequence[Cell], types: dict[str, DataType], timezone: str) -> None:
        self._cells = list(cells)
        self._lowered: list[Lowered] = [lower(c.expr, timezone) for c in cells]
        self._needs = {name for c in cells for name in needs(c.expr)}
        self._columns = {name: types[name].polars for c in cells for name in sorted(columns(c.expr))}

    @property
    def checks(self) -> list[Check]:
        """Find the rows for which an expression fails."""
        return [check for lowered in self._lowered for check in lowered.checks]

    @property
    def needs(self) -> set[str]:
        """The hidden columns of time that they read."""
        return self._needs

    def __len__(self) -> int:
        return len(self._cells)

    def of(self, rows: Batch, times: Times) -> I64:
        """Give the cells of rows, behind each whether it is not NULL."""
        out = np.zeros((len(rows), 2 * max(1, len(self._cells))), dtype=np.int64)
        if self._cells and len(rows):
            values = with_time(rows, times, self._needs).with_columns(
                [x.value.alias(f"$cell{i}") for i, x in enumerate(self._lowered)]
            )
            for i, cell in enumerate(self._cells):
                series = values[f"$cell{i}"]
                out[:, 2 * i] = _hashes(series) if cell.hashed else _bits(series)
                out[:, 2 * i + 1] = series.is_not_null().to_numpy()
        return out

    def of_nothing(self, times: Times) -> I64:
        """Give the cells of a row that is not there: all its columns are NULL."""
        return self.of(
            pl.DataFrame({name: [None] for name in self._columns} or {"$": [0]}, schema=self._columns or None), times
        )


def _hashes(values: pl.Series) -> np.ndarray:
    a, _ = key_halves(pl.DataFrame([values]))
    return np.ascontiguousarray(a).view(np.int64)


def _bits(values: pl.Series) -> np.ndarray:
    if values.dtype.is_float():
        return values.cast(pl.Float64).fill_null(0.0).to_numpy().view(np.int64)
    if values.dtype.is_decimal():
        return np.where(values.is_null().to_numpy(), 0, to_pairs(values)[:, 0].view(np.int64))
    return values.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
