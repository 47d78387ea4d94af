"""How one thread's failure ends all the others."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable


class Halt:
    """
    The first failure of a job, and who must hear of it.

    Threads wait on conditions of their own; each registers how it is woken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []
        self._deadline = math.inf
        self._too_late: Callable[[], BaseException] | None = None
        self.failure: BaseException | None = None
        self.is_set: bool = False

    def on_halt(self, wake: Callable[[], None]) -> None:
        """Have this called when the job halts; at once if it has."""
        with self._lock:
            self._wakers.append(wake)
        if self.is_set:
            wake()

    def expect(self, seconds: float, too_late: Callable[[], BaseException]) -> None:
        """Have the job halt in so many seconds; only assigns, so that a signal handler may call it."""
        self._too_late = too_late
        self._deadline = time.monotonic() + seconds

    def look(self) -> bool:
        """Tell whether the job has halted, or has to now; called by who waits."""
        if not self.is_set and self._too_late is not None and time.monotonic() >= self._deadline:
            self.set(self._too_late())
        return self.is_set

    def set(self, failure: BaseException | None = None) -> None:
        """End all threads; only the first failure counts."""
        with self._lock:
            if self.failure is None:
                self.failure = failure
            self.is_set = True
            wakers = list(self._wakers)
        for wake in wakers:
            wake()
