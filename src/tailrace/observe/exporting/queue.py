"""The way out of spans and log lines: a bounded queue, and a thread that sends what is in it. Nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from tailrace.runtime.observation import ExportStatus

T = TypeVar("T")

MOST = 4096
"""So much waits at most; what comes beyond that is dropped, and counted."""
BATCH = 512
LINGER_SECONDS = 1.0
CLOSE_SECONDS = 5.0
TELL_SECONDS = 60.0
"""A failure is told only that often."""

_log = structlog.get_logger("tailrace.telemetry")


class PartlyRefusedError(Exception):
    """A receiver took what it was sent, but for some of it."""

    def __init__(self, count: int, why: str) -> None:
        super().__init__(f"{count} were refused: {why}")
        self.count = count


class ExportQueue(Generic[T]):
    """
    Sends items by `send` on a thread of its own; it gives False, or raises why, if they were not taken.

    A failure costs the items of one call; it is counted, told now and then, and stops nothing.
    """

    def __init__(
        self, signal: str, exporter: str, send: Callable[[Sequence[T]], bool | None], *, most: int = MOST
    ) -> None:
        self._signal, self._exporter = signal, exporter
        self._send = send
        self._most = most
        self._items: deque[T] = deque()
        self._condition = threading.Condition()
        self._over = False
        self._sent = self._failed = self._dropped = 0
        self._told = -TELL_SECONDS
        self._thread = threading.Thread(target=self._run, name=f"tailrace-export-{signal}", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Take an item; never waits."""
        with self._condition:
            if len(self._items) >= self._most or self._over:
                self._dropped += 1
                return
            self._items.append(item)
            if len(self._items) >= BATCH:
                self._condition.notify_all()

    @property
    def status(self) -> ExportStatus:
        """What became of the items."""
        return ExportStatus(self._signal, self._exporter, self._sent, self._failed, self._dropped)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Send what waits, for so long at most."""
        with self._condition:
            self._over = True
            self._condition.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._over or len(self._items) >= BATCH, LINGER_SECONDS)
                batch = [self._items.popleft() for _ in range(min(BATCH, len(self._items)))]
                if not batch and self._over:
                    return
            if batch:
                self._try(batch)

    def _try(self, batch: list[T]) -> None:
        lost, why = 0, "it was not taken"
        try:
            lost = len(batch) if self._send(batch) is False else 0
        except PartlyRefusedError as error:
            lost, why = min(error.count, len(batch)), str(error)
        except Exception as error:  # noqa: BLE001  whatever an exporter raises, the job goes on
            lost, why = len(batch), str(error) or type(error).__name__
        self._sent += len(batch) - lost
        self._failed += lost
        if not lost:
            return
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            _log.warning(f"{self._signal} could not be sent", exporter=self._exporter, error=why, lost=self._failed)
