"""The open sessions of all keys: intervals with accumulators, in chains by key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.accumulators import accumulator
from tailrace.engine.accumulators.base import Mask
from tailrace.engine.accumulators.folding import fold_changes
from tailrace.engine.batch import Batch
from tailrace.engine.kernels import sessions as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.expressions.nodes import AggregateCall
from tailrace.state.index import grown
from tailrace.state.kernels import I64

_SESSION, _OPEN, _START, _END = "$session", "$open", "$start", "$end"
_FEW = 65_536


class SessionStore:
    """Sessions by number; a number is used again once its session is closed."""

    def __init__(
        self, keys: dict[str, pl.DataType], calls: Sequence[AggregateCall], gap: int, *, retract: bool = False
    ) -> None:
        self._slots = KeyedSlots(keys)
        self._calls = tuple(calls)
        self.accumulators = [accumulator(c, retract=retract) for c in calls]
        self._gap = gap
        self._heads = np.full(1024, -1, dtype=np.int64)
        self._starts, self._ends, self._following, self._parents, self._key_of = np.zeros((5, 0), dtype=np.int64)
        self._open, self._dirty = np.zeros((2, 0), dtype=np.bool_)
        self._free = np.empty(0, dtype=np.int64)
        self._written = 0
        self._has_base = False

    def __len__(self) -> int:
        """The open sessions."""
        return int(np.count_nonzero(self._open))

    def add(self, batch: Batch, times: I64, watermarks: I64) -> Mask:
        """Fold rows into their sessions; give a mask of those that were late."""
        keys = self._slots.find(batch)
        self._heads = grown(self._heads, self._slots.used, -1)
        self._reserve(len(batch))
        out, merged = np.empty(len(batch), dtype=np.int64), np.empty(len(batch) + len(self), dtype=np.int64)
        left, count = kernels.assign_sessions(
            times, keys, watermarks, self._gap, self._heads, self._starts, self._ends, self._following, self._parents,
            self._key_of, self._free, out, merged,
        )  # fmt: skip
        self._open[self._free[left:]] = True
        self._free = self._free[:left]
        self._merge(merged[:count])
        late: Mask = out == kernels.LATE
        on_time = ~late
        self._fold(batch.filter(pl.Series(on_time)) if late.any() else batch, out[on_time])
        self._slots.live[keys[on_time]] = True
        return late

    def _reserve(self, more: int) -> None:
        """Make room for so many new sessions."""
        if len(self._free) >= more:
            return
        old = len(self._starts)
        size = max(1024, 2 * old, old + more)
        self._starts, self._ends, self._following, self._parents, self._key_of, self._open, self._dirty = (
            grown(a, size) for a in (self._starts, self._ends, self._following, self._parents, self._key_of, self._open, self._dirty)
        )  # fmt: skip
        size = len(self._starts)
        self._free = np.concatenate([np.arange(size - 1, old - 1, -1, dtype=np.int64), self._free])
        for acc in self.accumulators:
            acc.reserve(size)

    def _merge(self, merged: I64) -> None:
        if not len(merged):
            return
        targets = kernels.roots(self._parents, merged)
        for acc in self.accumulators:
            acc.merge(targets, merged)
        self._dirty[targets] = True
        self._close(merged)

    def _close(self, sessions: I64) -> None:
        self._open[sessions] = False
        self._dirty[sessions] = True
        self._free = np.concatenate([self._free, sessions])
        for acc in self.accumulators:
            acc.reset(sessions)

    def _fold(self, batch: Batch, sessions: I64) -> None:
        fold_changes(self._calls, self.accumulators, batch, sessions)
        self._dirty[sessions] = True

    def due(self, watermark: int) -> I64:
        """Give the open sessions that end before or at the watermark, by their ends."""
        found = np.flatnonzero(self._open & (self._ends - 1 <= watermark))
        return found[np.argsort(self._ends[found], kind="stable")]

    def least_end(self) -> int | None:
        """Give the least end of an open session."""
        return int(self._ends[self._open].min()) if self._open.any() else None

    def closing_first(self, most: int) -> I64:
        """Give the open sessions with the least ends, at most so many, by their ends."""
        found = np.flatnonzero(self._open)
        if len(found) > most:
            found = found[np.argpartition(self._ends[found], most)[:most]]
        return found[np.argsort(self._ends[found], kind="stable")]

    def edges(self, sessions: I64) -> tuple[I64, I64]:
        """Give where sessions start and end."""
        return self._starts[sessions], self._ends[sessions]

    def keys(self, sessions: I64) -> pl.DataFrame:
        """Give the key columns of sessions."""
        return self._slots.rows(self._key_of[sessions])

    def close(self, sessions: I64) -> None:
        """Forget sessions, and keys that have none left."""
        gone = np.zeros(len(self._open), dtype=np.bool_)
        gone[sessions] = True
        keys = np.unique(self._key_of[sessions])
        kernels.unlink(gone, keys, self._heads, self._following)
        self._close(sessions)
        self._slots.drop(keys[self._heads[keys] < 0])
        if self._slots.worth_compacting:
            self._compact()

    def _compact(self) -> None:
        numbers = np.full(self._slots.used, -1, dtype=np.int64)
        kept = self._slots.compact()
        numbers[kept] = np.arange(len(kept))
        self._key_of[self._open] = numbers[self._key_of[self._open]]
        self._heads = grown(self._heads[kept], 1024, -1)
        self._heads[len(kept) :] = -1

    def snapshot(self) -> tuple[bool, pl.DataFrame]:
        """Give the sessions that changed since the last call, or all open ones as a new base (True)."""
        base = not self._has_base or self._written > 2 * max(len(self), _FEW)
        sessions = np.flatnonzero(self._open if base else self._dirty)
        self._dirty[:] = False
        self._written = 0 if base else self._written + len(sessions)
        self._has_base = True
        own = [
            pl.Series(_SESSION, sessions),
            pl.Series(_OPEN, self._open[sessions]),
            pl.Series(_START, self._starts[sessions]),
            pl.Series(_END, self._ends[sessions]),
        ]
        state = [
            series.alias(f"${i}.{name}")
            for i, acc in enumerate(self.accumulators)
            for name, series in acc.columns(sessions).items()
        ]
        keys = self.keys(sessions)
        return base, keys.with_columns([*own, *state]) if keys.width else pl.DataFrame([*own, *state])

    def restore(self, frames: Sequence[pl.DataFrame]) -> None:
        """Take up a base and the changes after it; sessions get new numbers, so that the next snapshot is a base."""
        rows = pl.concat(frames).unique(_SESSION, keep="last", maintain_order=True).filter(_OPEN)
        if not len(rows):
            return
        keys = self._slots.find(rows)
        self._slots.live[keys] = True
        self._heads = grown(self._heads, self._slots.used, -1)
        self._reserve(len(rows))
        sessions, self._free = self._free[-len(rows) :], self._free[: -len(rows)]
        self._starts[sessions], self._ends[sessions] = rows[_START].to_numpy(), rows[_END].to_numpy()
        self._key_of[sessions], self._parents[sessions], self._open[sessions] = keys, sessions, True
        kernels.link(sessions, keys, self._heads, self._following)
        for i, acc in enumerate(self.accumulators):
            prefix = f"${i}."
            acc.load(sessions, {n.removeprefix(prefix): rows[n] for n in rows.columns if n.startswith(prefix)})
