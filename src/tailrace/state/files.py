"""
The few file operations that a checkpoint is made of.

Everything that the store does to the disk goes through `Files`, so that a test can take its place, lose what was not
synced at any step, and look at what is left.
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tailrace.errors import TerminalError

_HINTS = {
    errno.ENOSPC: "free some space and start again; the checkpoints that are there stay good",
    errno.EDQUOT: "free some space and start again; the checkpoints that are there stay good",
    errno.EROFS: "mount the file system writable, or name another state folder",
    errno.EACCES: "give this user the right to write there, or name another state folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.EIO: "the disk reports an error; check it before starting again",
}


def failed(what: str, path: Path | str, error: OSError) -> TerminalError:
    """Give the error for something that the system did not do."""
    hint = _HINTS.get(error.errno or 0, "the checkpoints that are there stay good")
    return TerminalError(f"can't {what} '{path}': {error.strerror or error}", hint=hint)


class Files(ABC):
    """
    What the store asks of a disk. Paths are whole.

    Raises:
        OSError: from every method.
    """

    @abstractmethod
    def write(self, path: Path, parts: Iterable[bytes]) -> None:
        """Make (or write over) a file with this content, and sync the content."""

    @abstractmethod
    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of what has that name."""

    @abstractmethod
    def unlink(self, path: Path) -> None:
        """Remove a file; one that is not there is no error."""

    @abstractmethod
    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""

    @abstractmethod
    def read(self, path: Path, start: int = 0, length: int | None = None) -> bytes:
        """Give (a part of) a file; less than asked where it is shorter."""

    @abstractmethod
    def names(self, folder: Path) -> list[str]:
        """List the files of a folder."""

    def copy(self, source: Path, target: Path) -> None:
        """Give a new file the content of another, that never changes."""
        self.write(target, [self.read(source)])


class LocalFiles(Files):
    """The local disk. Files are for their owner alone."""

    def write(self, path: Path, parts: Iterable[bytes]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(path, flags, 0o600)
        try:
            with _named(path):
                for part in parts:
                    _write_all(fd, part)
                os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with _named(path):
                os.fsync(fd)
        finally:
            os.close(fd)

    def read(self, path: Path, start: int = 0, length: int | None = None) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read() if length is None else file.read(length)

    def copy(self, source: Path, target: Path) -> None:
        try:
            target.hardlink_to(source)
        except OSError:  # on another disk, or one that has no links
            super().copy(source, target)

    def names(self, folder: Path) -> list[str]:
        return sorted(entry.name for entry in folder.iterdir())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the name of the file into an error of an open file, which has none."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace_durably(files: Files, path: Path, content: bytes) -> None:
    """Put a file in place whole or not at all, so that it outlives a power cut."""
    temporary = path.with_name(path.name + ".tmp")
    files.write(temporary, [content])
    files.rename(temporary, path)
    files.sync_folder(path.parent)
