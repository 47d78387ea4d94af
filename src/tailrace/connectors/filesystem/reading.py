"""One file that is open for reading, of whatever kind, and the rules by which it is known again."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors.filesystem.avros import AvroFile
from tailrace.connectors.filesystem.marks import HEAD, TAIL, Mark, Past, Print, fingerprint, head_of
from tailrace.connectors.filesystem.parquets import ParquetFile
from tailrace.connectors.filesystem.paths import reason
from tailrace.connectors.filesystem.streams import CompressedStream, PlainStream, Stream, looks_like
from tailrace.connectors.filesystem.texts import Cut, TextFile
from tailrace.errors import TerminalError, TransientError
from tailrace.formats.base import Reject, Rows
from tailrace.schema import Schema

_ENDINGS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_MAGIC_OF = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: `cut` is None for Parquet and Avro. `schema` has the columns that are in the files."""

    schema: Schema
    cut: Cut | None
    text: bool
    """Whether the bytes must be text (JSON, CSV), not anything (raw)."""
    compression: str
    watching: bool
    max_row: int
    max_ratio: int
    avro: bool = False

    def compression_of(self, path: Path) -> str:
        """Give `none`, `gzip` or `zstd` for a file."""
        if self.cut is None:
            return "none"
        return _ENDINGS.get(path.suffix.lower(), "none") if self.compression == "auto" else self.compression


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows that were read, and the mark behind them."""

    values: Rows | pl.DataFrame
    offsets: npt.NDArray[np.int64]
    mark: Mark
    rejects: tuple[Reject, ...]


class OpenFile:
    """
    A file that is open; `name` says how it is called in messages, if not by its path.

    Raises:
        TerminalError: it can't be opened, or is plainly not of the format.
        TransientError: it is not there any more.
    """

    def __init__(self, path: Path, reading: Reading, mark: Mark | None, name: str = "") -> None:
        self.path = path
        self._name = name or str(path)
        self._reading = reading
        self._compression = reading.compression_of(path)
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            # it was listed a moment ago; the next look decides
            raise TransientError(f"file '{path}' has just gone away") from None
        except OSError as error:
            raise TerminalError(f"can't open file '{path}': {reason(error)}") from None
        try:
            self._start(mark)
        except BaseException:  # whatever ended it: the file is closed, and the error goes on
            os.close(self._fd)
            raise

    def _start(self, mark: Mark | None) -> None:
        status = os.fstat(self._fd)
        self._refuse_foreign(os.pread(self._fd, 4096, 0))
        offset = mark.offset if mark else 0
        past = mark.past if mark else ()
        self._text: TextFile | None = None
        self._parquet: ParquetFile | AvroFile | None = None
        tail: Print = mark.tail if mark else (0, "")
        if self._reading.cut is None:
            kind = AvroFile if self._reading.avro else ParquetFile
            self._parquet = kind(self.path, self._reading.schema, offset, self._name)
            tail = self._footer(status.st_size)
        else:
            self._text = self._text_file(self._reading.cut, status.st_size, offset)
        ended = mark.ended if mark else False
        self.mark = Mark(status.st_ino, offset, head_of(self._fd), tail, status.st_size, ended, past)

    def _text_file(self, cut: Cut, size: int, offset: int) -> TextFile:
        r = self._reading
        stream: Stream
        if self._compression == "none":
            stream = PlainStream(self._fd, None if r.watching else size)
        else:
            stream = CompressedStream(self._fd, self._compression, growing=r.watching, max_ratio=r.max_ratio)
        growing = r.watching and self._compression == "none"
        return TextFile(stream, cut, offset, growing=growing, max_row=r.max_row)

    def _refuse_foreign(self, head: bytes) -> None:
        if not head:
            return
        found = looks_like(head)
        magic = _MAGIC_OF.get(self._compression)
        if magic is not None and not head.startswith(magic[: len(head)]):
            hint = "mend the file's ending, or set 'tailrace.compression'"
            raise TerminalError(f"file '{self._name}' is no {self._compression} data", hint=hint)
        wanted = "an Avro file" if self._reading.avro else "a Parquet file"
        if self._reading.cut is None and found != wanted:
            what = f", it is {found}" if found else ""
            named = wanted.partition(" ")[2]
            raise TerminalError(f"file '{self._name}' is no {named}{what}", hint="mend the option 'format'")
        if self._reading.cut is not None and self._reading.text and magic is None and found:
            raise TerminalError(f"file '{self._name}' is no text, it is {found}", hint=self._hint(found))

    @staticmethod
    def _hint(found: str) -> str:
        if found.startswith(("gzip", "zstd")):
            return f"set 'tailrace.compression' = '{found.split(maxsplit=1)[0]}'"
        if found == "a Parquet file":
            return "set 'format' = 'parquet'"
        if found == "an Avro file":
            return "set 'format' = 'avro'"
        return "mend the option 'path' or 'format', or leave it out by 'source.path.regex-pattern'"

    def _footer(self, size: int) -> Print:
        return fingerprint(os.pread(self._fd, TAIL, max(0, size - TAIL)))

    @property
    def ended(self) -> bool:
        """Whether no more rows come from the file as it is now."""
        return self._parquet.ended if self._parquet else self._rows.ended

    @property
    def may_grow(self) -> bool:
        """Whether more rows may be written to it."""
        if self._compression != "none":
            return self._reading.watching and not self.ended
        return self._text is not None and self._text.growing

    def succeed(self, past: Past) -> None:
        """Remember the files whose place this one has taken."""
        self.mark = replace(self.mark, past=past)

    def no_more(self) -> None:
        """Take the file as complete: its last row needs no line end."""
        if self._text is not None:
            self._text.no_more()

    @property
    def _rows(self) -> TextFile:
        assert self._text is not None
        return self._text

    def read(self, max_rows: int, max_bytes: int) -> Taken | None:
        """Give the next rows; None if there are none now."""
        return self._read_parquet(max_rows) if self._parquet else self._read_text(max_rows, max_bytes)

    def _read_parquet(self, max_rows: int) -> Taken | None:
        assert self._parquet is not None
        start = self._parquet.offset
        read = self._parquet.read(max_rows)
        if read is None:
            return None
        frame, rejects = read
        offsets = np.arange(start, start + frame.height, dtype=np.int64)
        self._advance(self._parquet.offset, self.mark.tail)
        return Taken(frame, offsets, self.mark, rejects)

    def _read_text(self, max_rows: int, max_bytes: int) -> Taken | None:
        piece = self._rows.read(max_rows, max_bytes)
        if piece is None:
            return None
        self._advance(piece.after, piece.tail)
        return Taken(piece.rows, piece.offsets, self.mark, piece.rejects)

    def _advance(self, offset: int, tail: Print) -> None:
        status = os.fstat(self._fd)
        head = self.mark.head if self.mark.head[0] >= min(HEAD, status.st_size) else head_of(self._fd)
        size = max(status.st_size, self.mark.size)  # a file that shrinks is found by `changed`
        self.mark = Mark(status.st_ino, offset, head, tail, size, self._is_done(), self.mark.past)

    def _is_done(self) -> bool:
        """Tell whether the mark may say that nothing comes after it; a plain file may still grow."""
        return self._compression != "none" and self.ended

    def status(self) -> os.stat_result:
        """Ask for the size and times of the file."""
        return os.fstat(self._fd)

    def changed(self) -> str:
        """Say how the file differs from what was read of it; empty if it only grew."""
        return difference(self._fd, self.mark, plain=self._compression == "none" and self._text is not None)

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)


def difference(fd: int, mark: Mark, *, plain: bool) -> str:
    """Say how an open file differs from the one that was marked; empty if the mark still holds."""
    size = os.fstat(fd).st_size
    if size < mark.size:
        return f"it was cut from {mark.size} to {size} bytes"
    if fingerprint(os.pread(fd, mark.head[0], 0)) != mark.head:
        return "it begins with other bytes: it was replaced"
    if plain and fingerprint(os.pread(fd, mark.tail[0], mark.offset - mark.tail[0])) != mark.tail and mark.tail[0]:
        return f"its bytes before offset {mark.offset} have changed: it was written over"
    return ""


def difference_at(path: Path, mark: Mark, reading: Reading) -> str:
    """Say how the file at a path differs from the one that was marked; empty if the mark still holds."""
    plain = reading.cut is not None and reading.compression_of(path) == "none"
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if reading.cut is None and os.fstat(fd).st_size != mark.size:
            return "it has another size: it was replaced"
        if reading.cut is None and fingerprint(os.pread(fd, TAIL, max(0, mark.size - TAIL))) != mark.tail:
            return "it ends with other bytes: it was replaced"
        return difference(fd, mark, plain=plain)
    finally:
        os.close(fd)
