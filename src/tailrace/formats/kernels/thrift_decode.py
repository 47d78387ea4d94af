"""
Structs of Thrift to columns, of the binary and the compact protocol, by a plan that comes as arrays.

Each struct is walked once; a field that no column asks for is walked over. A row that is in any way unusual is flagged and left
to the slow path, which alone says what is wrong; so what this path takes must be just what the slow path would make of it.
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
from tailrace.formats.kernels.values import DECIMAL as _DECIMAL_KIND
from tailrace.formats.kernels.values import read_number

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Int = Any
"""A number of 64 bits, of Python or of NumPy: compiled, they are the same."""

STOP, BOOL, BYTE, DOUBLE, I16, I32, I64, STRING, STRUCT, MAP, SET, LIST = 0, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15
"""The types on the wire, by the numbers of the binary protocol."""
OF_COMPACT = np.array([STOP, BOOL, BOOL, BYTE, I16, I32, I64, DOUBLE, STRING, LIST, SET, MAP, STRUCT, -1, -1, -1])
"""Those of the compact protocol; the two BOOL are true and false."""

TEXT, BINARY, DECIMAL, OTHER = range(4)
"""How a STRING is read: two words have address and size of it, or both halves of the decimal that it is the text of."""

NUMBER, TYPE, CODE, TABLE, PLACE, VALID, COUNTS, NODE, CHILD, ITEM, VALUE, REQUIRED, PRECISION, SCALE = range(14)
"""
The words of a field, element, key or value: its number, the type on the wire, how a STRING is read; the address of the table
that takes it (0: none), the places of its words, of its mark of presence (-1: always there) and of its count of elements in it;
the address of the node of a struct; of a list or map the addresses of the table of its elements and of what its elements or keys,
and its values are; its bit among the required fields; what a decimal must fit.
"""

MAX_DEPTH = 64
"""Rows that are nested deeper go the slow way."""

_KIND, _OF, _ENTRY, _LAST, _SEEN, _LEFT, _TYPE, _VALUE_TYPE = range(8)
"""The words of a frame: a STRUCT, LIST or MAP that has begun; of what is left in it, and of which types."""
FRAME = 8

_GOOD, _SLOW, _FULL = 0, 1, 2


@part
def _big(i: Int, size: Int) -> Int:
    """Read a signed big-endian number."""
    value = np.int64(np.int8(byte(i)))
    for k in range(1, size):
        value = value << 8 | np.int64(byte(i + k))
    return value


@part
def _unzigzag(value: Int) -> Int:
    return np.int64(np.uint64(value) >> np.uint64(1)) ^ -(value & 1)


@part
def _number(i: Int, end: Int, kind: Int, compact: Any) -> tuple[Int, Int]:
    """Read a number or truth value; the place behind it, or -1, and the number or the bits of the double."""
    if kind == BOOL or kind == BYTE:
        if i >= end:
            return -1, np.int64(0)
        if kind == BYTE:
            return i + 1, np.int64(np.int8(byte(i)))
        return i + 1, np.int64(byte(i) == 1 if compact else byte(i) != 0)
    if kind == DOUBLE:
        if end - i < 8:
            return -1, np.int64(0)
        return i + 8, np.int64(load64(i)) if compact else _big(i, 8)
    if compact:
        stop, raw = scan_varint(i, end)
        return stop, _unzigzag(raw)
    size = 2 if kind == I16 else 4 if kind == I32 else 8
    if end - i < size:
        return -1, np.int64(0)
    return i + size, _big(i, size)


@part
def _size(i: Int, end: Int, compact: Any) -> tuple[Int, Int]:
    """Read a size or count, of which each takes at least one of the bytes that are left; the place behind it, or -1."""
    if compact:
        i, size = scan_varint(i, end)
    elif end - i < 4:
        return -1, np.int64(0)
    else:
        size = _big(i, 4)
        i += 4
    if i < 0 or size < 0 or size > end - i:
        return -1, np.int64(0)
    return i, size


@part
def _field(i: Int, end: Int, last: Int, compact: Any) -> tuple[Int, Int, Int, Int]:
    """Read the head of a field: the place behind it, or -1; its type and number; a truth value that is in it, else -1."""
    if i >= end:
        return -1, np.int64(0), np.int64(0), -1
    code = np.int64(byte(i))
    i += 1
    if not compact:
        if code == STOP:
            return i, code, np.int64(0), -1
        return (i + 2 if end - i >= 2 else -1), code, (_big(i, 2) if end - i >= 2 else np.int64(0)), -1
    kind = OF_COMPACT[code & 15]
    if kind == STOP:
        return i, np.int64(kind), np.int64(0), -1
    number = last + (code >> 4)
    if code < 16:
        i, raw = scan_varint(i, end)
        number = _unzigzag(raw)
        if number < -32768 or number > 32767:
            i = -1
    return i, np.int64(kind), number, (np.int64(code & 15 == 1) if kind == BOOL else -1)


@part
def _is_known(kind: Int) -> Any:
    return kind >= BOOL and kind <= LIST and kind != 5 and kind != 7 and kind != 9


@part
def _elements(i: Int, end: Int, compact: Any) -> tuple[Int, Int, Int]:
    """Read the head of a list or set: the place behind it, or -1; the type of elements and how many there are."""
    if i >= end:
        return -1, np.int64(0), np.int64(0)
    code = np.int64(byte(i))
    i += 1
    if compact and code >> 4 < 15:
        count = code >> 4
        if count > end - i:
            i = -1
    else:
        i, count = _size(i, end, compact)
    kind = np.int64(OF_COMPACT[code & 15]) if compact else code
    return (i if _is_known(kind) or (kind == STOP and count == 0) else -1), kind, count


@part
def _entries(i: Int, end: Int, compact: Any) -> tuple[Int, Int, Int, Int]:
    """Read the head of a map: the place behind it, or -1; the types of keys and values and how many entries there are."""
    key = value = np.int64(STOP)
    if compact:
        i, count = _size(i, end, compact)
        if i >= 0 and count > 0:
            code = np.int64(byte(i))
            i += 1
            key, value = np.int64(OF_COMPACT[code >> 4]), np.int64(OF_COMPACT[code & 15])
    elif end - i < 2:
        return -1, key, value, np.int64(0)
    else:
        key, value = np.int64(byte(i)), np.int64(byte(i + 1))
        i, count = _size(i + 2, end, compact)
    if i < 0 or count > (end - i) >> 1:
        return -1, key, value, count
    known = _is_known(key) and _is_known(value)
    return (i if known or (count == 0 and key == STOP and value == STOP) else -1), key, value, count


@part
def _scalar(i: Int, end: Int, kind: Int, f: Int, entry: Int, compact: Any) -> Int:
    """Read a value that has no parts into its cell, or walk over it if `f` is 0; give the place behind it, or -1."""
    if kind != STRING:
        i, value = _number(i, end, kind, compact)
        if f:
            table = word(f + 8 * TABLE)
            put(word(table + 8 * WORDS) + 8 * (word(table + 8 * ROOM) * word(f + 8 * PLACE) + entry), value)
        return i
    begin, size = _size(i, end, compact)
    if begin < 0 or f == 0:
        return begin + size if begin >= 0 else -1
    table = word(f + 8 * TABLE)
    step = 8 * word(table + 8 * ROOM)
    cell = word(table + 8 * WORDS) + step * word(f + 8 * PLACE) + 8 * entry
    code = word(f + 8 * CODE)
    if code == DECIMAL:
        stop = read_number(begin, begin + size, _DECIMAL_KIND, f + 8 * PRECISION, cell, step)
        return stop if stop == begin + size and size else -1
    if code == TEXT and not is_utf8(begin, begin + size):
        return -1
    put(cell, begin)
    put(cell + step, size)
    return begin + size


@part
def _is_first(f: Int, entry: Int) -> Any:
    """Note that a value is there; False if it is there already."""
    place = word(f + 8 * VALID)
    if place < 0:
        return True
    table = word(f + 8 * TABLE)
    mark = word(table + 8 * VALIDS) + place * word(table + 8 * ROOM) + entry
    if byte(mark):
        return False
    put_byte(mark, 1)
    return True


@part
def _begin(i: Int, end: Int, kind: Int, f: Int, entry: Int, frame: Int, compact: Any) -> Int:
    """Begin a struct, list or map in a frame; give the place behind its head, or -1."""
    put(frame + 8 * _ENTRY, entry)
    put(frame + 8 * _LAST, 0)
    put(frame + 8 * _SEEN, 0)
    if kind == STRUCT:
        put(frame + 8 * _KIND, STRUCT)
        put(frame + 8 * _OF, word(f + 8 * NODE) if f else 0)
        return i
    value = np.int64(STOP)
    if kind == MAP:
        i, item, value, count = _entries(i, end, compact)
    else:
        i, item, count = _elements(i, end, compact)
    if i < 0:
        return -1
    if f:
        table = word(f + 8 * TABLE)
        put(word(table + 8 * MARKS) + 8 * (word(f + 8 * COUNTS) * word(table + 8 * ROOM) + entry), count)
        if count and item != word(word(f + 8 * ITEM) + 8 * TYPE):
            return -1
        if count and kind == MAP and value != word(word(f + 8 * VALUE) + 8 * TYPE):
            return -1
    put(frame + 8 * _KIND, MAP if kind == MAP else LIST)
    put(frame + 8 * _OF, f)
    put(frame + 8 * _LEFT, 2 * count if kind == MAP else count)
    put(frame + 8 * _TYPE, item)
    put(frame + 8 * _VALUE_TYPE, value)
    return i


@part
def _next(frame: Int) -> tuple[Int, Int, Int]:
    """Go to the next element, key or value: its type, what it is and its entry; -1 if there is no room for it."""
    left = word(frame + 8 * _LEFT)
    put(frame + 8 * _LEFT, left - 1)
    f = word(frame + 8 * _OF)
    entry = word(frame + 8 * _ENTRY)
    is_value = word(frame + 8 * _KIND) == MAP and left & 1
    kind = word(frame + 8 * _VALUE_TYPE) if is_value else word(frame + 8 * _TYPE)
    if f == 0:
        return kind, np.int64(0), entry
    if is_value:
        return kind, word(f + 8 * VALUE), word(frame + 8 * _LAST)
    entry = append(word(f + 8 * CHILD))
    put(frame + 8 * _LAST, entry)
    return kind, word(f + 8 * ITEM), entry


@part
def _asked(kind: Int, number: Int, frame: Int) -> Int:
    """Find a field by its number and note it; its address, 0 if nothing asks for it, -1 if it is of another type or twice."""
    node = word(frame + 8 * _OF)
    if node == 0 or number < 0:
        return np.int64(0)
    f = find(node, number)
    if f == 0:
        return np.int64(0)
    if kind != word(f + 8 * TYPE):
        return np.int64(-1)
    put(frame + 8 * _SEEN, word(frame + 8 * _SEEN) | word(f + 8 * REQUIRED))
    if word(f + 8 * TABLE) == 0:
        return np.int64(0)
    return f if _is_first(f, word(frame + 8 * _ENTRY)) else np.int64(-1)


@part
def _row(i: Int, end: Int, row: Int, root: Int, frames: Int, compact: Any) -> Int:
    """Read one row into the tables; tell how it went."""
    depth = 0
    frame = frames
    put(frame + 8 * _KIND, STRUCT)
    put(frame + 8 * _OF, root)
    put(frame + 8 * _ENTRY, row)
    put(frame + 8 * _LAST, 0)
    put(frame + 8 * _SEEN, 0)
    while True:
        truth = np.int64(-1)
        if word(frame + 8 * _KIND) == STRUCT:
            i, kind, number, truth = _field(i, end, word(frame + 8 * _LAST), compact)
            if i < 0 or (kind != STOP and not _is_known(kind)):
                return _SLOW
            done = kind == STOP
            if done:
                node = word(frame + 8 * _OF)
                if node and word(node + 8 * NEEDED) & ~word(frame + 8 * _SEEN):
                    return _SLOW
            else:
                put(frame + 8 * _LAST, number)
                entry = word(frame + 8 * _ENTRY)
                f = _asked(kind, number, frame)
                if f < 0:
                    return _SLOW
        else:
            done = word(frame + 8 * _LEFT) == 0
            if not done:
                kind, f, entry = _next(frame)
                if entry < 0:
                    return _FULL
        if done:
            if depth == 0:
                return _GOOD if i == end else _SLOW
            depth -= 1
            frame -= 8 * FRAME
        elif truth >= 0:
            if f:
                table = word(f + 8 * TABLE)
                put(word(table + 8 * WORDS) + 8 * (word(table + 8 * ROOM) * word(f + 8 * PLACE) + entry), truth)
        elif kind < STRUCT:
            i = _scalar(i, end, kind, f, entry, compact)
            if i < 0:
                return _SLOW
        else:
            depth += 1
            if depth == MAX_DEPTH:
                return _SLOW
            frame += 8 * FRAME
            i = _begin(i, end, kind, f, entry, frame, compact)
            if i < 0:
                return _SLOW


@kernel
def decode(
    data: Int,
    starts: Numbers,
    ends: Numbers,
    first: Int,
    root: Int,
    tables: Numbers,
    frames: Numbers,
    slow: Bytes,
    compact: bool,
) -> Int:
    """
    Read rows from number `first` on, of bytes at the address `data`, into tables; set `slow` for those of the slow way.

    The first table has an entry for each row. Gives the number of a row for which there was no room, having left nothing of
    it, or the number of rows.
    """
    for r in range(first, starts.size):
        for t in range(1, tables.shape[0]):
            tables[t, KEPT] = tables[t, LENGTH]
        outcome = _row(data + starts[r], data + ends[r], r, root, frames.ctypes.data, compact)
        slow[r] = outcome != _GOOD
        if outcome != _GOOD:
            for t in range(1, tables.shape[0]):
                tables[t, LENGTH] = tables[t, KEPT]
        if outcome == _FULL:
            clear(tables.ctypes.data, r)
            return r
    return starts.size
