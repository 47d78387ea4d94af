"""A container file of Avro: its rows block by block, only the columns asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tailrace.errors import TerminalError
from tailrace.formats.avro.container import BadContainerError, Header, TooShortError, header_of, number, opened
from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.program import walk
from tailrace.formats.avro.values import MisfitError
from tailrace.formats.base import Decoded, Reject, Rows
from tailrace.formats.kernels import avro_decode as kernel
from tailrace.schema import Schema

HEADER_PIECE = 1 << 16
MOST_HEADER = 1 << 24
MOST_ROWS = 1 << 24
"""A block has no more rows than this beyond one for each byte."""


class AvroFile:
    """
    The rows of one container file from a row number on; `name` says how it is called in messages.

    Raises:
        TerminalError: it is no such file, or a column can't be read from its schema.
    """

    def __init__(self, path: Path, schema: Schema, offset: int, name: str = "") -> None:
        self._path = path
        self._name = name or str(path)
        self._schema = schema
        self.offset = offset
        self.ended = False
        self._size = path.stat().st_size
        try:
            self._header = self._read_header()
            self._decoder = AvroDecoder(self._header.writer, schema)
        except MisfitError as error:
            raise TerminalError(f"Avro file '{self._name}': {error}", hint="mend the type in CREATE TABLE") from None
        except BadContainerError as error:
            raise self._broken(error) from None
        self._walk = walk(self._header.writer)
        self._at = self._header.size
        self._rows: Rows | None = None
        self._damaged = 0
        self._used = 0
        self._skip(offset)

    def read(self, max_rows: int) -> tuple[pl.DataFrame, tuple[Reject, ...]] | None:
        """
        Give the next rows, and those among them that can't be read; None at the end.

        Raises:
            TerminalError: the file is damaged.
        """
        while self._rows is None or self._used >= len(self._rows) + self._damaged:
            if self._at >= self._size:
                self.ended = True
                return None
            self._load()
        first, count = self._used, min(max(1, max_rows), len(self._rows) + self._damaged - self._used)
        good = self._rows.take(np.arange(first, min(first + count, len(self._rows))))
        lost = count - len(good)
        self._used += count
        self.offset += count
        self.ended = self._at >= self._size and self._used >= len(self._rows) + self._damaged
        rejects = [Reject(len(good) + n, "syntax", "the block is damaged before this row") for n in range(lost)]
        decoded = self._decoder.decode(good)
        return self._whole(decoded, count), (*decoded.rejects, *rejects)

    def _whole(self, decoded: Decoded, count: int) -> pl.DataFrame:
        """Give a row for each row of the file, also for those that could not be read."""
        if not len(self._schema):
            return pl.DataFrame(height=count)
        kept = np.arange(len(decoded.frame)) if decoded.kept is None else decoded.kept
        if len(kept) == count:
            return decoded.frame
        places = np.full(count, -1, dtype=np.int64)
        places[kept] = np.arange(len(kept))
        at = pl.select(pl.when(pl.Series(places >= 0)).then(pl.Series(places)).cast(pl.UInt32)).to_series()
        return decoded.frame.select(pl.all().gather(at))

    def _skip(self, rows: int) -> None:
        """Go to the block with a row, without opening those before it."""
        while rows:
            if self._at >= self._size:
                raise TerminalError(f"Avro file '{self._name}' has become shorter since it was read")
            count, _, behind = self._block_at(self._at)
            if count > rows:
                self._load()
                self._used = rows
                return
            rows -= count
            self._at = behind
        self.ended = self._at >= self._size

    def _block_at(self, at: int) -> tuple[int, int, int]:
        """Give the rows of a block, where its bytes begin, and where the next block does."""
        try:
            head = self._bytes(at, 20)
            count, begin = number(head, 0)
            size, begin = number(head, begin)
        except BadContainerError as error:
            raise self._broken(error) from None
        behind = at + begin + size + len(self._header.sync)
        if count < 0 or size < 0 or behind > self._size:
            raise self._broken("it ends within a block" if behind > self._size else "a count that can't be")
        return count, at + begin, behind

    def _load(self) -> None:
        """Open the next block, and find its rows."""
        count, begin, behind = self._block_at(self._at)
        sync = len(self._header.sync)
        raw = self._bytes(begin, behind - begin)
        if raw[-sync:] != self._header.sync:
            raise self._broken(f"the mark behind the block at byte {self._at} is another")
        try:
            data = np.frombuffer(opened(self._header.codec, raw[:-sync]) + b"\0", dtype=np.uint8)
        except BadContainerError as error:
            raise self._broken(error) from None
        if count > len(data) + MOST_ROWS:
            raise self._broken(f"the block at byte {self._at} has more rows than bytes")
        starts, ends = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        found = kernel.bounds(data.ctypes.data, len(data) - 1, self._walk, starts, ends)
        self._rows = Rows(data, starts[:found], ends[:found])
        self._damaged = count - found
        self._used = 0
        self._at = behind

    def _read_header(self) -> Header:
        """Read the header, however long it is."""
        size = HEADER_PIECE
        while True:
            data = self._bytes(0, size)
            try:
                return header_of(data)
            except TooShortError:
                if len(data) < size or size >= MOST_HEADER:
                    raise
                size *= 4

    def _bytes(self, at: int, size: int) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(at)
                return file.read(size)
        except OSError as error:
            raise self._broken(error) from None

    def _broken(self, error: object) -> TerminalError:
        return TerminalError(f"can't read Avro file '{self._name}': {error}")
