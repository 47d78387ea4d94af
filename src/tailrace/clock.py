"""The one source of time: everything that asks for it gets a `Clock`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod


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
