"""Queues between threads, bounded by the bytes in them; a full one makes its writer wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from tailrace.runtime.halt import Halt
from tailrace.runtime.stopwatch import Stopwatch

T = TypeVar("T")

_FOREVER = 3600.0
"""No wait is longer; the loops around them look again."""


HEAR_SIGNALS = 0.25
"""The main thread waits no longer in one piece: a signal may come to another thread, and its handler runs only here."""

MEANWHILE = 0.25
"""How often a writer that waits looks after other things."""


class Bell:
    """
    Wakes one thread that has several things to wait for. A ring is not lost when nobody waits yet.

    `ring` may be called from a signal handler: the lock is one that the same thread may take again.
    """

    def __init__(self, halt: Halt) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._rung = False
        halt.on_halt(self.ring)

    def ring(self) -> None:
        """Wake the thread, or let its next wait end at once."""
        with self._condition:
            self._rung = True
            self._condition.notify_all()

    def wait(self, seconds: float | None) -> bool:
        """Wait for a ring, at most for so long; tell whether it rang."""
        with self._condition:
            if not self._rung:
                self._wait(_FOREVER if seconds is None else min(seconds, _FOREVER))
            rung, self._rung = self._rung, False
            return rung

    def _wait(self, seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._condition.wait(seconds)
            return
        end = time.monotonic() + seconds
        while not self._rung and (left := end - time.monotonic()) > 0:
            self._condition.wait(min(left, HEAR_SIGNALS))


class ByteQueue(Generic[T]):
    """
    First in, first out. `put` waits while the queue has its `capacity` of bytes; an item of any size fits an empty one.

    `on_put` is called after each item, outside the lock.
    """

    def __init__(self, capacity: int, halt: Halt, on_put: Callable[[], None] | None = None) -> None:
        self._items: deque[tuple[T, int]] = deque()
        self._capacity = capacity
        self._halt = halt
        self._on_put = on_put
        self._condition = threading.Condition()
        self.bytes: int = 0
        self.waited: int = 0
        """How often `put` had to wait: the sign of back-pressure."""
        self.waiting: Stopwatch = Stopwatch()
        """How long `put` waited."""
        halt.on_halt(self._wake)

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, size: int, meanwhile: Callable[[], None] | None = None) -> bool:
        """
        Add an item, when there is room; False if the job halted while waiting.

        `meanwhile` is called now and then while it waits.
        """
        with self._condition:
            if self._is_full(size):
                self.waited += 1
                with self.waiting:
                    self._wait_for_room(size, meanwhile)
            if self._halt.is_set:
                return False
            self._items.append((item, size))
            self.bytes += size
            self._condition.notify_all()
        if self._on_put:
            self._on_put()
        return True

    def _is_full(self, size: int) -> bool:
        return bool(self.bytes) and self.bytes + size > self._capacity

    def _wait_for_room(self, size: int, meanwhile: Callable[[], None] | None) -> None:
        while self._is_full(size) and not self._halt.is_set:
            if not self._condition.wait(MEANWHILE if meanwhile else _FOREVER) and meanwhile:
                meanwhile()

    def peek_size(self) -> int | None:
        """Give the bytes of the next item; None if there is none."""
        with self._condition:
            return self._items[0][1] if self._items else None

    def take(self) -> T | None:
        """Take the next item, if there is one."""
        with self._condition:
            if not self._items:
                return None
            item, size = self._items.popleft()
            self.bytes -= size
            self._condition.notify_all()
            return item
