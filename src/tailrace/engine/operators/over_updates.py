"""OVER by columns that are no time, or over rows that are taken back: results are put right as rows come and go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine import keyed_rows
from tailrace.engine.accumulators import accumulator
from tailrace.engine.batch import KIND, Batch, RowKind
from tailrace.engine.changes import REMOVED, of_kind
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.operator import Operator, Times
from tailrace.engine.over_frames import framed, running
from tailrace.engine.ranked_rows import Identity
from tailrace.engine.sort_codes import sort_codes
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.nodes import OverUpdates
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64
from tailrace.state.row_queues import RowQueues
from tailrace.state.row_store import RowStore

NUMBERING = ("ROW_NUMBER", "RANK", "DENSE_RANK")


@dataclass(frozen=True, slots=True)
class _Results:
    """The rows of some partitions by their numbers, ascending, with their results."""

    rows: I64
    values: pl.DataFrame


class OverUpdatesOperator(Operator):
    """
    Keeps all rows by partition, and computes a partition anew when a batch touches it.

    Rows that are equal in their order stand as they came. `identity` tells how rows that are taken back are known (None:
    none ever is). With a time to live, partitions that were not touched for so long are forgotten, silently.
    """

    def __init__(self, node: OverUpdates, identity: Identity | None, ttl: int = 0) -> None:
        self._node = node
        schema = node.input.schema.polars
        self._names = list(schema)
        self._slots = KeyedSlots({name: schema[name] for name in node.partition}, ttl)
        self._store = RowStore(schema)
        self._queues = None if identity is None else RowQueues(identity.columns, unique=identity.unique)

    @property
    def state_rows(self) -> int:
        return len(self._store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        removed = batch[KIND].is_in(REMOVED).to_numpy() if KIND in batch.columns else np.zeros(len(batch), np.bool_)
        rows = batch.select(self._names)
        slots = self._slots.find(rows)
        self._store.reserve(len(rows), self._slots.used)
        touched = self._slots.touch(slots, times.now)
        before = self._results(touched)
        self._change(rows, slots, removed)
        after = self._results(touched)
        self._slots.live[touched] = self._store.sizes(touched) > 0
        return self._changes(before, after)

    def _change(self, rows: Batch, slots: I64, removed: np.ndarray) -> None:
        gone = np.empty(0, dtype=np.int64)
        if self._queues is not None:
            gone = self._queues.change(rows, slots, removed, self._store.used)
        came = ~removed
        self._store.append(rows.filter(pl.Series(came)), slots[came], 0)
        self._store.drop(gone)

    def _results(self, slots: I64) -> _Results:
        """Compute the results of all rows of these partitions."""
        at, numbers = self._store.pairs(slots)
        if not len(numbers):
            return _Results(numbers, self._named([pl.Series([], dtype=pl.Null) for _ in self._node.calls]))
        columns = {c for c in self._columns() if c is not None}
        rows = self._store.gather(numbers, columns)
        codes = sort_codes(rows, self._node.order)
        order = np.lexsort((numbers, *codes.T[::-1], at))
        at, numbers, rows, codes = at[order], numbers[order], rows[order], codes[order]
        steps = _steps(at, codes)
        values = [self._computed(c, rows, at, steps) for c in self._node.calls]
        back = np.argsort(numbers)
        return _Results(numbers[back], self._named(values)[back])

    def _columns(self) -> Iterable[str | None]:
        yield from (k.column for k in self._node.order)
        for call in self._node.calls:
            yield from (call.arg, call.filter)

    def _named(self, values: list[pl.Series]) -> pl.DataFrame:
        fields = self._node.schema.fields[len(self._names) :]
        return pl.DataFrame([v.cast(f.type.polars).alias(f.name) for v, f in zip(values, fields, strict=True)])

    def _computed(self, call: AggregateCall, rows: pl.DataFrame, at: I64, steps: I64) -> pl.Series:
        """Give the results of a call for rows in the order of their partitions."""
        if call.function in NUMBERING:
            return pl.Series(_places(call.function, at, steps))
        frame = self._node.frame
        if frame.preceding is not None:
            return framed(call, frame, rows, at, steps, np.arange(len(rows)))
        acc = accumulator(call)
        acc.reserve(int(at.max(initial=-1)) + 1)
        return running(acc, call, rows, at, steps, by_row=frame.rows)

    def _changes(self, before: _Results, after: _Results) -> list[Batch]:
        """Put out what differs: rows that are gone or new, and rows with other results."""
        stays_before = np.isin(before.rows, after.rows, assume_unique=True)
        stays_after = np.isin(after.rows, before.rows, assume_unique=True)
        old, new = before.values.filter(pl.Series(stays_before)), after.values.filter(pl.Series(stays_after))
        same = pl.select(pl.all_horizontal([old[c].eq_missing(new[c]) for c in old.columns])).to_series()
        other = np.zeros(0, np.bool_) if not len(old) else ~same.to_numpy()
        changed_before, changed_after = np.flatnonzero(stays_before)[other], np.flatnonzero(stays_after)[other]
        out = [
            self._frame(before, np.flatnonzero(~stays_before), RowKind.DELETE),
            self._frame(before, changed_before, RowKind.UPDATE_BEFORE),
            self._frame(after, changed_after, RowKind.UPDATE_AFTER),
            self._frame(after, np.flatnonzero(~stays_after), RowKind.INSERT),
        ]
        out = [b for b in out if len(b)]
        return [pl.concat(out)] if out else []

    def _frame(self, of: _Results, chosen: I64, kind: RowKind) -> Batch:
        rows = self._store.gather(of.rows[chosen])
        return of_kind(rows.hstack(of.values[chosen].get_columns()), kind)

    def _forget(self, slots: I64) -> None:
        if not len(slots):
            return
        _, rows = self._store.pairs(slots)
        if self._queues is not None:
            self._queues.forget(rows)
        self._store.drop(rows)
        self._slots.drop(slots)

    def advance(self, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        crowded = self._queues is not None and self._queues.crowded(len(self._store))
        if self._slots.worth_compacting or self._store.worth_compacting or crowded:
            self._rebuild(self._store.compact(self._slots.renumbered()))
        return []

    def _rebuild(self, slots: I64) -> None:
        self._store.reserve(0, self._slots.used)
        if self._queues is not None:
            self._queues.rebuild(self._store.gather(np.arange(self._store.used), self._queues.columns), slots)

    def snapshot(self) -> StateDelta:
        return keyed_rows.snapshot(self._slots, self._store)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        if (found := keyed_rows.restored(self._slots, deltas)) is not None:
            self._store.load(*found)
            self._rebuild(found[1])


def _steps(at: I64, codes: I64) -> I64:
    """
    Number rows that are equal in their order alike, ascending.

    >>> _steps(np.array([0, 0, 0, 1]), np.array([[1], [1], [2], [2]])).tolist()
    [0, 0, 1, 2]
    """
    if not len(at):
        return at
    other = (at[1:] != at[:-1]) | (codes[1:] != codes[:-1]).any(axis=1)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(other)])


def _places(function: str, at: I64, steps: I64) -> I64:
    """
    Give the place of each row in its partition.

    >>> at, steps = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2])
    >>> _places("RANK", at, steps).tolist(), _places("DENSE_RANK", at, steps).tolist()
    ([1, 1, 3, 1], [1, 1, 2, 1])
    """
    first = np.searchsorted(at, at)
    if function == "ROW_NUMBER":
        return np.arange(len(at)) - first + 1
    if function == "RANK":
        return np.searchsorted(steps, steps) - first + 1
    return steps - steps[first] + 1
