"""Aggregates of the user: a Python accumulator for each slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns, Mask
from tailrace.engine.operator import AT_WORK
from tailrace.expressions.nodes import AggregateCall, UserAggregateCall
from tailrace.state.kernels import I64
from tailrace.user_functions.aggregating import Aggregator
from tailrace.user_functions.awaiting import Failed
from tailrace.user_functions.running import Argument

T = TypeVar("T")


class UserAccumulator(Accumulator):
    """Hands each group's rows of a batch to the user's aggregate at once; what it keeps is written as MessagePack."""

    def __init__(self, call: AggregateCall, user: UserAggregateCall) -> None:
        known = [Argument(t, spared) for t, spared in zip(user.types, user.spared, strict=True)]
        self._aggregator = Aggregator(user.function.declaration, known, call.type, call.location)
        self._name = user.function.declaration.__name__
        self._spared = user.spared
        self._states: list[Any] = []
        self._before: list[tuple[int, bytes | None]] = []

    def reserve(self, size: int) -> None:
        self.size = size
        self._states += [None] * (size - len(self._states))

    def _called(self, rows: int, work: Callable[[], T]) -> T:
        """Do what a batch asks of the aggregate, and count it for the operator that asks (none while a checkpoint is taken up)."""
        operator = AT_WORK.get()
        if operator is None:
            return self._aggregator.within_time(work)
        with operator.calling(self._name, rows) as used:
            found = self._aggregator.within_time(work)
            used.failed += len(found) if isinstance(found, list) else 0
            return found

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        self._called(len(slots), lambda: self._add(slots, values, use, sign))

    def _add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int) -> None:
        for slot, rows, places in self._groups(slots, values, use):
            self._states[slot] = self._aggregator.changed(self._state(slot), rows, len(places), sign)

    def attempt(self, slots: I64, values: pl.Series, use: Mask | None) -> Failed:
        """Add rows, but for those that fail; give the places of these, with reasons."""
        return self._called(len(slots), lambda: self._attempt(slots, values, use))

    def _attempt(self, slots: I64, values: pl.Series, use: Mask | None) -> Failed:
        self._before = []
        failed: Failed = []
        for slot, rows, places in self._groups(slots, values, use):
            known = self._states[slot] is not None
            state = self._state(slot)
            packed = self._aggregator.packed(state)
            self._before.append((slot, packed if known else None))
            self._states[slot], wrong = self._aggregator.tried(state, packed, rows, len(places))
            failed += [(int(places[i]), reason) for i, reason in wrong]
        return failed

    def undo(self) -> None:
        """Take back what the last attempt did."""
        for slot, packed in self._before:
            self._states[slot] = None if packed is None else self._aggregator.unpacked(packed)
        self._before = []

    def _groups(
        self, slots: I64, values: pl.Series | None, use: Mask | None
    ) -> Iterator[tuple[int, list[pl.Series], I64]]:
        """Give the rows of each slot that count, in the order they came, with their places."""
        assert values is not None
        arguments = values.struct.unnest().get_columns() if len(self._spared) > 1 else [values]
        taken = self._taken(arguments, use)
        places = np.arange(len(slots), dtype=np.int64) if taken is None else np.flatnonzero(taken)
        if not len(places):
            return
        order = places[np.argsort(slots[places], kind="stable")]
        ordered = slots[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        columns = [a.gather(order) for a in arguments]
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(ordered)], strict=True):
            yield int(ordered[start]), [c[start:stop] for c in columns], order[start:stop]

    def _taken(self, arguments: Sequence[pl.Series], use: Mask | None) -> Mask | None:
        taken = use
        for argument, spared in zip(arguments, self._spared, strict=True):
            if spared and argument.null_count():
                there = argument.is_not_null().to_numpy()
                taken = there if taken is None else taken & there
        return taken

    def _state(self, slot: int) -> Any:
        state = self._states[slot]
        return self._aggregator.created() if state is None else state

    def merge(self, into: I64, slots: I64) -> None:
        others: dict[int, list[Any]] = {}
        for target, slot in zip(into.tolist(), slots.tolist(), strict=True):
            if self._states[slot] is not None:
                others.setdefault(target, []).append(self._states[slot])
        self._called(0, lambda: self._merge(others))

    def _merge(self, others: dict[int, list[Any]]) -> None:
        for target, found in others.items():
            self._states[target] = self._aggregator.merged(self._state(target), found)

    def result(self, slots: I64) -> pl.Series:
        return self._called(0, lambda: self._result(slots))

    def _result(self, slots: I64) -> pl.Series:
        return self._aggregator.results([self._state(slot) for slot in slots.tolist()])

    def columns(self, slots: I64) -> Columns:
        states = (self._states[slot] for slot in slots.tolist())
        return {
            "state": pl.Series([None if s is None else self._aggregator.packed(s) for s in states], dtype=pl.Binary)
        }

    def load(self, slots: I64, columns: Columns) -> None:
        for slot, packed in zip(slots.tolist(), columns["state"].to_list(), strict=True):
            self._states[slot] = None if packed is None else self._aggregator.unpacked(packed)

    def reset(self, slots: I64) -> None:
        for slot in slots.tolist():
            self._states[slot] = None

    def keep(self, slots: I64) -> None:
        self._states = [self._states[slot] for slot in slots.tolist()]
        self.size = len(slots)
