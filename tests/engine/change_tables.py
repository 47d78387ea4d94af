"""Changelogs in tests: what table they make, and whether each change fits the table before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import polars as pl

from tailrace.engine.batch import KIND, RowKind

ADDS = (RowKind.INSERT, RowKind.UPDATE_AFTER)


def table_of(batches: Iterable[pl.DataFrame]) -> Counter[tuple[object, ...]]:
    """Apply changes in order and give the rows that are left; a row that is taken back must be there."""
    rows: Counter[tuple[object, ...]] = Counter()
    for batch in batches:
        kinds = batch[KIND].to_list() if KIND in batch.columns else [int(RowKind.INSERT)] * len(batch)
        for kind, row in zip(kinds, batch.drop(KIND, strict=False).rows(), strict=True):
            if kind in ADDS:
                rows[row] += 1
            else:
                assert rows[row] > 0, f"{RowKind(kind).sign} {row}, which is not there"
                rows[row] -= 1
    return +rows
