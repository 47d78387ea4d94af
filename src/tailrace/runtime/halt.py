"""How one thread's failure ends all the others."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Halt:
    """
    The first failure of a job, and who must hear of it.

    Threads wait on conditions of their own; each registers how it is woken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []
        self.failure: BaseException | None = None
        self.is_set = False

    def on_halt(self, wake: Callable[[], None]) -> None:
        """Have this called when the job halts; at once if it has."""
        with self._lock:
            self._wakers.append(wake)
        if self.is_set:
            wake()

    def set(self, failure: BaseException | None = None) -> None:
        """End all threads; only the first failure counts."""
        with self._lock:
            if self.failure is None:
                self.failure = failure
            self.is_set = True
            wakers = list(self._wakers)
        for wake in wakers:
            wake()
