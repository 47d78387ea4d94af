"""Where a run keeps its checkpoints: in memory, or in the store on disk."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from case_jobs import PARTITION

from tailrace.clock import SystemClock
from tailrace.engine.executor import Executor
from tailrace.state.delta import StateDelta
from tailrace.state.files import LocalFiles
from tailrace.state.store import Snapshot, StateStore


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint: how many rows of each scan were read, and the deltas of each operator."""

    positions: dict[str, int] = field(default_factory=dict)
    deltas: dict[str, list[StateDelta]] = field(default_factory=dict)


class Keeper(ABC):
    """Keeps the checkpoints of one run."""

    @abstractmethod
    def save(self, executor: Executor, positions: dict[str, int]) -> None:
        """Take a checkpoint."""

    @abstractmethod
    def load(self, executor: Executor) -> Saved:
        """Give the last checkpoint, for an executor that is to restore it; an empty one at first."""

    def stop(self) -> None:
        """Lose everything but what was saved."""


class InMemory(Keeper):
    """Keeps the deltas as they were handed over."""

    def __init__(self) -> None:
        self._saved = Saved()

    def save(self, executor: Executor, positions: dict[str, int]) -> None:
        earlier = self._saved.deltas
        deltas = executor.snapshot()
        self._saved = Saved(
            dict(positions), {n: [*([] if d.base else earlier.get(n, [])), d] for n, d in deltas.items()}
        )

    def load(self, executor: Executor) -> Saved:
        return self._saved


class OnDisk(Keeper):
    """Keeps them in the store of a job, which is opened anew after each stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: StateStore | None = None
        self._epoch = 0

    def save(self, executor: Executor, positions: dict[str, int]) -> None:
        assert self._store is not None
        self._epoch += 1
        given = {name: {PARTITION: rows} for name, rows in positions.items()}
        self._store.write(self._epoch, Snapshot(given, executor.snapshot()))
        self._store.publish(self._epoch, {})
        self._store.retire()

    def load(self, executor: Executor) -> Saved:
        self._store = StateStore(self._folder, "case", SystemClock(), QuickFiles())
        self._store.match(dict.fromkeys(executor.scans, "scan") | executor.fingerprint())
        self._store.resume(self._epoch)
        if not self._epoch:
            return Saved()
        checkpoint = self._store.load(self._epoch)
        positions = {name: p[PARTITION] for name, p in checkpoint.manifest.positions.items()}
        return Saved(positions, checkpoint.deltas)

    def stop(self) -> None:
        if self._store is not None:
            self._store.close()


class QuickFiles(LocalFiles):
    """The disk without waiting for it: a process that is stopped loses nothing that it wrote."""

    def write(self, path: Path, parts: Iterable[bytes]) -> None:
        with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.writelines(parts)

    def sync_folder(self, path: Path) -> None:
        pass
