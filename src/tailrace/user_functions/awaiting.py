"""Async functions: many rows at a time, results in the order of the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from tailrace.user_functions.aside import in_thread, quiet
from tailrace.user_functions.declarations import Declaration
from tailrace.user_functions.faults import PASSED_ON, caused, named

Failed = list[tuple[int, str]]


class Waiter:
    """
    Runs the calls of one async function in an event loop of its own, on the thread that asks.

    The loop lives as long as this object, so that connections which a function keeps are there for the next batch.
    """

    def __init__(self, declaration: Declaration[..., Any]) -> None:
        self._declaration = declaration
        self._loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self._loop.close()

    def results(self, rows: Iterable[tuple[Any, ...]], count: int) -> tuple[list[Any], Failed]:
        """Call the function for each row; give the results, and the rows for which it failed, with what went wrong."""
        return self._run(self._all(rows, count))

    def _run(self, work: Coroutine[Any, Any, tuple[list[Any], Failed]]) -> tuple[list[Any], Failed]:
        if asyncio._get_running_loop() is None:  # noqa: SLF001  the public one raises instead
            with quiet():
                return self._loop.run_until_complete(work)
        # the caller is inside an event loop, as in a notebook: a thread has none
        return in_thread(lambda: self._loop.run_until_complete(work), self._declaration.__name__)

    async def _all(self, rows: Iterable[tuple[Any, ...]], count: int) -> tuple[list[Any], Failed]:
        results: list[Any] = [None] * count
        failed: Failed = []
        waiting = iter(enumerate(rows))

        async def work() -> None:
            for place, row in waiting:
                try:
                    results[place] = await self._one(row)
                except TimeoutError:
                    failed.append((place, self._late()))
                except PASSED_ON:
                    raise
                except BaseException as error:  # noqa: BLE001  whatever it is, it is this row's
                    failed.append((place, caused(self._declaration, error)))

        await asyncio.gather(*(work() for _ in range(min(count, self._declaration.limits.concurrency))))
        return results, sorted(failed)

    async def _one(self, row: tuple[Any, ...]) -> Any:
        call: Callable[..., Coroutine[Any, Any, Any]] = self._declaration.target
        timeout = self._declaration.limits.timeout
        if timeout is None:
            return await call(*row)
        async with asyncio.timeout(timeout):
            return await call(*row)

    def _late(self) -> str:
        limit = self._declaration.limits.timeout
        return (
            f"{named(self._declaration)} gave nothing within {limit:g} s"
            if limit
            else f"{named(self._declaration)} raised TimeoutError"
        )
