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
from tailrace.formats.kernels.memory import byte, put, put_byte, word
from tailrace.formats.kernels.strings import is_utf8
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

NONE = -1
"""The place of a character that the dialect has not."""


@part
def _field(i: int, end: int, delimiter: int, quote: int, escape: int) -> tuple[int, int, int]:
    """Find the text of the field that begins at `i`: its begin and end, and where its delimiter is; -1: the slow way."""
    if i < end and byte(i) == quote:
        i += 1
        k = i
        while k < end and byte(k) != quote:
            if byte(k) == escape:
                return 0, 0, -1
            k += 1
        if k >= end or (k + 1 < end and byte(k + 1) != delimiter):
            return 0, 0, -1
        return i, k, k + 1
    k = i
    while k < end and byte(k) != delimiter:
        if byte(k) == escape or byte(k) == quote or byte(k) == 10 or byte(k) == 13:
            return 0, 0, -1
        k += 1
    return i, k, k


@part
def _is_null(i: int, stop: int, null: int, size: int) -> bool:
    if stop - i != size:
        return False
    for k in range(size):
        if byte(i + k) != byte(null + k):
            return False
    return True


@part
def _scalar(i: int, stop: int, kind: int, p: int, cell: int, step: int) -> int:
    """Read a value that is no text; give the place behind it, or -1."""
    if i >= stop:
        return -1
    if kind == TIMESTAMP:
        return read_timestamp(i, stop, p, cell)
    if kind == DATE:
        if stop - i != 10:
            return -1
        is_date, days, _ = scan_date(i)
        put(cell, days)
        return i + 10 if is_date else -1
    if kind == BOOLEAN:
        put(cell, byte(i) == 116)
        if is_word(i, stop, TRUE, 4):
            return i + 4
        return i + 5 if is_word(i, stop, FALSE, 5) else -1
    return read_number(i, stop, kind, p, cell, step)


@part
def _value(i: int, stop: int, kind: int, p: int, cell: int, step: int) -> bool:
    """Read the text of one field into its column; False if it must go the slow way."""
    if kind == STRING or kind == SPAN:
        put(cell, i)
        put(cell + step, stop - i)
        return True
    while i < stop and byte(i) <= 32:
        i += 1
    while stop > i and byte(stop - 1) <= 32:
        stop -= 1
    return _scalar(i, stop, kind, p, cell, step) == stop


@part
def _row(
    i: int, end: int, r: int, rows: int, dialect: int, null: int, null_size: int,
    columns: int, fields: int, kinds: int, params: int, firsts: int, words: int, valid: int,
) -> bool:  # fmt: skip
    """Read one row; False if it must go the slow way. All arrays come as their addresses, `null_size` -1 is for no NULL."""
    if i == end or byte(i) == word(dialect + 24):
        return False
    for number in range(fields):
        if number:
            if i >= end:
                return False
            i += 1
        begin, stop, i = _field(i, end, word(dialect), word(dialect + 8), word(dialect + 16))
        if i < 0:
            return False
        column = word(columns + 8 * number)
        if column >= 0 and not _is_null(begin, stop, null, null_size):
            put_byte(valid + column * rows + r, 1)
            cell = words + 8 * (word(firsts + 8 * column) * rows + r)
            p = params + 8 * PARAMETERS * column
            if not _value(begin, stop, word(kinds + 8 * column), p, cell, 8 * rows):
                return False
    return i == end


@kernel
def decode(
    data: int, starts: Numbers, ends: Numbers, dialect: Numbers, has_null: bool, null: Bytes,
    columns: Numbers, kinds: Numbers, params: Numbers, firsts: Numbers, words: Words, valid: Valid, slow: Bytes,
) -> None:  # fmt: skip
    """
    Read all rows, of bytes at the address `data`; set `slow` for those that must go the slow way.

    Values go into `words` and `valid` (which is zero before).
    `dialect` has the bytes of delimiter, quote, escape and comment, or NONE; `columns` the column of each field, or NONE.
    """
    rows = starts.size
    null_size = null.size if has_null else -1
    for r in range(rows):
        i, end = data + starts[r], data + ends[r]
        good = _row(
            i, end, r, rows, dialect.ctypes.data, null.ctypes.data, null_size, columns.ctypes.data, columns.size,
            kinds.ctypes.data, params.ctypes.data, firsts.ctypes.data, words.ctypes.data, valid.ctypes.data,
        )  # fmt: skip
        slow[r] = not (good and is_utf8(i, end))
