"""
Columns to messages of Protobuf, by a program that comes as arrays.

Messages are written from their end to their begin: so the size of what is within is known when it must be written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, put, put_byte, word
from tailrace.formats.kernels.protobuf_decode import BINARY, BOOL, FIXED64, SINT32, SINT64, TEXT
from tailrace.state.memory import copy

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Int = Any
"""A number of 64 bits, of Python or of NumPy: compiled, they are the same."""

VALUE, LIST, PACKED, ROW, ROWS = range(5)
"""How a field is written: one value, each element by itself, all elements in one piece, a message, each message by itself."""

TAG, CODE, MODE, WORDS, SIZES, VALID, IMPLICIT, NODE, OFFSETS = range(9)
"""
The words of a field: its tag, how values are written (as they are read), its mode; the addresses of its values, of the sizes
of texts, of marks of presence (0: all are there); whether nothing is written for zero; the number of the node of a message; the
address of where the elements of each entry begin.
"""
FIELD = 9

MAX_DEPTH = 64
_FRAME = 48


@part
def _put_varint(to: Int, value: Int) -> Int:
    """Write a varint that ends before an address; give the address where it begins."""
    rest = np.uint64(value)
    size = 1
    while rest >= np.uint64(128):
        rest >>= np.uint64(7)
        size += 1
    to -= size
    rest = np.uint64(value)
    for k in range(size - 1):
        put_byte(to + k, np.uint8(rest & np.uint64(127)) | 128)
        rest >>= np.uint64(7)
    put_byte(to + size - 1, np.uint8(rest))
    return to


@part
def _put_value(to: Int, f: Int, entry: Int) -> Int:
    """Write the value of an entry before an address; give the address where it begins."""
    code = word(f + 8 * CODE)
    value = word(word(f + 8 * WORDS) + 8 * entry)
    if code <= BOOL:
        if code == SINT32 or code == SINT64:
            value = (value << 1) ^ (value >> 63)
        return _put_varint(to, value)
    if code == TEXT or code == BINARY:
        size = word(word(f + 8 * SIZES) + 8 * entry)
        to -= size
        copy(to, value, size)
        return _put_varint(to, size)
    count = 8 if code == FIXED64 else 4
    to -= count
    for k in range(count):
        put_byte(to + k, np.uint8((value >> (8 * k)) & 255))
    return to


@part
def _is_written(f: Int, entry: Int) -> Any:
    """Tell whether a value that is no element is written."""
    valid = word(f + 8 * VALID)
    if valid and byte(valid + entry) == 0:
        return False
    if word(f + 8 * IMPLICIT) == 0:
        return True
    of = word(f + 8 * SIZES) or word(f + 8 * WORDS)
    return word(of + 8 * entry) != 0


@part
def _put_list(to: Int, f: Int, entry: Int) -> Int:
    """Write the elements of an entry, which are no messages."""
    first = word(word(f + 8 * OFFSETS) + 8 * entry)
    last = word(word(f + 8 * OFFSETS) + 8 * entry + 8)
    packed = word(f + 8 * MODE) == PACKED
    end = to
    for k in range(last - first):
        to = _put_value(to, f, last - 1 - k)
        if not packed:
            to = _put_varint(to, word(f + 8 * TAG))
    if packed and last > first:
        to = _put_varint(to, end - to)
        to = _put_varint(to, word(f + 8 * TAG))
    return to


@part
def _elements(f: Int, entry: Int) -> tuple[Int, Int]:
    """Give the first entry of a message's fields and the one behind the last; both the same if there is none."""
    if word(f + 8 * MODE) == ROWS:
        offsets = word(f + 8 * OFFSETS) + 8 * entry
        return word(offsets), word(offsets + 8)
    valid = word(f + 8 * VALID)
    return entry, entry + (1 if valid == 0 or byte(valid + entry) else 0)


@part
def _row(to: Int, entry: Int, node: Int, fields: Int, nodes: Int, frames: Int) -> Int:
    """Write a row before an address; give the address where it begins."""
    depth = 0
    first = word(nodes + 16 * node)
    k = word(nodes + 16 * node + 8) - 1
    while True:
        if k < first:
            if depth == 0:
                return to
            depth -= 1
            frame = frames + _FRAME * depth
            k, first, outer = word(frame), word(frame + 8), word(frame + 16)
            end, begin = word(frame + 24), word(frame + 32)
            f = fields + 8 * FIELD * k
            to = _put_varint(to, end - to)
            to = _put_varint(to, word(f + 8 * TAG))
            if entry == begin:
                entry = outer
                k -= 1
                continue
            entry -= 1
        else:
            f = fields + 8 * FIELD * k
            mode = word(f + 8 * MODE)
            if mode == VALUE:
                if _is_written(f, entry):
                    to = _put_value(to, f, entry)
                    to = _put_varint(to, word(f + 8 * TAG))
                k -= 1
                continue
            if mode == LIST or mode == PACKED:
                to = _put_list(to, f, entry)
                k -= 1
                continue
            begin, stop = _elements(f, entry)
            if begin == stop:
                k -= 1
                continue
            outer = entry
            entry = stop - 1
        frame = frames + _FRAME * depth
        put(frame, k)
        put(frame + 8, first)
        put(frame + 16, outer)
        put(frame + 24, to)
        put(frame + 32, begin)
        depth += 1
        node = word(f + 8 * NODE)
        first = word(nodes + 16 * node)
        k = word(nodes + 16 * node + 8) - 1


@kernel
def encode(rows: int, root: int, fields: Numbers, nodes: Numbers, frames: Numbers, out: Bytes, starts: Numbers) -> int:
    """
    Write all rows, one behind the other up to the end of `out`, which has room for them; note where each begins.

    `nodes` has of each the number of its first field and the one behind its last. Gives where the first row begins.
    """
    first = out.ctypes.data
    to = first + out.size
    for k in range(rows):
        r = rows - 1 - k
        to = _row(to, r, root, fields.ctypes.data, nodes.ctypes.data, frames.ctypes.data)
        starts[r] = to - first
    return to - first
