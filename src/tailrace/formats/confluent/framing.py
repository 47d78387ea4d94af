"""The header of messages whose schema is in a registry: a zero byte, and the schema's id in four bytes (big-endian)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.formats.base import Reject, Rows

Numbers = npt.NDArray[np.int64]

HEADER = 5
"""The bytes of a header."""


@dataclass(frozen=True, slots=True)
class Framed:
    """
    Messages by their headers.

    `numbers` are the rows that have one, `ids` the id of each, `payloads` what is behind it; `rejects` are all other rows.
    """

    numbers: Numbers
    ids: Numbers
    payloads: Rows
    rejects: list[Reject]

    def by_id(self) -> Iterator[tuple[int, Numbers]]:
        """Give each id with the places in `numbers` where it is, ascending."""
        if not len(self.ids):
            return
        if bool((self.ids == self.ids[0]).all()):
            yield int(self.ids[0]), np.arange(len(self.ids))
            return
        for number in np.unique(self.ids):
            yield int(number), np.flatnonzero(self.ids == number)


def unframe(rows: Rows) -> Framed:
    r"""
    Read the headers of rows; a row without bytes, of zero bytes, or with another header is a reject.

    >>> framed = unframe(Rows.of([b"\0\0\0\0\7abc", b"{}"]))
    >>> framed.ids.tolist(), framed.payloads.row(0), framed.rejects[0].code
    ([7], b'abc', 'header')
    """
    sizes = rows.ends - rows.starts
    long_enough = sizes >= HEADER
    if rows.nulls is not None:
        long_enough &= ~rows.nulls
    numbers = np.flatnonzero(long_enough)
    begins = rows.starts[numbers]
    good = rows.data[begins] == 0
    if not good.all():
        numbers, begins = numbers[good], begins[good]
    ids = np.zeros(len(numbers), dtype=np.int64)
    for k in range(1, HEADER):
        ids = (ids << 8) | rows.data[begins + k]
    rejects = [] if len(numbers) == len(rows) else _rejects(rows, numbers)
    return Framed(numbers, ids, Rows(rows.data, begins + HEADER, rows.ends[numbers]), rejects)


def _rejects(rows: Rows, good: Numbers) -> list[Reject]:
    others = np.setdiff1d(np.arange(len(rows)), good, assume_unique=True)
    return [Reject(int(n), *_why(rows.row(int(n)))) for n in others]


def _why(row: bytes | None) -> tuple[str, str]:
    """Give the code and the reason of a row without a header."""
    if row is None:
        return "tombstone", "a row without bytes (a tombstone)"
    if not row:
        return "empty", "a row of zero bytes"
    if row[0] != 0:
        return "header", f"begins with byte {row[0]} and not with 0, so it names no schema of a registry"
    return "header", f"{len(row)} bytes are too few for the id of a schema"


def header(number: int) -> bytes:
    r"""
    Give the header of a schema's id.

    >>> header(7)
    b'\x00\x00\x00\x00\x07'
    """
    return b"\0" + number.to_bytes(4, "big")


def frame(payloads: Rows, before: bytes) -> Rows:
    r"""
    Put the same bytes (a header, and what a format has behind it) before each row.

    >>> frame(Rows.of([b"a", b"bc"]), header(1)).row(1)
    b'\x00\x00\x00\x00\x01bc'
    """
    sizes = payloads.ends - payloads.starts
    width = len(before)
    ends = np.cumsum(sizes + width, dtype=np.int64)
    starts = ends - sizes - width
    out = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    out[starts[:, None] + np.arange(width)] = np.frombuffer(before, dtype=np.uint8)
    inner = np.arange(int(sizes.sum()))
    skipped = np.cumsum(sizes) - sizes
    out[np.repeat(starts + width - skipped, sizes) + inner] = payloads.data[
        np.repeat(payloads.starts - skipped, sizes) + inner
    ]
    return Rows(out, starts, ends, payloads.nulls)
