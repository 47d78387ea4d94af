"""Changelog normalize: from rows that say what stands at a key to changes with the row before them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine import keyed_rows
from tailrace.engine.batch import HIDDEN, KIND, Batch, RowKind
from tailrace.engine.kernels import stands as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Normalize
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore

_LEAST = 1024


class NormalizeOperator(Operator):
    """
    Keeps the row of each key. Changes are put out in the order of the rows that make them, none is left out.

    What a row was before an update is not read, as in Flink: a source that sends changes twice may send it twice too.

    With a time to live, keys that were not touched for so long are forgotten, silently, as in Flink; a row that is the same as
    the one before it is then put out all the same, to keep it alive downstream.
    """

    def __init__(self, node: Normalize, ttl: int = 0) -> None:
        self._names = list(node.schema.names)
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.keys}, ttl)
        self._store = RowStore(node.schema.polars)
        self._row_of = np.full(_LEAST, -1, dtype=np.int64)

    @property
    def state_rows(self) -> int:
        return len(self._store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        if KIND in batch.columns:
            batch = batch.filter(pl.col(KIND) != RowKind.UPDATE_BEFORE)
        slots = self._slots.find(batch)
        self._reserve(len(batch))
        deletes = batch[KIND] == RowKind.DELETE if KIND in batch.columns else pl.repeat(False, len(batch), eager=True)
        removed = deletes.to_numpy()
        numbers = self._store.used + np.cumsum(~removed) - 1
        came = ~removed
        self._store.append(batch.select(self._names).filter(pl.Series(came)), slots[came], times.now)
        before = np.empty(len(batch), dtype=np.int64)
        kernels.replace_rows(slots, removed, numbers, self._row_of, before)
        out = self._changes(batch, removed, numbers, before)
        self._store.drop(before[before >= 0])
        touched = self._slots.touch(slots, times.now)
        self._slots.live[touched] = self._row_of[touched] >= 0
        return out

    def _reserve(self, rows: int) -> None:
        self._row_of = grown(self._row_of, self._slots.used, -1)
        self._store.reserve(rows, self._slots.used)

    def _changes(self, batch: Batch, removed: np.ndarray, numbers: I64, before: I64) -> list[Batch]:
        """Put out what each row of a batch does; `before` has the row that stood at its key."""
        known = before >= 0
        replaces = known & ~removed
        if not self._slots.ttl:
            replaces[replaces] = ~self._same(before[replaces], numbers[replaces])
        counts = np.where(removed, known, np.where(known, 2 * replaces, 1)).astype(np.int64)
        of = np.repeat(np.arange(len(batch)), counts)
        if not len(of):
            return []
        second = np.append(False, of[1:] == of[:-1])
        goes = known[of] & ~second
        kinds = np.select(
            [removed[of], ~known[of], second],
            [int(RowKind.DELETE), int(RowKind.INSERT), int(RowKind.UPDATE_AFTER)],
            int(RowKind.UPDATE_BEFORE),
        ).astype(np.int8)
        rows = self._store.gather(np.where(goes, before[of], numbers[of]))
        hidden = [batch[name].gather(of) for name in HIDDEN if name in batch.columns and name != KIND]
        return [rows.with_columns([pl.Series(KIND, kinds), *hidden])]

    def _same(self, before: I64, after: I64) -> np.ndarray:
        """Tell which of two rows each are equal."""
        old, new = self._store.gather(before), self._store.gather(after)
        same = [old[name].eq_missing(new[name]) for name in self._names]
        return pl.select(pl.all_horizontal(same)).to_series().to_numpy() if len(before) else np.zeros(0, np.bool_)

    def _forget(self, slots: I64) -> None:
        if len(slots):
            self._store.drop(self._row_of[slots])
            self._row_of[slots] = -1
            self._slots.drop(slots)

    def advance(self, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        if self._slots.worth_compacting or self._store.worth_compacting:
            self._compact()
        return []

    def _compact(self) -> None:
        self._link(self._store.compact(self._slots.renumbered()))

    def _link(self, slots: I64) -> None:
        """Know the rows of a store without dropped ones, which are of these slots."""
        self._store.reserve(0, self._slots.used)
        self._row_of = np.full(max(_LEAST, self._slots.used), -1, dtype=np.int64)
        self._row_of[slots] = np.arange(len(slots))

    def snapshot(self) -> StateDelta:
        return keyed_rows.snapshot(self._slots, self._store)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        if (found := keyed_rows.restored(self._slots, deltas)) is not None:
            self._store.load(*found)
            self._link(found[1])
