"""Row kinds of a batch: which rows are added and which are taken back."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import KIND, Batch, RowKind

REMOVED = (int(RowKind.UPDATE_BEFORE), int(RowKind.DELETE))
"""The kinds of rows that are taken back."""


def split(batch: Batch) -> tuple[Batch, Batch]:
    """Give the rows that a batch adds, and those that it takes back, each without row kinds."""
    if KIND not in batch.columns:
        return batch, batch.clear()
    gone = batch[KIND].is_in(REMOVED)
    rows = batch.drop(KIND)
    return rows.filter(~gone), rows.filter(gone)


def of_kind(batch: Batch, kind: RowKind) -> Batch:
    """Give a batch in which each row is of this kind."""
    return batch.with_columns(pl.lit(int(kind), dtype=pl.Int8).alias(KIND))
