"""
Positions in files, and how a file is known again after a restart.

A mark is the inode, an offset, and two fingerprints: of the first bytes of the file as it lies on disk, and of the last
bytes before the offset. A file that was moved or copied is found again; one that was cut or replaced is told apart.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailrace.errors import TerminalError

HEAD = 1024
TAIL = 64
MAX_PAST = 16

Print = tuple[int, str]
"""A fingerprint: of how many bytes, and their hash."""

Past = tuple[tuple[int, Print], ...]
"""The inodes and first bytes of files that a partition has read before."""


def fingerprint(data: bytes) -> Print:
    """Give the length of some bytes and a short hash of them."""
    return len(data), hashlib.blake2b(data, digest_size=8).hexdigest()


def head_of(fd: int, size: int = HEAD) -> Print:
    """Give the fingerprint of the first bytes of an open file."""
    return fingerprint(os.pread(fd, size, 0))


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Where a file stands: `offset` counts bytes after decompression, or rows of a Parquet file.

    `size` is the size on disk when it was made. `ended` says that nothing comes after the offset. `past` names files
    that the partition had before it was rotated, so that they are not read again under another name.
    """

    inode: int
    offset: int
    head: Print
    tail: Print
    size: int
    ended: bool = False
    past: Past = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON value."""
        given: dict[str, Any] = {"inode": self.inode, "offset": self.offset, "size": self.size}
        given |= {"head": list(self.head), "tail": list(self.tail)}
        if self.ended:
            given["ended"] = True
        if self.past:
            given["past"] = [[inode, list(head)] for inode, head in self.past]
        return given

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mark:
        """
        Read what `to_json` gave.

        Raises:
            TerminalError: it is something else.
        """
        try:
            past = tuple((int(inode), _print(head)) for inode, head in value.get("past", ()))
            return cls(
                int(value["inode"]),
                int(value["offset"]),
                _print(value["head"]),
                _print(value["tail"]),
                int(value["size"]),
                bool(value.get("ended")),
                past,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TerminalError(f"the checkpoint has no position of a file: {error}") from None

    def followed_by(self) -> Past:
        """Give the past of the partition when a new file takes the place of this one."""
        return (*self.past, (self.inode, self.head))[-MAX_PAST:]

    @property
    def read_whole(self) -> bool:
        """Whether everything that was known of the file had been read."""
        return self.ended or self.offset >= self.size


def _print(value: Any) -> Print:
    length, digest = value
    return int(length), str(digest)


def has_head(path: Path, head: Print) -> bool:
    """Tell whether a file begins with the bytes of a fingerprint."""
    with path.open("rb") as file:
        return fingerprint(file.read(head[0])) == head


def sibling_with(path: Path, inode: int, head: Print) -> Path | None:
    """Find the file in the same folder that has this inode and beginning: where a rotated file went."""
    if not path.parent.is_dir():
        return None
    with os.scandir(path.parent) as entries:
        names = [e.path for e in entries if e.is_file(follow_symlinks=False) and e.inode() == inode]
    return next((Path(n) for n in names if has_head(Path(n), head)), None)
