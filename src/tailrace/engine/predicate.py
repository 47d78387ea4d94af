"""Conditions over batches: the rows that pass, and those for which they fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, ORIGIN, WATERMARK, Batch
from tailrace.engine.operator import Operator, Rejected, Times
from tailrace.expressions.lower import Check, lower, needs
from tailrace.expressions.names import NOW
from tailrace.expressions.nodes import Expr


class Predicate:
    """A condition that is evaluated on behalf of an operator, which rejects the rows for which it fails."""

    def __init__(self, expr: Expr, timezone: str) -> None:
        self._lowered = lower(expr, timezone)
        self._needs = needs(expr)

    def passing(self, batch: Batch, times: Times, operator: Operator) -> Batch:
        """Give the rows for which it is true; the batch may have got hidden columns of time."""
        batch = checked(with_time(batch, times, self._needs), self._lowered.checks, operator)
        return batch.filter(self._lowered.value)


def with_time(batch: Batch, times: Times, wanted: set[str]) -> Batch:
    """Give the batch with the hidden columns of time that expressions read."""
    extra = []
    if NOW in wanted:
        extra.append(pl.lit(times.now, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")).alias(NOW))
    if WATERMARK in wanted:
        own = pl.col(WATERMARK) if WATERMARK in batch.columns else pl.lit(times.watermark, dtype=pl.Int64)
        extra.append(pl.when(own != MIN_WATERMARK).then(own).alias(WATERMARK))
    return batch.with_columns(extra) if extra else batch


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
