"""NOT NULL of a sink's columns: rows without a value in one don't get there."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import ORIGIN, Batch
from tailrace.engine.operator import Operator, Rejected, Times
from tailrace.plan.nodes import Enforce


class EnforceOperator(Operator):
    """Drops such rows, or leaves them to the policy of their table."""

    passes_rows = True

    def __init__(self, node: Enforce) -> None:
        self._node = node

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        for name in self._node.columns:
            if batch[name].null_count():
                missing = batch[name].is_null()
                if not self._node.drop:
                    self._reject(batch.filter(missing), name)
                batch = batch.filter(~missing)
        return [batch]

    def _reject(self, rows: Batch, name: str) -> None:
        origin = rows[ORIGIN] if ORIGIN in rows.columns else pl.repeat(-1, len(rows), dtype=pl.Int64, eager=True)
        reason = (
            f"column '{name}' is NOT NULL, and the query gives NULL: write COALESCE({name}, ...), or "
            "SET 'table.exec.sink.not-null-enforcer' = 'drop'"
        )
        rejected = Rejected(
            "not-null", "TR240", reason, rows, origin.to_numpy(), self.name, location=self._node.location
        )
        self.outbox.rejected.append(rejected)
