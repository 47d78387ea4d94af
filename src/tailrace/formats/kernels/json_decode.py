"""
Rows of JSON objects to columns, by a schema that comes as arrays.

A row that is in any way unusual is flagged and left to the slow path, which alone says what is wrong. So what this path takes
must be just what the slow path would make of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.json_scan import FALSE, NULL, TRUE, is_word, skip_space, skip_value
from tailrace.formats.kernels.memory import byte, load64, put, put_byte, word
from tailrace.formats.kernels.numbers import LONG, scan_number
from tailrace.formats.kernels.strings import ESCAPED, WIDE, has_lone_surrogate, is_utf8, scan_string
from tailrace.formats.kernels.times import scan_date
from tailrace.formats.kernels.values import (
    BOOLEAN,
    DATE,
    PARAMETERS,
    SPAN,
    STRING,
    TIMESTAMP,
    read_number,
    read_timestamp,
)

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.int64]  # [word, row]; one or two words a column, see `Layout`
Valid = npt.NDArray[np.uint8]  # [column, row]

GUESSES = 128
"""So many keys of a row are compared with those of a row before at the same place."""

_GUESS = 24
"""The bytes of a guess: the address and size of a key with all up to its value, and its column."""


@part
def key_hash(i: int, end: int) -> int:
    """Give the hash of a key, as the table of keys has it (FNV-1a, 32 bits)."""
    value = 2166136261
    for k in range(i, end):
        value = ((value ^ byte(k)) * 16777619) & 0xFFFFFFFF
    return value


@kernel
def fill_table(keys: Bytes, key_ends: Numbers, table: Numbers) -> None:
    """Put the columns into a hash table of their keys; its size is a power of two, free places are -1."""
    first = keys.ctypes.data
    start = 0
    for k in range(key_ends.size):
        place = key_hash(first + start, first + key_ends[k]) & (table.size - 1)
        while table[place] >= 0:
            place = (place + 1) & (table.size - 1)
        table[place] = k
        start = key_ends[k]


@part
def _same(a: int, b: int, size: int) -> bool:
    if size >= 8:
        last = size - 8
        for k in range(0, last, 8):
            if load64(a + k) != load64(b + k):
                return False
        return bool(load64(a + last) == load64(b + last))
    for k in range(size):
        if byte(a + k) != byte(b + k):
            return False
    return True


@part
def _find(i: int, end: int, keys: int, key_ends: int, table: int, most: int) -> np.int64:
    """Give the column of a key; -1 if there is none. `most` is the greatest place in the table."""
    place = key_hash(i, end) & most
    while word(table + 8 * place) >= 0:
        k = np.int64(word(table + 8 * place))
        start = word(key_ends + 8 * (k - 1)) if k else 0
        if word(key_ends + 8 * k) - start == end - i and _same(i, keys + start, end - i):
            return k
        place = (place + 1) & most
    return np.int64(-1)


@part
def _key(i: int, end: int, keys: int, key_ends: int, table: int, most: int, guess: int) -> tuple[int, np.int64, int]:
    """Give the place of the value behind a key (or -1), the column and the flags; a plain key is the next row's guess."""
    if i >= end or byte(i) != 34:
        return -1, np.int64(0), 0
    stop, flags = scan_string(i + 1, end)
    if stop < 0 or flags & ESCAPED:
        return -1, np.int64(0), 0
    column = _find(i + 1, stop, keys, key_ends, table, most)
    colon = skip_space(stop + 1, end)
    if colon >= end or byte(colon) != 58:
        return -1, np.int64(0), 0
    place = skip_space(colon + 1, end)
    put(guess, i)
    put(guess + 8, 0 if flags else place - i)
    put(guess + 16, column)
    return place, column, flags


@part
def _number(i: int, end: int, kind: int, p: int, cell: int, step: int) -> int:
    """Read a number, bare or in quotes; give the place behind it, or -1."""
    if byte(i) != 34:
        return read_number(i, end, kind, p, cell, step)
    i = read_number(i + 1, end, kind, p, cell, step)
    return i + 1 if 0 <= i < end and byte(i) == 34 else -1


@part
def _string(i: int, end: int, cell: int, step: int) -> tuple[int, int]:
    """Note where a string's text is, or that of a number or truth value; give the place behind it (or -1), and flags."""
    if byte(i) == 34:
        stop, flags = scan_string(i + 1, end)
        if stop < 0:
            return -1, 0
        size = stop - i - 1
        if flags & ESCAPED:
            if has_lone_surrogate(i + 1, stop):
                return -1, 0
            size = -size
        put(cell, i + 1)
        put(cell + step, size)
        return stop + 1, flags
    if is_word(i, end, TRUE, 4):
        stop = i + 4
    elif is_word(i, end, FALSE, 5):
        stop = i + 5
    else:
        stop, _, _, flags = scan_number(i, end)
        if stop < 0 or flags & LONG:
            return -1, 0
    put(cell, i)
    put(cell + step, stop - i)
    return stop, 0


