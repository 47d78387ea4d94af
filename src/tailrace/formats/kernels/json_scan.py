"""The grammar of JSON, for values that nobody asked for: they must be well-formed all the same."""

from __future__ import annotations

import numpy as np

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.memory import byte
from tailrace.formats.kernels.numbers import scan_number
from tailrace.formats.kernels.strings import scan_string

MAX_DEPTH = 60
"""Deeper values are left to the slow path; the open brackets are the bits of one word."""

_ONE = np.uint64(1)


@part
def skip_space(i: int, end: int) -> int:
    """Give the place of the next byte that is no white space."""
    while i < end and byte(i) <= 32 and (byte(i) == 32 or byte(i) == 10 or byte(i) == 13 or byte(i) == 9):
        i += 1
    return i


@part
def is_word(i: int, end: int, word: int, size: int) -> bool:
    """Tell whether four bytes (a little-endian number) and for `size` 5 an `e` stand at a place."""
    if i + size > end:
        return False
    found = np.int64(byte(i)) | np.int64(byte(i + 1)) << 8 | np.int64(byte(i + 2)) << 16 | np.int64(byte(i + 3)) << 24
    return found == word and (size == 4 or byte(i + 4) == 101)


TRUE = int.from_bytes(b"true", "little")
FALSE = int.from_bytes(b"fals", "little")
NULL = int.from_bytes(b"null", "little")


@part
def skip_scalar(i: int, end: int) -> tuple[int, int]:
    """Give the place behind a string, number or word (-1: none is there), and the flags of a string."""
    if i >= end:
        return -1, 0
    code = byte(i)
    if code == 34:
        i, flags = scan_string(i + 1, end)
        return i + 1 if i >= 0 else -1, flags
    if code == 116:
        return i + 4 if is_word(i, end, TRUE, 4) else -1, 0
    if code == 102:
        return i + 5 if is_word(i, end, FALSE, 5) else -1, 0
    if code == 110:
        return i + 4 if is_word(i, end, NULL, 4) else -1, 0
    return scan_number(i, end)[0], 0


@part
def _key(i: int, end: int) -> tuple[int, int]:
    """Give the place of the value behind `"key" :` (-1: none is there), and the flags of the key."""
    if i >= end or byte(i) != 34:
        return -1, 0
    i, flags = scan_string(i + 1, end)
    if i < 0:
        return -1, 0
    i = skip_space(i + 1, end)
    if i >= end or byte(i) != 58:
        return -1, 0
    return skip_space(i + 1, end), flags


@part
def skip_value(i: int, end: int) -> tuple[int, int]:
    """Give the place behind any value (-1: it is not well-formed, or too deep), and the flags of its strings."""
    if i >= end or (byte(i) != 123 and byte(i) != 91):
        return skip_scalar(i, end)
    objects = np.uint64(0)  # one bit for each open bracket: whether it is that of an object
    depth = 0
    flags = 0
    while True:
        # a value begins at i
        if i < end and (byte(i) == 123 or byte(i) == 91):
            is_object = byte(i) == 123
            depth += 1
            if depth > MAX_DEPTH:
                return -1, 0
            objects = objects << _ONE | np.uint64(is_object)
            i = skip_space(i + 1, end)
            if i < end and byte(i) == (125 if is_object else 93):
                i += 1
                depth -= 1
                objects >>= _ONE
            elif is_object:
                i, more = _key(i, end)
                flags |= more
                if i < 0:
                    return -1, 0
                continue
            else:
                continue
        else:
            i, more = skip_scalar(i, end)
            flags |= more
            if i < 0:
                return -1, 0
        # a value has ended at i: close what ends with it
        while True:
            if depth == 0:
                return i, flags
            i = skip_space(i, end)
            if i >= end:
                return -1, 0
            is_object = objects & _ONE == _ONE
            if byte(i) == 44:
                i = skip_space(i + 1, end)
                if is_object:
                    i, more = _key(i, end)
                    flags |= more
                    if i < 0:
                        return -1, 0
                break
            if byte(i) != (125 if is_object else 93):
                return -1, 0
            i += 1
            depth -= 1
            objects >>= _ONE
