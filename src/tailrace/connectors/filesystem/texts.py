"""A file of rows of bytes (JSON, CSV, raw): its bytes are read in chunks and cut into rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.connectors.filesystem.marks import TAIL, Print, fingerprint
from tailrace.connectors.filesystem.streams import Stream
from tailrace.formats.base import Reject, Rows

CHUNK = 4 << 20
SAMPLE = 1 << 10
BOM = b"\xef\xbb\xbf"

Offsets = npt.NDArray[np.int64]
Cut = Callable[[npt.NDArray[np.uint8], bool], tuple[Offsets, Offsets, int]]
"""Cuts bytes into rows: (bytes, whether nothing follows) to starts, ends, and how many bytes were used."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a file: with the offset of each, the offset after them, and a fingerprint of the bytes before it."""

    rows: Rows
    offsets: Offsets
    after: int
    tail: Print
    rejects: tuple[Reject, ...] = ()


@dataclass(slots=True)
class _Pending:
    """Rows that were cut and not yet given."""

    data: npt.NDArray[np.uint8]
    base: int
    starts: Offsets
    ends: Offsets
    used: int
    given: int = 0


class TextFile:
    """
    The rows of one file from an offset on.

    A row that is longer than `max_row` is rejected (with its first bytes), and reading goes on behind the next line end.
    With `growing`, a last row without a line end waits for it; else it is a row.
    """

    def __init__(self, stream: Stream, cut: Cut, offset: int, *, growing: bool, max_row: int) -> None:
        self._stream = stream
        self._cut = cut
        self._offset = offset
        self.growing = growing
        self._max_row = max_row
        self._pending: _Pending | None = None
        self._wanted = CHUNK
        self._skipped: tuple[int, bytes] | None = None
        self._finished = False

    @property
    def offset(self) -> int:
        """Where reading goes on."""
        return self._offset

    @property
    def ended(self) -> bool:
        """Whether nothing will come from the file as it is now."""
        if self._pending is not None or self._skipped is not None:
            return False
        return self._finished or (not self.growing and self._stream.exhausted(self._offset))

    def no_more(self) -> None:
        """Take the file as complete: its last row needs no line end."""
        self.growing = False
        self._stream.no_more()

    def read(self, max_rows: int, max_bytes: int) -> Piece | None:
        """Give the next rows; None if there are none now."""
        while True:
            if self._pending is None:
                rejected = self._load()
                if rejected is not None or self._pending is None:
                    return rejected
            piece = self._serve(max_rows, max_bytes)
            if piece is not None:  # else the chunk had nothing but blank lines
                return piece

    def _load(self) -> Piece | None:
        """Read and cut a chunk into `_pending`, or give the piece of a row that can't be had."""
        if self._finished:
            return None
        if self._skipped is not None:
            return self._skip()
        data = self._stream.read(self._offset, self._wanted)
        if self._offset == 0 and data[:3].tobytes() == BOM:
            self._offset = 3
            data = data[3:]
        last = not self.growing and self._is_last(data)
        starts, ends, used = self._cut(data, last)
        if used == 0:
            return self._stuck(data)
        self._wanted = CHUNK
        self._pending = _Pending(data, self._offset, starts, ends, used)
        return None

    def _is_last(self, data: npt.NDArray[np.uint8]) -> bool:
        end = self._offset + len(data)
        return len(data) < self._wanted and self._stream.failure is None and self._stream.exhausted(end)

    def _stuck(self, data: npt.NDArray[np.uint8]) -> Piece | None:
        """Decide on a chunk without a whole row: look further, skip an endless row, or report a broken file."""
        if len(data) > self._max_row:
            self._skipped = (self._offset, data[:SAMPLE].tobytes())
            self._offset += len(data)
            self._wanted = CHUNK
            return self._skip()
        if len(data) == self._wanted:
            self._wanted = min(2 * self._wanted, self._max_row + CHUNK)
            return self._load()
        failure = self._stream.failure
        if failure is None:
            return None
        self._finished = True
        reason = f"{failure.reason}; the rest of the file can't be read"
        return self._rejected(self._offset, data.tobytes()[:SAMPLE], self._offset + len(data), failure.code, reason)

    def _skip(self) -> Piece | None:
        """Look for the end of a row that is too long; nothing of it is kept."""
        assert self._skipped is not None
        start, sample = self._skipped
        data = self._stream.read(self._offset, CHUNK)
        line_ends = np.flatnonzero(data == 10)
        last = len(data) < CHUNK and not self.growing
        if not len(line_ends) and not (last and (self._stream.failure or self._stream.exhausted(self._offset))):
            self._offset += len(data)
            return None
        self._offset += int(line_ends[0]) + 1 if len(line_ends) else len(data)
        self._skipped = None
        reason = f"row of more than {self._max_row} bytes ('tailrace.max-row-bytes')"
        return self._rejected(start, sample, self._offset, "too-long", reason)

    def _rejected(self, start: int, sample: bytes, after: int, code: str, reason: str) -> Piece:
        self._offset = after
        offsets = np.array([start], dtype=np.int64)
        return Piece(Rows.of([sample]), offsets, after, (0, ""), (Reject(0, code, reason),))

    def _serve(self, max_rows: int, max_bytes: int) -> Piece | None:
        p = self._pending
        assert p is not None
        first = p.given
        last = min(len(p.starts), first + max(1, max_rows))
        if last > first and p.ends[last - 1] - p.starts[first] > max_bytes:
            last = first + max(1, int(np.searchsorted(p.ends[first:last], p.starts[first] + max_bytes, "right")))
        p.given = last
        whole = last >= len(p.starts)
        used = p.used if whole else int(p.starts[last])
        self._offset = p.base + used
        if whole:
            self._pending = None
        if last == first:
            return None
        starts, ends = p.starts[first:last], p.ends[first:last]
        tail = fingerprint(p.data[max(0, used - TAIL) : used].tobytes())
        return Piece(Rows(p.data, starts, ends), starts + p.base, self._offset, tail, self._too_long(starts, ends))

    def _too_long(self, starts: Offsets, ends: Offsets) -> tuple[Reject, ...]:
        rows = np.flatnonzero(ends - starts > self._max_row)
        reason = f"row of more than {self._max_row} bytes ('tailrace.max-row-bytes')"
        return tuple(Reject(int(i), "too-long", reason) for i in rows)
