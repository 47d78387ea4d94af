"""Jobs that go on by themselves from their last checkpoint, after a system that they write to was away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from tailrace.backoff import Backoff
from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.job import InterruptedJobError, Job
from tailrace.runtime.summary import Summary

_log = structlog.get_logger("tailrace.runtime")
_UNLIMITED = float("inf")
_LOOK = 0.1


class Restarts:
    """
    Runs a job, and one more like it each time that one is interrupted, with growing pauses.

    Between two interruptions there must be a checkpoint: after `attempts` without one it gives up. What is wrong with the
    script, the rows or the disk is no interruption. `stop` ends a pause, and with it the job.
    """

    def __init__(self, attempts: int, first_pause: float = 0.5) -> None:
        self._attempts = attempts
        self._backoff = Backoff(first=first_pause, limit=_UNLIMITED)
        self._stopped = False
        self.count: int = 0
        """How often a job was interrupted, and went on."""
        self._last = ""

    def stop(self) -> None:
        """Wait for nothing any more; may be called by a signal handler."""
        self._stopped = True

    def run(self, make: Callable[[], Job]) -> Summary:
        """
        Run jobs until one comes to an end.

        Raises:
            TailraceError: as `Job.run`.
        """
        while True:
            job = make()
            try:
                summary = job.run()
            except InterruptedJobError as error:
                self._pause(job, error)
            else:
                return self._told(summary)

    def _told(self, summary: Summary) -> Summary:
        if not self.count:
            return summary
        times = "once" if self.count == 1 else f"{self.count} times"
        note = f"interrupted {times} (the counts are since then), the last time because: {self._last}"
        return replace(summary, notes=(note, *summary.notes))

    def _pause(self, job: Job, error: InterruptedJobError) -> None:
        """Wait a little, if the job may go on."""
        if job.checkpoints:
            self._backoff.reset()
        tries = self._backoff.tries
        if self._stopped or not job.durable or not self._attempts:
            raise error
        if tries >= self._attempts:
            message = f"interrupted {tries + 1} times at the same checkpoint, the last time because: {error.message}"
            raise TerminalError(message, hint=error.hint, location=error.location) from None
        wait = self._backoff.failed(job.name, TransientError(error.message), 0.0)
        _log.warning("goes on from the last checkpoint", job=job.name, because=error.message, seconds=round(wait, 1))
        self.count += 1
        self._last = error.message
        end = time.monotonic() + wait
        while time.monotonic() < end:
            if self._stopped:
                raise error
            time.sleep(min(wait, _LOOK))
