"""Dates, times of day and timestamps that come as numbers of some unit, for all formats that have them so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.formats.scalars import BadValueError
from tailrace.schema import DataType, Kind

Numbers = npt.NDArray[np.int64]

_SECONDS = (-62_167_219_200, 253_402_300_800)
"""The years 0000 to 9999."""
_NANO_SECONDS = (-9_214_560_000, 9_214_646_400)
"""The years 1678 to 2261."""
_DAYS = (-719_528, 2_932_896)
_LEAST, _MOST = -(2**63), 2**63 - 1
DIGITS = {"ms": 3, "us": 6, "ns": 9}
"""The digits of a second's fraction in each unit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers from `least` to `most` become those of a column: divided by `parts`, times `times`, cut to multiples of `grain`."""

    kind: DataType
    least: int
    most: int
    times: int = 1
    parts: int = 1
    grain: int = 1

    def value(self, number: int) -> int:
        """
        Give the number that the column has for one.

        Raises:
            BadValueError: it is beyond what the type has.
        """
        if not self.least <= number <= self.most:
            raise BadValueError(f"out of the range of {self.kind.sql()}", "range")
        number = number // self.parts * self.times
        return number - number % self.grain

    def values(self, numbers: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """Do the same with many; tell which are beyond the type, whose number has no meaning then."""
        bad = (numbers < self.least) | (numbers > self.most)
        scaled = np.where(bad, 0, numbers) // self.parts * self.times
        return scaled - scaled % self.grain, bad


def scale_of(kind: DataType, unit: int | None = None) -> Scale:
    """
    Give the scale of a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ; `unit` of the numbers are a second, by default as many as the column has.

    >>> from tailrace.schema import timestamp
    >>> scale_of(timestamp(0), 1000).value(1234)
    1000
    """
    if kind.kind is Kind.DATE:
        return Scale(kind, *_DAYS)
    if kind.kind is Kind.TIME:
        unit = unit or 10**9
        return _scale(kind, unit, 9, (0, 86_400 * unit - 1))
    digits = DIGITS[kind.time_unit]
    unit = unit or 10**digits
    first, behind = _NANO_SECONDS if digits == 9 else _SECONDS
    return _scale(kind, unit, digits, (max(_LEAST, first * unit), min(_MOST, behind * unit - 1)))


def _scale(kind: DataType, unit: int, digits: int, bounds: tuple[int, int]) -> Scale:
    to = 10**digits
    return Scale(kind, *bounds, max(1, to // unit), max(1, unit // to), 10 ** (digits - min(digits, kind.precision)))
