"""The state folder before it is used: made, looked at, refused if it can't be trusted."""

from __future__ import annotations

import os
import stat
import uuid
from pathlib import Path

import structlog

from tailrace.errors import ConfigError
from tailrace.state.files import Files, LocalFiles, replace_durably
from tailrace.state.store_manifest import FORMAT, Damaged, JobRecord, NewerFormat, seal, unseal

CHECKPOINTS = "checkpoints"
RECORD = "job.json"

_log = structlog.get_logger("tailrace.state")


def prepare_folder(folder: Path) -> None:
    """
    Make the folder (and its parent, if only that is missing), and make sure that it can be written.

    Raises:
        ConfigError: it can't be made or written, or is a symbolic link.
    """
    for path in (folder, folder / CHECKPOINTS, folder / RECORD, folder / "lock"):
        if path.is_symlink():
            hint = f"name the folder itself: --state {os.path.realpath(path)}" if path == folder else "remove it"
            raise ConfigError(f"'{path}' is a symbolic link; state is kept in a real folder", hint=hint)
    try:
        _make(folder)
        _make(folder / CHECKPOINTS)
    except OSError as error:
        raise ConfigError(_cannot(folder, error), hint="name another folder with --state") from None
    _probe(folder)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        _log.warning("others can look into the state folder", folder=str(folder), hint=f"chmod 700 {folder}")


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    # another job may just be making them, too
    if not folder.parent.is_dir():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _probe(folder: Path) -> None:
    """Write a file, as rights alone don't tell (a superuser, a read-only mount)."""
    for place in (folder, folder / CHECKPOINTS):
        path = place / ".probe"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            path.unlink(missing_ok=True)
        except OSError as error:
            hint = "change its rights, or name another folder with --state"
            raise ConfigError(_cannot(place, error), hint=hint) from None


def _cannot(folder: Path, error: OSError) -> str:
    return f"state folder '{folder}' can't be written: {error.strerror or error}"


def read_record(files: Files, folder: Path) -> JobRecord | None:
    """
    Read whose folder it is; None for a new one.

    Raises:
        ConfigError: it is of a newer version, or damaged.
    """
    path = folder / RECORD
    if RECORD not in files.names(folder):
        if any(n.endswith(".manifest") for n in files.names(folder / CHECKPOINTS)):
            hint = "bring the file back, or name a new folder with --state to start from the beginning"
            raise ConfigError(f"state folder '{folder}' has checkpoints, but '{RECORD}' is gone", hint=hint)
        return None
    try:
        record: JobRecord = unseal(files.read(path), JobRecord)
    except NewerFormat as error:
        raise newer(path, error) from None
    except Damaged as error:
        hint = "bring the file back, or name a new folder with --state to start from the beginning"
        raise ConfigError(f"'{path}' is damaged: {error}", hint=hint) from None
    return record


def resumes(folder: Path | None) -> bool:
    """Tell whether a job in this folder would go on from a checkpoint."""
    if folder is None or not (folder / RECORD).is_file():
        return False
    record = read_record(LocalFiles(), folder)
    return record is not None and record.checkpointed and not record.finished


def has_finished(folder: Path) -> bool:
    """Tell whether the job of this folder has come to its end."""
    if not (folder / RECORD).is_file():
        return False
    record = read_record(LocalFiles(), folder)
    return record is not None and record.finished


def newest_epoch(folder: Path) -> int:
    """Give the number of the newest checkpoint in a folder, readable or not; 0 if there is none."""
    return max((int(p.stem) for p in (folder / CHECKPOINTS).glob("*.manifest") if p.stem.isdigit()), default=0)


def newer(path: Path, error: NewerFormat) -> ConfigError:
    """Give the error for what a newer version wrote."""
    message = f"'{path}' has state format {error.version}; this version of Tailrace reads up to format {FORMAT}"
    return ConfigError(message, hint="run the newer version, or name another state folder with --state")


def new_record(name: str) -> JobRecord:
    """Give the record of a job that begins."""
    return JobRecord(job=uuid.uuid4().hex, name=name, fingerprint={})


def write_record(files: Files, folder: Path, record: JobRecord) -> None:
    """Put the record in place, durably."""
    replace_durably(files, folder / RECORD, seal(record))
