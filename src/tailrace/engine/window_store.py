"""
The state of a window aggregate: one slot for each key and slice, with its accumulators.

Slots are only added; those of closed slices are forgotten in bulk once they outnumber the live ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.accumulators import Accumulator, accumulator
from tailrace.engine.accumulators.folding import fold, removed_in
from tailrace.engine.attempts import Attempts, kept
from tailrace.engine.batch import MIN_WATERMARK, Batch
from tailrace.engine.open_windows import counted
from tailrace.engine.operator import Operator
from tailrace.expressions.nodes import AggregateCall
from tailrace.state.chunks import RowLog
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves, with_number

END = "$end"
_FEW = 65_536


class WindowStore:
    """
    Accumulators by (key, end), where an end is that of a slice or of a window.

    With `retract` rows can be taken back; a slot may then have rows no more.
    """

    def __init__(
        self,
        keys: Sequence[str],
        key_schema: dict[str, pl.DataType],
        calls: Sequence[AggregateCall],
        *,
        retract: bool = False,
    ) -> None:
        self._keys = list(keys)
        self._schema = key_schema
        self.calls = tuple(calls)
        self.accumulators: list[Accumulator] = [accumulator(c, retract=retract) for c in calls]
        # a row that failed can't be taken back later: only where none is, the others may go on without it
        self._attempts = Attempts((), ()) if retract else Attempts(self.calls, self.accumulators)
        self._index = KeyIndex()
        self._rows = RowLog(key_schema)
        self._ends = np.zeros(1024, dtype=np.int64)
        self._dirty = np.zeros(1024, dtype=np.bool_)
        self._closed = MIN_WATERMARK
        self._first_live = 0
        self._dead = 0
        self._written = 0
        self._has_base = False

    def __len__(self) -> int:
        """The slots of open slices."""
        # another thread may ask while they are compacted, when neither number is true
        return max(0, len(self._index) - self._dead)

    def add(self, batch: Batch, ends: I64, operator: Operator, copies_of: I64 | None = None) -> None:
        """
        Fold rows into the slots of their keys and ends; the operator rejects those for which an aggregate fails.

        Rows with the same number in `copies_of` are one row, in several windows. Rows that are taken back go after all others.
        """
        removed = removed_in(batch)
        if removed is None:
            self._add(batch, ends, operator, copies_of)
            return
        copies = None if copies_of is None else copies_of[~removed]
        self._add(batch.filter(pl.Series(~removed)), ends[~removed], operator, copies)
        rows = batch.filter(pl.Series(removed))
        slots = self._slots(rows.select(self._keys), ends[removed])
        fold(self.calls, self.accumulators, rows, slots, -1)
        self._dirty[slots] = True

    def _add(self, batch: Batch, ends: I64, operator: Operator, copies_of: I64 | None) -> None:
        before = len(self._index)
        slots = self._slots(batch.select(self._keys), ends)
        places = self._attempts.passing(batch, slots, operator, copies_of)
        if len(places) < len(batch):
            fresh = np.setdiff1d(slots[slots >= before], slots[places])
            self._ends[fresh] = MIN_WATERMARK  # no row is in them
            batch, slots = kept(batch, places), slots[places]
        if self._attempts:
            self._give_ends(slots, ends[places])
        for call, acc in zip(self.calls, self.accumulators, strict=True):
            if self._attempts.folded(acc):
                continue
            use = None
            if call.filter is not None:
                use = batch[call.filter].fill_null(value=False).to_numpy()
            acc.add(slots, batch[call.arg] if call.arg is not None else None, use)
        self._dirty[slots] = True

    def _give_ends(self, slots: I64, ends: I64) -> None:
        """Let slots that were left without a row have their ends again, and be live, as they have one now."""
        without = slots[self._ends[slots] == MIN_WATERMARK]
        self._ends[slots] = ends
        if len(without):
            self._first_live = min(self._first_live, int(without.min()))
            self._dead = len(self._index) - len(self._live())

    def _slots(self, keys: pl.DataFrame, ends: I64) -> I64:
        a, b = key_halves(keys) if self._keys else (zeros := np.zeros(len(ends), dtype=np.uint64), zeros)
        slots, fresh = self._index.slots(np.ascontiguousarray(a), with_number(b, ends))
        if len(fresh):
            used = len(self._index)
            self._ends, self._dirty = grown(self._ends, used), grown(self._dirty, used)
            self._ends[used - len(fresh) : used] = ends[fresh]
            if self._keys:
                self._rows.append(keys[fresh])
            for acc in self.accumulators:
                acc.reserve(used)
        return slots

    def ordered(self) -> tuple[I64, I64]:
        """Give the live slots by their ends, those of one end as they were made; and the ends."""
        slots = self._live()
        ends = self._ends[slots]
        order = np.argsort(ends, kind="stable")
        return slots[order], ends[order]

    def _live(self) -> I64:
        used = len(self._index)
        return np.flatnonzero(self._ends[self._first_live : used] > self._closed) + self._first_live

    def open_ends(self) -> tuple[I64, I64]:
        """Give the different ends that have live slots, ascending, and how many each has."""
        return counted(self._ends[self._live()])

    def least_end(self) -> int | None:
        """Give the least end that has live slots; None without any."""
        slots = self._live()
        return int(self._ends[slots].min()) if len(slots) else None

    def emit(self, slots: I64) -> Batch:
        """Give keys and results of these slots, one row each."""
        return self._frame(self._key_rows(slots), [a.result(slots) for a in self.accumulators])

    def emit_joined(self, parts: Sequence[tuple[WindowStore, I64]]) -> Batch:
        """Give keys and results of slots (of this and other stores of one kind) joined by key."""
        if len(parts) > 1:
            return self._emit_merged(parts)
        slots = parts[0][1]
        keys = self._key_rows(slots)
        groups, firsts = _group(keys, len(slots))
        results = [a.merged_result(slots, groups, len(firsts)) for a in self.accumulators]
        return self._frame(keys[firsts] if self._keys else keys, results, len(firsts))

    def _emit_merged(self, parts: Sequence[tuple[WindowStore, I64]]) -> Batch:
        merged = WindowStore(self._keys, self._schema, self.calls)
        rows = pl.concat([store.columns(slots) for store, slots in parts])
        # an end of its own for each row keeps slots of one key apart until they are joined
        merged.load(rows.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(END)))
        return merged.emit_joined([(merged, np.arange(len(rows)))])

    def _key_rows(self, slots: I64) -> pl.DataFrame:
        return self._rows.gather(slots) if self._keys else pl.DataFrame()

    def _frame(self, keys: pl.DataFrame, results: list[pl.Series], count: int | None = None) -> Batch:
        named = [r.alias(f"$a{i}") for i, r in enumerate(results)]
        if keys.width:
            return keys.with_columns(named)
        return pl.DataFrame(named) if named else pl.DataFrame({"$none": [None] * (count or 0)}).drop("$none")

    def drop_until(self, end: int) -> None:
        """Forget the slots with ends up to this one."""
        self._closed = end
        used = len(self._index)
        live = self._live()
        self._first_live = int(live[0]) if len(live) else used
        self._dead = used - len(live)
        if self._dead > max(_FEW, len(live)) or self._dead == used > 0:
            self._compact(live)

    def _compact(self, live: I64) -> None:
        self._index.keep(live)
        if self._keys:
            self._rows.keep(live)
        self._ends = grown(self._ends[live], 1024)
        self._dirty = grown(self._dirty[live], 1024)
        for acc in self.accumulators:
            acc.keep(live)
        self._first_live = self._dead = 0

    def columns(self, slots: I64) -> pl.DataFrame:
        """Give these slots as rows: keys, end, and the columns of the accumulators."""
        state = [
            series.alias(f"${i}.{name}")
            for i, acc in enumerate(self.accumulators)
            for name, series in acc.columns(slots).items()
        ]
        ends = pl.Series(END, self._ends[slots])
        keys = self._key_rows(slots)
        return keys.with_columns([ends, *state]) if keys.width else pl.DataFrame([ends, *state])

    def load(self, rows: pl.DataFrame) -> None:
        """Take up slots from rows of `columns`; a later row of the same key and end takes the place of an earlier."""
        slots = self._slots(rows.select(self._keys), rows[END].to_numpy())
        for i, acc in enumerate(self.accumulators):
            prefix = f"${i}."
            acc.load(slots, {n.removeprefix(prefix): rows[n] for n in rows.columns if n.startswith(prefix)})

    @property
    def wants_base(self) -> bool:
        """Tell that the whole state is less to keep than the increments since the last base."""
        return not self._has_base or self._written > 2 * max(len(self), _FEW)

    def snapshot(self, *, base: bool) -> pl.DataFrame:
        """Give the live slots that changed since the last call, or all of them as a new base."""
        live = self._live()
        slots = live if base else live[self._dirty[live]]
        self._dirty[: len(self._index)] = False
        self._written = 0 if base else self._written + len(slots)
        self._has_base = True
        return self.columns(slots)


def _group(keys: pl.DataFrame, count: int) -> tuple[I64, I64]:
    """Number equal rows alike; give each row's group and each group's first row."""
    if not keys.width:
        return np.zeros(count, dtype=np.int64), np.zeros(min(count, 1), dtype=np.int64)
    index = KeyIndex()
    a, b = key_halves(keys)
    return index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
