"""Reads one iterable on a thread of its own, a bounded number of items ahead."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import aclosing, closing, nullcontext, suppress
from typing import Any

import polars as pl

from tailrace.connectors.iterable.feeds import Items

ROWS_AHEAD = 10_000
FRAMES_AHEAD = 4
"""So many items wait to be read; then the iterable waits."""

CLOSE_SECONDS = 1.0
"""So long an iterable may take to hear that it is read no further; one that does not is left behind."""

_LOOK = 0.1


class Feeder:
    """
    Takes items as they come; one that is slow holds nobody up.

    An async iterable runs in an event loop of this thread. `skip` rows were read before.
    """

    def __init__(self, items: Callable[[], Items], convert: Callable[[Any], Any], skip: int) -> None:
        self._items = items
        self._convert = convert
        self._skip = skip
        self._waiting: deque[Any] = deque()
        self._ready = threading.Event()
        self._room = threading.Event()
        self._async_room = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self.over = False
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="tailrace-iterable", daemon=True)
        self._thread.start()

    # the reader's side

    def take(self, rows: int, seconds: float) -> list[Any] | pl.DataFrame | None:
        """Give what waits: up to so many rows, or a part of one frame; None if nothing comes in so many seconds."""
        if not self._waiting and not self.over:
            self._ready.clear()
            if not self._waiting and not self.over:
                self._ready.wait(seconds)
        if not self._waiting:
            return None
        found = self._frame(rows) if isinstance(self._waiting[0], pl.DataFrame) else self._rows(rows)
        self._room.set()
        self._in_loop(self._async_room.set)
        return found

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def close(self) -> None:
        """Read no further."""
        self._stopped = True
        self._room.set()
        if self._task is not None:
            self._in_loop(self._task.cancel)
        self._thread.join(CLOSE_SECONDS)

    def _in_loop(self, call: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(call)

    def _rows(self, count: int) -> list[Any]:
        found: list[Any] = []
        while len(found) < count and self._waiting and not isinstance(self._waiting[0], pl.DataFrame):
            found.append(self._waiting.popleft())
        return found

    def _frame(self, count: int) -> pl.DataFrame:
        frame: pl.DataFrame = self._waiting.popleft()
        if len(frame) > count:
            self._waiting.appendleft(frame.slice(count))
        return frame.head(count)

    # the iterable's side

    def _run(self) -> None:
        try:
            items = self._items()
            if isinstance(items, AsyncIterable):
                asyncio.run(self._read_async(items))
            else:
                self._read(items)
        except BaseException as error:  # noqa: BLE001  whatever it is, the reader raises it again
            self.failure = error
        finally:
            self.over = True
            self._ready.set()

    def _read(self, items: Iterable[Any]) -> None:
        iterator = iter(items)
        with closing(iterator) if isinstance(iterator, Generator) else nullcontext():
            for item in iterator:
                self._put(item)
                while self._is_full() and not self._stopped:
                    self._room.clear()
                    if self._is_full():
                        self._room.wait(_LOOK)
                if self._stopped:
                    return

    async def _read_async(self, items: AsyncIterable[Any]) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._stopped:
            return
        iterator = aiter(items)
        try:
            async with aclosing(iterator) if isinstance(iterator, AsyncGenerator) else nullcontext():
                async for item in iterator:
                    self._put(item)
                    while self._is_full() and not self._stopped:
                        self._async_room.clear()
                        if self._is_full():
                            await self._async_room.wait()
                    if self._stopped:
                        return
        except asyncio.CancelledError:
            if not self._stopped:
                raise

    def _put(self, item: Any) -> None:
        found = self._without_skipped(self._convert(item)) if self._skip else self._convert(item)
        if found is not None:
            self._waiting.append(found)
            if not self._ready.is_set():
                self._ready.set()

    def _without_skipped(self, item: Any) -> Any:
        """Leave out what was read before the restart."""
        count = len(item) if isinstance(item, pl.DataFrame) else 1
        skipped = min(count, self._skip)
        self._skip -= skipped
        if skipped == count:
            return None
        return item.slice(skipped)

    def _is_full(self) -> bool:
        waiting = len(self._waiting)
        if waiting < FRAMES_AHEAD:
            return False
        return waiting >= ROWS_AHEAD or isinstance(self._waiting[-1], pl.DataFrame)
