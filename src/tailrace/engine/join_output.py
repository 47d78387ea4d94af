"""What a join puts out for one batch: rows that go first, then rows that come, in whole columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch, RowKind
from tailrace.engine.changes import of_kind
from tailrace.plan.nodes import Join


class JoinOutput:
    """
    Collects the rows of a join, with NULLs for the side that has no match.

    What goes is put out before what comes, so that who keeps rows by key ends with the right ones.
    """

    def __init__(self, node: Join, *, updates: bool) -> None:
        self._types = node.schema.polars
        self._updates = updates
        sides = (node.left.schema.names, node.right.schema.names)
        self.columns = tuple([n for n in names if n in self._types] for names in sides)
        """The columns of the output that are of the left and of the right."""
        self._going: list[Batch] = []
        self._coming: list[Batch] = []

    def put(self, frames: tuple[Batch | None, Batch | None], removed: np.ndarray) -> None:
        """Put out rows, given as their columns of the left and of the right (None: NULLs); `removed` tells which go."""
        if not len(removed):
            return
        given = [c for f in frames if f is not None for c in f.get_columns() if c.name in self._types]
        rows = pl.DataFrame(given) if given else pl.DataFrame({"": removed})
        missing = [pl.lit(None, dtype=t).alias(n) for n, t in self._types.items() if n not in rows.columns]
        rows = rows.with_columns(missing).select(list(self._types))
        if not removed.any():
            self._coming.append(rows)
            return
        self._going.append(rows.filter(pl.Series(removed)))
        self._coming.append(rows.filter(pl.Series(~removed)))

    def batches(self) -> list[Batch]:
        """Give all that was put out, and begin anew."""
        going, coming = self._going, self._coming
        self._going, self._coming = [], []
        if not self._updates:
            return coming
        marked = [of_kind(b, RowKind.DELETE) for b in going] + [of_kind(b, RowKind.INSERT) for b in coming]
        marked = [b for b in marked if len(b)]
        return [pl.concat(marked)] if len(marked) > 1 else marked
