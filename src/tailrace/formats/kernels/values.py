"""How columns are read into words, and numbers among them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.numbers import (
    LONG,
    NEGATIVE,
    REAL,
    is_float_safe,
    scan_number,
    to_decimal,
    to_double,
    to_integer,
)

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.int64]  # [word, row]; one or two words a column, see `Layout`

INTEGER, DOUBLE, FLOAT, DECIMAL, STRING, BOOLEAN, TIMESTAMP, DATE, SPAN = range(9)
"""
How a column is read. Its words are: the integer; the bits of the double (for FLOAT too); the lower and upper half; the
place and size of the string, negative with escapes; 0 or 1; the time; the days; the place and size of the value's text.
"""


@part
def read_number(data: Bytes, i: int, end: int, kind: int, p: Numbers, word: int, r: int, words: Words) -> int:
    """Read a number by JSON's grammar into its column; give the place behind it, or -1 if it needs the slow way."""
    i, digits, power, flags = scan_number(data, i, end)
    if i < 0 or flags & LONG:
        return -1
    negative = flags & NEGATIVE != 0
    if kind == INTEGER:
        fits, value = to_integer(digits, negative, p[1])
        words[word, r] = value
        return i if fits and flags & REAL == 0 else -1
    if kind == DECIMAL:
        fits, low, high = to_decimal(digits, power, negative, p[0], p[1])
        words[word, r] = low
        words[word + 1, r] = high
        return i if fits else -1
    fits, value = to_double(digits, power, negative)
    words[word, r] = value
    return i if fits and (kind == DOUBLE or is_float_safe(value)) else -1
