"""
Sinks with a mark, where a job has several: rows are staged in files, and sent when the checkpoint is durable.

Of several targets with a mark each, one may have committed an epoch and another not when a job dies. Taking the epoch
back is then no way out, and a replay need not give the same rows; so the rows themselves are part of the checkpoint.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tailrace.connectors.base import Report, StagedSink, TransactionalSink
from tailrace.errors import TerminalError
from tailrace.state.files import Files, LocalFiles, failed
from tailrace.state.store_manifest import digest

_BUFFER = 16 << 20
"""Rows of that many bytes go to disk; before that they wait in memory."""


class StagedTransactional(StagedSink):
    """Stages the rows of an epoch in `folder`, and commits them to the inner sink under its mark, once."""

    def __init__(self, inner: TransactionalSink, folder: Path, files: Files | None = None) -> None:
        self.inner = inner
        self.traced = inner.traced
        self._folder = folder
        self._files = files or LocalFiles()
        self._mark = 0
        self._waiting: list[pl.DataFrame] = []
        self._bytes = 0
        self._staged: list[dict[str, Any]] = []
        self._counter = itertools.count()

    def open(self, staged: Any | None, epoch: int) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._mark = self.inner.open()
        if staged is None and self._mark:
            raise _mixed_up(self._mark, epoch)
        if staged is not None:
            self.commit(epoch, staged)
        for name in self._files.names(self._folder):
            self._files.unlink(self._folder / name)

    @property
    def throttled(self) -> float:
        return self.inner.throttled

    @property
    def readings(self) -> Mapping[str, float]:
        return self.inner.readings

    def write(self, batch: pl.DataFrame) -> None:
        self._waiting.append(batch)
        self._bytes += int(batch.estimated_size())
        if self._bytes >= _BUFFER:
            self._spill()

    def _spill(self) -> None:
        """Write what waits to a file; batches with and without row kinds are of different columns, and go apart."""
        for _, group in itertools.groupby(self._waiting, key=lambda b: tuple(b.columns)):
            buffer = io.BytesIO()
            pl.concat(list(group)).write_ipc_stream(buffer, compression="lz4")
            data = buffer.getvalue()
            name = f"{os.getpid()}-{next(self._counter)}.rows"
            path = self._folder / name
            try:
                self._files.write(path, [data])
            except OSError as error:
                raise failed("stage rows in", path, error) from None
            self._staged.append({"file": name, "digest": digest(data)})
        self._waiting.clear()
        self._bytes = 0

    def prepare(self, epoch: int) -> Any:
        if self.inner.refusals.tolerates:
            self._sift()
        self._spill()
        if self._staged:
            self._files.sync_folder(self._folder)
        staged, self._staged = self._staged, []
        return {"files": staged, "after": self._mark}

    def _sift(self) -> None:
        """Leave out what the target would refuse: once the epoch is staged it must take all."""
        waiting, staged = self._waiting, self._staged
        before = [self._read(record) for record in staged]
        self._waiting, self._staged, self._bytes = self.inner.sift([*before, *waiting]), [], 0
        for record in staged:
            self._files.unlink(self._folder / record["file"])

    def commit(self, epoch: int, staged: Any) -> None:
        if self._mark == epoch:
            return
        if self._mark != staged["after"]:
            raise _mixed_up(self._mark, epoch)
        for record in staged["files"]:
            self.inner.write(self._read(record))
        self.inner.commit(epoch)
        self._mark = epoch
        for record in staged["files"]:
            self._files.unlink(self._folder / record["file"])

    def _read(self, record: dict[str, Any]) -> pl.DataFrame:
        path = self._folder / str(record["file"])
        try:
            data = self._files.read(path)
        except OSError as error:
            raise failed("read staged rows", path, error) from None
        if digest(data) != record["digest"]:
            raise TerminalError(f"staged rows in '{path}' are damaged", hint="bring back the state folder")
        return pl.read_ipc_stream(io.BytesIO(data))

    def check(self) -> Report:
        return self.inner.check()

    def close(self) -> None:
        self.inner.close()

    def flush(self) -> None:
        """Do nothing: rows wait for their epoch."""


def _mixed_up(mark: int, epoch: int) -> TerminalError:
    message = f"the target has epoch {mark}, but the checkpoint is {epoch}: exactly-once can't be kept"
    hint = "bring back the state folder that belongs to this target, or start with new state and a new target"
    return TerminalError(message, hint=hint)
