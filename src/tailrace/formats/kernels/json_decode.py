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
from tailrace.formats.kernels.memory import load64
from tailrace.formats.kernels.numbers import LONG, scan_number
from tailrace.formats.kernels.strings import ESCAPED, WIDE, has_lone_surrogate, is_utf8, scan_string
from tailrace.formats.kernels.times import scan_date, scan_timestamp
from tailrace.formats.kernels.values import BOOLEAN, DATE, SPAN, STRING, TIMESTAMP, read_number

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.int64]  # [word, row]; one or two words a column, see `Layout`
Valid = npt.NDArray[np.uint8]  # [column, row]

GUESSES = 128
"""So many keys of a row are compared with those of a row before at the same place."""


@part
def key_hash(data: Bytes, i: int, end: int) -> int:
    """Give the hash of a key, as the table of keys has it (FNV-1a, 32 bits)."""
    value = 2166136261
    for k in range(i, end):
        value = ((value ^ data[k]) * 16777619) & 0xFFFFFFFF
    return value


@kernel
def fill_table(keys: Bytes, key_ends: Numbers, table: Numbers) -> None:
    """Put the columns into a hash table of their keys; its size is a power of two, free places are -1."""
    start = 0
    for k in range(key_ends.size):
        place = key_hash(keys, start, key_ends[k]) & (table.size - 1)
        while table[place] >= 0:
            place = (place + 1) & (table.size - 1)
        table[place] = k
        start = key_ends[k]


@part
def _same(a: Bytes, i: int, b: Bytes, j: int, size: int) -> bool:
    while size >= 8:
        if load64(a, i) != load64(b, j):
            return False
        i += 8
        j += 8
        size -= 8
    for k in range(size):
        if a[i + k] != b[j + k]:
            return False
    return True


@part
def _find(data: Bytes, i: int, end: int, keys: Bytes, key_ends: Numbers, table: Numbers) -> np.int64:
    """Give the column of a key; -1 if there is none."""
    place = key_hash(data, i, end) & (table.size - 1)
    while table[place] >= 0:
        k = np.int64(table[place])
        start = key_ends[k - 1] if k else 0
        if key_ends[k] - start == end - i and _same(data, i, keys, start, end - i):
            return k
        place = (place + 1) & (table.size - 1)
    return np.int64(-1)


