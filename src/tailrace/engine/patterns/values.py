"""What matches give: columns of their rows, and aggregates over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from tailrace.engine.accumulators import accumulator
from tailrace.engine.kernels import patterns as kernels
from tailrace.engine.kernels.pattern_conditions import ANY, PER_VARIABLE, START, TOTAL, VARIABLES
from tailrace.engine.over_frames import fold
from tailrace.plan.nodes import PatternAggregate, PatternValue, RowReference
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore


class MatchValues:
    """Gives the values of matches: of each its record, and the row that it ends with."""

    def __init__(self, values: Iterable[PatternValue], variables: Sequence[str]) -> None:
        self._values = list(values)
        self._variables = list(variables)

    def of(self, records: I64, ends: I64, store: RowStore) -> list[pl.Series]:
        """Give a column for each value, with its name."""
        found = []
        for value in self._values:
            variable = ANY if value.variable is None else self._variables.index(value.variable)
            if isinstance(value, RowReference):
                series = self._referred(value, variable, records, ends, store)
            else:
                series = self._aggregated(value, variable, records, ends, store)
            found.append(series.alias(value.name))
        return found

    def _referred(self, value: RowReference, variable: int, records: I64, ends: I64, store: RowStore) -> pl.Series:
        rows = np.empty(len(records), dtype=np.int64)
        last = int(not value.first)
        kernels.locate_all(records, ends, variable, last, value.offset, store.older, store.newer, rows)
        there = rows >= 0
        series = store.gather(np.where(there, rows, ends), [value.column]).to_series()
        if there.all():
            return series
        nothing = pl.Series([None], dtype=series.dtype).new_from_index(0, len(series))
        return series.zip_with(pl.Series(there), nothing)

    def _aggregated(
        self, value: PatternAggregate, variable: int, records: I64, ends: I64, store: RowStore
    ) -> pl.Series:
        column = TOTAL if variable == ANY else VARIABLES + PER_VARIABLE * variable + 2
        pairs = int(records[:, column].sum())
        match, rows = np.empty(pairs, dtype=np.int64), np.empty(pairs, dtype=np.int64)
        kernels.members(records, ends, variable, store.older, match, rows)
        made = accumulator(value.call)
        made.reserve(len(records))
        arg = value.call.arg
        frame = store.gather(rows, [arg]) if arg is not None else pl.DataFrame()
        fold(made, value.call, frame, match)
        return made.result(np.arange(len(records)))


def with_row(records: I64, rows: I64, variable: int) -> I64:
    """Give partial matches as they are when each has taken a row of a variable."""
    out = records.copy()
    at = VARIABLES + PER_VARIABLE * variable
    out[:, at] = np.where(out[:, at + 2] == 0, rows, out[:, at])
    out[:, at + 1] = rows
    out[:, at + 2] += 1
    out[:, TOTAL] += 1
    out[:, START] = np.where(out[:, START] < 0, rows, out[:, START])
    return out


def last_rows(records: I64, variables: int) -> I64:
    """Give the row that each match ends with."""
    columns = [VARIABLES + PER_VARIABLE * v + 1 for v in range(variables)]
    ends: I64 = records[:, columns].max(axis=1)
    return ends
