"""What a pipeline gives, on its way from the pipeline's thread to a reader in a thread or an event loop."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Generic, TypeVar

from tailrace.api.background import Wakers
from tailrace.runtime.queues import HEAR_SIGNALS

T = TypeVar("T")


class Channel(Generic[T]):
    """
    First in, first out, at most `capacity` items: then `put` waits for the reader.

    >>> channel: Channel[int] = Channel(2)
    >>> channel.put(1)
    >>> channel.end()
    >>> channel.get(), channel.get()
    (1, None)
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._wakers = Wakers()
        self._ended = False
        self._closed = False

    def put(self, item: T) -> None:
        """Add an item, when there is room; once the reader has gone it is dropped."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            self._items.append(item)
            self._changed.notify_all()
        self._wakers.wake()

    def end(self) -> None:
        """Say that no more items come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._wakers.wake()

    def close(self) -> None:
        """Say that nobody reads any more: what waits is dropped."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
        self.end()

    @property
    def exhausted(self) -> bool:
        """Whether all was read, and no more comes."""
        with self._changed:
            return self._ended and not self._items

    def get(self, seconds: float | None = None) -> T | None:
        """Give the next item; None if none comes in so many seconds, or ever."""
        end = math.inf if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not self._items and not self._ended and (left := end - time.monotonic()) > 0:
                self._changed.wait(min(left, HEAR_SIGNALS))
            return self._take()

    async def get_async(self) -> T | None:
        """Give the next item; None if none comes any more."""
        while True:
            woken = self._wakers.wait()
            with self._changed:
                if self._items or self._ended:
                    return self._take()
            await woken

    def _take(self) -> T | None:
        if not self._items:
            return None
        item = self._items.popleft()
        self._changed.notify_all()
        return item
