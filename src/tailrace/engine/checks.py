"""Checks over batches: rows for which an expression has no value are rejected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import ORIGIN, Batch
from tailrace.engine.operator import Operator, Rejected
from tailrace.expressions.lower import Check


def checked(batch: Batch, checks: Sequence[Check], operator: Operator) -> Batch:
    """Give the rows that no check fails, and reject the others."""
    if not checks or not len(batch):
        return batch
    masks = batch.with_columns(
        [c.mask.fill_null(value=False).alias(f"$check{i}") for i, c in enumerate(checks)]
    ).select([f"$check{i}" for i in range(len(checks))])
    failed = masks.select(pl.any_horizontal(pl.all())).to_series()
    if not failed.any():
        return batch
    _reject(batch, masks, checks, operator)
    return batch.filter(~failed)


def _reject(batch: Batch, masks: pl.DataFrame, checks: Sequence[Check], operator: Operator) -> None:
    """Report each failed row once, by the first check that it fails."""
    told = pl.Series([False]).new_from_index(0, len(batch))
    for check, mask in zip(checks, masks, strict=True):
        fresh = mask & ~told
        told |= mask
        if fresh.any():
            rows = batch.filter(fresh)
            origin = rows[ORIGIN].to_numpy() if ORIGIN in rows.columns else np.full(len(rows), -1)
            rejected = Rejected("cast", "TR220", check.message, rows, origin, operator.name, location=check.location)
            operator.outbox.rejected.append(rejected)