@part
def _number(data: Bytes, i: int, end: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> int:
    """Read a number, bare or in quotes; give the place behind it, or -1."""
    if data[i] != 34:
        return read_number(data, i, end, kind, p, word, r, words)
    i = read_number(data, i + 1, end, kind, p, word, r, words)
    return i + 1 if 0 <= i < end and data[i] == 34 else -1


@part
def _string(data: Bytes, i: int, end: int, word: int, r: int, words: Words) -> tuple[int, int]:
    """Note where a string's text is, or that of a number or truth value; give the place behind it (or -1), and flags."""
    if data[i] == 34:
        stop, flags = scan_string(data, i + 1, end)
        if stop < 0:
            return -1, 0
        size = stop - i - 1
        if flags & ESCAPED:
            if has_lone_surrogate(data, i + 1, stop):
                return -1, 0
            size = -size
        words[word, r] = i + 1
        words[word + 1, r] = size
        return stop + 1, flags
    if is_word(data, i, end, TRUE, 4):
        stop = i + 4
    elif is_word(data, i, end, FALSE, 5):
        stop = i + 5
    else:
        stop, _, _, flags = scan_number(data, i, end)
        if stop < 0 or flags & LONG:
            return -1, 0
    words[word, r] = i
    words[word + 1, r] = stop - i
    return stop, 0


@part
def _time(data: Bytes, i: int, end: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> int:
    """Read a date or a timestamp; give the place behind it, or -1."""
    if data[i] != 34:
        return -1
    if kind == DATE:
        if i + 12 > end:
            return -1
        is_date, days, _ = scan_date(data, i + 1)
        words[word, r] = days
        return i + 12 if is_date and data[i + 11] == 34 else -1
    i, value = scan_timestamp(data, i + 1, end, p[0], p[1] != 0, p[2], p[3])
    words[word, r] = value
    return i + 1 if 0 <= i < end and data[i] == 34 else -1


@part
def _value(data: Bytes, i: int, end: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> tuple[int, int]:
    """Read a value that is not null into a column; give the place behind it (or -1), and the flags of strings."""
    if kind == STRING:
        return _string(data, i, end, word, r, words)
    if kind == TIMESTAMP or kind == DATE:
        return _time(data, i, end, kind, p, word, r, words), 0
    if kind == SPAN:
        stop, flags = skip_value(data, i, end)
        words[word, r] = i
        words[word + 1, r] = stop - i
        return stop, flags
    if kind == BOOLEAN:
        if is_word(data, i, end, TRUE, 4):
            words[word, r] = 1
            return i + 4, 0
        words[word, r] = 0
        return i + 5 if is_word(data, i, end, FALSE, 5) else -1, 0
    return _number(data, i, end, kind, p, word, r, words), 0


@part
def _row(
    data: Bytes, i: int, end: int, r: int,
    keys: Bytes, key_ends: Numbers, table: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers,
    guesses: Numbers, seen: Numbers, words: Words, valid: Valid,
) -> bool:  # fmt: skip
    """Read one row; False if it must go the slow way."""
    flags = 0
    begin = i
    i = skip_space(data, i, end)
    if i >= end or data[i] != 123:
        return False
    i = skip_space(data, i + 1, end)
    if i < end and data[i] == 125:
        return skip_space(data, i + 1, end) == end
    number = 0
    while True:
        # the key: most often that of the row before
        if i >= end or data[i] != 34:
            return False
        size = guesses[number, 1] if number < GUESSES else 0
        if size and i + size <= end and _same(data, i, data, guesses[number, 0], size):
            column = guesses[number, 2]
            i += size
        else:
            stop, more = scan_string(data, i + 1, end)
            if stop < 0 or more & ESCAPED:
                return False
            flags |= more
            column = _find(data, i + 1, stop, keys, key_ends, table)
            if number < GUESSES and not more:
                guesses[number, 0] = i
                guesses[number, 1] = stop + 1 - i
                guesses[number, 2] = column
            i = stop + 1
        number += 1
        i = skip_space(data, i, end)
        if i >= end or data[i] != 58:
            return False
        i = skip_space(data, i + 1, end)
        # the value
        if column < 0:
            i, more = skip_value(data, i, end)
        else:
            seen[column] = r
            if is_word(data, i, end, NULL, 4):
                valid[column, r] = 0
                i, more = i + 4, 0
            elif i < end:
                i, more = _value(data, i, end, kinds[column], params[column], firsts[column], r, words)
                valid[column, r] = 1
            else:
                return False
        if i < 0:
            return False
        flags |= more
        i = skip_space(data, i, end)
        if i >= end:
            return False
        if data[i] == 44:
            i = skip_space(data, i + 1, end)
        elif data[i] == 125:
            break
        else:
            return False
    return skip_space(data, i + 1, end) == end and (flags & WIDE == 0 or is_utf8(data, begin, end))


@kernel
def decode(
    data: Bytes, starts: Numbers, ends: Numbers,
    keys: Bytes, key_ends: Numbers, table: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers,
    all_needed: bool, words: Words, valid: Valid, slow: Bytes,
) -> None:  # fmt: skip
    """
    Read all rows into `words` and `valid` (which is zero before); set `slow` for those that must go the slow way.

    `kinds`, `params` and `firsts` say how each column is read and where its words are. With `all_needed` a row that lacks a
    column goes the slow way.
    """
    guesses = np.zeros((GUESSES, 3), dtype=np.int64)
    seen = np.full(kinds.size, -1, dtype=np.int64)
    for r in range(starts.size):
        good = _row(
            data, starts[r], ends[r], r, keys, key_ends, table, kinds, params, firsts, guesses, seen, words, valid
        )
        if good and all_needed:
            for column in range(kinds.size):
                good &= seen[column] == r
        slow[r] = not good
