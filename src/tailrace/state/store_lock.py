"""One process for one state folder: a lock that names its holder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from tailrace.errors import ConfigError


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
        path = folder / "lock"
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._fd, 4096, 0)
            os.close(self._fd)
            raise _held(folder, holder) from None
        me = msgspec.json.encode(Holder(os.getpid(), os.uname().nodename))
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, me, 0)

    def release(self) -> None:
        """Let go of the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _held(folder: Path, content: bytes) -> ConfigError:
    try:
        holder = msgspec.json.decode(content, type=Holder)
        who = f"process {holder.pid} on host {holder.host}"
    except msgspec.DecodeError:
        who = "another process"
    hint = "stop that run, or give this one a state folder of its own with --state"
    return ConfigError(f"state folder '{folder}' is in use by {who}", hint=hint)
