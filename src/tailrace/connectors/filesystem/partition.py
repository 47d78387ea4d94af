"""One file name as a partition: the file that it names now, rotation, and what must be said when it is not the same."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from tailrace.connectors.filesystem.marks import Mark, Past, has_head, sibling_with
from tailrace.connectors.filesystem.reading import OpenFile, Reading, Taken, difference_at
from tailrace.errors import TerminalError

_log = structlog.get_logger(__name__)


class FilePartition:
    """
    The rows of one file name, in order, through rotations.

    `restart` says what to do with a file that was cut or replaced: begin it again, or stop.
    """

    def __init__(
        self, name: str, path: Path, reading: Reading, mark: Mark | None, *, restart: bool, past: Past = ()
    ) -> None:
        self.name = name
        self.path = path
        self._reading = reading
        self._restart = restart
        self.mark = mark
        self.file: OpenFile | None = None
        self._past = past
        self.live = True
        """Whether its rows may still come; set by the reader."""
        self.gone = False
        """Whether there was once nothing at its path, so that an inode may have been given to another file; set by the reader."""
        self._rotated = False
        self._seen = 0

    def read(self, max_rows: int, max_bytes: int) -> Taken | None:
        """
        Give the next rows; None if there are none now.

        Raises:
            TerminalError: the file can't be read, or is not the one that was read before.
        """
        if self.file is None and not self._open():
            return None
        assert self.file is not None
        self._seen = self.file.status().st_size
        taken = self.file.read(max_rows, max_bytes)
        if taken is not None:
            self.mark = taken.mark
            return taken
        if self._rotated and self.file.ended:
            return self._switch(max_rows, max_bytes)
        return None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes under this name, unless a new file appears."""
        if self.file is None:
            return self.mark is not None
        return self.file.ended and not self.file.may_grow and not (self._rotated and self.path.exists())

    def inodes(self) -> set[int]:
        """Give the inodes that it reads or has read: such a file under another name is no new one."""
        mark = self._current
        return {mark.inode, *(inode for inode, _ in mark.past)} if mark else set()

    @property
    def _current(self) -> Mark | None:
        return self.file.mark if self.file else self.mark

    def has_read(self, path: Path, inode: int) -> bool:
        """Tell whether a file at another path is one that this partition reads or has read."""
        mark = self._current
        if mark is None or path == self.path:
            return False
        known = [(mark.inode, mark.head), *mark.past]
        return any(i == inode and has_head(path, head) for i, head in known)

    def is_other(self, status: os.stat_result) -> bool:
        """Tell whether the file at its path is another than the one that was read to its end."""
        assert self.mark is not None
        return status.st_ino != self.mark.inode or (self.gone and not has_head(self.path, self.mark.head))

    def look(self, status: os.stat_result | None) -> bool:
        """
        Compare with what is at the path now (None: nothing); tell whether there is something to read.

        Raises:
            TerminalError: the file was cut or written over.
        """
        if self.file is None:
            known = self.mark
            same = (
                known is not None
                and status is not None
                and (status.st_ino, status.st_size) == (known.inode, known.size)
            )
            return not same
        if difference := self.file.changed():
            self._changed(difference)
            return True
        if (status is None or status.st_ino != self.file.mark.inode) and not self._rotated:
            self._rotated = True
            self.file.no_more()
            return True
        return self.file.status().st_size > self._seen

    def check_end(self) -> None:
        """
        Make sure that a file which seems to be at its end was not cut while it was read.

        Raises:
            TerminalError: it was.
        """
        if self.file is not None and (difference := self.file.changed()):
            self._changed(difference)

    def close(self) -> None:
        """Let go of the file; reading may go on later."""
        if self.file is not None:
            self.mark = self.file.mark
            self.file.close()
            self.file = None

    def _open(self) -> bool:
        """Open the file where the mark says; tell whether there is one."""
        path = self._resumed() if self.mark else self.path
        if path is None or not path.exists():
            return False
        self.file = OpenFile(path, self._reading, self.mark)
        self._rotated = path != self.path
        if self.mark is None:
            self.file.succeed(self._past)
        if self._rotated:
            self.file.no_more()
        return True

    def _resumed(self) -> Path | None:
        """Find the file that the mark is about."""
        assert self.mark is not None
        here = self.path.exists()
        difference = difference_at(self.path, self.mark, self._reading) if here else "it is gone"
        if not difference:
            done = self.mark.ended and self.path.stat().st_size == self.mark.size
            return None if done else self.path
        moved = sibling_with(self.path, self.mark.inode, self.mark.head)
        if moved is not None and moved != self.path and not difference_at(moved, self.mark, self._reading):
            return moved
        if not here and self.mark.read_whole:
            return None
        self._changed(difference)
        return self.path

    def _changed(self, difference: str) -> None:
        if not self._restart:
            hint = (
                "put the file back, or set 'tailrace.on-file-change' = 'restart' to read it again from its beginning"
                " (rows already read then come twice)"
            )
            at = self.mark.offset if self.mark else 0
            raise TerminalError(f"file '{self.path}' has changed since it was read up to {at}: {difference}", hint=hint)
        _log.warning("file starts over", file=str(self.path), reason=difference)
        self.close()
        self.mark = None

    def _switch(self, max_rows: int, max_bytes: int) -> Taken | None:
        """Go on with the file that has taken the place of the rotated one."""
        assert self.file is not None
        old = self.file.mark
        if not self.path.exists():
            return None
        self.file.close()
        self.file = OpenFile(self.path, self._reading, None)
        self._rotated = False
        self.file.succeed(old.followed_by())
        taken = self.file.read(max_rows, max_bytes)
        self.mark = taken.mark if taken else old
        return taken
