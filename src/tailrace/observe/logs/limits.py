"""How many lines of one message are written: the first of a while, and how many there were beside them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structlog import DropEvent
from structlog.typing import EventDict

MOST = 10
SECONDS = 10.0
"""Of one message so many lines are written in so much time."""
MOST_MESSAGES = 1000
SUPPRESSED = "suppressed"

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Window:
    began: float
    passed: int = 0
    suppressed: int = 0


class Limiter:
    """
    Lets the first lines of a message pass; the next one that passes says how many did not. From any thread.

    A message is its text, level and logger; values do not count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST, seconds: float = SECONDS) -> None:
        self._clock, self._most, self._seconds = clock, most, seconds
        self._windows: OrderedDict[Key, _Window] = OrderedDict()
        self._forgotten = 0
        self._lock = threading.Lock()

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        """
        Let a line pass, or not (it is a processor of structlog).

        Raises:
            DropEvent: there were too many.
        """
        key = (getattr(logger, "name", ""), method, str(event.get("event")))
        with self._lock:
            before = self._take(key)
        if before:
            event[SUPPRESSED] = before
        return event

    def _take(self, key: Key) -> int:
        """Count a line; give how many were held back before it."""
        now = self._clock()
        window = self._windows.setdefault(key, _Window(now))
        self._windows.move_to_end(key)
        while len(self._windows) > MOST_MESSAGES:
            self._forgotten += self._windows.popitem(last=False)[1].suppressed
        before = 0
        if now - window.began >= self._seconds:
            before, self._windows[key] = window.suppressed, _Window(now)
            window = self._windows[key]
        if window.passed >= self._most:
            window.suppressed += 1
            raise DropEvent
        window.passed += 1
        return before

    def rest(self) -> dict[str, int]:
        """Give how many lines of each message were held back and not told yet, and count anew."""
        with self._lock:
            found = {key[2]: w.suppressed for key, w in self._windows.items() if w.suppressed}
            if self._forgotten:
                found["others"] = self._forgotten
            self._windows.clear()
            self._forgotten = 0
        return found
