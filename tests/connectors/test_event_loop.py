"""The event loop of clients that are asynchronous alone: whatever it is given is run to an end or closed."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator

import pytest

from tailrace.connectors.event_loop import EventLoop
from tailrace.errors import TransientError


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Fail where a coroutine was made and not awaited."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(w.message) for w in said] == []


def test_what_takes_too_long_is_given_up() -> None:
    loop = EventLoop("test")
    with pytest.raises(TransientError, match=r"no answer within 0\.01 s"):
        loop.run(asyncio.sleep(60), 0.01)
    loop.close()


def test_a_time_out_of_the_work_is_its_own() -> None:
    async def late() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    loop = EventLoop("test")
    with pytest.raises(TimeoutError):
        loop.run(late(), 60)
    loop.close()


def test_work_behind_the_end_is_closed() -> None:
    loop = EventLoop("test")
    loop.close()
    with pytest.raises(TransientError, match="closed"):
        loop.run(asyncio.sleep(0), 1)
    loop.close()


def test_work_that_waits_is_given_up_at_the_end() -> None:
    loop = EventLoop("test")
    caught: list[BaseException] = []
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(60)

    def wait() -> None:
        try:
            loop.run(work(), 60)
        except BaseException as error:  # noqa: BLE001  whatever it is, the test looks at it
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert begun.wait(10)
    loop.close()
    waiting.join(10)
    assert [type(e).__name__ for e in caught] == ["CancelledError"]


def test_what_begins_while_others_end_is_ended_too() -> None:
    loop = EventLoop("test")
    kept: list[asyncio.Task[None]] = []
    ended: list[str] = []

    async def last() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("last")

    async def first() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            kept.append(asyncio.create_task(last()))
            await asyncio.sleep(0)

    async def begin() -> None:
        kept.append(asyncio.create_task(first()))
        await asyncio.sleep(0)

    loop.run(begin(), 10)
    loop.close()
    assert ended == ["last"]
