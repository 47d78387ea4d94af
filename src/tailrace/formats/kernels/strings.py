"""Strings: whether bytes are UTF-8, where a JSON string ends, and the bytes of a column of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, load64, put_byte, trailing_zeros
from tailrace.state.memory import copy

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

ESCAPED = 1
"""The string has escapes."""
WIDE = 2
"""The string has bytes beyond ASCII."""

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)

_PLAIN = np.zeros(256, dtype=np.uint8)
for _name, _code in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    _PLAIN[_name] = _code
_HEX = np.full(256, 255, dtype=np.uint8)
for _place, _digit in enumerate(b"0123456789abcdef"):
    _HEX[_digit] = _place
for _place, _digit in enumerate(b"ABCDEF"):
    _HEX[_digit] = _place + 10


@part
def is_utf8(i: int, end: int) -> bool:
    """Tell whether bytes are well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF)."""
    while i < end:
        while i + 8 <= end and load64(i) & _HIGH == 0:
            i += 8
        if i >= end:
            return True
        code = byte(i)
        if code < 0x80:
            i += 1
            continue
        least, most = np.uint8(0x80), np.uint8(0xBF)
        if 0xC2 <= code <= 0xDF:
            more = 1
        elif 0xE0 <= code <= 0xEF:
            more = 2
            least = np.uint8(0xA0) if code == 0xE0 else least
            most = np.uint8(0x9F) if code == 0xED else most
        elif 0xF0 <= code <= 0xF4:
            more = 3
            least = np.uint8(0x90) if code == 0xF0 else least
            most = np.uint8(0x8F) if code == 0xF4 else most
        else:
            return False
        if i + more >= end or not least <= byte(i + 1) <= most:
            return False
        for k in range(2, more + 1):
            if byte(i + k) & 0xC0 != 0x80:
                return False
        i += more + 1
    return True


@part
def hex_number(i: int) -> np.int64:
    """Give the number of four hexadecimal digits; -1 if they are none."""
    a, b, c, d = _HEX[byte(i)], _HEX[byte(i + 1)], _HEX[byte(i + 2)], _HEX[byte(i + 3)]
    if (a | b | c | d) == 255:
        return np.int64(-1)
    return np.int64(a) << 12 | np.int64(b) << 8 | np.int64(c) << 4 | np.int64(d)


@part
def scan_string(i: int, end: int) -> tuple[int, int]:
    """Give the place of the quote that ends a string whose text begins at `i` (-1: none, or a bad escape), and flags."""
    flags = 0
    while i < end:
        if i + 8 <= end:
            word = load64(i)
            quote, slash = word ^ _QUOTES, word ^ _SLASHES
            found = ((quote - _ONES) & ~quote | (slash - _ONES) & ~slash | word) & _HIGH
            if found == 0:
                i += 8
                continue
            i += trailing_zeros(found) >> 3
        code = byte(i)
        if code == 34:
            return i, flags
        if code == 92:
            flags |= ESCAPED
            i += 1
            if i >= end:
                return -1, 0
            if byte(i) == 117:
                if i + 5 > end or hex_number(i + 1) < 0:
                    return -1, 0
                i += 4
            elif _PLAIN[byte(i)] == 0:
                return -1, 0
        elif code >= 0x80:
            flags |= WIDE
        i += 1
    return -1, 0


@part
def has_lone_surrogate(i: int, end: int) -> bool:
    """Tell whether the escapes of a string, that `scan_string` took, name half of a pair without the other."""
    while i < end:
        if byte(i) != 92:
            i += 1
            continue
        if byte(i + 1) != 117:
            i += 2
            continue
        code = hex_number(i + 2)
        i += 6
        if 0xDC00 <= code <= 0xDFFF:
            return True
        if 0xD800 <= code <= 0xDBFF:
            if i + 6 > end or byte(i) != 92 or byte(i + 1) != 117:
                return True
            if not 0xDC00 <= hex_number(i + 2) <= 0xDFFF:
                return True
            i += 6
    return False


@part
def _unescape(i: int, end: int, to: int) -> int:
    """Write a string without its escapes; give the place behind it."""
    while i < end:
        if byte(i) != 92:
            put_byte(to, byte(i))
            to += 1
            i += 1
        elif byte(i + 1) != 117:
            put_byte(to, _PLAIN[byte(i + 1)])
            to += 1
            i += 2
        else:
            code = hex_number(i + 2)
            i += 6
            if 0xD800 <= code <= 0xDBFF:
                code = 0x10000 + ((code - 0xD800) << 10) + (hex_number(i + 2) - 0xDC00)
                i += 6
            to = _put(code, to)
    return to


@part
def _put(code: np.int64, to: int) -> int:
    """Write one character as UTF-8; give the place behind it."""
    if code < 0x80:
        put_byte(to, code)
        return to + 1
    if code < 0x800:
        put_byte(to, 0xC0 | code >> 6)
        put_byte(to + 1, 0x80 | code & 0x3F)
        return to + 2
    if code < 0x10000:
        put_byte(to, 0xE0 | code >> 12)
        put_byte(to + 1, 0x80 | code >> 6 & 0x3F)
        put_byte(to + 2, 0x80 | code & 0x3F)
        return to + 3
    put_byte(to, 0xF0 | code >> 18)
    put_byte(to + 1, 0x80 | code >> 12 & 0x3F)
    put_byte(to + 2, 0x80 | code >> 6 & 0x3F)
    put_byte(to + 3, 0x80 | code & 0x3F)
    return to + 4


@kernel
def gather(starts: Numbers, sizes: Numbers, valid: Bytes, offsets: Numbers, out: Bytes) -> int:
    """
    Put strings, that are at the addresses `starts`, one behind the other into `out` with their `offsets`; give the bytes used.

    A string of negative size has JSON's escapes, which are resolved. `out` has room for all sizes.
    """
    first = out.ctypes.data
    to = first
    offsets[0] = 0
    for r in range(starts.size):
        if valid[r]:
            size = sizes[r]
            if size >= 0:
                copy(to, starts[r], size)
                to += size
            else:
                to = _unescape(starts[r], starts[r] - size, to)
        offsets[r + 1] = to - first
    return to - first


@kernel
def total_size(sizes: Numbers, valid: Bytes) -> int:
    """Sum up the sizes of strings, whatever their sign."""
    total = 0
    for r in range(sizes.size):
        if valid[r]:
            total += abs(sizes[r])
    return total
