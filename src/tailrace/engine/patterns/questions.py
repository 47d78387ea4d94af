"""Conditions that the kernel can't answer: Polars does, for all partial matches and rows that wait for an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.operator import Times
from tailrace.engine.patterns.values import MatchValues, with_row
from tailrace.engine.predicate import with_time
from tailrace.errors import Location, TerminalError
from tailrace.expressions.lower import lower, needs
from tailrace.expressions.nodes import Expr, columns
from tailrace.plan.nodes import PatternPart, PatternValue
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore

_VARIABLE, _ROW, _RECORD = 2, 3, 4


class _Condition:
    """The condition of one variable, with the values that it reads."""

    def __init__(
        self, condition: Expr, values: Sequence[PatternValue], variables: Sequence[str], timezone: str
    ) -> None:
        read = columns(condition)
        self._values = MatchValues([v for v in values if v.name in read], variables)
        self._lowered = lower(condition, timezone)
        self._needs = needs(condition)

    def holds(self, records: I64, rows: I64, store: RowStore, times: Times, location: Location | None) -> np.ndarray:
        """Tell for which partial matches, with the row taken already, it is true."""
        frame = with_time(pl.DataFrame(self._values.of(records, rows, store)), times, self._needs)
        for check in self._lowered.checks:
            if frame.select(check.mask.fill_null(value=False).any()).item():
                message = f"a condition of DEFINE can't be computed: {check.message}"
                raise TerminalError(message, location=check.location or location)
        value: np.ndarray = frame.select(self._lowered.value.fill_null(value=False)).to_series().to_numpy()
        return value


class Questions:
    """Answers what a walk asks."""

    def __init__(
        self, parts: Sequence[PatternPart], values: Sequence[PatternValue], asked: Sequence[int], timezone: str
    ) -> None:
        variables = [p.variable for p in parts]
        self._conditions = {
            place: _Condition(part.condition, values, variables, timezone)
            for place, part in enumerate(parts)
            if asked[place] >= 0 and part.condition is not None
        }

    def answers(self, questions: I64, store: RowStore, times: Times, location: Location | None) -> np.ndarray:
        """Give the answer to each question, in their order."""
        out = np.zeros(len(questions), dtype=np.bool_)
        for variable, condition in self._conditions.items():
            mine = np.flatnonzero(questions[:, _VARIABLE] == variable)
            rows = np.ascontiguousarray(questions[mine, _ROW])
            records = with_row(np.ascontiguousarray(questions[mine, _RECORD:]), rows, variable)
            out[mine] = condition.holds(records, rows, store, times, location)
        return out


def first_of_each_run(questions: I64, runs: int) -> I64:
    """Give where the questions of each run begin; -1 for a run that asks nothing."""
    first = np.full(runs, -1, dtype=np.int64)
    first[questions[::-1, 0]] = np.arange(len(questions))[::-1]
    return first
