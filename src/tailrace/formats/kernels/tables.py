"""
What the kernels of Protobuf and Thrift share: tables into which the values of rows go, and the fields of a message by number.

All of it comes as arrays of 64-bit words; a table has an entry for each row, or for each element of one repeated field.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.memory import byte, put, put_byte, word

Int = Any
"""A number of 64 bits, of Python or of NumPy: compiled, they are the same."""

FIELD = 14
"""The words of a field; the first is its number, the others are the kernel's own."""

FIRST, COUNT, DENSE, DENSE_SIZE, NEEDED = range(5)
"""The words of a node: the address of its fields by number, how many; their addresses by small number; the required bits."""
NODE_WORDS = 5

WORDS, VALIDS, MARKS, ROOM, VALID_COUNT, MARK_COUNT, LENGTH, KEPT, FULL = range(9)
"""
The words of a table: the addresses of its words, marks of presence, counts and oneofs; for how many entries there is room;
how many marks of each kind an entry has; how many entries there are, and were before the row; whether one had no room.
"""
TABLE_WORDS = 9


@part
def scan_varint(i: Int, end: Int) -> tuple[Int, Int]:
    """Read a varint of up to 64 bits; the place behind it, or -1."""
    value = np.uint64(0)
    shift = 0
    while i < end and shift < 70:
        b = byte(i)
        i += 1
        if shift == 63 and b > 1:
            return -1, 0
        value |= np.uint64(b & 127) << np.uint64(shift)
        if b < 128:
            return i, np.int64(value)
        shift += 7
    return -1, 0


@part
def clear(table: Int, entry: Int) -> None:
    """Take all marks of an entry away."""
    room = word(table + 8 * ROOM)
    first = word(table + 8 * VALIDS) + entry
    for k in range(word(table + 8 * VALID_COUNT)):
        put_byte(first + k * room, 0)
    first = word(table + 8 * MARKS) + 8 * entry
    for k in range(word(table + 8 * MARK_COUNT)):
        put(first + 8 * k * room, 0)


@part
def append(table: Int) -> Int:
    """Give the number of a new entry of a table; -1 if there is no room."""
    entry = word(table + 8 * LENGTH)
    room = word(table + 8 * ROOM)
    if entry >= room:
        put(table + 8 * FULL, 1)
        return -1
    put(table + 8 * LENGTH, entry + 1)
    clear(table, entry)
    return entry


@part
def find(node: Int, number: Int) -> Int:
    """Give the address of a field; 0 if there is none of this number."""
    if number < word(node + 8 * DENSE_SIZE):
        return word(word(node + 8 * DENSE) + 8 * number)
    first = word(node + 8 * FIRST)
    low, high = 0, word(node + 8 * COUNT)
    while low < high:
        middle = (low + high) >> 1
        if word(first + 8 * FIELD * middle) < number:
            low = middle + 1
        else:
            high = middle
    f = first + 8 * FIELD * low
    return f if low < word(node + 8 * COUNT) and word(f) == number else 0
