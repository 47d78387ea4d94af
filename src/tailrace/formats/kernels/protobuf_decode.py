"""
Messages of Protobuf to columns, by a plan that comes as arrays.

Each message is walked once. A field that no column asks for is checked as the library checks it and left out. A row that is
in any way unusual is flagged and left to the slow path, which alone says what is wrong; so what this path takes must be just
what the slow path would make of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, load64, put, put_byte, word
from tailrace.formats.kernels.strings import is_utf8
from tailrace.formats.kernels.tables import (
    KEPT,
    LENGTH,
    MARKS,
    NEEDED,
    ROOM,
    VALIDS,
    WORDS,
    append,
    clear,
    find,
    scan_varint,
)

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Int = Any
"""A number of 64 bits, of Python or of NumPy: compiled, they are the same."""

INT32, UINT32, INT64, SINT32, SINT64, BOOL, FIXED64, FIXED32, SFIXED32, TEXT, BINARY, MESSAGE = range(12)
"""
How a field is read. Its word is the number (an unsigned one of 64 bits as it is), the bits of a float or double (`FIXED32`,
`FIXED64`), 0 or 1; texts and bytes have two: address and size. ENUM is INT32.
"""

REPEATED, PACKABLE, CLOSED = 1, 2, 4
"""Flags of a field; `CLOSED` is an enum that knows its values, an unknown one goes the slow way."""

NUMBER, WIRE, CODE, FLAGS, TABLE, PLACE, VALID, NODE, CHILD, ONEOF, OWNER, REQUIRED, ENUM, ENUM_END = range(14)
"""
The words of a field: its number, the type on the wire, how it is read, its flags; the address of the table that takes it (0:
none), the place of its words in it (of a repeated one of its count), and of its mark of presence; of messages the address of
their node; of repeated ones the address of the table of elements; the place of its oneof's mark in the table `OWNER`, -1 if it
is in none; its bit among the required fields; the addresses of the known values of an enum.
"""

MAX_DEPTH = 64
"""Rows that are nested deeper go the slow way."""

_GOOD, _SLOW, _FULL = 0, 1, 2
_MOST_TAG = 0xFFFFFFFF


@part
def _size(i: Int, end: Int) -> tuple[Int, Int]:
    """Read the size of what follows, which ends within `end`; the place behind it, or -1."""
    stop, size = scan_varint(i, end)
    if stop < 0 or stop - i > 5 or size < 0 or size > end - stop:
        return -1, np.int64(0)
    return stop, size


@part
def _skip(i: Int, end: Int, wire: Int) -> Int:
    """Pass by a value; the place behind it, or -1."""
    if wire == 0:
        stop, _ = scan_varint(i, end)
        return stop
    if wire == 2:
        stop, size = _size(i, end)
        return stop + size if stop >= 0 else -1
    if wire == 1:
        return i + 8 if i + 8 <= end else -1
    if wire == 5:
        return i + 4 if i + 4 <= end else -1
    return -1  # groups, and what is no type


@part
def _four(i: Int) -> Int:
    """Read four bytes as an unsigned number."""
    return np.int64(byte(i)) | np.int64(byte(i + 1)) << 8 | np.int64(byte(i + 2)) << 16 | np.int64(byte(i + 3)) << 24


@part
def _signed(value: Int) -> Int:
    """Take the lower 32 bits as a signed number."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


@part
def _known(value: Int, f: Int) -> Any:
    """Tell whether an enum has a value."""
    for place in range(word(f + 8 * ENUM), word(f + 8 * ENUM_END), 8):
        if word(place) == value:
            return True
    return False


@part
def _from_varint(value: Int, code: Int) -> Int:
    """Give the number that a varint stands for."""
    if code == INT32:
        return _signed(value)
    if code == UINT32:
        return value & 0xFFFFFFFF
    if code == SINT32:
        low = value & 0xFFFFFFFF
        return _signed((low >> 1) ^ -(low & 1))
    if code == SINT64:
        return np.int64(np.uint64(value) >> np.uint64(1)) ^ -(value & 1)
    if code == BOOL:
        return np.int64(value != 0)
    return value


@part
def _scalar(i: Int, end: Int, f: Int, cell: Int, step: Int) -> Int:
    """Read a value that is no message into its cell; give the place behind it, or -1."""
    code = word(f + 8 * CODE)
    if code <= BOOL:
        stop, raw = scan_varint(i, end)
        if stop < 0:
            return -1
        value = _from_varint(raw, code)
        put(cell, value)
        return stop if word(f + 8 * FLAGS) & CLOSED == 0 or _known(value, f) else -1
    if code == TEXT or code == BINARY:
        begin, size = _size(i, end)
        if begin < 0 or (code == TEXT and not is_utf8(begin, begin + size)):
            return -1
        put(cell, begin)
        put(cell + step, size)
        return begin + size
    if code == FIXED64:
        if i + 8 > end:
            return -1
        put(cell, np.int64(load64(i)))
        return i + 8
    if i + 4 > end:
        return -1
    put(cell, _signed(_four(i)) if code == SFIXED32 else _four(i))
    return i + 4


@part
def _element(f: Int, entry: Int) -> Int:
    """Give the number of a new element of a repeated field in an entry; -1 if there is no room."""
    table = word(f + 8 * TABLE)
    element = append(word(f + 8 * CHILD))
    if element >= 0:
        count = word(table + 8 * MARKS) + 8 * (word(f + 8 * PLACE) * word(table + 8 * ROOM) + entry)
        put(count, word(count) + 1)
    return element


