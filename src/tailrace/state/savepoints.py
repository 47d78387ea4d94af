"""
Savepoints: checkpoints that were given a name, and stay until somebody removes them.

A savepoint is a folder `savepoints/<name>` in that of the job, with a job's record and one checkpoint. It needs nothing else: it may be
copied elsewhere. A job that starts from one is a new job, with an id of its own: it knows nothing of what the old one
wrote after it.
"""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tailrace.errors import ConfigError
from tailrace.state.files import Files, LocalFiles, failed
from tailrace.state.store_folder import CHECKPOINTS, RECORD, newer, prepare_folder, read_record, write_record
from tailrace.state.store_manifest import Damaged, JobRecord, Manifest, NewerFormat, seal, unseal

FOLDER = "savepoints"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Savepoint:
    """One that is there: when it was taken (ms since 1970), at which epoch, after how many rows, and its bytes."""

    name: str
    time_ms: int
    epoch: int
    rows_in: int
    bytes: int


def folder_of(folder: Path, name: str) -> Path:
    """Give the folder of a savepoint in that of its job."""
    return folder.resolve() / FOLDER / name


def check_name(name: str) -> None:
    """
    Make sure that a savepoint can have a name.

    Raises:
        ConfigError: it can't.
    """
    if _NAME.fullmatch(name) is None:
        hint = "use up to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit"
        raise ConfigError(f"a savepoint can't be named {name!r}", hint=hint)


def write_savepoint(files: Files, folder: Path, name: str, record: JobRecord, manifest: Manifest) -> Savepoint:
    """
    Copy a checkpoint that is durable to a savepoint of a job's folder; it is there as a whole or not at all.

    Raises:
        ConfigError: it can't have the name, or there is one of that name.
        TerminalError: the disk refuses.
    """
    check_name(name)
    target, growing = folder / FOLDER / name, folder / FOLDER / f".{name}"
    if target.exists():
        raise ConfigError(f"there is a savepoint '{name}' already", hint="give another name, or remove its folder")
    try:
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(growing, ignore_errors=True)
        (growing / CHECKPOINTS).mkdir(mode=0o700, parents=True)
        _fill(files, folder, growing, record, manifest)
        files.rename(growing, target)
        files.sync_folder(folder / FOLDER)
        files.sync_folder(folder)
    except OSError as error:
        raise failed("write savepoint", target, error) from None
    return _read(files, target)


def _fill(files: Files, source: Path, target: Path, record: JobRecord, manifest: Manifest) -> None:
    """Write the files of a state folder with one checkpoint."""
    for epoch in manifest.epochs:
        name = f"{epoch:010d}.data"
        files.copy(source / CHECKPOINTS / name, target / CHECKPOINTS / name)
    whole = msgspec.structs.replace(manifest, job=record.job, final=False)
    files.write(target / CHECKPOINTS / f"{manifest.epoch:010d}.manifest", [seal(whole)])
    files.sync_folder(target / CHECKPOINTS)
    write_record(files, target, msgspec.structs.replace(record, checkpointed=True, finished=False))


def savepoints(folder: Path, files: Files | None = None) -> list[Savepoint]:
    """Give the savepoints in a job's folder that can be read, the newest first."""
    files = files or LocalFiles()
    found = []
    for place in sorted((folder / FOLDER).glob("[!.]*")) if (folder / FOLDER).is_dir() else []:
        try:
            found.append(_read(files, place))
        except (ConfigError, OSError):
            continue
    return sorted(found, key=lambda s: -s.time_ms)


def _read(files: Files, place: Path) -> Savepoint:
    manifest = _manifest(files, place)
    size = sum(f.stat().st_size for f in (place / CHECKPOINTS).iterdir())
    return Savepoint(place.name, manifest.time_ms, manifest.epoch, manifest.rows_in, size)


def _manifest(files: Files, place: Path) -> Manifest:
    """
    Read the one manifest of a savepoint.

    Raises:
        ConfigError: it is none, or damaged.
    """
    names = [
        n
        for n in (files.names(place / CHECKPOINTS) if (place / CHECKPOINTS).is_dir() else [])
        if n.endswith(".manifest")
    ]
    if len(names) != 1:
        raise ConfigError(f"'{place}' is no savepoint", hint="name a folder in 'savepoints' of a job's state folder")
    try:
        manifest: Manifest = unseal(files.read(place / CHECKPOINTS / names[0]), Manifest)
    except NewerFormat as error:
        raise newer(place, error) from None
    except Damaged as error:
        raise ConfigError(f"savepoint '{place}' is damaged: {error}", hint="bring back a good copy") from None
    return manifest


def start_from(savepoint: Path, folder: Path, files: Files | None = None) -> None:
    """
    Make a new state folder of a savepoint; the job that uses it goes on from there.

    Raises:
        ConfigError: it is no savepoint, or the folder has state already.
        TerminalError: the disk refuses.
    """
    files = files or LocalFiles()
    manifest, record = _manifest(files, savepoint), read_record(files, savepoint)
    if record is None:
        raise ConfigError(f"'{savepoint}' is no savepoint: '{RECORD}' is gone", hint="bring back a good copy")
    if (folder / RECORD).exists():
        hint = "name a new folder with --state; the savepoint stays as it is"
        raise ConfigError(f"state folder '{folder}' has state already", hint=hint)
    prepare_folder(folder)
    try:
        _fill(files, savepoint, folder, msgspec.structs.replace(record, job=uuid.uuid4().hex), manifest)
        files.sync_folder(folder)
    except OSError as error:
        raise failed("copy savepoint into", folder, error) from None
