"""An event loop on a thread of its own, for clients that are asynchronous alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as OutOfTime
from typing import Any, TypeVar

from tailrace.errors import TransientError

T = TypeVar("T")


class EventLoop:
    """Runs what it is given, and gives the result to the thread that waits for it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """
        Wait for some work, at most so long.

        >>> loop = EventLoop("doc")
        >>> loop.run(asyncio.sleep(0, "done"), 5)
        'done'
        >>> loop.close()

        Raises:
            TransientError: it took longer, and was given up.
            Exception: whatever the work raises.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except OutOfTime:
            if future.done():
                return future.result()  # just now, or it was the work itself that ran out of time
            future.cancel()
            raise TransientError(f"no answer within {seconds:g} s") from None

    def close(self) -> None:
        """End the thread; what still runs is given up."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @staticmethod
    async def _cancel() -> None:
        waiting = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
