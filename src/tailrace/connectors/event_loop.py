"""An event loop on a thread of its own, for clients that are asynchronous alone."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from typing import Any, TypeVar

from tailrace.errors import TransientError

T = TypeVar("T")
_END_SECONDS = 5.0


class EventLoop:
    """Runs what it is given, and gives the result to the thread that waits for it. What is given is run or closed, and never left."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._giving = threading.Lock()
        self._ended = False
        context = contextvars.copy_context()  # what it logs says of which job it is
        self._thread = threading.Thread(target=context.run, args=(self._serve,), name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """
        Wait for some work, at most so long.

        >>> loop = EventLoop("doc")
        >>> loop.run(asyncio.sleep(0, "done"), 5)
        'done'
        >>> loop.close()

        Raises:
            TransientError: it took longer, and was given up, or the loop has ended.
            Exception: whatever the work raises.
        """
        future = self.submit(work)
        try:
            return future.result(seconds)
        except OutOfTime:
            if future.done():
                return future.result()  # just now, or it was the work itself that ran out of time
            future.cancel()
            raise TransientError(f"no answer within {seconds:g} s") from None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """
        Begin some work.

        Raises:
            TransientError: the loop has ended.
        """
        with self._giving:  # so that nothing is given behind the end, where nobody would run it
            if not self._ended:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise TransientError("the connection is closed")

    def cancel(self, seconds: float) -> None:
        """
        Give up what runs.

        Raises:
            TransientError: it did not end in time.
        """
        self.run(_cancel_all(), seconds)

    def close(self) -> None:
        """End the thread; what still runs is given up."""
        with self._giving:
            if not self._ended:
                self._ended = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_SECONDS)

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_cancel_all())
        finally:
            self._loop.close()


async def _cancel_all() -> None:
    """Cancel all tasks, and those that begin while others end, for some seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _END_SECONDS
    while (waiting := asyncio.all_tasks() - {asyncio.current_task()}) and loop.time() < end:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=1)
        await asyncio.sleep(0)  # what was called at their end may begin others
