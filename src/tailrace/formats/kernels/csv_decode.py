"""
Rows of CSV to columns, by a schema that comes as arrays.

As with JSON, a row that is in any way unusual is flagged and left to the slow path; what this path takes is just what the
slow path would make of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.json_scan import FALSE, TRUE, is_word
from tailrace.formats.kernels.strings import is_utf8
from tailrace.formats.kernels.times import scan_date, scan_timestamp
from tailrace.formats.kernels.values import BOOLEAN, DATE, SPAN, STRING, TIMESTAMP, read_number

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.int64]  # [word, row]; one or two words a column, see `Layout`
Valid = npt.NDArray[np.uint8]  # [column, row]

NONE = -1
"""The place of a character that the dialect has not."""


@part
def _field(data: Bytes, i: int, end: int, delimiter: int, quote: int, escape: int) -> tuple[int, int, int]:
    """Find the text of the field that begins at `i`: its begin and end, and where its delimiter is; -1: the slow way."""
    if i < end and data[i] == quote:
        i += 1
        k = i
        while k < end and data[k] != quote:
            if data[k] == escape:
                return 0, 0, -1
            k += 1
        if k >= end or (k + 1 < end and data[k + 1] != delimiter):
            return 0, 0, -1
        return i, k, k + 1
    k = i
    while k < end and data[k] != delimiter:
        if data[k] == escape or data[k] == quote or data[k] == 10 or data[k] == 13:
            return 0, 0, -1
        k += 1
    return i, k, k


@part
def _is_null(data: Bytes, i: int, stop: int, null: Bytes) -> bool:
    if stop - i != null.size:
        return False
    for k in range(null.size):
        if data[i + k] != null[k]:
            return False
    return True


@part
def _scalar(data: Bytes, i: int, stop: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> int:
    """Read a value that is no text; give the place behind it, or -1."""
    if i >= stop:
        return -1
    if kind == TIMESTAMP:
        place, value = scan_timestamp(data, i, stop, p[0], p[1] != 0, p[2], p[3])
        words[word, r] = value
        return place
    if kind == DATE:
        if stop - i != 10:
            return -1
        is_date, days, _ = scan_date(data, i)
        words[word, r] = days
        return i + 10 if is_date else -1
    if kind == BOOLEAN:
        words[word, r] = data[i] == 116
        if is_word(data, i, stop, TRUE, 4):
            return i + 4
        return i + 5 if is_word(data, i, stop, FALSE, 5) else -1
    return read_number(data, i, stop, kind, p, word, r, words)


@part
def _value(data: Bytes, i: int, stop: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> bool:
    """Read the text of one field into its column; False if it must go the slow way."""
    if kind == STRING or kind == SPAN:
        words[word, r] = i
        words[word + 1, r] = stop - i
        return True
    while i < stop and data[i] <= 32:
        i += 1
    while stop > i and data[stop - 1] <= 32:
        stop -= 1
    return _scalar(data, i, stop, kind, p, word, r, words) == stop


@part
def _row(
    data: Bytes, i: int, end: int, r: int, dialect: Numbers, has_null: bool, null: Bytes,
    columns: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers, words: Words, valid: Valid,
) -> bool:  # fmt: skip
    """Read one row; False if it must go the slow way."""
    if i == end or data[i] == dialect[3]:
        return False
    for number in range(columns.size):
        if number:
            if i >= end:
                return False
            i += 1
        begin, stop, i = _field(data, i, end, dialect[0], dialect[1], dialect[2])
        if i < 0:
            return False
        column = columns[number]
        if column >= 0 and not (has_null and _is_null(data, begin, stop, null)):
            valid[column, r] = 1
            if not _value(data, begin, stop, kinds[column], params[column], firsts[column], r, words):
                return False
    return i == end


@kernel
def decode(
    data: Bytes, starts: Numbers, ends: Numbers, dialect: Numbers, has_null: bool, null: Bytes,
    columns: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers, words: Words, valid: Valid, slow: Bytes,
) -> None:  # fmt: skip
    """
    Read all rows into `words` and `valid` (which is zero before); set `slow` for those that must go the slow way.

    `dialect` has the bytes of delimiter, quote, escape and comment, or NONE; `columns` the column of each field, or NONE.
    """
    for r in range(starts.size):
        i, end = starts[r], ends[r]
        good = _row(data, i, end, r, dialect, has_null, null, columns, kinds, params, firsts, words, valid)
        slow[r] = not (good and is_utf8(data, i, end))
