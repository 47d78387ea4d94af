"""
From one text to one value, by one policy for all formats: the slow path, and the oracle of the fast one.

Values come in the form that `columns.column` takes: numbers for times, `Decimal` for DECIMAL.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np

from tailrace.clock import likely_unit
from tailrace.schema import DataType, Kind

MAX_NUMBER = 1000
"""No number may have more characters than this, as in Jackson."""

Parse = Callable[[str], Any]

_INTEGER = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CLOCK = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{0,9}))?"
_SHORT_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{0,9}))?)?"
_LONGEST_TIME = 19
"""The digits of nanoseconds since 1970."""
_TIME = re.compile(_CLOCK)
_CONTEXT = Context(prec=MAX_NUMBER + 100, Emax=999_999, Emin=-999_999, traps=[])

BOUNDS = {
    Kind.TINYINT: (-(2**7), 2**7 - 1),
    Kind.SMALLINT: (-(2**15), 2**15 - 1),
    Kind.INT: (-(2**31), 2**31 - 1),
    Kind.BIGINT: (-(2**63), 2**63 - 1),
    Kind.INTERVAL_MONTH: (-(2**31), 2**31 - 1),
    Kind.INTERVAL_SECOND: (-(2**63), 2**63 - 1),
}


class BadValueError(ValueError):
    """A text that is no value of a type; `code` is 'type' or 'range'."""

    def __init__(self, reason: str, code: str = "type") -> None:
        super().__init__(reason)
        self.code = code


def trim(text: str) -> str:
    """Cut what Java's `trim` cuts: all up to the space."""
    start, end = 0, len(text)
    while start < end and text[start] <= " ":
        start += 1
    while end > start and text[end - 1] <= " ":
        end -= 1
    return text[start:end]


def _number(text: str) -> str:
    text = trim(text)
    if len(text) > MAX_NUMBER:
        raise BadValueError(f"a number of more than {MAX_NUMBER} characters", "range")
    return text


def _decimal(text: str, kind: DataType) -> Decimal:
    """Read a number exactly; one too large or too small to write out is cut to what rounds and fits alike."""
    if not _REAL.fullmatch(text):
        raise BadValueError(f"not a number, as {kind.sql()} needs")
    mantissa, _, exponent = text.lower().partition("e")
    limit = 10_000
    power = max(-limit, min(limit, int(exponent or "0")))
    return _CONTEXT.create_decimal(mantissa).scaleb(power, _CONTEXT)


def integer(text: str, kind: DataType) -> int:
    """Read an integer; a number like `1.0` or `1e3` is one too."""
    text = _number(text)
    match = _INTEGER.fullmatch(text)
    if match:
        value = int(match[1])
    else:
        exact = _decimal(text, kind)
        if exact.adjusted() > 20:
            raise BadValueError(f"out of the range of {kind.sql()}", "range")
        if exact != exact.to_integral_value(context=_CONTEXT):
            raise BadValueError(f"a number with a fraction is no {kind.sql()}")
        value = int(exact)
    least, most = BOUNDS[kind.kind]
    if not least <= value <= most:
        raise BadValueError(f"out of the range of {kind.sql()}", "range")
    return value


def double(text: str, kind: DataType) -> float:
    """Read a double, rounded to the nearest; one beyond the largest is refused, as it would be infinite."""
    text = _number(text)
    if text in _SPECIAL:
        return _SPECIAL[text]
    if not _REAL.fullmatch(text):
        raise BadValueError(f"not a number, as {kind.sql()} needs")
    value = float(text)
    if math.isinf(value):
        raise BadValueError(f"out of the range of {kind.sql()}", "range")
    return value


def single(text: str, kind: DataType) -> float:
    """Read a 32-bit float, rounded once from the text and not by way of a double."""
    value = double(text, kind)
    if not math.isfinite(value) or value == 0:
        return value
    with np.errstate(over="ignore", under="ignore"):
        below = float(np.float32(math.nextafter(value, -math.inf)))
        above = float(np.float32(math.nextafter(value, math.inf)))
        rounded = float(np.float32(value))
    if below != above:  # the double is just between two floats: the text itself decides
        exact, near = _decimal(trim(text), kind), Decimal(value)
        rounded = above if exact > near else below if exact < near else rounded
    if math.isinf(rounded):
        raise BadValueError(f"out of the range of {kind.sql()}", "range")
    return rounded


def decimal(text: str, kind: DataType) -> Decimal:
    """Read a decimal, rounded half up to its scale; too many digits before the point are refused."""
    exact = _decimal(_number(text), kind)
    if exact.is_zero():
        return Decimal(0).scaleb(-kind.scale)
    if exact.adjusted() >= 39:
        raise BadValueError(f"does not fit {kind.sql()}", "range")
    rounded = exact.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP, _CONTEXT)
    if rounded.adjusted() >= kind.precision - kind.scale and not rounded.is_zero():
        raise BadValueError(f"does not fit {kind.sql()}", "range")
    return rounded


