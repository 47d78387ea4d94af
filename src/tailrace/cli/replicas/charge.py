"""A replica that this member holds: its lock, its child, and what becomes of a child that ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

import structlog

from tailrace.backoff import Backoff
from tailrace.cli.failures import FAILED, OK, WRONG_USE
from tailrace.cli.replicas.child import Child
from tailrace.cli.replicas.shared_folder import SharedFolder
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.state.file_lock import FileLock
from tailrace.state.store_folder import newest_epoch

_FIRST_PAUSE = 0.5
_TELL_SECONDS = 5.0

_log = structlog.get_logger("tailrace.cli")


class Phase(StrEnum):
    """What a held replica is doing."""

    running = "running"
    """Its child runs, or is to be started as soon as may be."""
    done = "done"
    """Its job has come to its end."""
    stopped = "stopped"
    """It was told to stop, and has."""


class Charge:
    """
    A replica in this member's charge, until `let_go`.

    A child that was killed is started again from its last checkpoint, after growing pauses; after `attempts` in a row
    without a new checkpoint no more. What a job says itself is wrong is not tried again: it has done so, where that helps.
    `patience` is for how many seconds a child may take its last checkpoint.
    """

    def __init__(
        self,
        folder: SharedFolder,
        number: int,
        lock: FileLock,
        start: Callable[[int], Child],
        attempts: int,
        patience: float,
    ) -> None:
        self.label: str = f"{number}/{folder.count}"
        self._folder, self._number, self._lock = folder, number, lock
        self._start = start
        self._attempts, self._patience = attempts, patience
        self._child: Child | None = None
        self._stopping: float | None = None
        self._claimed = self._not_before = time.monotonic()
        self._told_of_use = False
        self._epoch = 0
        self._backoff = Backoff(first=_FIRST_PAUSE, limit=float("inf"))

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping is not None

    def stop(self) -> None:
        """Have the child take its last checkpoint and end."""
        if self._stopping is None:
            self._stopping = time.monotonic()
            if self._child is not None:
                self._child.stop()

    def tend(self) -> Phase:
        """
        Start the child, or see how it is; returns at once.

        Raises:
            TailraceError: it failed, and trying again is of no use.
        """
        if self._child is None:
            return Phase.stopped if self.stopping else self._started()
        status = self._child.status()
        if status is not None:
            return self._ended(status)
        if self._stopping is not None and time.monotonic() - self._stopping > self._patience:
            _log.warning("replica does not stop, and is ended", replica=self.label)
            self._child.close()
        return Phase.running

    def _started(self) -> Phase:
        now = time.monotonic()
        if self._folder.is_done(self._number):
            return Phase.done
        if now < self._not_before:
            return Phase.running
        if self._folder.in_use(self._number):  # the child of a member that has just died is ending
            if not self._told_of_use and now - self._claimed > _TELL_SECONDS:
                self._told_of_use = True
                _log.warning("waits for the state of the replica: a process still holds it", replica=self.label)
            return Phase.running
        self._epoch = newest_epoch(self._folder.state(self._number))
        self._child = self._start(self._number)
        _log.info("replica started", replica=self.label, pid=self._child.pid, checkpoint=self._epoch)
        return Phase.running

    def _ended(self, status: int) -> Phase:
        assert self._child is not None
        self._child.close()
        self._child = None
        if self._folder.is_done(self._number):
            _log.info("replica has come to its end", replica=self.label)
            return Phase.done
        if status in (FAILED, WRONG_USE):
            raise self._failure(status)
        if self.stopping:
            if status != OK:
                _log.warning("replica ended without a last checkpoint", replica=self.label, status=status)
            return Phase.stopped
        self._try_again(status)
        return Phase.running

    def _failure(self, status: int) -> TailraceError:
        """Give the error of a job that has said itself what is wrong."""
        kind = ConfigError if status == WRONG_USE else TerminalError
        return kind(f"replica {self.label} ended with status {status}", hint="what it said stands above")

    def _try_again(self, status: int) -> None:
        """
        Plan the next start of a child that somebody has ended.

        Raises:
            TerminalError: that has happened too often without a checkpoint between.
        """
        if newest_epoch(self._folder.state(self._number)) > self._epoch:
            self._backoff.reset()
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        message = f"replica {self.label} was ended from outside {how}"
        if self._backoff.tries >= self._attempts:
            hint = "look whether the machine has enough memory; the state is that of the last checkpoint"
            raise TerminalError(f"{message}, {self._backoff.tries + 1} times at the same checkpoint", hint=hint)
        wait = self._backoff.failed(self.label, TransientError(message), 0.0)
        self._not_before = time.monotonic() + wait
        _log.warning("replica was ended from outside, and goes on", replica=self.label, how=how, seconds=round(wait, 1))

    def let_go(self) -> None:
        """Leave the replica to others."""
        if self._child is not None:
            self._child.close()
            self._child = None
        self._lock.release(wiped=True)
