"""Columns to structs of Thrift, of the binary and the compact protocol, by a program that comes as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, put, put_byte, word
from tailrace.formats.kernels.thrift_decode import BOOL, BYTE, DOUBLE, I16, I32, LIST, MAP, STRING, STRUCT
from tailrace.state.memory import copy

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Int = Any
"""A number of 64 bits, of Python or of NumPy: compiled, they are the same."""

NUMBER, TYPE, WORDS, SIZES, VALID, OFFSETS, FIRST, LAST = range(8)
"""
The words of a field, element, key or value: its number, the type on the wire; the addresses of its values, of the sizes of texts,
of marks of presence (0: all are there), of where the elements of each entry begin; of its first part, and the one behind the last:
the fields of a struct, the element of a list, key and value of a map.
"""
SPEC = 8

MAX_DEPTH = 64

_OF, _ENTRY, _NEXT, _END = range(4)
"""The words of a frame: what is being written; of a struct its entry; which part or element is next, and the one behind the last."""
_FRAME = 5
_LAST_NUMBER = 4

TO_COMPACT = np.array([0, 0, 1, 3, 7, 0, 4, 0, 5, 0, 6, 8, 12, 11, 10, 9])
"""The types of the compact protocol, by those of the binary one."""


@part
def _put_big(to: Int, value: Int, size: Int) -> Int:
    for k in range(size):
        put_byte(to + k, np.uint8((value >> (8 * (size - 1 - k))) & 255))
    return to + size


@part
def _put_varint(to: Int, value: Int) -> Int:
    rest = np.uint64(value)
    while rest >= np.uint64(128):
        put_byte(to, np.uint8(rest & np.uint64(127)) | 128)
        rest >>= np.uint64(7)
        to += 1
    put_byte(to, np.uint8(rest))
    return to + 1


@part
def _put_size(to: Int, size: Int, compact: Any) -> Int:
    return _put_varint(to, size) if compact else _put_big(to, size, 4)


@part
def _put_scalar(to: Int, f: Int, entry: Int, compact: Any) -> Int:
    """Write a value that has no parts, and is no field of type BOOL in the compact protocol."""
    kind = word(f + 8 * TYPE)
    value = word(word(f + 8 * WORDS) + 8 * entry)
    if kind == STRING:
        size = word(word(f + 8 * SIZES) + 8 * entry)
        to = _put_size(to, size, compact)
        copy(to, value, size)
        return to + size
    if kind == BOOL:
        put_byte(to, np.uint8(value if not compact or value else 2))
        return to + 1
    if kind == BYTE:
        put_byte(to, np.uint8(value & 255))
        return to + 1
    if kind == DOUBLE:
        if not compact:
            return _put_big(to, value, 8)
        put(to, value)
        return to + 8
    if compact:
        return _put_varint(to, (value << 1) ^ (value >> 63))
    return _put_big(to, value, 2 if kind == I16 else 4 if kind == I32 else 8)


@part
def _put_field(to: Int, f: Int, entry: Int, last: Int, compact: Any) -> Int:
    """Write the head of a field."""
    kind, number = word(f + 8 * TYPE), word(f + 8 * NUMBER)
    if not compact:
        put_byte(to, np.uint8(kind))
        return _put_big(to + 1, number, 2)
    code = np.int64(TO_COMPACT[kind])
    if kind == BOOL and word(word(f + 8 * WORDS) + 8 * entry) == 0:
        code = np.int64(2)
    if number > last and number - last <= 15:
        put_byte(to, np.uint8((number - last) << 4 | code))
        return to + 1
    put_byte(to, np.uint8(code))
    return _put_varint(to + 1, (number << 1) ^ (number >> 63))


@part
def _put_head(to: Int, f: Int, count: Int, compact: Any) -> Int:
    """Write the head of a list, set or map."""
    first = word(f + 8 * FIRST)
    item = word(first + 8 * TYPE)
    if word(f + 8 * TYPE) == MAP:
        value = word(first + 8 * SPEC + 8 * TYPE)
        if not compact:
            put_byte(to, np.uint8(item))
            put_byte(to + 1, np.uint8(value))
            return _put_big(to + 2, count, 4)
        to = _put_varint(to, count)
        if count:
            put_byte(to, np.uint8(TO_COMPACT[item] << 4 | TO_COMPACT[value]))
            to += 1
        return to
    if not compact:
        put_byte(to, np.uint8(item))
        return _put_big(to + 1, count, 4)
    if count < 15:
        put_byte(to, np.uint8(count << 4 | TO_COMPACT[item]))
        return to + 1
    put_byte(to, np.uint8(0xF0 | TO_COMPACT[item]))
    return _put_varint(to + 1, count)


@part
def _begin(to: Int, f: Int, entry: Int, frame: Int, compact: Any) -> Int:
    """Begin a struct, list or map in a frame; write its head."""
    put(frame + 8 * _OF, f)
    put(frame + 8 * _ENTRY, entry)
    put(frame + 8 * _LAST_NUMBER, 0)
    if word(f + 8 * TYPE) == STRUCT:
        put(frame + 8 * _NEXT, word(f + 8 * FIRST))
        put(frame + 8 * _END, word(f + 8 * LAST))
        return to
    offsets = word(f + 8 * OFFSETS) + 8 * entry
    first, last = word(offsets), word(offsets + 8)
    times = 2 if word(f + 8 * TYPE) == MAP else 1
    put(frame + 8 * _NEXT, times * first)
    put(frame + 8 * _END, times * last)
    return _put_head(to, f, last - first, compact)


@part
def _row(to: Int, row: Int, root: Int, frames: Int, compact: Any) -> Int:
    """Write a row; give the address behind it."""
    depth = 0
    frame = frames
    to = _begin(to, root, row, frame, compact)
    while True:
        of, place = word(frame + 8 * _OF), word(frame + 8 * _NEXT)
        kind = word(of + 8 * TYPE)
        if place == word(frame + 8 * _END):
            if kind == STRUCT:
                put_byte(to, np.uint8(0))
                to += 1
            if depth == 0:
                return to
            depth -= 1
            frame -= 8 * _FRAME
            continue
        inline = False
        if kind == STRUCT:
            put(frame + 8 * _NEXT, place + 8 * SPEC)
            f, entry = place, word(frame + 8 * _ENTRY)
            valid = word(f + 8 * VALID)
            if valid and byte(valid + entry) == 0:
                continue
            to = _put_field(to, f, entry, word(frame + 8 * _LAST_NUMBER), compact)
            put(frame + 8 * _LAST_NUMBER, word(f + 8 * NUMBER))
            inline = compact and word(f + 8 * TYPE) == BOOL
        else:
            put(frame + 8 * _NEXT, place + 1)
            f, entry = word(of + 8 * FIRST), place
            if kind == MAP:
                f += 8 * SPEC * (place & 1)
                entry = place >> 1
        if word(f + 8 * TYPE) >= STRUCT:
            depth += 1
            frame += 8 * _FRAME
            to = _begin(to, f, entry, frame, compact)
        elif not inline:
            to = _put_scalar(to, f, entry, compact)


@kernel
def encode(rows: int, root: int, frames: Numbers, out: Bytes, ends: Numbers, compact: bool) -> None:
    """Write all rows, one behind the other, into `out`, which has room for them; note where each ends."""
    first = out.ctypes.data
    to = first
    for r in range(rows):
        to = _row(to, r, root, frames.ctypes.data, compact)
        ends[r] = to - first


assert LIST > STRUCT  # what has parts
