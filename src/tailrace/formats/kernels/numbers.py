"""From the text of a number to integers, doubles and decimals, exact or not at all."""

from __future__ import annotations

import numpy as np

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.memory import byte, high_product, leading_zeros

NEGATIVE = 1
REAL = 2
"""The number has a fraction or an exponent."""
LONG = 4
"""The number has more digits than could be taken."""

_FIRST_POWER, _LAST_POWER = -342, 308


def _power_of_five(q: int) -> int:
    """Give 5**q as its 128 leading bits, as the method of Eisel and Lemire wants them."""
    power: int = 5 ** abs(q)
    if q >= 0:
        return power << (128 - power.bit_length()) if power.bit_length() <= 128 else power >> (power.bit_length() - 128)
    bits = (power - 1).bit_length()
    number: int = (1 << (bits + 127 if q >= -27 else 2 * bits + 128)) // power + 1
    return number >> max(0, number.bit_length() - 128)


_POWERS = [_power_of_five(q) for q in range(_FIRST_POWER, _LAST_POWER + 1)]
_FIVE_HIGH = np.array([p >> 64 for p in _POWERS], dtype=np.uint64)
_FIVE_LOW = np.array([p & (2**64 - 1) for p in _POWERS], dtype=np.uint64)
_TEN = np.array([10**k for k in range(20)], dtype=np.uint64)
TEN_HIGH = np.array([10**k >> 64 for k in range(39)], dtype=np.uint64)
TEN_LOW = np.array([10**k & (2**64 - 1) for k in range(39)], dtype=np.uint64)
"""The halves of the powers of ten."""

_U0, _U1, _U2, _U3, _U10 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(10)
_ALL = np.uint64(2**64 - 1)
_NINE_BITS = np.uint64(0x1FF)
_HIDDEN = np.uint64(1 << 52)


@part
def scan_number(i: int, end: int) -> tuple[int, np.uint64, int, int]:
    """
    Read a number by JSON's grammar from `i` on: the place behind it, its digits, the power of ten, and flags.

    The place is -1 if there is no such number. With LONG the digits and power are of no use.
    """
    flags = 0
    if i < end and byte(i) == 45:
        flags = NEGATIVE
        i += 1
    first = i
    digits = _U0
    while i < end and np.uint8(byte(i) - 48) <= 9:
        digits = digits * _U10 + np.uint64(byte(i) - 48)
        i += 1
    size = i - first
    if size == 0 or (size > 1 and byte(first) == 48):
        return -1, _U0, 0, 0
    power = 0
    if i < end and byte(i) == 46:
        flags |= REAL
        i += 1
        point = i
        while i < end and np.uint8(byte(i) - 48) <= 9:
            digits = digits * _U10 + np.uint64(byte(i) - 48)
            i += 1
        if i == point:
            return -1, _U0, 0, 0
        power = point - i
        size -= power
    if size > 19 and (power < -999 or _significant(first, i) > 19):
        flags |= LONG
    if i < end and (byte(i) | 32) == 101:
        i, exponent = _exponent(i + 1, end)
        flags |= REAL
        if exponent > 9999:
            flags |= LONG
        power += exponent
    return i, digits, power, flags


@part
def _significant(i: int, end: int) -> int:
    """Count the digits of a number from the first that is not zero on."""
    while i < end and (byte(i) == 48 or byte(i) == 46):
        i += 1
    count = 0
    while i < end:
        count += byte(i) != 46
        i += 1
    return count


@part
def _exponent(i: int, end: int) -> tuple[int, int]:
    """Read an exponent behind its `e`; one that is too large comes as more than 9999."""
    sign = 1
    if i < end and (byte(i) == 45 or byte(i) == 43):
        sign = -1 if byte(i) == 45 else 1
        i += 1
    first = i
    value = 0
    while i < end and np.uint8(byte(i) - 48) <= 9:
        if value < 100_000:
            value = value * 10 + (byte(i) - 48)
        i += 1
    if i == first:
        return -1, 0
    return i, 10_000 if value > 9999 or i - first > 8 else sign * value


@part
def to_double(digits: np.uint64, power: int, negative: bool) -> tuple[bool, np.int64]:
    """Give the bits of the double next to digits * 10**power, by the method of Eisel and Lemire; False if unsure."""
    sign = np.int64(-(2**63)) if negative else np.int64(0)
    if digits == _U0:
        return True, sign
    if power < _FIRST_POWER or power > _LAST_POWER:
        return False, np.int64(0)
    zeros = leading_zeros(digits)
    w = digits << np.uint64(zeros)
    at = power - _FIRST_POWER
    low = w * _FIVE_HIGH[at]
    high = high_product(w, _FIVE_HIGH[at])
    if high & _NINE_BITS == _NINE_BITS:
        more = high_product(w, _FIVE_LOW[at])
        low += more
        if more > low:
            high += _U1
        if low == _ALL and (power < -27 or power > 55):
            return False, np.int64(0)
    upper = np.int64(high >> np.uint64(63))
    shift = np.uint64(upper + 9)
    mantissa = high >> shift
    exponent = ((217706 * power) >> 16) + 63 + upper - zeros + 1023
    if exponent <= 0:
        return False, np.int64(0)
    if low <= _U1 and -4 <= power <= 23 and mantissa & _U3 == _U1 and mantissa << shift == high:
        mantissa &= ~_U1
    mantissa = (mantissa + (mantissa & _U1)) >> _U1
    if mantissa >= _HIDDEN * _U2:
        mantissa = _HIDDEN
        exponent += 1
    if exponent >= 2047:
        return False, np.int64(0)
    return True, np.int64(mantissa & ~_HIDDEN) | np.int64(exponent) << 52 | sign


@part
def is_float_safe(bits: np.int64) -> bool:
    """Tell whether a double may be rounded on to a 32-bit float and is then the float next to the text."""
    exponent = ((bits >> 52) & 0x7FF) - 1023
    if exponent == -1023:
        return True
    return bool(-126 <= exponent <= 126 and bits & 0x1FFFFFFF != 0x10000000)


@part
def to_decimal(
    digits: np.uint64, power: int, negative: bool, precision: int, scale: int
) -> tuple[bool, np.int64, np.int64]:
    """Give digits * 10**power at a scale, half rounded up, as the halves of 128 bits; False if it does not fit."""
    shift = power + scale
    high = _U0
    if digits == _U0 or shift < -19:
        low = _U0
    elif shift < 0:
        unit = _TEN[-shift]
        low = digits // unit
        rest = digits - low * unit
        if rest >= unit - rest:
            low += _U1
    elif shift <= 19:
        low, high = digits * _TEN[shift], high_product(digits, _TEN[shift])
    else:
        if shift > 38 or digits >= _TEN[38 - shift]:
            return False, np.int64(0), np.int64(0)
        unit = _TEN[shift - 19]
        low, high = digits * _TEN[19], high_product(digits, _TEN[19])
        high = high * unit + high_product(low, unit)
        low *= unit
    if high > TEN_HIGH[precision] or (high == TEN_HIGH[precision] and low >= TEN_LOW[precision]):
        return False, np.int64(0), np.int64(0)
    if negative:
        low, high = ~low + _U1, ~high + (_U1 if low == _U0 else _U0)
    return True, np.int64(low), np.int64(high)


@part
def to_integer(digits: np.uint64, negative: bool, most: int) -> tuple[bool, np.int64]:
    """Give an integer; False if it is out of the range of its type."""
    if digits > np.uint64(most) + (_U1 if negative else _U0):
        return False, np.int64(0)
    value = np.int64(digits)
    return True, -value if negative else value
