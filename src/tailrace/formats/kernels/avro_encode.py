"""Columns to rows of Avro's binary encoding: once to find their sizes, once to write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, put_byte, word
from tailrace.state.memory import copy

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Word = Any  # a number of 64 bits: Python's in the types, NumPy's in the kernel

WIDTH = 6
"""
The words of a field: how it is written, the branch of null in its union (-1: no union), the address of marks of valid values (0: all
are), of its values, and of their sizes; and how many bytes a fixed value has.
"""

LONG, BOOLEAN, FLOAT, DOUBLE, TEXT, RAW, DECIMAL, DECIMAL_FIXED, CONSTANT = range(9)
"""
What the values are: numbers of 64 bits, written as numbers, as one byte, as four, as eight; addresses of bytes, written with their size
before them, or as they are; pairs of words, written with their size or in so many bytes; the address of bytes that all rows have.
"""


@part
def _varint_size(value: int) -> int:
    rest = np.uint64((value << 1) ^ (value >> 63))
    size = 1
    while rest >= np.uint64(128):
        rest >>= np.uint64(7)
        size += 1
    return size


@part
def _put_varint(value: int, to: int) -> int:
    rest = np.uint64((value << 1) ^ (value >> 63))
    while rest >= np.uint64(128):
        put_byte(to, np.uint8(rest & np.uint64(127)) | np.uint8(128))
        rest >>= np.uint64(7)
        to += 1
    put_byte(to, np.uint8(rest))
    return to + 1


@part
def _decimal_size(pair: int) -> int:
    """Give how few bytes hold a number of 128 bits with its sign."""
    fill = np.uint8(word(pair + 8) >> 63)
    size = 16
    while size > 1 and byte(pair + size - 1) == fill and byte(pair + size - 2) >> 7 == fill >> 7:
        size -= 1
    return size


@part
def _put_decimal(pair: int, size: int, to: int) -> int:
    """Write a number of 128 bits in so many bytes, the greatest first."""
    fill = np.uint8(word(pair + 8) >> 63)
    for k in range(size):
        place = size - 1 - k
        put_byte(to + k, byte(pair + place) if place < 16 else fill)
    return to + size


@part
def _size(field: int, r: int) -> Word:
    """Give the bytes of a value that is not null."""
    op = word(field)
    cell = word(field + 24) + 8 * r
    if op == LONG:
        return _varint_size(word(cell))
    if op == BOOLEAN:
        return 1
    if op == FLOAT:
        return 4
    if op == DOUBLE:
        return 8
    if op == TEXT:
        size = word(word(field + 32) + 8 * r)
        return _varint_size(size) + size
    if op == RAW:
        return word(word(field + 32) + 8 * r)
    if op == DECIMAL:
        return 1 + _decimal_size(cell + 8 * r)
    return word(field + 40)


@part
def _put(field: int, r: int, to: int) -> Word:
    """Write a value that is not null; give the place behind it."""
    op = word(field)
    cell = word(field + 24) + 8 * r
    if op == LONG:
        return _put_varint(word(cell), to)
    if op == BOOLEAN:
        put_byte(to, np.uint8(word(cell)))
        return to + 1
    if op == FLOAT or op == DOUBLE:
        size = 4 if op == FLOAT else 8
        copy(to, cell, size)
        return to + size
    if op == TEXT or op == RAW:
        size = word(word(field + 32) + 8 * r)
        if op == TEXT:
            to = _put_varint(size, to)
        copy(to, word(cell), size)
        return to + size
    if op == DECIMAL:
        size = _decimal_size(cell + 8 * r)
        return _put_decimal(cell + 8 * r, size, _put_varint(size, to))
    if op == DECIMAL_FIXED:
        return _put_decimal(cell + 8 * r, word(field + 40), to)
    copy(to, word(field + 24), word(field + 40))
    return to + word(field + 40)


@kernel
def measure(fields: Numbers, before: int, sizes: Numbers) -> None:
    """Find the bytes of all rows, each with so many bytes before it."""
    first = fields.ctypes.data
    for r in range(sizes.size):
        total = before
        for k in range(fields.shape[0]):
            field = first + 8 * WIDTH * k
            if word(field + 8) >= 0:
                total += 1
            marks = word(field + 16)
            if marks == 0 or byte(marks + r) != 0:
                total += _size(field, r)
        sizes[r] = total


@kernel
def write(fields: Numbers, before: Bytes, starts: Numbers, out: Bytes) -> None:
    """Write all rows, each with the same bytes before it, from `starts` on."""
    first = fields.ctypes.data
    for r in range(starts.size):
        to = out.ctypes.data + starts[r]
        copy(to, before.ctypes.data, before.size)
        to += before.size
        for k in range(fields.shape[0]):
            field = first + 8 * WIDTH * k
            null = word(field + 8)
            marks = word(field + 16)
            valid = marks == 0 or byte(marks + r) != 0
            if null >= 0:
                put_byte(to, np.uint8(2 * (null if not valid else 1 - null)))
                to += 1
            if valid:
                to = _put(field, r, to)


@kernel
def misfit(low: Numbers, high: Numbers, size: int) -> int:
    """Give the first row whose number of 128 bits does not fit so many bytes; -1 if all do."""
    for r in range(low.size):
        extended = high[r]
        top = low[r]
        if size >= 16:
            return -1
        if size >= 8:
            spare = 8 * (16 - size)
            if ((extended << spare) >> spare) != extended:
                return r
        else:
            spare = 8 * (8 - size)
            if ((top << spare) >> spare) != top or extended != top >> 63:
                return r
    return -1
