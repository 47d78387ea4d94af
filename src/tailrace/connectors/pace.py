"""How many rows of a made-up source are due by the clock."""

from __future__ import annotations

import math

from tailrace.clock import Clock

UNLIMITED = 0
BURST = 0.02
"""Rows of a fast source are put out every so many seconds, not one by one."""
_WITHOUT_LIMIT = 1 << 40


class Pace:
    """
    A number of rows a second, counted from now on; `UNLIMITED` is as fast as it goes.

    >>> from tailrace.clock import ManualClock
    >>> clock = ManualClock()
    >>> pace = Pace(1000, clock)
    >>> clock.advance(100)
    >>> pace.due(given=40)
    60
    """

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._began = clock.monotonic()

    def due(self, given: int) -> int:
        """Give how many rows may be put out now, when so many have been."""
        if self._rate == UNLIMITED:
            return _WITHOUT_LIMIT
        elapsed = self._elapsed()
        if self._rate * BURST > 1:
            elapsed = math.floor(elapsed / BURST) * BURST
        return max(0, int(elapsed * self._rate) - given)

    def pause(self, given: int) -> float:
        """Give the seconds until the next row is due."""
        if self._rate == UNLIMITED:
            return 0.0
        elapsed = self._elapsed()
        if self._rate * BURST > 1:
            return BURST - elapsed % BURST
        return max(0.001, (given + 1) / self._rate - elapsed)

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began