def truth(text: str, _: DataType) -> bool:
    """Read `true` or `false` in any case."""
    word = trim(text).lower()
    if word not in ("true", "false"):
        raise BadValueError("neither 'true' nor 'false', as BOOLEAN needs")
    return word == "true"


def date(text: str, _: DataType) -> int:
    """Read `yyyy-MM-dd` as days since 1970."""
    match = _DATE.fullmatch(text)
    if not match:
        raise BadValueError("not a date; expected 'yyyy-MM-dd'")
    return _days(match[1], match[2], match[3])


def _days(year: str, month: str, day: str) -> int:
    """Give the days since 1970 of a day; the year 0 has no place in Python's own dates."""
    shifted = 2000 if year == "0000" else int(year)
    try:
        days = dt.date(shifted, int(month), int(day)).toordinal() - 719_163
    except ValueError:
        raise BadValueError("there is no such day") from None
    return days - 730_485 if year == "0000" else days


def _nanos(hour: str, minute: str, second: str | None, fraction: str | None, precision: int) -> int:
    """Give the nanoseconds of a time of the day, cut to a precision."""
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise BadValueError("there is no such time of the day")
    cut = (fraction or "")[:precision].ljust(9, "0")
    return ((int(hour) * 60 + int(minute)) * 60 + int(second or 0)) * 1_000_000_000 + int(cut)


def time(text: str, kind: DataType) -> int:
    """Read `HH:mm:ss[.f]` as nanoseconds."""
    match = _TIME.fullmatch(text)
    if not match:
        raise BadValueError("not a time; expected 'HH:mm:ss'")
    return _nanos(match[1], match[2], match[3], match[4], kind.precision)


def _number_hint(text: str) -> str:
    """Say what a number, where a timestamp is expected, likely is."""
    guess = likely_unit(int(text)) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_TIME else None
    if guess is None:
        return ""
    unit, time = guess
    scale = {"seconds": "x, 0", "milliseconds": "x, 3", "microseconds": "x / 1000, 3", "nanoseconds": "x / 1000000, 3"}
    return f"; as {unit} since 1970 it is {time}: declare a BIGINT x, and the time AS TO_TIMESTAMP_LTZ({scale[unit]})"


class Timestamps:
    """Reads timestamps of one standard: 'SQL' (a space between date and time) or 'ISO-8601' (a T; seconds may lack)."""

    def __init__(self, standard: str) -> None:
        iso = standard == "ISO-8601"
        day = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
        self._pattern = re.compile(f"{day}{'T' if iso else ' '}{_SHORT_CLOCK if iso else _CLOCK}(Z?)")
        self._expected = "yyyy-MM-ddTHH:mm:ss" if iso else "yyyy-MM-dd HH:mm:ss"

    def __call__(self, text: str, kind: DataType) -> int:
        """Give the time since 1970 in the unit of its type; digits beyond its precision are cut."""
        zone = kind.kind is Kind.TIMESTAMP_LTZ
        match = self._pattern.fullmatch(text)
        if not match or bool(match[8]) is not zone:
            hint = _number_hint(text)
            raise BadValueError(f"not a {kind.sql()}; expected '{self._expected}{'Z' if zone else ''}'{hint}")
        if kind.time_unit == "ns" and not 1678 <= int(match[1]) <= 2261:
            raise BadValueError(f"out of the range of {kind.sql()}: years 1678 to 2261", "range")
        days = _days(match[1], match[2], match[3])
        nanos = _nanos(match[4], match[5], match[6], match[7], kind.precision)
        return (days * 86_400_000_000_000 + nanos) // {"ms": 1_000_000, "us": 1000, "ns": 1}[kind.time_unit]


def binary(text: str, _: DataType) -> bytes:
    """Read base64."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadValueError("not base64, as bytes need") from None


_PARSERS: dict[Kind, Callable[[str, DataType], Any]] = {
    **dict.fromkeys(BOUNDS, integer),
    Kind.BOOLEAN: truth,
    Kind.FLOAT: single,
    Kind.DOUBLE: double,
    Kind.DECIMAL: decimal,
    Kind.DATE: date,
    Kind.TIME: time,
    Kind.BINARY: binary,
    Kind.VARBINARY: binary,
}


def parser(kind: DataType, timestamps: Timestamps) -> Parse:
    """
    Give what reads texts of a type that is not nested; it raises BadValueError.

    >>> from tailrace.schema import timestamp
    >>> parser(timestamp(3), Timestamps("SQL"))("1970-01-01 00:00:01.5")
    1500
    """
    if kind.kind in (Kind.CHAR, Kind.VARCHAR):
        return str
    of_kind: Callable[[str, DataType], Any] = _PARSERS.get(kind.kind, timestamps)
    return lambda text: of_kind(text, kind)