@part
def _takes_oneof(f: Int, entry: Int) -> Any:
    """Note that a field of a oneof is there; False if another of it is there already."""
    place = word(f + 8 * ONEOF)
    if place < 0:
        return True
    owner = word(f + 8 * OWNER)
    cell = word(owner + 8 * MARKS) + 8 * (place * word(owner + 8 * ROOM) + entry)
    before = word(cell)
    put(cell, word(f + 8 * NUMBER))
    return before == 0 or before == word(f + 8 * NUMBER)


@part
def _values(i: Int, end: Int, f: Int, entry: Int, packed: bool, scratch: Int) -> tuple[Int, Int]:
    """Read one value, or all of a packed field; give the place behind it and the outcome."""
    table = word(f + 8 * TABLE)
    if word(f + 8 * FLAGS) & REPEATED == 0 or table == 0:
        cell, step = scratch, 8
        if table:
            step = 8 * word(table + 8 * ROOM)
            cell = word(table + 8 * WORDS) + step * word(f + 8 * PLACE) + 8 * entry
            put_byte(word(table + 8 * VALIDS) + word(f + 8 * VALID) * word(table + 8 * ROOM) + entry, 1)
        while i < end:
            i = _scalar(i, end, f, cell, step)
            if i < 0:
                return -1, _SLOW
            if not packed:
                break
        return i, _GOOD
    child = word(f + 8 * CHILD)
    step = 8 * word(child + 8 * ROOM)
    while i < end:
        element = _element(f, entry)
        if element < 0:
            return -1, _FULL
        i = _scalar(i, end, f, word(child + 8 * WORDS) + 8 * element, step)
        if i < 0:
            return -1, _SLOW
        if not packed:
            break
    return i, _GOOD


@part
def _enter(f: Int, entry: Int) -> Int:
    """Note that a message is there; give the entry of its fields, -1 if there is no room, -2 for the slow way."""
    table = word(f + 8 * TABLE)
    if table == 0:
        return entry
    if word(f + 8 * FLAGS) & REPEATED:
        return _element(f, entry)
    mark = word(table + 8 * VALIDS) + word(f + 8 * VALID) * word(table + 8 * ROOM) + entry
    if byte(mark):
        return -2  # two parts of one message
    put_byte(mark, 1)
    return entry


@part
def _row(i: Int, end: Int, entry: Int, node: Int, frames: Int) -> Int:
    """Read one row into the tables; tell how it went."""
    depth = 0
    seen = np.int64(0)
    scratch = frames + 32 * MAX_DEPTH
    while True:
        if i == end:
            if word(node + 8 * NEEDED) & ~seen:
                return _SLOW
            if depth == 0:
                return _GOOD
            depth -= 1
            frame = frames + 32 * depth
            node, end, entry, seen = word(frame), word(frame + 8), word(frame + 16), np.int64(word(frame + 24))
            continue
        begin = i
        i, tag = scan_varint(i, end)
        if i < 0 or i - begin > 5 or tag < 8 or tag > _MOST_TAG or i == end:
            return _SLOW
        wire = tag & 7
        f = find(node, tag >> 3)
        packed = False
        if f and wire != word(f + 8 * WIRE):
            packed = wire == 2 and word(f + 8 * FLAGS) & PACKABLE != 0
            f = f if packed else 0
        if f == 0:
            i = _skip(i, end, wire)
            if i < 0:
                return _SLOW
            continue
        seen |= word(f + 8 * REQUIRED)
        if not _takes_oneof(f, entry):
            return _SLOW
        if word(f + 8 * CODE) != MESSAGE:
            stop = end
            if packed:
                i, size = _size(i, end)
                if i < 0:
                    return _SLOW
                stop = i + size
            elif i == end:
                return _SLOW
            i, outcome = _values(i, stop, f, entry, packed, scratch)
            if outcome != _GOOD:
                return outcome
            continue
        i, size = _size(i, end)
        if i < 0 or depth == MAX_DEPTH:
            return _SLOW
        within = _enter(f, entry)
        if within < 0:
            return _FULL if within == -1 else _SLOW
        frame = frames + 32 * depth
        put(frame, node)
        put(frame + 8, end)
        put(frame + 16, entry)
        put(frame + 24, seen)
        depth += 1
        node, end, entry, seen = word(f + 8 * NODE), i + size, within, np.int64(0)


@kernel
def decode(
    data: Int, starts: Numbers, ends: Numbers, first: Int, root: Int, tables: Numbers, frames: Numbers, slow: Bytes
) -> Int:
    """
    Read rows from number `first` on, of bytes at the address `data`, into tables; set `slow` for those of the slow way.

    The first table has an entry for each row. Gives the number of a row for which there was no room, having left nothing of
    it, or the number of rows.
    """
    for r in range(first, starts.size):
        for t in range(1, tables.shape[0]):
            tables[t, KEPT] = tables[t, LENGTH]
        outcome = _row(data + starts[r], data + ends[r], r, root, frames.ctypes.data)
        slow[r] = outcome != _GOOD
        if outcome != _GOOD:
            for t in range(1, tables.shape[0]):
                tables[t, LENGTH] = tables[t, KEPT]
        if outcome == _FULL:
            clear(tables.ctypes.data, r)
            return r
    return starts.size
