"""The bytes of a file by offset: as they lie on disk, or decompressed on the way; bounded in memory whatever they hold."""

from __future__ import annotations

import importlib
import os
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tailrace.errors import ConfigError

Bytes = npt.NDArray[np.uint8]

_RAW = 256 << 10
_PIECE = 1 << 20
_SKIP = 64 << 20
_BOMB_FLOOR = 64 << 20

MAGIC = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "gzip data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x7fELF": "a program",
}


def looks_like(head: bytes) -> str:
    """
    Say what a file is by its first bytes, if it is surely not text; an empty text else.

    >>> looks_like(b"PAR1...")
    'a Parquet file'
    """
    known = next((what for magic, what in MAGIC.items() if head.startswith(magic)), "")
    if known == "bzip2 data" and head[3:4] not in b"123456789":
        known = ""
    if not known and head.count(0) * 8 > len(head):
        return "binary data (or UTF-16 text; Tailrace reads UTF-8)"
    return known


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the bytes after some offset can't be had."""

    code: str
    reason: str


class Stream(ABC):
    """The bytes of one open file, from any offset on; used by one thread."""

    failure: Failure | None = None
    """Set when the bytes behind those given can't be read."""

    @abstractmethod
    def read(self, offset: int, size: int) -> Bytes:
        """Give up to `size` bytes from `offset`; fewer only where the file ends now, or where more work is due."""

    @abstractmethod
    def exhausted(self, offset: int) -> bool:
        """Tell whether the file, as it is now, has nothing at or after the offset."""

    def no_more(self) -> None:
        """Take the file as complete."""


class PlainStream(Stream):
    """A file as it lies on disk. It may grow; with `limit`, bytes from there on are left out."""

    def __init__(self, fd: int, limit: int | None = None) -> None:
        self._fd = fd
        self._limit = limit

    def _size(self) -> int:
        size = os.fstat(self._fd).st_size
        return size if self._limit is None else min(size, self._limit)

    def read(self, offset: int, size: int) -> Bytes:
        size = min(size, max(0, self._size() - offset))
        buffer = np.empty(size, dtype=np.uint8)
        view = buffer.data
        done = 0
        while done < size:
            count = os.preadv(self._fd, [view[done:]], offset + done)
            if count == 0:
                break
            done += count
        return buffer[:done]

    def exhausted(self, offset: int) -> bool:
        return self._size() <= offset


class Decompressor(Protocol):
    """What gzip's and zstd's decompressors have in common; one for each member of a file."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.eof = False
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.eof = self._inner.eof
        self.unused_data = self._inner.unused_data
        return out


def zstd_module() -> Any:
    """
    Give Python's zstd module, or its backport.

    Raises:
        ConfigError: neither is installed.
    """
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigError("zstd files need the package 'backports.zstd'", hint="pip install 'tailrace[zstd]'")


class CompressedStream(Stream):
    """
    A gzip or zstd file, decompressed as it is read; forwards only, but for a start over.

    With `growing`, an end in the middle of the data waits for more; else it is a failure.
    """

    def __init__(self, fd: int, kind: str, *, growing: bool, max_ratio: int) -> None:
        self._fd = fd
        self._kind = kind
        self._growing = growing
        self._max_ratio = max_ratio
        self._zstd = zstd_module() if kind == "zstd" else None
        self._errors: tuple[type[Exception], ...] = (zlib.error, EOFError)
        if self._zstd is not None:
            self._errors = (*self._errors, self._zstd.ZstdError)
        self._restart()

    def _restart(self) -> None:
        self._base = 0
        self._window = bytearray()
        self._raw = 0
        self._input = b""
        self._member: Decompressor | None = None
        self._more = False
        self._made = 0

    def read(self, offset: int, size: int) -> Bytes:
        if not self._seek(offset):
            return np.empty(0, dtype=np.uint8)
        while len(self._window) < size and self._step():
            pass
        return np.frombuffer(bytes(memoryview(self._window)[:size]), dtype=np.uint8)

    def exhausted(self, offset: int) -> bool:
        if not self._seek(offset):
            return False
        while not self._window and self._step():
            pass
        return not self._window and not self._in_a_member()

    def no_more(self) -> None:
        self._growing = False

    def _in_a_member(self) -> bool:
        return self.failure is not None or self._member is not None

    def _seek(self, offset: int) -> bool:
        """Drop what lies before the offset; tell whether it was reached with the work allowed at a time."""
        if offset < self._base:
            self._restart()
        worked = 0
        while offset > self._base + len(self._window):
            self._base += len(self._window)
            self._window.clear()
            if worked > _SKIP or not self._step():
                return False
            worked += len(self._window)
        del self._window[: offset - self._base]
        self._base = offset
        return True

    def _step(self) -> bool:
        """Decompress one more piece; tell whether there may be more."""
        if self.failure is not None:
            return False
        if not self._input and not self._more:
            self._input = os.pread(self._fd, _RAW, self._raw)
            self._raw += len(self._input)
            if not self._input:
                return self._at_end_of_file()
        try:
            self._decompress()
        except self._errors as error:
            self._fail("corrupt", f"{self._kind} data is damaged near byte {self._raw - len(self._input)}: {error}")
        return self.failure is None

    def _at_end_of_file(self) -> bool:
        if self._member is not None and not self._growing:
            self._fail("truncated", f"{self._kind} data ends in its middle, at byte {self._raw}")
        return False

    def _decompress(self) -> None:
        if self._member is None:
            if self._kind == "gzip" and self._raw > len(self._input):
                self._input = self._input.lstrip(b"\0")  # padding between members is allowed
                if not self._input:
                    return
            self._member = _Gzip() if self._zstd is None else self._zstd.ZstdDecompressor()
        piece = self._member.decompress(self._input, _PIECE)
        self._input = b""
        self._more = len(piece) == _PIECE
        self._window += piece
        self._made += len(piece)
        if self._member.eof:
            self._input = self._member.unused_data
            self._member = None
            self._more = False
        self._guard()

    def _guard(self) -> None:
        if self._made > _BOMB_FLOOR and self._made > self._max_ratio * self._raw:
            reason = f"{self._kind} data grew from {self._raw} to {self._made} bytes: a ratio above {self._max_ratio}"
            self._fail("bomb", f"{reason} ('tailrace.max-compression-ratio')")

    def _fail(self, code: str, reason: str) -> None:
        self.failure = Failure(code, reason)
