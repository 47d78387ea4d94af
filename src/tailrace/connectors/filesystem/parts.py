"""Part files that are being written: of row formats, which can be cut back to a length, and of Parquet, written at once."""

from __future__ import annotations

import os
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tailrace.connectors.filesystem.staging import failed, hidden_name, piece_name
from tailrace.connectors.filesystem.streams import zstd_module
from tailrace.errors import TerminalError
from tailrace.formats.base import Encoder


class Squeezer(Protocol):
    """Compresses bytes; `flush` ends the member, and the next bytes begin another."""

    def compress(self, data: Any) -> bytes: ...
    def flush(self) -> bytes: ...


def squeezer(kind: str) -> Squeezer | None:
    """Give a new compressor; None for `none`."""
    if kind == "gzip":
        return zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    if kind == "zstd":
        made: Squeezer = zstd_module().ZstdCompressor()
        return made
    return None


class Part(ABC):
    """One part file under its hidden name. Times are monotonic seconds."""

    def __init__(self, root: Path, name: str, now: float) -> None:
        self.root = root
        self.name = name
        self.path = root / hidden_name(name)
        self.opened = now
        self.written = now

    @property
    @abstractmethod
    def size(self) -> int:
        """About how large it is."""

    @abstractmethod
    def write(self, frame: pl.DataFrame) -> None:
        """
        Append rows.

        Raises:
            TerminalError: the disk refuses them.
        """

    @abstractmethod
    def finish(self) -> None:
        """Make the file whole and durable; nothing is written to it any more."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of it as it is."""


class RowPart(Part):
    """A file of rows. `sync` makes what was written durable and gives the length that is valid after a crash."""

    def __init__(
        self, root: Path, name: str, now: float, encoder: Encoder, compression: str, valid: int | None = None
    ) -> None:
        super().__init__(root, name, now)
        self._encoder = encoder
        self._compression = compression
        self._squeezer: Squeezer | None = None
        try:
            flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(self.path, flags | (os.O_CREAT | os.O_EXCL if valid is None else 0), 0o644)
            self._length = 0 if valid is None else self._cut(valid)
        except OSError as error:
            raise failed("open", self.path, error) from None
        if self._length == 0 and encoder.header:
            self._put(encoder.header)

    def _cut(self, valid: int) -> int:
        size = os.fstat(self._fd).st_size
        if size < valid:
            message = f"'{self.path}' has {size} bytes, the checkpoint says {valid}"
            raise TerminalError(message, hint="nothing but the job may touch hidden files")
        os.ftruncate(self._fd, valid)
        os.lseek(self._fd, valid, os.SEEK_SET)
        return valid

    @property
    def size(self) -> int:
        return self._length

    def write(self, frame: pl.DataFrame) -> None:
        self._put(self._encoder.encode(frame).data)

    def _put(self, data: Any) -> None:
        if self._compression != "none":
            self._squeezer = self._squeezer or squeezer(self._compression)
            assert self._squeezer is not None
            data = self._squeezer.compress(data)
        self._write_all(data)

    def _write_all(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        try:
            while len(view):
                count = os.write(self._fd, view)
                view = view[count:]
                self._length += count
        except OSError as error:
            raise failed("write", self.path, error) from None

    def sync(self) -> int:
        """Make everything written durable; gives the length of the file, at which it can be cut and gone on with."""
        if self._squeezer is not None:
            self._write_all(self._squeezer.flush())
            self._squeezer = None
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise failed("sync", self.path, error) from None
        return self._length

    def finish(self) -> None:
        self.sync()
        self.abandon()

    def abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class ParquetPart(Part):
    """
    Rows for a Parquet file, in memory until it is finished, or until they are spilt into pieces, of which the file is then made.

    Pieces stay until they are dropped: a job may go back to a checkpoint that has them. `pieces` goes on with so many.
    """

    def __init__(self, root: Path, name: str, now: float, compression: str, pieces: int = 0) -> None:
        super().__init__(root, name, now)
        self._compression: Any = "zstd" if compression == "none" else compression
        self._frames: list[pl.DataFrame] = []
        self.memory = 0
        """About how many bytes are in memory."""
        self.pieces = pieces
        self._spilt = sum(path.stat().st_size for path in self._paths())

    def _paths(self) -> list[Path]:
        return [self.root / piece_name(self.name, i) for i in range(self.pieces)]

    @property
    def size(self) -> int:
        return self._spilt + self.memory

    def write(self, frame: pl.DataFrame) -> None:
        self._frames.append(frame)
        self.memory += int(frame.estimated_size())

    def spill(self) -> int:
        """Make the rows that are in memory durable as a piece; gives how many pieces there are."""
        if self._frames:
            path = self.root / piece_name(self.name, self.pieces)
            self._write(path, pl.concat(self._frames))
            self.pieces += 1
            self._spilt += path.stat().st_size
            self.abandon()
        return self.pieces

    def _write(self, path: Path, frame: pl.DataFrame) -> None:
        try:
            # O_EXCL: the name is new, and no link is followed
            with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "w+b") as file:
                frame.write_parquet(file, compression=self._compression)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise failed("write", path, error) from None

    def finish(self) -> None:
        if not self.pieces:
            self._write(self.path, pl.concat(self._frames))
            self.abandon()
            return
        self.spill()
        try:
            scan = pl.scan_parquet(self._paths(), glob=False, hive_partitioning=False)
            scan.sink_parquet(self.path, compression=self._compression)
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise failed("write", self.path, error) from None

    def abandon(self) -> None:
        self._frames.clear()
        self.memory = 0
