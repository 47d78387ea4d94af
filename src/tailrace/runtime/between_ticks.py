"""Calls of other threads that the engine's thread does for them, between two ticks, when the state is a consistent cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypeVar

from tailrace.errors import TransientError

T = TypeVar("T")


class BetweenTicks:
    """
    Takes calls from any thread and has them done by one; `ring` wakes that one.

    >>> calls = BetweenTicks(lambda: None)
    >>> answer = calls.put(lambda: 6 * 7)
    >>> calls.do()
    >>> answer.result()
    42
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._over = False

    def put(self, call: Callable[[], T]) -> Future[T]:
        """Have something done; what it gives or raises is in the future."""
        future: Future[T] = Future()
        self._waiting.append((call, future))
        if self._over:
            self.close()
        self._ring()
        return future

    def ask(self, call: Callable[[], T], seconds: float) -> T:
        """
        Have something done, and wait for it.

        Raises:
            TransientError: the engine is busy with one tick for longer than that, or has ended.
        """
        future = self.put(call)
        try:
            return future.result(seconds)
        except NotYet:
            future.cancel()
            raise TransientError(f"the engine has been busy for {seconds:g} s") from None
        except CancelledError:
            raise TransientError("the job has ended") from None

    def do(self) -> None:
        """Do what waits; on the engine's thread."""
        while (found := self._next()) is not None:
            call, future = found
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001  it is the asker's, not the job's
                future.set_exception(error)

    def close(self) -> None:
        """Tell all who wait, and all who will ask, that nothing will be done any more."""
        self._over = True
        while (found := self._next()) is not None:
            found[1].cancel()

    def _next(self) -> tuple[Callable[[], Any], Future[Any]] | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None
