"""Calls of a cache that may fail: within a time, on a thread, and none for a while after one has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from tailrace.clock import Clock
from tailrace.errors import TailraceError

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_WARN_EVERY = 60.0
_THREADS = 4

_log = structlog.get_logger("tailrace.lookups")


class Guard:
    """
    Runs calls of a store, and passes it by while it is away.

    After a failure it is left alone for half a second, and for twice as long after each further one, up to 30 seconds.
    """

    def __init__(self, shown: str, seconds: float, clock: Clock) -> None:
        self._shown = shown
        self._seconds = seconds
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, "tailrace-cache")
        self._failures = 0
        self._until = 0.0
        self._warned: float | None = None
        self.errors = 0

    @property
    def up(self) -> bool:
        """Whether the last call went well."""
        return not self._failures

    async def call(self, work: Callable[[], T], instead: T) -> T:
        """Give what a call gives; `instead` if it fails, takes too long, or the store is passed by just now."""
        now = self._clock.monotonic()
        if now < self._until:
            return instead
        known = self._failures
        # while it is away one call looks whether it is back; others pass it by meanwhile
        if self._failures:
            self._until = now + self._seconds
        try:
            future = asyncio.get_running_loop().run_in_executor(self._threads, work)
            result = await asyncio.wait_for(future, self._seconds)
        except TimeoutError:
            self._failed(known, f"no answer within {self._seconds:g} s")
        except TailraceError as error:
            self._failed(known, error.message)
        else:
            self._failures, self._until = 0, 0.0
            return result
        return instead

    def _failed(self, known: int, why: str) -> None:
        now = self._clock.monotonic()
        self.errors += 1
        if self._failures == known:  # else calls that were under way together have failed together
            self._until = now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._failures, 10))
            self._failures += 1
        if self._warned is None or now - self._warned >= _WARN_EVERY:
            self._warned = now
            _log.warning("the shared cache is passed by", cache=self._shown, why=why)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
