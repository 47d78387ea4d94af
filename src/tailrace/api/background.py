"""Scripts that run in threads of their own, beside the program that started them."""

from __future__ import annotations

import asyncio
import atexit
import math
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

from tailrace.runtime.queues import HEAR_SIGNALS
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Summary

AT_EXIT_SECONDS = 30.0
"""So long a program waits at its end for pipelines that it has not stopped."""

_all: weakref.WeakSet[Background] = weakref.WeakSet()


class Wakers:
    """Wakes those who wait in event loops, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def wait(self) -> asyncio.Future[None]:
        """Give what is done with the next `wake`; called in a running loop."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._waiting.append((loop, woken))
        return woken

    def wake(self) -> None:
        """Wake all who wait now."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for loop, woken in waiting:
            with suppress(RuntimeError):  # its loop was closed meanwhile
                loop.call_soon_threadsafe(_done, woken)


def _done(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


class Background:
    """
    A script in a thread of its own.

    One that still runs when the program ends is stopped in good order. `at_end` is called in the thread, at last.
    """

    def __init__(self, script: Script, at_end: Callable[[], None] = lambda: None) -> None:
        self.script = script
        self.summaries: list[Summary] = []
        self.failure: BaseException | None = None
        self._at_end = at_end
        self._over = threading.Event()
        self._wakers = Wakers()
        self._started = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"tailrace-{script.name}", daemon=True)

    def start(self) -> None:
        """Start it, if it was not."""
        if self._started.acquire(blocking=False):
            if not _all:
                atexit.unregister(stop_all)
                atexit.register(stop_all)
            _all.add(self)
            self._thread.start()

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._started.locked()

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return self._over.is_set()

    def stop(self) -> None:
        """Let it end in good order; returns at once."""
        self.script.stop()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for its end, at most so long; tell whether it is there."""
        end = math.inf if seconds is None else time.monotonic() + seconds
        while self.begun and not self.over and (left := end - time.monotonic()) > 0:
            self._over.wait(min(left, HEAR_SIGNALS))
        return self.over

    async def ended(self) -> None:
        """Wait for its end in an event loop."""
        while self.begun and not self.over:
            woken = self._wakers.wait()
            if self.over:  # since the look before
                return
            await woken

    def _run(self) -> None:
        try:
            self.summaries = self.script.run()
        except BaseException as error:  # noqa: BLE001  it is raised again where it is waited for
            self.failure = error
        finally:
            self._at_end()
            self._over.set()
            self._wakers.wake()


def stop_all() -> None:
    """Stop what still runs, in good order, and wait for it."""
    running = [b for b in list(_all) if not b.over]
    for background in running:
        background.stop()
    for background in running:
        background.join(AT_EXIT_SECONDS)
