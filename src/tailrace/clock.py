"""The one source of time: everything that asks for it gets a `Clock`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime


class Clock(ABC):
    """Wall-clock time for processing time, and monotonic time for time-outs."""

    @abstractmethod
    def now_ms(self) -> int:
        """Give the wall clock in milliseconds since 1970 (UTC)."""

    @abstractmethod
    def monotonic(self) -> float:
        """Give seconds that never go back; only differences mean anything."""


class SystemClock(Clock):
    """The machine's clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock(Clock):
    """
    A clock that moves only when told to; for tests and replays.

    >>> clock = ManualClock(1000)
    >>> clock.advance(500)
    >>> clock.now_ms()
    1500
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    def advance(self, milliseconds: int) -> None:
        """Move the time on."""
        self._now_ms += milliseconds


_UNITS = {"seconds": 1000.0, "milliseconds": 1.0, "microseconds": 1e-3, "nanoseconds": 1e-6}
_SANE = (datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000, datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)


def likely_unit(number: int) -> tuple[str, str] | None:
    """
    Guess in which unit a number counts the time since 1970, and give the time that it then is; None if in no one.

    >>> likely_unit(1_700_000_000), likely_unit(1_700_000_000_000)[0], likely_unit(17)
    (('seconds', '2023-11-14 22:13:20'), 'milliseconds', None)
    """
    for unit, factor in _UNITS.items():
        if _SANE[0] <= number * factor < _SANE[1]:
            meant = datetime.fromtimestamp(number * factor / 1000, UTC)
            return unit, meant.strftime("%Y-%m-%d %H:%M:%S")
    return None
