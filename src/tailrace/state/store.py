"""
The checkpoint store: a folder for each job.

    lock                      held while a run lasts; names the process and host
    job.json                  the job's id, the format's version, the pipeline's fingerprint
    checkpoints/<n>.data      the frames of epoch n: IPC streams, one behind the other; never changed
    checkpoints/<n>.manifest  what epoch n is: positions, staged output, and where each operator's deltas lie

A checkpoint is there when its manifest is: data synced, manifest written under another name, synced, renamed, folder
synced (three syncs each). A manifest may need data files of earlier epochs. Nothing is removed before the manifest that
does without it is durable; the last two checkpoints are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import structlog

from tailrace.clock import Clock
from tailrace.errors import ConfigError, TerminalError
from tailrace.state.delta import StateDelta
from tailrace.state.files import Files, LocalFiles, failed, replace_durably
from tailrace.state.savepoints import Savepoint, write_savepoint
from tailrace.state.store_folder import CHECKPOINTS, new_record, newer, prepare_folder, read_record, write_record
from tailrace.state.store_frames import Pack, deltas_of, extended, unpack
from tailrace.state.store_lock import FolderLock
from tailrace.state.store_manifest import Damaged, FrameRecord, Link, Manifest, NewerFormat, seal, unseal

KEPT = 2

_log = structlog.get_logger("tailrace.state")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the engine hands over between two ticks: positions by scan and partition, and deltas by operator."""

    positions: dict[str, dict[str, Any]]
    deltas: Mapping[str, StateDelta]
    rows_in: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was read: all of it, checked."""

    manifest: Manifest
    deltas: dict[str, list[StateDelta]]


@dataclass(slots=True)
class _Pending:
    epoch: int
    snapshot: Snapshot
    operators: dict[str, list[Link]] = field(default_factory=dict)
    bytes: int = 0


class StateStore:
    """
    The folder of one job, held by this process alone.

    Raises:
        ConfigError: the folder can't be written, is held by another process, or is of a newer version.
    """

    def __init__(self, folder: Path, name: str, clock: Clock, files: Files | None = None) -> None:
        self.folder = folder
        self._files = files or LocalFiles()
        self._clock = clock
        self._data = folder / CHECKPOINTS
        prepare_folder(folder)
        self._lock = FolderLock(folder)
        try:
            self._record = read_record(self._files, folder) or new_record(name)
            if self._record.finished:
                self._begin_again(name)
        except BaseException:
            self._lock.release()
            raise
        self._chains: dict[str, list[Link]] = {}
        self._needs: dict[int, set[int]] = {}
        self._fading: set[int] = set()
        self._pending: _Pending | None = None
        self.fingerprint: dict[str, str] = {}
        self.last_bytes: int = 0

    def _begin_again(self, name: str) -> None:
        """Clear the folder of a job that finished; until the new record is there it still counts as finished."""
        self._remove(self._files.names(self._data))
        self._files.sync_folder(self._data)
        self._record = new_record(name)

    @property
    def job(self) -> str:
        """The job's id: the same over restarts, a new one after the job has finished."""
        return self._record.job

    @property
    def epochs(self) -> list[int]:
        """The epochs that have a manifest, readable or not, oldest first."""
        names = self._files.names(self._data)
        return sorted(int(n.removesuffix(".manifest")) for n in names if n.endswith(".manifest"))

    def match(self, fingerprint: Mapping[str, str], *, allow_drop: bool = False) -> None:
        """
        Make sure that the state is that of this pipeline; `fingerprint` describes each operator by its id.

        With `allow_drop` what does not match is dropped and begins anew.

        Raises:
            ConfigError: it is of another one; the message lists what does not match.
            TerminalError: the record can't be written, or all checkpoints are gone.
        """
        if self._record.checkpointed and not self.epochs:
            hint = "bring them back, or name a new folder with --state to start from the beginning"
            raise TerminalError(f"all checkpoints in '{self._data}' are gone", hint=hint)
        differences = compare(self._record.fingerprint, fingerprint) if self.epochs else []
        if differences and not allow_drop:
            hint = "run the pipeline that wrote it, name another folder with --state, or drop what does not match"
            listed = "\n".join(f"  - {d}" for d in differences)
            raise ConfigError(f"the state in '{self.folder}' is of another pipeline:\n{listed}", hint=hint)
        for difference in differences:
            _log.warning("state dropped", what=difference)
        self.fingerprint = dict(fingerprint)
        self._record = msgspec.structs.replace(self._record, fingerprint=self.fingerprint)
        self._write_record()

    def load(self, epoch: int) -> Checkpoint:
        """
        Read a whole checkpoint and check it, and take it as what the next one extends.

        Operators, scans and sinks whose fingerprint has changed are left out.

        Raises:
            Damaged: a part is not what was written.
            ConfigError: a newer version wrote it.
        """
        manifest = self.manifest(epoch)
        kept = {k for k, text in manifest.fingerprint.items() if self.fingerprint.get(k) == text}
        chains = {n: chain for n, chain in manifest.operators.items() if n in kept}
        try:
            deltas = deltas_of(chains, self._read)
        except pl.exceptions.PolarsError as error:
            raise Damaged(f"its data can't be read: {error}") from None
        self._chains = chains
        positions = {n: p for n, p in manifest.positions.items() if n in kept}
        staged = {n: s for n, s in manifest.staged.items() if n in kept}
        return Checkpoint(msgspec.structs.replace(manifest, positions=positions, staged=staged), deltas)

    def manifest(self, epoch: int) -> Manifest:
        """
        Read a manifest alone.

        Raises:
            Damaged: it is not what was written.
            ConfigError: a newer version wrote it.
        """
        path = self._path(epoch, "manifest")
        try:
            manifest: Manifest = unseal(self._files.read(path), Manifest)
        except NewerFormat as error:
            raise newer(path, error) from None
        except OSError as error:
            raise Damaged(f"'{path}' can't be read: {error.strerror or error}") from None
        if manifest.job != self.job or manifest.epoch != epoch:
            raise Damaged(f"'{path}' is of another job or epoch")
        return manifest

    def _read(self, record: FrameRecord) -> pl.DataFrame:
        path = self._path(record.epoch, "data")
        try:
            return unpack(self._files.read(path, record.offset, record.length), record)
        except OSError as error:
            raise Damaged(f"'{path}' can't be read: {error.strerror or error}") from None

    def resume(self, epoch: int) -> None:
        """
        Go on from this epoch (0: from the beginning): remove what is newer, so that its numbers can be used again.

        Raises:
            TerminalError: the disk refuses.
        """
        names = self._files.names(self._data)
        later = [n for n in names if _epoch_of(n) > epoch or n.endswith(".tmp")]
        # manifests go first: data without one is nothing, a manifest without its data looks damaged
        self._remove(sorted(later, key=lambda n: not n.endswith(".manifest")))
        try:
            self._files.sync_folder(self._data)
        except OSError as error:
            raise failed("sync folder", self._data, error) from None
        self._needs = {e: self._needed(e) for e in self.epochs}
        needed = set().union(*self._needs.values())
        self._remove([n for n in self._files.names(self._data) if n.endswith(".data") and _epoch_of(n) not in needed])

    def _needed(self, epoch: int) -> set[int]:
        try:
            return self.manifest(epoch).epochs
        except Damaged:
            return {_epoch_of(n) for n in self._files.names(self._data)}

    def write(self, epoch: int, snapshot: Snapshot) -> None:
        """
        Write the data of an epoch; it counts when `publish` has followed.

        Raises:
            TerminalError: the disk is full, or refuses; earlier checkpoints are as they were.
        """
        pack = Pack(epoch)
        chains = {
            name: extended(self._chains.get(name, []), delta, pack, self._read)
            for name, delta in snapshot.deltas.items()
        }
        path = self._path(epoch, "data")
        if pack.parts:
            self._put(path, pack.parts)
        size = sum(len(p) for p in pack.parts)
        self._pending = _Pending(epoch, snapshot, {**self._chains, **chains}, size)

    def _put(self, path: Path, parts: list[bytes]) -> None:
        try:
            self._files.write(path, parts)
        except OSError as error:
            with suppress(OSError):  # a part of a file is in nobody's way: the next start removes it
                self._files.unlink(path)
            raise failed("write checkpoint", path, error) from None

    def publish(self, epoch: int, staged: Mapping[str, Any]) -> None:
        """
        Make the epoch that was written a checkpoint: durable when this returns.

        Raises:
            TerminalError: the disk is full, or refuses; earlier checkpoints are as they were.
        """
        pending = self._pending
        if pending is None or pending.epoch != epoch:
            raise TerminalError(f"checkpoint {epoch} was not written before it was published")
        manifest = self._manifest_of(pending, staged)
        path = self._path(epoch, "manifest")
        data = seal(manifest)
        try:
            replace_durably(self._files, path, data)
        except OSError as error:
            raise failed("write checkpoint", path, error) from None
        self._chains, self._pending = pending.operators, None
        self._needs[epoch] = manifest.epochs
        self.last_bytes = pending.bytes + len(data)
        if not self._record.checkpointed:
            self._record = msgspec.structs.replace(self._record, checkpointed=True)
            self._write_record()

    def _manifest_of(self, pending: _Pending, staged: Mapping[str, Any]) -> Manifest:
        return Manifest(
            job=self.job,
            epoch=pending.epoch,
            time_ms=self._clock.now_ms(),
            positions=pending.snapshot.positions,
            operators=pending.operators,
            staged=dict(staged),
            fingerprint=self.fingerprint,
            rows_in=pending.snapshot.rows_in,
            final=pending.snapshot.final,
        )

    def retire(self) -> None:
        """
        Remove what no kept checkpoint needs; called when the newest is durable and committed.

        Data goes one round later than the manifest that named it, as by then that manifest's end is durable.
        """
        old = sorted(self._needs)[:-KEPT]
        faded, self._fading = self._fading, set()
        for epoch in old:
            self._fading |= self._needs.pop(epoch)
        needed = set().union(*self._needs.values(), self._fading)
        self._remove([self._path(e, "manifest").name for e in old])
        self._remove([self._path(e, "data").name for e in faded - needed])

    def savepoint(self, name: str, epoch: int, staged: Mapping[str, Any]) -> Savepoint:
        """
        Keep a checkpoint under a name; called when it is durable and committed, and not yet retired.

        `staged` is what sinks of a job that begins with it are opened with.

        Raises:
            ConfigError: it can't have the name, or there is one of that name.
            TerminalError: the disk refuses.
            Damaged: the checkpoint can't be read back.
        """
        return write_savepoint(
            self._files,
            self.folder,
            name,
            self._record,
            msgspec.structs.replace(self.manifest(epoch), staged=dict(staged)),
        )

    def finish(self) -> None:
        """Note that the job has come to its end: the next run begins anew."""
        self._record = msgspec.structs.replace(self._record, finished=True)
        self._write_record()

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.release()

    def _write_record(self) -> None:
        try:
            write_record(self._files, self.folder, self._record)
        except OSError as error:
            raise failed("write", self.folder / "job.json", error) from None

    def _remove(self, names: list[str]) -> None:
        for name in names:
            try:
                self._files.unlink(self._data / name)
            except OSError as error:
                raise failed("remove", self._data / name, error) from None

    def _path(self, epoch: int, kind: str) -> Path:
        return self._data / f"{epoch:010d}.{kind}"


def _epoch_of(name: str) -> int:
    digits = name.partition(".")[0]
    return int(digits) if digits.isdigit() else -1


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """
    Say how two pipelines differ, one line for each operator.

    >>> compare({"limit": "5", "scan-a": "kafka"}, {"limit": "6"})
    ['limit: was 5, is 6', 'scan-a: is gone (was kafka)']
    """
    lines = []
    for name in sorted({*old, *new}):
        if name not in new:
            lines.append(f"{name}: is gone (was {old[name]})")
        elif name not in old:
            lines.append(f"{name}: is new ({new[name]})")
        elif old[name] != new[name]:
            lines.append(f"{name}: was {old[name]}, is {new[name]}")
    return lines
