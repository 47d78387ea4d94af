"""Filter and projection, as one pass of Polars expressions."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import MIN_WATERMARK, ORIGIN, WATERMARK, Batch, hidden
from tailrace.engine.operator import Operator, Rejected, Times
from tailrace.expressions.lower import Check, Lowered, is_constant, lower, needs
from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes import Calc

NOW = "$now"


class CalcOperator(Operator):
    """
    Keeps the rows for which the predicate is true, then computes the columns.

    A row for which an expression fails (a bad CAST, a division by zero) is rejected; the others go on, in order.
    """

    def __init__(self, node: Calc, timezone: str) -> None:
        self._predicate = lower(node.predicate, timezone) if node.predicate is not None else None
        self._lowered = [_lowered(e, timezone) for e in node.exprs]
        self._names = [f.name for f in node.schema]
        self._types = [f.type.polars for f in node.schema]
        self._needs = _needs(node.exprs if node.predicate is None else (*node.exprs, node.predicate))
        self._checks = [c for lowered in self._lowered for c in lowered.checks]

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        carried = hidden(batch)
        batch = self._with_time(batch, times)
        if self._predicate is not None:
            batch = self._filtered(batch, self._predicate)
        batch = self._checked(batch, self._checks)
        if not len(batch):
            return []
        # with_columns on a frame gives constants its length, which select would not
        values = [
            x.value.cast(t).alias(f"$out{i}") for i, (x, t) in enumerate(zip(self._lowered, self._types, strict=True))
        ]
        renamed = [pl.col(f"$out{i}").alias(n) for i, n in enumerate(self._names)]
        return [batch.with_columns(values).select([*renamed, *carried])]

    def _with_time(self, batch: Batch, times: Times) -> Batch:
        extra = []
        if NOW in self._needs:
            extra.append(pl.lit(times.now, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")).alias(NOW))
        if WATERMARK in self._needs:
            own = pl.col(WATERMARK) if WATERMARK in batch.columns else pl.lit(times.watermark, dtype=pl.Int64)
            extra.append(pl.when(own != MIN_WATERMARK).then(own).alias(WATERMARK))
        return batch.with_columns(extra) if extra else batch

    def _filtered(self, batch: Batch, predicate: Lowered) -> Batch:
        return self._checked(batch, predicate.checks).filter(predicate.value)

    def _checked(self, batch: Batch, checks: list[Check] | tuple[Check, ...]) -> Batch:
        """Give the rows that no check fails, and reject the others."""
        if not checks or not len(batch):
            return batch
        masks = batch.with_columns(
            [c.mask.fill_null(value=False).alias(f"$check{i}") for i, c in enumerate(checks)]
        ).select([f"$check{i}" for i in range(len(checks))])
        failed = masks.select(pl.any_horizontal(pl.all())).to_series()
        if not failed.any():
            return batch
        self._reject(batch, masks, checks)
        return batch.filter(~failed)

    def _reject(self, batch: Batch, masks: pl.DataFrame, checks: list[Check] | tuple[Check, ...]) -> None:
        """Report each failed row once, by the first check that it fails."""
        told = pl.Series([False]).new_from_index(0, len(batch))
        for check, mask in zip(checks, masks, strict=True):
            fresh = mask & ~told
            told |= mask
            if fresh.any():
                rows = batch.filter(fresh)
                origin = rows[ORIGIN].to_numpy() if ORIGIN in rows.columns else np.full(len(rows), -1)
                rejected = Rejected("cast", "TR220", check.message, rows, origin, self.name, location=check.location)
                self.outbox.rejected.append(rejected)


def _lowered(expr: Expr, timezone: str) -> Lowered:
    """Lower an expression; one without columns is made a scalar, which takes the length of the frame."""
    out = lower(expr, timezone)
    return Lowered(out.value.first(), out.checks) if is_constant(expr) else out


def _needs(exprs: tuple[Expr, ...]) -> set[str]:
    return {name for e in exprs for name in needs(e)}
