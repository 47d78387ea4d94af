"""
The fast path of JSON: one kernel reads plain rows to columns, and flags every row that it is not sure of.

It takes only what it fully understands: one flat object of known and unknown keys with plain strings, numbers, TRUE,
FALSE and NULL. Whatever else is in a row (escapes, nesting, duplicate keys, odd numbers, bad bytes) goes to the slow path.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

INTEGER, FLOATING, DECIMAL, TEXT, BOOLEAN, STAMP, DAY, OTHER = 0, 1, 2, 3, 4, 5, 6, 7

_KEYS = 64
"""So many keys of the row before are remembered by their place."""

_POWERS = 10.0 ** np.arange(23)
_TENS = 10 ** np.arange(19, dtype=np.int64)
_PLAIN, _QUOTE, _ODD, _LONG = 0, 1, 2, 3


def _byte_kinds() -> U8:
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[:32] = _ODD
    kinds[92] = kinds[127] = _ODD
    kinds[34] = _QUOTE
    kinds[128:] = _LONG
    return kinds


_KINDS = _byte_kinds()
"""What each byte means within a text: itself, the end, an escape or control character, or a part of a longer one."""

_PRIME = np.uint64(1099511628211)
_BASIS = np.uint64(14695981039346656037)


def key_hash(name: bytes) -> int:
    """Hash a key as the kernel does (FNV-1a)."""
    value = int(_BASIS)
    for byte in name:
        value = ((value ^ byte) * int(_PRIME)) & (2**64 - 1)
    return value


@njit(nogil=True, cache=True, inline="always")
def _skip_space(data: U8, i: int, end: int) -> int:
    while i < end and (data[i] == 32 or data[i] == 9 or data[i] == 13 or data[i] == 10):
        i += 1
    return i


@njit(nogil=True, cache=True)
def _plain_text(data: U8, i: int, end: int) -> int:
    """Give the place of the quote that ends a text without escapes; -1 for any other text."""
    while i < end:
        kind = _KINDS[data[i]]
        if kind == _PLAIN:
            i += 1
        elif kind == _QUOTE:
            return i
        elif kind == _ODD:
            return -1
        else:
            i = _sequence(data, i, end)
            if i < 0:
                return -1
    return -1


@njit(nogil=True, cache=True)
def _sequence(data: U8, i: int, end: int) -> int:
    """Give the place after one UTF-8 sequence of two to four bytes; -1 if it is none."""
    byte = data[i]
    low, high = np.uint8(0x80), np.uint8(0xBF)
    if 0xC2 <= byte <= 0xDF:
        size = 2
    elif 0xE0 <= byte <= 0xEF:
        size = 3
        if byte == 0xE0:
            low = np.uint8(0xA0)
        elif byte == 0xED:
            high = np.uint8(0x9F)
    elif 0xF0 <= byte <= 0xF4:
        size = 4
        if byte == 0xF0:
            low = np.uint8(0x90)
        elif byte == 0xF4:
            high = np.uint8(0x8F)
    else:
        return -1
    if i + size > end or data[i + 1] < low or data[i + 1] > high:
        return -1
    for k in range(2, size):
        if data[i + k] < 0x80 or data[i + k] > 0xBF:
            return -1
    return i + size


@njit(nogil=True, cache=True, inline="always")
def _is_literal(data: U8, i: int, end: int, a: int, b: int, c: int, d: int) -> bool:
    return i + 4 <= end and data[i] == a and data[i + 1] == b and data[i + 2] == c and data[i + 3] == d


@njit(nogil=True, cache=True)
def _number(data: U8, i: int, end: int, out: I64) -> int:
    """
    Read a number of up to 18 digits without exponent; give the place after it, or -1.

    `out` gets its digits as an integer with sign, the digits after the point, and 1 for a minus (of -0 too).
    """
    negative = data[i] == 45
    if negative:
        i += 1
    begin = i
    value = np.int64(0)
    while i < end and 48 <= data[i] <= 57:
        value = value * 10 + (data[i] - 48)
        i += 1
        if i - begin > 18:
            return -1
    digits = i - begin
    if digits == 0 or (digits > 1 and data[begin] == 48):
        return -1
    scale = 0
    if i < end and data[i] == 46:
        i += 1
        point = i
        while i < end and 48 <= data[i] <= 57:
            value = value * 10 + (data[i] - 48)
            i += 1
            if digits + i - point > 18:
                return -1
        scale = i - point
        if scale == 0:
            return -1
    if i < end and (data[i] == 101 or data[i] == 69):
        return -1
    out[0] = -value if negative else value
    out[1] = scale
    out[2] = negative
    return i


@njit(nogil=True, cache=True, inline="always")
def _two(data: U8, i: int) -> int:
    a, b = np.int64(data[i]) - 48, np.int64(data[i + 1]) - 48
    return a * 10 + b if 0 <= a <= 9 and 0 <= b <= 9 else -1


@njit(nogil=True, cache=True)
def _days(data: U8, i: int) -> int:
    """Give the days since 1970 of `YYYY-MM-DD`, or -1_000_000_000 if it is no date."""
    bad = -1_000_000_000
    century, year = _two(data, i), _two(data, i + 2)
    month, day = _two(data, i + 5), _two(data, i + 8)
    if century < 0 or year < 0 or data[i + 4] != 45 or data[i + 7] != 45 or month < 1 or month > 12 or day < 1:
        return bad
    y = century * 100 + year
    leap = y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)
    longest = 29 if month == 2 and leap else 28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    if day > longest or y == 0:
        return bad
    # days from civil: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
    y -= month <= 2
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@njit(nogil=True, cache=True)
def _stamp(data: U8, i: int, end: int, separator: int, zoned: bool, unit: int, out: I64) -> bool:
    """Read `YYYY-MM-DD HH:MM:SS[.f]` (with Z if zoned) to 10**unit parts of a second."""
    if zoned:
        end -= 1
        if end <= i or data[end] != 90:
            return False
    length = end - i
    if length < 19 or length == 20 or length > 29 or data[i + 10] != separator:
        return False
    days = _days(data, i)
    hour, minute, second = _two(data, i + 11), _two(data, i + 14), _two(data, i + 17)
    if days == -1_000_000_000 or data[i + 13] != 58 or data[i + 16] != 58:
        return False
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return False
    part, digits = np.int64(0), 0
    if length > 19:
        if data[i + 19] != 46:
            return False
        for k in range(i + 20, end):
            if data[k] < 48 or data[k] > 57:
                return False
            if digits < unit:
                part = part * 10 + (data[k] - 48)
                digits += 1
    total = ((days * 24 + hour) * 60 + minute) * 60 + second
    if unit == 9 and (days > 106_000 or days < -106_000):
        return False
    out[0] = total * _TENS[unit] + part * _TENS[unit - digits]
    return True


@njit(nogil=True, cache=True)
def _store(
    data: U8, i: int, end: int, kind: int, detail: int, slot: int, row: int, integers: I64, floats: npt.NDArray[np.float64],
    begins: I64, sizes: npt.NDArray[np.int32], low: int, high: int, separator: int, zoned: bool, scratch: I64,
) -> int:
    """Read one value of a wanted column into its place; give the place after it, or -1 for the slow path."""
    byte = data[i]
    if kind == TEXT:
        if byte != 34:
            return -1
        stop = _plain_text(data, i + 1, end)
        if stop >= 0:
            begins[slot, row] = i + 1
            sizes[slot, row] = stop - i - 1
            return stop + 1
        return -1
    if kind == STAMP or kind == DAY:
        if byte != 34:
            return -1
        stop = _plain_text(data, i + 1, end)
        if stop < 0:
            return -1
        if kind == DAY:
            days = _days(data, i + 1) if stop - i == 11 else -1_000_000_000
            if days == -1_000_000_000:
                return -1
            integers[slot, row] = days
            return stop + 1
        if not _stamp(data, i + 1, stop, separator, zoned, detail, scratch):
            return -1
        integers[slot, row] = scratch[0]
        return stop + 1
    if kind == BOOLEAN:
        if _is_literal(data, i, end, 116, 114, 117, 101):
            integers[slot, row] = 1
            return i + 4
        if _is_literal(data, i, end, 102, 97, 108, 115) and i + 4 < end and data[i + 4] == 101:
            integers[slot, row] = 0
            return i + 5
        return -1
    if kind == OTHER or (byte != 45 and (byte < 48 or byte > 57)):
        return -1
    stop = _number(data, i, end, scratch)
    if stop < 0:
        return -1
    value, scale = scratch[0], scratch[1]
    if kind == INTEGER:
        if scale or value < low or value > high:
            return -1
        integers[slot, row] = value
    elif kind == DECIMAL:
        if scale > detail:
            return -1
        if detail - scale > 0:
            limit = _TENS[18] // _TENS[detail - scale]
            if value > limit or value < -limit:
                return -1
            value *= _TENS[detail - scale]
        if value > high or value < low:
            return -1
        integers[slot, row] = value
    else:
        if value > 9007199254740992 or value < -9007199254740992 or (value == 0 and scratch[2]):
            return -1
        floats[slot, row] = value / _POWERS[scale]
    return stop


@njit(nogil=True, cache=True)
def _skipped(data: U8, i: int, end: int, scratch: I64) -> int:
    """Give the place after a plain value that nobody wants; -1 for any other."""
    byte = data[i]
    if byte == 34:
        stop = _plain_text(data, i + 1, end)
        return stop + 1 if stop >= 0 else -1
    if byte == 45 or 48 <= byte <= 57:
        return _number(data, i, end, scratch)
    if _is_literal(data, i, end, 116, 114, 117, 101) or _is_literal(data, i, end, 110, 117, 108, 108):
        return i + 4
    if _is_literal(data, i, end, 102, 97, 108, 115) and i + 4 < end and data[i + 4] == 101:
        return i + 5
    return -1


@njit(nogil=True, cache=True)
def _key(
    data: U8, begin: int, end: int, guess: int, hashes: npt.NDArray[np.uint64], names: U8, name_ends: I64
) -> tuple[int, int]:
    """Give the length of a key and its column: -1 for one that nobody wants. A length of -1: for the slow path."""
    digest = _BASIS
    i = begin
    while i < end and data[i] != 34:
        if _KINDS[data[i]] != _PLAIN:
            return -1, -1
        digest = (digest ^ np.uint64(data[i])) * _PRIME
        i += 1
    if i >= end:
        return -1, -1
    size = i - begin
    for step in range(hashes.size):
        k = guess + step
        if k >= hashes.size:
            k -= hashes.size
        start = name_ends[k - 1] if k else 0
        if hashes[k] == digest and name_ends[k] - start == size:
            same = True
            for j in range(size):
                same = same and names[start + j] == data[begin + j]
            if same:
                return size, k
    return size, -1


@njit(nogil=True, cache=True)
def _row(
    data: U8, i: int, end: int, row: int, hashes: npt.NDArray[np.uint64], names: U8, name_ends: I64, kinds: I64, details: I64,
    slots: I64, lows: I64, highs: I64, zones: I64, separator: int, integers: I64, floats: npt.NDArray[np.float64], begins: I64,
    sizes: npt.NDArray[np.int32], valid: npt.NDArray[np.bool_], seen: I64, last: I64, scratch: I64,
) -> bool:
    """Read one row; False sends it to the slow path."""
    count = kinds.size
    i = _skip_space(data, i, end)
    if i >= end or data[i] != 123:
        return False
    i = _skip_space(data, i + 1, end)
    guess = 0
    nth = 0
    first = True
    while True:
        if i >= end:
            return False
        if data[i] == 125 and first:
            break
        if data[i] != 34:
            return False
        first = False
        begin = i + 1
        known = -2
        if nth < last[0]:
            # the key that stood here in the row before is the likeliest
            start, size = last[3 * nth + 1], last[3 * nth + 2]
            if begin + size < end and data[begin + size] == 34:
                known = last[3 * nth + 3]
                for j in range(size):
                    if data[start + j] != data[begin + j]:
                        known = -2
                        break
        if known == -2:
            size, known = _key(data, begin, end, guess, hashes, names, name_ends)
            if size < 0:
                return False
            if 3 * nth + 3 < last.size:
                last[3 * nth + 1], last[3 * nth + 2], last[3 * nth + 3] = begin, size, known
                last[0] = max(last[0], nth + 1)
        found = known
        nth += 1
        i = _skip_space(data, begin + size + 1, end)
        if i >= end or data[i] != 58:
            return False
        i = _skip_space(data, i + 1, end)
        if i >= end:
            return False
        if found < 0:
            i = _skipped(data, i, end, scratch)
        else:
            guess = found + 1
            if seen[found] == row:
                return False
            seen[found] = row
            if _is_literal(data, i, end, 110, 117, 108, 108):
                i += 4
            else:
                i = _store(
                    data, i, end, kinds[found], details[found], slots[found], row, integers, floats, begins, sizes,
                    lows[found], highs[found], separator, zones[found] != 0, scratch,
                )
                valid[found, row] = i >= 0
        if i < 0:
            return False
        i = _skip_space(data, i, end)
        if i >= end:
            return False
        if data[i] == 125:
            break
        if data[i] != 44:
            return False
        i = _skip_space(data, i + 1, end)
    return _skip_space(data, i + 1, end) == end


@njit(nogil=True, cache=True)
def read_rows(
    data: U8, row_begins: I64, row_ends: I64, hashes: npt.NDArray[np.uint64], names: U8, name_ends: I64, kinds: I64,
    details: I64, slots: I64, lows: I64, highs: I64, zones: I64, separator: int, integers: I64,
    floats: npt.NDArray[np.float64], begins: I64, sizes: npt.NDArray[np.int32], valid: npt.NDArray[np.bool_],
    slow: npt.NDArray[np.bool_],
) -> int:
    """Read all rows; mark those for the slow path in `slow` and give their number."""
    seen = np.full(kinds.size, -1, dtype=np.int64)
    last = np.zeros(1 + 3 * _KEYS, dtype=np.int64)
    scratch = np.zeros(3, dtype=np.int64)
    count = 0
    for row in range(row_begins.size):
        plain = _row(
            data, row_begins[row], row_ends[row], row, hashes, names, name_ends, kinds, details, slots, lows, highs, zones,
            separator, integers, floats, begins, sizes, valid, seen, last, scratch,
        )
        if not plain:
            slow[row] = True
            count += 1
            for k in range(kinds.size):
                valid[k, row] = False
    return count


@njit(nogil=True, cache=True)
def gather_texts(data: U8, begins: I64, sizes: npt.NDArray[np.int32], valid: npt.NDArray[np.bool_], ends: npt.NDArray[np.int32]) -> U8:
    """Copy the texts of one column behind one another; `ends` (one longer than the rows, beginning with 0) gets where they end."""
    total = 0
    for i in range(begins.size):
        if valid[i]:
            total += sizes[i]
        ends[i + 1] = total
    out = np.empty(total, dtype=np.uint8)
    for i in range(begins.size):
        if valid[i]:
            at, begin = ends[i], begins[i]
            for k in range(sizes[i]):
                out[at + k] = data[begin + k]
    return out
