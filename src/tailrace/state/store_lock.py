"""One process for one state folder: a lock that names its holder."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tailrace.errors import ConfigError
from tailrace.state.file_lock import FileLock

LOCK = "lock"


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    pid: int
    host: str


class FolderLock:
    """
    Holds a folder until `release`, or until the process ends however it ends.

    Raises:
        ConfigError: another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        lock = FileLock.take(path, msgspec.json.encode(Holder(os.getpid(), os.uname().nodename)))
        if lock is None:
            raise _held(folder, path.read_bytes())
        self._lock = lock

    def release(self) -> None:
        """Let go of the folder."""
        self._lock.release()


def _held(folder: Path, content: bytes) -> ConfigError:
    try:
        holder = msgspec.json.decode(content, type=Holder)
        who = f"process {holder.pid} on host {holder.host}"
    except msgspec.DecodeError:
        who = "another process"
    hint = "stop that run, or give this one a state folder of its own with --state"
    return ConfigError(f"state folder '{folder}' is in use by {who}", hint=hint)
