"""The way out of metrics: a thread that looks at the job now and then, and sends what it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from tailrace.observe.exporting.queue import CLOSE_SECONDS, TELL_SECONDS
from tailrace.runtime.observation import ExportStatus, Observation
from tailrace.runtime.telemetry import Look

_log = structlog.get_logger("tailrace.telemetry")

Send = Callable[[Observation], int]
"""Sends all metrics and tells how many values that were; raises if they were not taken."""


class Push:
    """Sends metrics each so many seconds, and once more at the end. A failure is counted, told now and then, and stops nothing."""

    def __init__(self, exporter: str, send: Send, look: Look, seconds: float, signal: str = "metrics") -> None:
        self._exporter, self._send, self._look, self._seconds = exporter, send, look, seconds
        self._signal = signal
        self._over = threading.Event()
        self._sent = self._failed = 0
        self._told = -TELL_SECONDS
        self._thread = threading.Thread(target=self._run, name=f"tailrace-export-{signal}", daemon=True)
        self._thread.start()

    @property
    def status(self) -> ExportStatus:
        """What became of the values; of those that were not taken, one a time is counted."""
        return ExportStatus(self._signal, self._exporter, self._sent, self._failed)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Send once more, and end."""
        self._over.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._try()
        self._try()

    def _try(self) -> None:
        seen = self._look()
        if seen is None:
            return
        try:
            self._sent += self._send(seen)
        except Exception as error:  # noqa: BLE001  whatever an exporter raises, the job goes on
            self._failed += 1
            if time.monotonic() - self._told >= TELL_SECONDS:
                self._told = time.monotonic()
                why = str(error) or type(error).__name__
                _log.warning(
                    f"{self._signal} could not be sent", exporter=self._exporter, error=why, times=self._failed
                )
