"""What waits in a sink before it is encoded."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tailrace.clock import Clock
from tailrace.engine.batch import KIND, RowKind


class Buffer:
    """Lets every batch through at once."""

    def add(self, batch: pl.DataFrame) -> pl.DataFrame | None:
        """Take a batch; give what is to be written now."""
        return batch

    def take(self) -> pl.DataFrame | None:
        """Give what waits, if anything does."""
        return None


class UpsertBuffer(Buffer):
    """Keeps the last row of each key, until there were so many rows or they have waited for so long."""

    def __init__(self, key: Sequence[str], rows: int, seconds: float, clock: Clock) -> None:
        self._key = list(key)
        self._most = rows
        self._seconds = seconds
        self._clock = clock
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self._since = 0.0

    def add(self, batch: pl.DataFrame) -> pl.DataFrame | None:
        if KIND not in batch.columns:
            batch = batch.with_columns(pl.lit(int(RowKind.INSERT), dtype=pl.Int8).alias(KIND))
        if not self._rows:
            self._since = self._clock.monotonic()
        self._waiting.append(batch.filter(pl.col(KIND) != RowKind.UPDATE_BEFORE))
        self._rows += len(batch)
        due = self._rows >= self._most or self._clock.monotonic() - self._since >= self._seconds
        return self.take() if due else None

    def take(self) -> pl.DataFrame | None:
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if not waiting:
            return None
        return pl.concat(waiting, how="diagonal").unique(self._key, keep="last", maintain_order=True)
