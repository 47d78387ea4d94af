"""GROUP BY without a window: one row a key, put out again whenever it changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.accumulators import accumulator
from tailrace.engine.accumulators.chains import SLOT, ChainedAccumulator, last_values
from tailrace.engine.attempts import Attempts, kept
from tailrace.engine.batch import KIND, Batch, RowKind
from tailrace.engine.changes import REMOVED, of_kind, split
from tailrace.engine.kernels import accumulate as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.operator import Operator, Times
from tailrace.plan.nodes import Aggregate
from tailrace.state.delta import StateDelta
from tailrace.state.index import grown
from tailrace.state.kernels import I64

_COUNT = "$count"
_SLOT = "$slot"


class GroupAggregateOperator(Operator):
    """
    Keeps the accumulators of each key; a batch changes each key's row at most once.

    A key whose rows have all been taken back is deleted. With a time to live, keys that were not touched for so long are
    forgotten, silently, as in Flink; a row that does not change is then put out all the same, to keep it alive downstream.
    """

    def __init__(self, node: Aggregate, *, retract: bool, ttl: int = 0) -> None:
        self._node = node
        self._slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.keys}, ttl)
        self._accumulators = [accumulator(c, retract=retract) for c in node.aggregates]
        # a row that failed can't be taken back later: only where none is, the others may go on without it
        self._attempts = Attempts((), ()) if retract else Attempts(node.aggregates, self._accumulators)
        self._counts = np.zeros(1024, dtype=np.int64)

    @property
    def state_rows(self) -> int:
        return len(self._slots)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        batch, slots = self._known(batch, self._find(batch))
        added, removed = split(batch)
        touched = self._slots.touch(slots, times.now)
        before = self._slots.live[touched]
        old = self._result(touched[before])
        places = self._attempts.passing(added, slots[: len(added)], self)
        self._fold(kept(added, places), slots[places], 1)
        if len(removed):
            self._fold(removed, slots[len(added) :], -1)
        return self._changes(touched, before, old)

    def _known(self, batch: Batch, slots: I64) -> tuple[Batch, I64]:
        """
        Leave out rows that are taken back where their key has none, in the order in which they came, as Flink does.

        Gives the slots of the rows that are added, then of those that are taken back.
        """
        if KIND not in batch.columns:
            return batch, slots
        removed = batch[KIND].is_in(REMOVED).to_numpy()
        if not removed.any():
            return batch, slots
        known = np.empty(len(batch), dtype=np.bool_)
        kernels.find_known(slots, removed, self._counts, np.empty(self._slots.used, np.int64), known)
        slots = np.concatenate([slots[known & ~removed], slots[known & removed]])
        return (batch if known.all() else batch.filter(pl.Series(known))), slots

    def _find(self, rows: Batch) -> I64:
        slots = self._slots.find(rows)
        self._counts = grown(self._counts, self._slots.used)
        for acc in self._accumulators:
            acc.reserve(self._slots.used)
        return slots

    def _fold(self, rows: Batch, slots: I64, sign: int) -> None:
        kernels.count_all(slots, sign, self._counts)
        for call, acc in zip(self._node.aggregates, self._accumulators, strict=True):
            if self._attempts.folded(acc):
                continue
            use = None if call.filter is None else rows[call.filter].fill_null(value=False).to_numpy()
            acc.add(slots, rows[call.arg] if call.arg is not None else None, use, sign)

    def _result(self, slots: I64) -> Batch:
        """Give the rows of these slots as the schema names them."""
        fields = self._node.schema.fields
        keys = self._slots.rows(slots)
        given = [keys[k] for k in self._node.keys] + [a.result(slots) for a in self._accumulators]
        return pl.DataFrame([s.cast(f.type.polars).alias(f.name) for s, f in zip(given, fields, strict=True)])

    def _changes(self, touched: I64, before: np.ndarray, old: Batch) -> list[Batch]:
        after = self._counts[touched] > 0
        self._slots.live[touched] = after
        gone = touched[before & ~after]
        out = [of_kind(old.filter(pl.Series(~after[before])), RowKind.DELETE)] if len(gone) else []
        self._forget(touched[~after])
        stays = before & after
        if stays.any():
            out += self._updates(old.filter(pl.Series(after[before])), self._result(touched[stays]))
        fresh = touched[after & ~before]
        if len(fresh):
            out.append(of_kind(self._result(fresh), RowKind.INSERT))
        return out

    def _updates(self, old: Batch, new: Batch) -> list[Batch]:
        if not self._slots.ttl:
            values = new.columns[len(self._node.keys) :]
            same = [old[c].eq_missing(new[c]) for c in values]
            changed = (
                ~pl.select(pl.all_horizontal(same)).to_series() if same else pl.repeat(False, len(new), eager=True)
            )
            old, new = old.filter(changed), new.filter(changed)
        if not len(new):
            return []
        return [of_kind(old, RowKind.UPDATE_BEFORE), of_kind(new, RowKind.UPDATE_AFTER)]

    def _forget(self, slots: I64) -> None:
        """Drop slots, and their numbers once there are many."""
        if not len(slots):
            return
        self._slots.drop(slots)
        self._counts[slots] = 0
        for acc in self._accumulators:
            acc.reset(slots)

    def advance(self, times: Times) -> list[Batch]:
        self._forget(self._slots.expired(times.now))
        if self._slots.worth_compacting:
            kept = self._slots.compact()
            self._counts = grown(self._counts[kept], 1024)
            for acc in self._accumulators:
                acc.keep(kept)
        return []

    def snapshot(self) -> StateDelta:
        chained = [acc for acc in self._accumulators if isinstance(acc, ChainedAccumulator)]
        base, slots = self._slots.changed(base=any(acc.wants_base for acc in chained))
        frames: dict[str, pl.DataFrame] = {}
        state = [pl.Series(_SLOT, slots), pl.Series(_COUNT, self._counts[slots])]
        for i, acc in enumerate(self._accumulators):
            if not isinstance(acc, ChainedAccumulator):
                state += [series.alias(f"${i}.{name}") for name, series in acc.columns(slots).items()]
            elif len(values := acc.changes(base=base)):
                frames[f"values-{i}"] = values
        if len(slots):
            frames["groups"] = self._slots.columns(slots).with_columns(state)
        return StateDelta(base, frames)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        deltas = list(deltas)
        numbers = np.zeros(0, dtype=np.int64)
        for frame in (d.frames["groups"] for d in deltas if "groups" in d.frames):
            self._find(frame)
            slots = self._slots.load(frame)
            written = frame[_SLOT].to_numpy()
            numbers = grown(numbers, int(written.max()) + 1)
            numbers[written] = slots
            self._load(slots, frame)
        for i, acc in enumerate(self._accumulators):
            values = last_values([d.frames[f"values-{i}"] for d in deltas if f"values-{i}" in d.frames])
            if len(values) and isinstance(acc, ChainedAccumulator):
                acc.take_up(numbers[values[SLOT].to_numpy()], values)

    def _load(self, slots: I64, frame: pl.DataFrame) -> None:
        self._counts[slots] = frame[_COUNT].to_numpy()
        for i, acc in enumerate(self._accumulators):
            prefix = f"${i}."
            own = {n.removeprefix(prefix): frame[n] for n in frame.columns if n.startswith(prefix)}
            if own:
                acc.load(slots, own)
