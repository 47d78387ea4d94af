"""
Aggregates of the user among those of an operator: they may fail for a row, which then must count in none of them.

They go first. If one fails, all take back what they took of the batch, and try again without the rows that failed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.accumulators import Accumulator
from tailrace.engine.accumulators.user import UserAccumulator
from tailrace.engine.batch import Batch
from tailrace.engine.operator import Operator
from tailrace.engine.user_steps import rejecting
from tailrace.errors import Location
from tailrace.expressions.nodes import AggregateCall
from tailrace.state.kernels import I64

Failures = dict[int, tuple[str, Location | None]]


class Attempts:
    """The aggregates of the user among `calls`, whose accumulators are `accumulators`; without any it does nothing."""

    def __init__(self, calls: Sequence[AggregateCall], accumulators: Sequence[Accumulator]) -> None:
        pairs = zip(calls, accumulators, strict=True)
        self._own = [(call, acc) for call, acc in pairs if isinstance(acc, UserAccumulator)]

    def __bool__(self) -> bool:
        return bool(self._own)

    def folded(self, acc: Accumulator) -> bool:
        """Tell whether an accumulator has taken the rows that `passing` gave."""
        return any(own is acc for _, own in self._own)

    def passing(self, rows: Batch, slots: I64, operator: Operator, copies_of: I64 | None = None) -> I64:
        """
        Fold rows into their slots; give the places of those that did not fail. The operator rejects the others.

        Rows with the same number in `copies_of` are one row, which passes as a whole or not at all.
        """
        places = np.arange(len(rows), dtype=np.int64)
        if not self._own:
            return places
        numbers = places if copies_of is None else copies_of
        while failures := self._failures(rows[places] if len(places) < len(rows) else rows, slots[places]):
            for _, acc in self._own:
                acc.undo()
            self._reject(rows, {int(places[i]): told for i, told in failures.items()}, numbers, operator)
            gone = numbers[places[list(failures)]]
            places = places[~np.isin(numbers[places], gone)]
        return places

    def _failures(self, rows: Batch, slots: I64) -> Failures:
        found: Failures = {}
        for call, acc in self._own:
            use = None if call.filter is None else rows[call.filter].fill_null(value=False).to_numpy()
            assert call.arg is not None
            for place, reason in acc.attempt(slots, rows[call.arg], use):
                found.setdefault(place, (reason, call.location))
        return found

    @staticmethod
    def _reject(rows: Batch, failures: Failures, numbers: I64, operator: Operator) -> None:
        """Tell each row once, however many copies of it failed."""
        once: dict[int, int] = {}
        for place in failures:
            once.setdefault(int(numbers[place]), place)
        by_location: dict[Location | None, list[tuple[int, str]]] = {}
        for place in once.values():
            reason, location = failures[place]
            by_location.setdefault(location, []).append((place, reason))
        for location, told in by_location.items():
            rejecting(rows, told, operator, location)


def kept(rows: Batch, places: I64) -> Batch:
    """Give the rows at these places; the batch itself if those are all."""
    return rows if len(places) == len(rows) else rows[pl.Series(places)]