@part
def _time(i: int, end: int, kind: int, p: int, cell: int) -> int:
    """Read a date or a timestamp; give the place behind it, or -1."""
    if byte(i) != 34:
        return -1
    if kind == DATE:
        if i + 12 > end:
            return -1
        is_date, days, _ = scan_date(i + 1)
        put(cell, days)
        return i + 12 if is_date and byte(i + 11) == 34 else -1
    i = read_timestamp(i + 1, end, p, cell)
    return i + 1 if 0 <= i < end and byte(i) == 34 else -1


@part
def _value(i: int, end: int, kind: int, p: int, cell: int, step: int) -> tuple[int, int]:
    """Read a value that is not null into a column; give the place behind it (or -1), and the flags of strings."""
    if kind == STRING:
        return _string(i, end, cell, step)
    if kind == TIMESTAMP or kind == DATE:
        return _time(i, end, kind, p, cell), 0
    if kind == SPAN:
        stop, flags = skip_value(i, end)
        put(cell, i)
        put(cell + step, stop - i)
        return stop, flags
    if kind == BOOLEAN:
        if is_word(i, end, TRUE, 4):
            put(cell, 1)
            return i + 4, 0
        put(cell, 0)
        return i + 5 if is_word(i, end, FALSE, 5) else -1, 0
    return _number(i, end, kind, p, cell, step), 0


@part
def _row(
    i: int, end: int, r: int, rows: int, keys: int, key_ends: int, table: int, most: int,
    kinds: int, params: int, firsts: int, guesses: int, seen: int, words: int, valid: int,
) -> bool:  # fmt: skip
    """Read one row; False if it must go the slow way. All arrays come as their addresses."""
    flags = 0
    begin = i
    i = skip_space(i, end)
    if i >= end or byte(i) != 123:
        return False
    i = skip_space(i + 1, end)
    if i < end and byte(i) == 125:
        return skip_space(i + 1, end) == end
    guess = guesses
    while True:
        # the key and its colon: most often those of the row before
        size = word(guess + 8)
        if size and i + size <= end and _same(i, word(guess), size):
            i += size
            column = word(guess + 16)
        else:
            i, column, more = _key(i, end, keys, key_ends, table, most, guess)
            flags |= more
        if i < 0 or i >= end:
            return False
        guess = min(guess + _GUESS, guesses + _GUESS * GUESSES)
        # the value
        if column < 0:
            i, more = skip_value(i, end)
        else:
            put(seen + 8 * column, r)
            if is_word(i, end, NULL, 4):
                put_byte(valid + column * rows + r, 0)
                i, more = i + 4, 0
            else:
                cell = words + 8 * (word(firsts + 8 * column) * rows + r)
                p = params + 8 * PARAMETERS * column
                i, more = _value(i, end, word(kinds + 8 * column), p, cell, 8 * rows)
                put_byte(valid + column * rows + r, 1)
        if i < 0:
            return False
        flags |= more
        i = skip_space(i, end)
        if i >= end:
            return False
        if byte(i) == 44:
            i = skip_space(i + 1, end)
        elif byte(i) == 125:
            break
        else:
            return False
    return skip_space(i + 1, end) == end and (flags & WIDE == 0 or is_utf8(begin, end))


@kernel
def decode(
    data: int, starts: Numbers, ends: Numbers,
    keys: Bytes, key_ends: Numbers, table: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers,
    all_needed: bool, words: Words, valid: Valid, slow: Bytes,
) -> None:  # fmt: skip
    """
    Read all rows, of bytes at the address `data`; set `slow` for those that must go the slow way.

    Values go into `words` and `valid` (which is zero before).
    `kinds`, `params` and `firsts` say how each column is read and where its words are. With `all_needed` a row that lacks a
    column goes the slow way.
    """
    guesses = np.zeros((GUESSES + 1, 3), dtype=np.int64)
    seen = np.full(kinds.size, -1, dtype=np.int64)
    rows = starts.size
    for r in range(rows):
        good = _row(
            data + starts[r], data + ends[r], r, rows, keys.ctypes.data, key_ends.ctypes.data, table.ctypes.data,
            table.size - 1, kinds.ctypes.data, params.ctypes.data, firsts.ctypes.data, guesses.ctypes.data,
            seen.ctypes.data, words.ctypes.data, valid.ctypes.data,
        )  # fmt: skip
        if good and all_needed:
            for column in range(kinds.size):
                good &= seen[column] == r
        slow[r] = not good
