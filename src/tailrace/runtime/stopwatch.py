"""How long something went on, in pieces: what a thread waited, or was at work."""

from __future__ import annotations

import time
from typing import Self


class Stopwatch:
    """
    Adds up the time inside of `with`. One thread at a time goes in, any thread reads `seconds`, also meanwhile.

    >>> watch = Stopwatch()
    >>> with watch:
    ...     inside = watch.seconds >= 0
    >>> inside, watch.seconds == watch.seconds
    (True, True)
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def __enter__(self) -> Self:
        self._since = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._since is not None
        passed = time.monotonic() - self._since
        self._since = None  # first: who reads in between may miss a piece for a moment, and never counts it twice
        self._before += passed

    @property
    def seconds(self) -> float:
        """The time so far."""
        since = self._since
        return self._before + (time.monotonic() - since if since is not None else 0.0)
