"""Locks on files: held by one process until it lets go or ends, however it ends, and readable by all others."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

_MOST = 4096
"""So many bytes of what a holder has written about itself are read."""


class FileLock:
    """
    A file that this process alone holds, with a note about the holder in it.

    The kernel (of a shared file system: its server) frees it when the process is gone.
    """

    def __init__(self, path: Path, fd: int, before: bytes) -> None:
        self.path = path
        self._fd = fd
        self.before: bytes = before
        """The note that was found: that of a holder who did not let go, but died."""

    @classmethod
    def take(cls, path: Path, note: bytes) -> Self | None:
        """
        Take the lock of a file, which is made if it is not there; None if another process has it.

        Raises:
            OSError: the file can't be opened or written.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        before = os.pread(fd, _MOST, 0)
        os.ftruncate(fd, 0)
        os.pwrite(fd, note, 0)
        return cls(path, fd, before)

    def release(self, *, wiped: bool = False) -> None:
        """Let go; `wiped` takes the note away first, so that the next holder knows that this one did not die."""
        if self._fd >= 0:
            if wiped:
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def holder_of(path: Path) -> bytes | None:
    """
    Give the note of the process that holds a file; None if nobody does.

    Who looks takes a lock that others who look can share, for a moment: a holder-to-be may have to try once more.

    Raises:
        OSError: the file can't be read.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(fd, _MOST, 0)
    finally:
        os.close(fd)
    return None
