"""From the text of dates and timestamps to numbers."""

from __future__ import annotations

import numpy as np

from tailrace.formats.kernels.compile import part
from tailrace.formats.kernels.memory import byte

_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_FRACTION = np.array([10**k for k in range(10)], dtype=np.int64)


@part
def _two(i: int) -> np.int64:
    """Read two digits; -1 if they are none."""
    a, b = np.uint8(byte(i) - 48), np.uint8(byte(i + 1) - 48)
    return np.int64(a) * 10 + np.int64(b) if a <= 9 and b <= 9 else np.int64(-1)


@part
def scan_date(i: int) -> tuple[bool, np.int64, np.int64]:
    """Read `yyyy-MM-dd`, ten bytes: whether it is one, the days since 1970, and the year."""
    century, year, month, day = _two(i), _two(i + 2), _two(i + 5), _two(i + 8)
    if century < 0 or year < 0 or byte(i + 4) != 45 or byte(i + 7) != 45 or not 1 <= month <= 12 or day < 1:
        return False, np.int64(0), np.int64(0)
    year += century * 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month] + (leap and month == 2):
        return False, np.int64(0), np.int64(0)
    # days of a year that begins in March, so that the odd day is its last
    y = year - (month <= 2)
    era = (y + 400) // 400 - 1
    of_era = y - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return True, era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468, year


@part
def scan_clock(i: int) -> tuple[bool, np.int64]:
    """Read `HH:mm:ss`, eight bytes: whether it is one, and the seconds."""
    hour, minute, second = _two(i), _two(i + 3), _two(i + 6)
    if not 0 <= hour <= 23 or not 0 <= minute <= 59 or not 0 <= second <= 59 or byte(i + 2) != 58 or byte(i + 5) != 58:
        return False, np.int64(0)
    return True, hour * 3600 + minute * 60 + second


@part
def scan_fraction(i: int, end: int, digits: int, places: int) -> tuple[int, np.int64]:
    """
    Read `.` and up to nine digits, if they are there: the place behind them, and the number that the first `digits` make.

    It counts units of which a second has ten to the power of `places`.
    """
    if i >= end or byte(i) != 46:
        return i, np.int64(0)
    i += 1
    value = np.int64(0)
    count = 0
    while i < end and count < 9 and np.uint8(byte(i) - 48) <= 9:
        if count < digits:
            value = value * 10 + (byte(i) - 48)
        count += 1
        i += 1
    return i, value * _FRACTION[places - min(count, digits)]


@part
def scan_timestamp(i: int, end: int, separator: int, zone: bool, digits: int, places: int) -> tuple[int, np.int64]:
    """
    Read `yyyy-MM-dd HH:mm:ss[.f]` and, with `zone`, a `Z`: the place behind it (or -1), and the time since 1970.

    The fraction is cut to `digits`; a unit of time is ten to the power of minus `places` seconds.
    """
    if end - i < 19 or byte(i + 10) != separator:
        return -1, np.int64(0)
    is_date, days, year = scan_date(i)
    is_clock, seconds = scan_clock(i + 11)
    if not is_date or not is_clock or (places == 9 and not 1678 <= year <= 2261):
        return -1, np.int64(0)
    i, fraction = scan_fraction(i + 19, end, digits, places)
    if zone:
        if i >= end or byte(i) != 90:
            return -1, np.int64(0)
        i += 1
    return i, (days * 86400 + seconds) * _FRACTION[places] + fraction
