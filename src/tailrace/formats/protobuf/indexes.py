"""
Which message of a schema a row is: between the id and the message, as numbers.

They are the places of the message and of those around it within their file, from the outermost on: their count and each of
them as a varint (with the sign in the lowest bit); the first message of the file is a zero byte alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.base import Rows

Numbers = npt.NDArray[np.int64]
Path = tuple[int, ...]

MAX_DEPTH = 32
"""No message stands deeper within others."""
_FIRST: Path = (0,)


def path_of(message: Any) -> Path:
    """Give the path of a message in its file."""
    outer = message.containing_type
    siblings = message.file.message_types_by_name.values() if outer is None else outer.nested_types
    place = [m.name for m in siblings].index(message.name)
    return (place,) if outer is None else (*path_of(outer), place)


def message_at(file: Any, path: Path) -> Any:
    """Give the message at a path of a file; None if there is none."""
    found = None
    level = list(file.message_types_by_name.values())
    for place in path:
        if place >= len(level):
            return None
        found = level[place]
        level = list(found.nested_types)
    return found


def encoded(path: Path) -> bytes:
    r"""
    Give a path as bytes.

    >>> encoded((0,)), encoded((1, 0))
    (b'\x00', b'\x04\x02\x00')
    """
    if path == _FIRST:
        return b"\0"
    return b"".join(_varint(number << 1) for number in (len(path), *path))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def split(rows: Rows) -> tuple[list[tuple[Path, Numbers, Rows]], Numbers]:
    """
    Read the paths of rows: give each with the numbers of its rows and their messages, and the rows without one.

    The first message, and whatever path the first of the others has, are taken from all rows at once.
    """
    left = np.arange(len(rows), dtype=np.int64)
    found: list[tuple[Path, Numbers, Rows]] = []
    bad: list[int] = []
    others: dict[tuple[Path, int], list[int]] = {}
    left = _taken(rows, left, b"\0", _FIRST, found)
    while len(left):
        path, size = _read(rows, int(left[0]))
        if path is not None and not others:
            start = int(rows.starts[left[0]])
            left = _taken(rows, left, rows.data[start : start + size].tobytes(), path, found)
            others[path, size] = []
            continue
        if path is None:
            bad.append(int(left[0]))
        else:
            others.setdefault((path, size), []).append(int(left[0]))
        left = left[1:]
    for (path, size), numbers in others.items():
        if numbers:
            at = np.array(numbers, dtype=np.int64)
            found.append((path, at, Rows(rows.data, rows.starts[at] + size, rows.ends[at])))
    return found, np.array(bad, dtype=np.int64)


def _taken(rows: Rows, left: Numbers, prefix: bytes, path: Path, found: list[tuple[Path, Numbers, Rows]]) -> Numbers:
    """Take the rows that begin with a path; give the others."""
    size = len(prefix)
    able = rows.ends[left] - rows.starts[left] >= size
    begins = rows.starts[left[able]]
    same = np.zeros(len(left), dtype=np.bool_)
    letters = rows.data[begins[:, None] + np.arange(size)]
    same[able] = (letters == np.frombuffer(prefix, dtype=np.uint8)).all(axis=1)
    at = left[same]
    if len(at):
        found.append((path, at, Rows(rows.data, rows.starts[at] + size, rows.ends[at])))
    return left[~same]


def _read(rows: Rows, number: int) -> tuple[Path | None, int]:
    """Read the path of one row, and its size; None if it has none."""
    data = rows.data[rows.starts[number] : min(rows.ends[number], rows.starts[number] + 5 * (MAX_DEPTH + 1))].tobytes()
    count, place = _number(data, 0)
    if count is None or not 0 <= count <= MAX_DEPTH:
        return None, 0
    path = []
    for _ in range(count):
        value, place = _number(data, place)
        if value is None or value < 0:
            return None, 0
        path.append(value)
    return tuple(path) or _FIRST, place


def _number(data: bytes, place: int) -> tuple[int | None, int]:
    value = 0
    for k in range(5):
        if place + k >= len(data):
            return None, 0
        value |= (data[place + k] & 127) << (7 * k)
        if data[place + k] < 128:
            return (value >> 1) ^ -(value & 1), place + k + 1
    return None, 0
