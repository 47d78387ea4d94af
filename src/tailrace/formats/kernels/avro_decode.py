"""
Rows of Avro's binary encoding to columns, by a program that is made from the writer's schema.

The program walks over all of a row, so that what it takes is well-formed: each length is checked against what is left, nesting and the
number of values are bounded. Where a column is asked for its value goes into the words; other values are skipped. A value that is
well-formed and has no place in its column marks the row `SLOW`: it is read once more by itself, which says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, load64, put, put_byte, word
from tailrace.formats.kernels.numbers import TEN_HIGH, TEN_LOW
from tailrace.formats.kernels.strings import is_utf8

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Word = Any  # a number of 64 bits: Python's in the types, NumPy's in the kernel

WIDTH = 8
"""The words of an instruction: what to do, and its arguments (of instructions that read, first the cell's word and the column)."""

(
    END,
    SKIP_FIXED,
    SKIP_VARINT,
    SKIP_BYTES,
    UNION,
    GO_TO,
    NULLABLE,
    LOOP,
    NEXT,
    CALL,
    RETURN,
    SPAN_BEGIN,
    SPAN_END,
    FAIL,
    SKIP_INDEX,
) = range(15)
"""
Instructions that read no value: the end of a row; bytes, a number, a counted run of bytes to skip; a union, whose branches the
instructions behind it name; go on elsewhere; a union with null (its place, where to go on); blocks of items (where they end), and
the end of an item (where they begin); a record within another, and its end; the begin and end of a value that is read later; a row
that can't be (what becomes of it); a number below another to skip (what becomes of the row if it is not).
"""

(
    BOOLEAN, INTEGER, REAL_OF_INTEGER, FLOAT, DOUBLE, STRING, BINARY, FIXED, ENUM, TIME, DECIMAL, DECIMAL_FIXED,
) = range(20, 32)  # fmt: skip
"""Instructions that read a value."""

GOOD, SLOW, TRUNCATED, TRAILING, LENGTH, BRANCH, SYMBOL, VARINT, TRUTH, TEXT, DEPTH, MANY, NO_ROW = range(13)
"""What became of a row."""

MAX_DEPTH = 256
MAX_STEPS = 1 << 22
"""So many items, beyond the bytes of a row, may be without any byte."""

_MOST = 2**63 - 1


@part
def _varint(i: int, end: int) -> tuple[int, Word]:
    """Read a number of Avro; give the place behind it, or less than zero what is wrong."""
    if i < end and byte(i) < 128:
        first = np.int64(byte(i))
        return i + 1, (first >> 1) ^ -(first & 1)
    value = np.int64(0)
    shift = 0
    while i < end:
        code = np.int64(byte(i))
        i += 1
        value |= (code & 127) << shift
        if code < 128:
            if shift == 63 and code > 1:
                return -VARINT, np.int64(0)
            return i, ((value >> 1) & _MOST) ^ -(value & 1)
        shift += 7
        if shift > 63:
            return -VARINT, np.int64(0)
    return -TRUNCATED, np.int64(0)


@part
def _decimal(i: int, size: int, precision: int, cell: int, step: int) -> bool:
    """Read the bytes of a decimal into both halves of 128 bits; False if it has no place in its column."""
    if size == 0:
        return False
    negative = byte(i) >= 128
    fill = np.uint8(255) if negative else np.uint8(0)
    while size > 16:
        if byte(i) != fill or (byte(i + 1) >= 128) != negative:
            return False
        i += 1
        size -= 1
    low = np.uint64(0xFFFFFFFFFFFFFFFF) if negative else np.uint64(0)
    high = low
    for k in range(size):
        high = (high << np.uint64(8)) | (low >> np.uint64(56))
        low = (low << np.uint64(8)) | np.uint64(byte(i + k))
    put(cell, np.int64(low))
    put(cell + step, np.int64(high))
    if negative:
        low = ~low + np.uint64(1)
        high = ~high + (np.uint64(1) if low == np.uint64(0) else np.uint64(0))
    most = TEN_HIGH[precision]
    return bool(high < most or (high == most and low < TEN_LOW[precision]))


@part
def _float_bits(i: int) -> Word:
    """Give the bits of the double that a 32-bit float is."""
    bits: Word = (
        np.int64(byte(i)) | np.int64(byte(i + 1)) << 8 | np.int64(byte(i + 2)) << 16 | np.int64(byte(i + 3)) << 24
    )
    sign, exponent, mantissa = (bits >> 31) & 1, (bits >> 23) & 0xFF, bits & 0x7FFFFF
    if exponent == 0xFF:
        exponent = 0x7FF
    elif exponent:
        exponent += 896
    elif mantissa:
        exponent = 897
        while mantissa & 0x800000 == 0:
            mantissa <<= 1
            exponent -= 1
        mantissa &= 0x7FFFFF
    return (sign << 63) | (exponent << 52) | (mantissa << 29)


@part
def _real_bits(value: Word, as_float: bool) -> Word:
    """Give the bits of the double next to an integer, or of the 32-bit float next to it as a double."""
    sign = np.int64(0)
    rest = np.uint64(value)
    if value < 0:
        sign = np.int64(-(2**63))
        rest = ~rest + np.uint64(1)
    if rest == np.uint64(0):
        return np.int64(0)
    bits = 64
    while rest >> np.uint64(bits - 1) == np.uint64(0):
        bits -= 1
    keep = 24 if as_float else 53
    exponent = 1022 + bits
    if bits > keep:
        drop = np.uint64(bits - keep)
        half = np.uint64(1) << (drop - np.uint64(1))
        tail = rest & ((np.uint64(1) << drop) - np.uint64(1))
        rest >>= drop
        if tail > half or (tail == half and rest & np.uint64(1) == np.uint64(1)):
            rest += np.uint64(1)
            if rest >> np.uint64(keep) != np.uint64(0):
                rest >>= np.uint64(1)
                exponent += 1
        bits = keep
    mantissa = np.int64(rest << np.uint64(53 - bits)) & 0xFFFFFFFFFFFFF
    return sign | (np.int64(exponent) << 52) | mantissa


@part
def _sized(i: int, end: int) -> tuple[int, Word]:
    """Read the size of what follows; give the place behind it, or less than zero what is wrong."""
    j, size = _varint(i, end)
    if j < 0:
        return j, size
    if size < 0:
        return -LENGTH, size
    if size > end - j:
        return -TRUNCATED, size
    return j, size


@part
def _number(i: int, end: int, op: int, p: int, cell: int) -> tuple[int, int]:
    """Read an integer into a cell, as it is, as a time or as a real number; give the place behind it and the outcome."""
    j, value = _varint(i, end)
    if j < 0:
        return i, -j
    if value < word(p + 24) or value > word(p + 32):
        return j, SLOW
    if op == TIME:
        unit = word(p + 48)
        if unit != 1:
            value = value // unit
        value *= word(p + 40)
        grain = word(p + 56)
        if grain != 1:
            value -= value % grain
    elif op == REAL_OF_INTEGER:
        value = _real_bits(value, word(p + 40) != 0)
    put(cell, value)
    return j, GOOD


@part
def _span(i: int, end: int, op: int, p: int, cell: int, step: int) -> tuple[int, int]:
    """Read what is some bytes: a text, bytes, or a decimal; give the place behind it and the outcome."""
    if op == FIXED or op == DECIMAL_FIXED:
        j, size = i, word(p + 24) if op == FIXED else word(p + 32)
        if size > end - i:
            return i, TRUNCATED
    else:
        j, size = _sized(i, end)
        if j < 0:
            return i, -j
    if op == DECIMAL or op == DECIMAL_FIXED:
        return j + size, GOOD if _decimal(j, size, word(p + 24), cell, step) else SLOW
    if op == STRING and not is_utf8(j, j + size):
        return i, TEXT
    put(cell, j)
    put(cell + step, size)
    return j + size, GOOD


@part
def _value(i: int, end: int, op: int, p: int, cell: int, step: int) -> tuple[int, int]:
    """Read a value into a cell; give the place behind it and the outcome."""
    if op == INTEGER or op == TIME or op == REAL_OF_INTEGER:
        return _number(i, end, op, p, cell)
    if op == DOUBLE:
        if end - i < 8:
            return i, TRUNCATED
        put(cell, np.int64(load64(i)))
        return i + 8, GOOD
    if op == FLOAT:
        if end - i < 4:
            return i, TRUNCATED
        put(cell, _float_bits(i))
        return i + 4, GOOD
    if op == BOOLEAN:
        if i >= end:
            return i, TRUNCATED
        put(cell, np.int64(byte(i)))
        return i + 1, GOOD if byte(i) <= 1 else TRUTH
    if op == ENUM:
        j, value = _varint(i, end)
        if j < 0:
            return i, -j
        if value < 0 or value >= word(p + 24):
            return i, SYMBOL
        symbol = word(p + 32) + 16 * value
        put(cell, word(symbol))
        put(cell + step, word(symbol + 8))
        return j, GOOD if word(symbol + 8) >= 0 else SLOW
    return _span(i, end, op, p, cell, step)


@part
def _skip(i: int, end: int, op: int, p: int) -> tuple[int, int]:
    """Walk over a value that nobody asks for; give the place behind it and the outcome."""
    if op == SKIP_FIXED:
        size = word(p + 8)
        return (i, TRUNCATED) if size > end - i else (i + size, GOOD)
    if op == SKIP_BYTES:
        j, size = _sized(i, end)
        return (i, -j) if j < 0 else (j + size, GOOD)
    j, value = _varint(i, end)
    if j < 0:
        return i, -j
    if op == SKIP_INDEX and (value < 0 or value >= word(p + 8)):
        return i, word(p + 16)
    return j, GOOD


@part
def _block(i: int, end: int, steps: int) -> tuple[int, Word]:
    """Read how many items follow; give the place behind it, or less than zero what is wrong."""
    j, count = _varint(i, end)
    if j < 0 or count >= 0:
        return (-MANY if j >= 0 and count > steps else j), count
    count = -count
    j, size = _varint(j, end)
    if j >= 0 and (count < 0 or size < 0 or size > end - j):
        return -LENGTH, count
    return (-MANY if j >= 0 and count > steps else j), count


@part
def _row(i: int, end: int, r: int, rows: int, program: int, words: int, valid: int, stack: int) -> tuple[int, int]:
    """Walk over one row; give what became of it and the place where it stopped."""
    pc = 0
    depth = 0
    status = GOOD
    steps = MAX_STEPS + end - i
    while True:
        p = program + 8 * WIDTH * pc
        op = word(p)
        pc += 1
        if op >= BOOLEAN:
            cell = words + 8 * (word(p + 8) * rows + r)
            i, outcome = _value(i, end, op, p, cell, 8 * rows)
            if outcome == GOOD:
                put_byte(valid + word(p + 16) * rows + r, 1)
            elif outcome == SLOW:
                status = SLOW
            else:
                return outcome, i
        elif op == NULLABLE:
            if i >= end:
                return TRUNCATED, i
            code = np.int64(byte(i))
            if code > 2 or code & 1:
                return BRANCH, i
            i += 1
            if code >> 1 == word(p + 8):
                pc = word(p + 16)
        elif op == SKIP_FIXED or op == SKIP_BYTES or op == SKIP_VARINT or op == SKIP_INDEX:
            i, outcome = _skip(i, end, op, p)
            if outcome != GOOD:
                return outcome, i
        elif op == UNION:
            j, value = _varint(i, end)
            if j < 0 or value < 0 or value >= word(p + 8):
                return -j if j < 0 else BRANCH, i
            i = j
            pc += value
        elif op == GO_TO:
            pc = word(p + 8)
        elif op == LOOP or op == NEXT:
            begin = pc
            if op == NEXT:
                begin = word(p + 8) + 1
                left = word(stack + 8 * (depth - 1)) - 1
                steps -= 1
                if left > 0:
                    if steps < 0:
                        return MANY, i
                    put(stack + 8 * (depth - 1), left)
                    pc = begin
                    continue
                depth -= 1
            j, count = _block(i, end, steps)
            if j < 0:
                return -j, i
            i = j
            if count == 0:
                if op == LOOP:
                    pc = word(p + 8)
                continue
            if depth >= MAX_DEPTH:
                return DEPTH, i
            put(stack + 8 * depth, count)
            depth += 1
            pc = begin
        elif op == CALL:
            steps -= 1
            if steps < 0 or depth >= MAX_DEPTH:
                return MANY if steps < 0 else DEPTH, i
            put(stack + 8 * depth, pc)
            depth += 1
            pc = word(p + 8)
        elif op == RETURN:
            depth -= 1
            pc = word(stack + 8 * depth)
        elif op == SPAN_BEGIN:
            put(words + 8 * (word(p + 8) * rows + r), i)
        elif op == SPAN_END:
            cell = words + 8 * (word(p + 8) * rows + r)
            put(cell + 8 * rows, i - word(cell))
            put_byte(valid + word(p + 16) * rows + r, 1)
        else:
            return word(p + 8) if op == FAIL else status, i


@kernel
def decode(
    data: int,
    starts: Numbers,
    ends: Numbers,
    program: Numbers,
    words: Numbers,
    valid: Bytes,
    status: Bytes,
    stops: Numbers,
) -> None:
    """
    Read all rows, of bytes at the address `data`, into `words` and `valid` (which is zero before).

    `status` says what became of each row, `stops` at which of its bytes the walk has stopped.
    """
    stack = np.empty(MAX_DEPTH + 1, dtype=np.int64)
    rows = starts.size
    for r in range(rows):
        begin, end = data + starts[r], data + ends[r]
        outcome, place = _row(
            begin, end, r, rows, program.ctypes.data, words.ctypes.data, valid.ctypes.data, stack.ctypes.data
        )
        if outcome <= SLOW and place != end:
            outcome = TRAILING
        status[r] = outcome
        stops[r] = place - begin


@kernel
def bounds(data: int, size: int, program: Numbers, starts: Numbers, ends: Numbers) -> int:
    """Find where rows that stand one behind the other begin and end, by a program that reads no column; give how many."""
    stack = np.empty(MAX_DEPTH + 1, dtype=np.int64)
    place, end = data, data + size
    for r in range(starts.size):
        outcome, behind = _row(place, end, 0, 1, program.ctypes.data, 0, 0, stack.ctypes.data)
        if outcome != GOOD:
            return r
        starts[r] = place - data
        ends[r] = behind - data
        place = behind
    return starts.size
