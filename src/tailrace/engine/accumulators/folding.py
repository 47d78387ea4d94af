"""Folds the rows of a batch into accumulators, and those that it takes back out of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tailrace.engine.accumulators.base import Accumulator, Mask
from tailrace.engine.batch import KIND, Batch
from tailrace.engine.changes import REMOVED
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import BIGINT
from tailrace.state.kernels import I64

ROWS = AggregateCall("COUNT", BIGINT.with_nullable(False))
"""Counts the rows of a slot, to know when none is left."""


def removed_in(batch: Batch) -> Mask | None:
    """Mark the rows that a batch takes back; None if there are none."""
    if KIND not in batch.columns:
        return None
    removed: Mask = batch[KIND].is_in(REMOVED).to_numpy()
    return removed if removed.any() else None


def fold_changes(calls: Sequence[AggregateCall], accumulators: Sequence[Accumulator], batch: Batch, slots: I64) -> None:
    """Fold rows into slots; those that are taken back go after all others."""
    removed = removed_in(batch)
    if removed is None:
        fold(calls, accumulators, batch, slots, 1)
        return
    for rows, sign in ((~removed, 1), (removed, -1)):
        fold(calls, accumulators, batch.filter(pl.Series(rows)), slots[rows], sign)


def fold(
    calls: Sequence[AggregateCall], accumulators: Sequence[Accumulator], rows: Batch, slots: I64, sign: int
) -> None:
    """Fold rows into slots, or out of them."""
    for call, acc in zip(calls, accumulators, strict=True):
        use = None if call.filter is None else rows[call.filter].fill_null(value=False).to_numpy()
        acc.add(slots, rows[call.arg] if call.arg is not None else None, use, sign)
