"""How columns are read into words, and numbers among them."""

from __future__ import annotations

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.memory import put, word
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
from tailrace.formats.kernels.times import scan_timestamp

INTEGER, DOUBLE, FLOAT, DECIMAL, STRING, BOOLEAN, TIMESTAMP, DATE, SPAN = range(9)
"""
How a column is read. Its words are: the integer; the bits of the double (for FLOAT too); the lower and upper half; the
address and size of the string, negative with escapes; 0 or 1; the time; the days; the address and size of the value's text.
"""

PARAMETERS = 4
"""The words that say more of how a column is read."""


@part
def read_number(i: int, end: int, kind: int, p: int, cell: int, step: int) -> int:
    """
    Read a number by JSON's grammar into its column; give the place behind it, or -1 if it needs the slow way.

    `p` is the address of the column's parameters, `cell` that of its first word in this row, the second is `step` further.
    """
    i, digits, power, flags = scan_number(i, end)
    if i < 0 or flags & LONG:
        return -1
    negative = flags & NEGATIVE != 0
    if kind == INTEGER:
        fits, value = to_integer(digits, negative, word(p + 8))
        put(cell, value)
        return i if fits and flags & REAL == 0 else -1
    if kind == DECIMAL:
        fits, low, high = to_decimal(digits, power, negative, word(p), word(p + 8))
        put(cell, low)
        put(cell + step, high)
        return i if fits else -1
    fits, value = to_double(digits, power, negative)
    put(cell, value)
    return i if fits and (kind == DOUBLE or is_float_safe(value)) else -1


@part
def read_timestamp(i: int, end: int, p: int, cell: int) -> int:
    """Read a timestamp into its column; give the place behind it, or -1 if it needs the slow way."""
    i, value = scan_timestamp(i, end, word(p), word(p + 8) != 0, word(p + 16), word(p + 24))
    put(cell, value)
    return i
