"""Top-N: the rows at some places of each partition, put out again as their places change."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import KIND, Batch, RowKind
from tailrace.engine.changes import REMOVED
from tailrace.engine.operator import Operator, Times
from tailrace.engine.ranked_rows import ALL, Identity, Moves, RankedRows, Ranking
from tailrace.plan.nodes import Deduplicate, Materialize, Rank, SortKey
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64


class RankOperator(Operator):
    """
    Puts out what a batch has changed: for each place the row that was there and the one that is there now.

    Where nobody sees the places and there are several, only rows that leave them all or are new to them are put out. `identity` tells
    how rows that are taken back are known; None: none ever is.
    """

    def __init__(self, node: Rank | Deduplicate | Materialize, identity: Identity | None, ttl: int = 0) -> None:
        rank = node if isinstance(node, Rank) else _last(node)
        newest = not isinstance(node, Rank)
        self._names = list(node.input.schema.names)
        self._start, self._end = rank.start, rank.end or ALL
        self._number = rank.number
        self._by_place = rank.by_place
        ranking = Ranking(rank.partition, rank.order, self._end, newest)
        self._rows = RankedRows(node.input.schema.polars, ranking, identity, ttl)
        self._updates = identity is not None

    @property
    def state_rows(self) -> int:
        return len(self._rows.store)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        removed = batch[KIND].is_in(REMOVED).to_numpy() if self._updates and KIND in batch.columns else None
        moves = self._rows.change(batch.select(self._names), removed, times.now)
        return self._placed(moves) if self._by_place else self._listed(moves)

    def _placed(self, moves: Moves) -> list[Batch]:
        """Put out what has changed of each place."""
        changed = moves.before != moves.after
        leaves = changed & self._within(moves.before)
        comes = _ordered(moves, changed & self._within(moves.after))
        stays = moves.before[leaves] <= moves.counts[moves.group[leaves]]
        was = moves.after[comes] <= moves.counts_before[moves.group[comes]]
        going = self._frame(moves.rows[leaves], moves.before[leaves], stays, RowKind.UPDATE_BEFORE, RowKind.DELETE)
        coming = self._frame(moves.rows[comes], moves.after[comes], was, RowKind.UPDATE_AFTER, RowKind.INSERT)
        return _together(going, coming)

    def _listed(self, moves: Moves) -> list[Batch]:
        """Put out the rows that leave the places, and those that are new to them."""
        before, after = self._within(moves.before), self._within(moves.after)
        none = np.zeros(len(moves.rows), dtype=np.bool_)
        parts = ((np.flatnonzero(before & ~after), RowKind.DELETE), (_ordered(moves, after & ~before), RowKind.INSERT))
        return _together(*(self._frame(moves.rows[m], moves.after[m], none[m], kind, kind) for m, kind in parts))

    def _within(self, places: I64) -> np.ndarray:
        return (places >= self._start) & (places <= self._end)

    def _frame(self, rows: I64, places: I64, updates: np.ndarray, update: RowKind, other: RowKind) -> Batch:
        """Give rows with their places and kinds: `update` where a row was or will be at the place, else `other`."""
        number = [pl.Series(self._number, places)] if self._number else []
        kinds = pl.Series(KIND, np.where(updates, int(update), int(other)).astype(np.int8))
        return pl.DataFrame([*self._rows.store.gather(rows).get_columns(), *number, kinds])

    def advance(self, times: Times) -> list[Batch]:
        self._rows.forget(self._rows.slots.expired(times.now))
        self._rows.compact()
        return []

    def snapshot(self) -> StateDelta:
        return self._rows.snapshot()

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        self._rows.restore(deltas)


def _together(*frames: Batch) -> list[Batch]:
    """Give what goes and what comes as one batch: who aggregates it sees each group change once, and not vanish in between."""
    out = pl.concat(frames, rechunk=True)
    return [out] if len(out) else []


def _ordered(moves: Moves, chosen: np.ndarray) -> I64:
    """Give the chosen moves by partition and place, so that who reads the rows finds them in order."""
    rows = np.flatnonzero(chosen)
    return rows[np.lexsort((moves.after[rows], moves.group[rows]))]


def _last(node: Deduplicate | Materialize) -> Rank:
    """Give the rank that keeps the last row of each key; without a row time that is the one that came last."""
    order = () if isinstance(node, Materialize) else _by_time(node)
    return Rank(schema=node.schema, input=node.input, partition=node.keys, order=order, start=1, end=1)


def _by_time(node: Deduplicate) -> tuple[SortKey, ...]:
    return () if node.processing_time else (SortKey(node.time, descending=True, nulls_last=True),)
