"""Rows that come too late to count."""

from __future__ import annotations

import numpy as np

from tailrace.engine.batch import ORIGIN, Batch
from tailrace.engine.operator import Operator, Rejected


def reject_late(operator: Operator, rows: Batch, reason: str) -> None:
    """Count rows as late and leave them to the policy of their table."""
    operator.late_rows += len(rows)
    origin = rows[ORIGIN].to_numpy() if ORIGIN in rows.columns else np.full(len(rows), -1)
    operator.outbox.rejected.append(Rejected("late", "TR210", reason, rows, origin, operator.name))
