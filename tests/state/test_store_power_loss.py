"""What is left of the store when the power goes at any step: the newest acknowledged checkpoint, always."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from tailrace.clock import ManualClock
from tailrace.state.delta import StateDelta
from tailrace.state.files import Files
from tailrace.state.store import Snapshot, StateStore
from tailrace.state.store_manifest import Damaged

EPOCHS = 12


class Disk(Files):
    """
    A disk in memory with a cache: contents last when they are synced, names when their folder is.

    This is POSIX at its worst. `step` is called between any two things that reach the disk.
    """

    def __init__(self, names: dict[Path, int] | None = None, contents: dict[int, bytes] | None = None) -> None:
        self.names_now = dict(names or {})
        self.names_durable = dict(names or {})
        self.content_now = dict(contents or {})
        self.content_durable = dict(contents or {})
        self.pending: list[tuple[str, Path, int | None]] = []
        self.steps = 0
        self.states: list[tuple[int, Disk]] = []
        self.acknowledged = 0

    def step(self, rng: random.Random) -> Iterator[Disk]:
        """Give disks as a power cut could leave them just now."""
        every = list(self.pending)
        some = [op for op in every if rng.random() < 0.5]
        for ops in ([], every, some):
            for torn in (False, True):
                yield self._after(ops, torn=torn)
        yield Disk(self.names_now, self.content_now)  # the process was killed, the machine lives

    def _after(self, ops: list[tuple[str, Path, int | None]], *, torn: bool) -> Disk:
        names = dict(self.names_durable)
        for kind, path, inode in ops:
            if kind == "add" and inode is not None:
                names[path] = inode
            else:
                names.pop(path, None)
        unsynced = {i: (c[: len(c) // 2] if torn else b"") for i, c in self.content_now.items()}
        return Disk(names, {**unsynced, **self.content_durable})

    def record(self) -> None:
        """Keep what a power cut could leave after this step."""
        self.steps += 1
        rng = random.Random(self.steps)  # noqa: S311  crash states are no secrets
        self.states += [(self.acknowledged, state) for state in self.step(rng)]

    def write(self, path: Path, parts: Iterable[bytes]) -> None:
        inode = max(self.content_now, default=0) + 1
        self.names_now[path] = inode
        self.pending.append(("add", path, inode))
        self.content_now[inode] = b"".join(parts)
        self.record()
        self.content_durable[inode] = self.content_now[inode]
        self.record()

    def rename(self, source: Path, target: Path) -> None:
        inode = self.names_now.pop(source)
        self.names_now[target] = inode
        self.pending += [("add", target, inode), ("remove", source, None)]
        self.record()

    def unlink(self, path: Path) -> None:
        if self.names_now.pop(path, None) is not None:
            self.pending.append(("remove", path, None))
            self.record()

    def sync_folder(self, path: Path) -> None:
        for kind, name, inode in self.pending:
            if name.parent == path:
                if kind == "add" and inode is not None:
                    self.names_durable[name] = inode
                else:
                    self.names_durable.pop(name, None)
        self.pending = [op for op in self.pending if op[1].parent != path]
        self.record()

    def read(self, path: Path, start: int = 0, length: int | None = None) -> bytes:
        if path not in self.names_now:
            raise FileNotFoundError(2, "no such file", str(path))
        content = self.content_now[self.names_now[path]]
        return content[start:] if length is None else content[start : start + length]

    def names(self, folder: Path) -> list[str]:
        return sorted(p.name for p in self.names_now if p.parent == folder)


def _delta(epoch: int) -> StateDelta:
    """Give what an operator that counts epochs would: a base each fifth time, else an increment."""
    base = epoch % 5 == 1
    values = list(range(1, epoch + 1)) if base else [epoch]
    return StateDelta(base, {"epochs": pl.DataFrame({"e": values})}, {"last": epoch})


def _write_epochs(store: StateStore, disk: Disk, first: int = 1) -> None:
    for epoch in range(first, first + EPOCHS):
        store.write(epoch, Snapshot({"scan": {"0": epoch}}, {"count": _delta(epoch)}, epoch))
        store.publish(epoch, {"sink": None})
        disk.acknowledged = epoch
        store.retire()


def _newest(store: StateStore) -> int:
    """Give the newest checkpoint that can be read, having checked what is in it; 0 without one."""
    for epoch in reversed(store.epochs):
        try:
            checkpoint = store.load(epoch)
        except Damaged:
            continue
        counted = [v for delta in checkpoint.deltas["count"] for v in delta.frames["epochs"]["e"].to_list()]
        first = counted[0] if counted else 0
        assert counted == list(range(first, epoch + 1))
        assert checkpoint.deltas["count"][-1].scalars == {"last": epoch}
        assert checkpoint.manifest.positions == {"scan": {"0": epoch}}
        return epoch
    return 0


FINGERPRINT = {"scan": "source", "count": "counts", "sink": "sink"}


def test_no_power_cut_loses_an_acknowledged_checkpoint(tmp_path: Path) -> None:
    """After a cut at any step the newest acknowledged checkpoint, or a newer whole one, can be read."""
    disk = Disk()
    store = StateStore(tmp_path / "job", "test", ManualClock(), disk)
    store.match(FINGERPRINT)
    store.resume(0)
    _write_epochs(store, disk)
    store.close()
    assert len(disk.states) > 300
    lost = 0
    for acknowledged, state in disk.states:
        after = StateStore(tmp_path / "job", "test", ManualClock(), state)
        after.fingerprint = dict(FINGERPRINT)
        newest = _newest(after) if acknowledged else 0
        after.close()
        assert newest >= acknowledged
        lost += acknowledged == 0
    assert lost < len(disk.states) / 2


def test_a_cut_while_going_back_an_epoch_keeps_that_epoch(tmp_path: Path) -> None:
    """A restart from the epoch before the newest removes the newest, and no cut on the way loses the one it needs."""
    disk = Disk()
    store = StateStore(tmp_path / "job", "test", ManualClock(), disk)
    store.match(FINGERPRINT)
    store.resume(0)
    _write_epochs(store, disk)
    disk.states.clear()
    disk.acknowledged = EPOCHS - 1
    store.load(EPOCHS - 1)
    store.resume(EPOCHS - 1)
    store.close()
    assert disk.states
    for acknowledged, state in disk.states:
        after = StateStore(tmp_path / "job", "test", ManualClock(), state)
        after.fingerprint = dict(FINGERPRINT)
        assert acknowledged in after.epochs
        after.load(acknowledged)
        after.close()
