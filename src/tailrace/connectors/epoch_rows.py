"""The rows of an epoch, which wait until it is committed: in memory, and from a bound on in files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl


class EpochRows:
    """Batches in order. What is in files need not outlive a crash, as the rows come again then."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes
        self._waiting: list[pl.DataFrame] = []
        self._bytes = 0
        self._spilled: list[Path] = []

    def add(self, batch: pl.DataFrame) -> None:
        """Take a batch."""
        self._waiting.append(batch)
        self._bytes += int(batch.estimated_size())
        if self._bytes > self._most:
            self._spill()

    def _spill(self) -> None:
        for batch in self._waiting:
            path = self._folder / f"{len(self._spilled)}.spill"
            buffer = io.BytesIO()
            batch.write_ipc(buffer, compression="lz4")
            path.write_bytes(buffer.getvalue())
            self._spilled.append(path)
        self._waiting, self._bytes = [], 0

    def batches(self) -> Iterator[pl.DataFrame]:
        """Give all batches in order; they stay."""
        for path in self._spilled:
            yield pl.read_ipc(io.BytesIO(path.read_bytes()))
        yield from self._waiting

    def replace(self, batches: Iterable[pl.DataFrame]) -> None:
        """Keep these instead."""
        kept = list(batches)
        self.clear()
        for batch in kept:
            self.add(batch)

    def clear(self) -> None:
        """Forget all, also what an earlier run has left."""
        for path in self._folder.glob("*.spill"):
            path.unlink(missing_ok=True)
        self._waiting, self._bytes, self._spilled = [], 0, []
