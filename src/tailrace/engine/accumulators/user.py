"""Aggregates of the user: a Python accumulator for each slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Columns, Mask
from tailrace.expressions.nodes import AggregateCall, UserAggregateCall
from tailrace.state.kernels import I64
from tailrace.user_functions.aggregating import Aggregator
from tailrace.user_functions.running import Argument


class UserAccumulator(Accumulator):
    """Hands each group's rows of a batch to the user's aggregate at once; what it keeps is written as MessagePack."""

    def __init__(self, call: AggregateCall, user: UserAggregateCall) -> None:
        known = [Argument(t, spared) for t, spared in zip(user.types, user.spared, strict=True)]
        self._aggregator = Aggregator(user.function.declaration, known, call.type, call.location)
        self._spared = user.spared
        self._states: list[Any] = []

    def reserve(self, size: int) -> None:
        self.size = size
        self._states += [None] * (size - len(self._states))

    def add(self, slots: I64, values: pl.Series | None, use: Mask | None, sign: int = 1) -> None:
        assert values is not None
        arguments = values.struct.unnest().get_columns() if len(self._spared) > 1 else [values]
        taken = self._taken(arguments, use)
        if taken is not None:
            slots, arguments = slots[taken], [a.filter(pl.Series(taken)) for a in arguments]
        if not len(slots):
            return
        order = np.argsort(slots, kind="stable")
        ordered = slots[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        columns = [a.gather(order) for a in arguments]
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(ordered)], strict=True):
            slot = int(ordered[start])
            rows = [c[start:stop] for c in columns]
            self._states[slot] = self._aggregator.changed(self._state(slot), rows, stop - start, sign)

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
        for target, found in others.items():
            self._states[target] = self._aggregator.merged(self._state(target), found)

    def result(self, slots: I64) -> pl.Series:
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
