"""Regular joins: all rows of both sides are kept, and what matches is put out whenever a row comes or goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine.batch import KIND, Batch, RowKind
from tailrace.engine.changes import of_kind
from tailrace.engine.join_output import JoinOutput
from tailrace.engine.join_side import Changes, JoinSide
from tailrace.engine.operator import Operator, Times
from tailrace.engine.predicate import Predicate
from tailrace.expressions.nodes import columns
from tailrace.plan.nodes import Join, JoinKind
from tailrace.state import row_kernels as kernels
from tailrace.state.delta import StateDelta
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I32, I64
from tailrace.state.keys import key_halves
from tailrace.state.row_store import latest

_PAIRS = 2_000_000
"""The pairs that are looked at in one go, which bounds the memory of a batch."""
_SIDES = ("left", "right")
_AT, _THERE = "$at", "$there"


@dataclass(frozen=True, slots=True)
class JoinInput:
    """What is known of a side: whether it updates, a key of its rows (None: all columns), and how long rows live (ms)."""

    updates: bool = False
    key: tuple[str, ...] | None = None
    ttl: int = 0


class JoinOperator(Operator):
    """
    Keeps the rows of both sides by key.

    A tick's rows are taken together, and first those of the side that others wait for, so that a row is not put out
    without its match when the match came in the same tick.
    """

    def __init__(self, node: Join, inputs: tuple[JoinInput, JoinInput], timezone: str, *, updates: bool) -> None:
        self._node = node
        self._inputs = inputs
        self._keys = tuple([getattr(k, side) for k in node.keys] for side in _SIDES)
        self._strict = tuple([getattr(k, side) for k in node.keys if not k.null_safe] for side in _SIDES)
        self._condition = Predicate(node.condition, timezone) if node.condition is not None else None
        self._asked = columns(node.condition) if node.condition is not None else set()
        self._output = JoinOutput(node, updates=updates)
        self._sides = tuple(self._side(port, inputs[port]) for port in (0, 1))
        self._keeps = (node.kind.keeps_left, node.kind.keeps_right)
        self._counts = (node.kind.keeps_left or node.kind.left_only, node.kind.keeps_right)
        # once a row has met its match it is settled, if matches never go and the row itself is never taken back
        self._settles = node.kind.left_only and not inputs[0].updates and not inputs[1].updates
        self._index = KeyIndex()
        self._pending: tuple[list[Batch], list[Batch]] = ([], [])

    def _side(self, port: int, given: JoinInput) -> JoinSide:
        node = self._node
        schema = node.inputs[port].schema.polars
        as_set = node.kind.left_only and port == 1
        needed = {*self._keys[port], *self._asked, *([] if as_set else self._output.columns[port])}
        own = {n: t for n, t in schema.items() if n in needed}
        if as_set:
            return JoinSide(own, tuple(own), as_set=True, ttl=given.ttl)
        if not given.updates:
            return JoinSide(own, None, ttl=given.ttl)
        if given.key is None or not set(given.key) <= needed:
            return JoinSide(own, tuple(own), ttl=given.ttl)
        by_slot = set(given.key) <= set(self._keys[port])
        return JoinSide(own, () if by_slot else given.key, unique=True, ttl=given.ttl)

    @property
    def state_rows(self) -> int:
        return sum(len(s.store) for s in self._sides)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        names = list(self._node.inputs[port].schema.names)
        if self._inputs[port].updates:
            batch = batch if KIND in batch.columns else of_kind(batch, RowKind.INSERT)
            names.append(KIND)
        self._pending[port].append(batch.select(names))
        return []

    def advance(self, times: Times) -> list[Batch]:
        for side in self._sides:
            side.store.drop(side.store.expired(times.now))
        out: list[Batch] = []
        for port in (0, 1) if self._keeps[1] and not self._keeps[0] else (1, 0):
            if self._pending[port]:
                self._change(port, self._taken(port), times)
                out += self._output.batches()
        if any(s.worth_compacting for s in self._sides):
            self._compact()
        return out

    def _taken(self, port: int) -> Batch:
        given = self._pending[port]
        batch = given[0] if len(given) == 1 else pl.concat(given)
        given.clear()
        return batch

    def _change(self, port: int, batch: Batch, times: Times) -> None:
        """Let a batch come in on one side, and put out what that changes."""
        side = self._sides[port]
        batch = self._without_nulls(port, batch)
        slots = self._slots(port, batch)
        if not len(batch):
            return
        if self._settles and port == 0:
            self._settle(Changes.of(batch, slots), times)
            return
        changes, new = side.apply(Changes.of(batch, slots), times.now)
        matches = self._match(port, changes, times)
        side.store.matches[new[new >= 0]] = matches[new >= 0]
        self._alone(port, changes, matches)

    def _without_nulls(self, port: int, batch: Batch) -> Batch:
        """Put out rows that can have no match, as their key is NULL, and give the others."""
        names = self._strict[port]
        if not names or not sum(batch[n].null_count() for n in names):
            return batch
        empty = batch.select(pl.any_horizontal(pl.col(names).is_null())).to_series()
        if self._keeps[port]:
            rows = batch.filter(empty)
            lost = self._sides[port].net(Changes.of(rows, np.zeros(len(rows), dtype=np.int64)))
            self._put(port, lost.rows, lost.removed)
        return batch.filter(~empty)

    def _slots(self, port: int, batch: Batch) -> I64:
        a, b = (
            key_halves(batch.select(self._keys[port])) if self._keys[port] else (np.zeros(len(batch), np.uint64),) * 2
        )
        slots, _ = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        for number, side in enumerate(self._sides):
            side.store.reserve(len(batch) if number == port else 0, len(self._index))
        return slots

    def _match(self, port: int, changes: Changes, times: Times) -> I32:
        """Put out the pairs that changes make with the other side; give how often each change is matched."""
        other = self._sides[1 - port]
        counts = np.zeros(len(changes), dtype=np.int32)
        seen: list[tuple[I64, np.ndarray]] = []
        for piece in other.store.pieces(changes.slots, _PAIRS):
            at, there = other.store.pairs(changes.slots[piece])
            at, there = self._filtered(port, changes, at + piece.start, there, times)
            kernels.add_at(counts, at, other.weights(there))
            seen.append((there, changes.removed[at]))
            if not self._node.kind.left_only:
                self._pairs(port, changes, at, there)
        if self._counts[1 - port]:
            self._turned(port, seen, times)
        return counts

    def _filtered(self, port: int, changes: Changes, at: I64, there: I64, times: Times) -> tuple[I64, I64]:
        """Give the pairs for which the condition is true."""
        if self._condition is None or not len(at):
            return at, there
        asked = [c for c in changes.rows.columns if c in self._asked]
        own = changes.rows.select(asked)[at] if asked else pl.DataFrame()
        theirs = [n for n in self._node.inputs[1 - port].schema.names if n in self._asked]
        others = self._sides[1 - port].store.gather(there, theirs)
        places = [pl.Series(_AT, at), pl.Series(_THERE, there)]
        pairs = pl.DataFrame([*own.get_columns(), *others.get_columns(), *places])
        passing = self._condition.passing(pairs, times, self)
        return passing[_AT].to_numpy(), passing[_THERE].to_numpy()

    def _pairs(self, port: int, changes: Changes, at: I64, there: I64) -> None:
        store = self._sides[1 - port].store
        copies = store.copies[there]
        if (copies > 1).any():
            at, there = np.repeat(at, copies), np.repeat(there, copies)
        # a frame without columns has no rows that could be picked
        names = self._output.columns[port]
        own = changes.rows.select(names)[at] if names else pl.DataFrame()
        self._put(port, own, changes.removed[at], store.gather(there, self._output.columns[1 - port]))

    def _turned(self, port: int, seen: list[tuple[I64, np.ndarray]], times: Times) -> None:
        """Count matches of the other side's rows, and put out those that have got their first or lost their last."""
        there = np.concatenate([t for t, _ in seen]) if seen else np.empty(0, dtype=np.int64)
        if not len(there):
            return
        store = self._sides[1 - port].store
        removed = np.concatenate([r for _, r in seen])
        rows = np.unique(there)
        before = store.matches[rows] > 0
        kernels.add_at(store.matches, there, np.where(removed, -1, 1))
        after = store.matches[rows] > 0
        store.touch(rows, times.now)
        turned = before != after
        appears = after if self._node.kind is JoinKind.SEMI else before
        copies = store.copies[rows[turned]]
        chosen, gone = np.repeat(rows[turned], copies), np.repeat(~appears[turned], copies)
        self._put(1 - port, store.gather(chosen, self._output.columns[1 - port]), gone)
        if self._settles:
            store.drop(rows[turned])

    def _alone(self, port: int, changes: Changes, matches: I32) -> None:
        """Put out the rows that stand alone: without a match in an outer or anti join, with one in a semi join."""
        if self._node.kind is JoinKind.SEMI and port == 0:
            chosen = matches > 0
        elif self._keeps[port]:
            chosen = matches == 0
        else:
            return
        self._put(port, changes.rows.filter(pl.Series(chosen)), changes.removed[chosen])

    def _settle(self, changes: Changes, times: Times) -> None:
        """Keep of the rows of the left only those that still wait for a match."""
        matches = self._match(0, changes, times)
        self._alone(0, changes, matches)
        waiting = changes.take(matches == 0)
        self._sides[0].apply(waiting, times.now)

    def _put(self, port: int, own: Batch, removed: np.ndarray, theirs: Batch | None = None) -> None:
        self._output.put((own, theirs) if port == 0 else (theirs, own), removed)

    def _compact(self) -> None:
        """Forget dropped rows and the keys that have none left."""
        used = self._sides[0].store.used_slots(len(self._index)) | self._sides[1].store.used_slots(len(self._index))
        kept = np.flatnonzero(used)
        new_slots = np.full(len(self._index), -1)
        new_slots[kept] = np.arange(len(kept))
        self._index.keep(kept)
        for side in self._sides:
            side.compact(new_slots)
            side.store.reserve(0, len(kept))

    def snapshot(self) -> StateDelta:
        base = any(s.store.wants_base for s in self._sides)
        frames = {
            f"{name}.{part}": frame
            for name, side in zip(_SIDES, self._sides, strict=True)
            for part, frame in side.store.delta(base=base).items()
        }
        return StateDelta(base, frames)

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = [d.frames for d in deltas]
        for port, name in enumerate(_SIDES):
            parts = [{k.split(".")[1]: f for k, f in frames.items() if k.startswith(name)} for frames in given]
            rows = latest(parts)
            if rows is not None:
                self._sides[port].load(rows, self._slots(port, rows))
