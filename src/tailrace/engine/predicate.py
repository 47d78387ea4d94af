"""Conditions over batches: the rows that pass, and those for which they fail."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, WATERMARK, Batch
from tailrace.engine.checks import checked
from tailrace.engine.operator import Operator, Times
from tailrace.engine.user_steps import UserSteps
from tailrace.expressions.lower import lower, needs
from tailrace.expressions.names import NOW
from tailrace.expressions.nodes import Expr


class Predicate:
    """A condition that is evaluated on behalf of an operator, which rejects the rows for which it fails."""

    def __init__(self, expr: Expr, timezone: str) -> None:
        self._lowered = lower(expr, timezone)
        self._needs = needs(expr)
        self._steps = UserSteps(self._lowered.steps)

    def passing(self, batch: Batch, times: Times, operator: Operator) -> Batch:
        """Give the rows for which it is true; the batch may have got hidden columns of time."""
        batch = self._steps.add(with_time(batch, times, self._needs), operator)
        batch = checked(batch, self._lowered.checks, operator)
        return self._steps.without(batch.filter(self._lowered.value) if len(batch) else batch)


def with_time(batch: Batch, times: Times, wanted: set[str]) -> Batch:
    """Give the batch with the hidden columns of time that expressions read."""
    extra = []
    if NOW in wanted:
        extra.append(pl.lit(times.now, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")).alias(NOW))
    if WATERMARK in wanted:
        own = pl.col(WATERMARK) if WATERMARK in batch.columns else pl.lit(times.watermark, dtype=pl.Int64)
        extra.append(pl.when(own != MIN_WATERMARK).then(own).alias(WATERMARK))
    return batch.with_columns(extra) if extra else batch
