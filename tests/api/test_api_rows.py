"""Rows as they come: one by one, in threads and event loops, no faster than they are read."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

import tailrace as tr
from tailrace.api.channel import Channel
from tailrace.errors import ConfigError, TailraceError


def numbers(count: int = 5) -> tr.Table:
    """Give numbers from 1."""
    return tr.from_rows([{"v": v} for v in range(1, count + 1)])


class Endless:
    """A table without an end, which counts how far it was read and hears when it is let go of."""

    def __init__(self) -> None:
        self.made = 0
        self.begun = threading.Event()
        self.closed = threading.Event()
        self.table = tr.from_rows(self._rows, {"v": int}, bounded=False)

    def _rows(self) -> Iterator[dict[str, int]]:
        try:
            while True:
                self.made += 1
                self.begun.set()
                yield {"v": self.made}
        finally:
            self.closed.set()


def failing() -> tr.Table:
    """Give a row, and then one that fails."""
    return tr.from_rows([{"t": "1"}, {"t": "x"}]).select(v=tr.col("t").cast("INT"))


def test_rows() -> None:
    """As dictionaries, in order."""
    assert list(numbers(3).rows()) == [{"v": 1}, {"v": 2}, {"v": 3}]


def test_rows_of_updates() -> None:
    """Each says what it does."""
    found = list(numbers(3).agg(total=tr.col("v").sum()).rows())

    assert found[0]["op"] == "+I"
    assert found[-1]["total"] == 6


def test_async_rows() -> None:
    """The loop goes on between them."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def main() -> list[int]:
        ticking = asyncio.create_task(tick())
        found = [row["v"] async for row in numbers(1000).rows()]
        ticking.cancel()
        return found

    assert asyncio.run(main()) == list(range(1, 1001))
    assert ticks > 0


def test_a_slow_reader_slows_the_pipeline() -> None:
    """What was read ahead stays within bounds, however long nobody reads."""
    endless = Endless()
    with endless.table.rows() as rows:
        first = next(iter(rows))
        before = -1
        deadline = time.monotonic() + 60
        while endless.made != before and time.monotonic() < deadline:
            before = endless.made
            time.sleep(1.0)
        assert endless.made == before, "it is read on and on"
    assert first == {"v": 1}
    assert endless.closed.wait(5)


def test_leaving_an_async_loop_stops_the_pipeline() -> None:
    """By `break`, and when its task is cancelled."""
    left, cancelled = Endless(), Endless()

    async def one() -> None:
        async for _ in left.table.rows():
            break

    async def main() -> None:
        await one()
        async with asyncio.timeout(10):
            await asyncio.to_thread(left.closed.wait)
        reading = asyncio.create_task(follow())
        await asyncio.to_thread(cancelled.begun.wait, 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        async with asyncio.timeout(10):
            await asyncio.to_thread(cancelled.closed.wait)

    async def follow() -> None:
        async for _ in cancelled.table.rows():
            await asyncio.sleep(0.001)

    asyncio.run(main())
    assert left.closed.is_set()
    assert cancelled.closed.is_set()


def test_errors_reach_the_reader() -> None:
    """In a thread, in a loop, and where all is collected."""

    async def follow() -> None:
        async for _ in failing().rows():
            pass

    with pytest.raises(TailraceError, match="x"):
        list(failing().rows())
    with pytest.raises(TailraceError, match="x"):
        asyncio.run(follow())
    with pytest.raises(TailraceError, match="x"):
        asyncio.run(failing().collect_async())


def test_collect_async() -> None:
    """It gives what `collect` gives, refuses what that refuses, and stops when nobody waits for it."""

    async def waits() -> None:
        async with asyncio.timeout(0.2):
            await stuck.collect_async()

    go = threading.Event()

    def halting() -> Iterator[dict[str, int]]:
        yield {"v": 1}
        go.wait(30)

    stuck = tr.from_rows(halting, {"v": int})
    assert asyncio.run(numbers(3).collect_async())["v"].to_list() == [1, 2, 3]
    with pytest.raises(ConfigError, match="an endless table can't be collected"):
        asyncio.run(Endless().table.collect_async())
    with pytest.raises(TimeoutError):
        asyncio.run(waits())
    go.set()


def test_many_streams_in_one_loop() -> None:
    """More than the loop has threads for."""

    async def read(count: int) -> int:
        return sum([row["v"] async for row in numbers(count).rows()])

    async def main() -> list[int]:
        return await asyncio.gather(*(read(n) for n in range(1, 21)))

    assert asyncio.run(main()) == [n * (n + 1) // 2 for n in range(1, 21)]


def test_in_a_notebook() -> None:
    """A table shows its columns without running; a sample is a frame, which shows itself."""
    table = tr.from_rows([{"a<b": 1}])

    assert "<td>a&lt;b</td><td>BIGINT</td>" in table._repr_html_()
    assert "<td>1</td>" in table.preview()._repr_html_()


def test_a_channel_makes_its_writer_wait() -> None:
    """Until there is room, or the reader has gone."""
    channel: Channel[int] = Channel(1)
    written: list[int] = []

    def write() -> None:
        for n in range(3):
            channel.put(n)
            written.append(n)

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.1)
    assert written == [0]
    assert channel.get() == 0
    channel.close()
    thread.join(5)
    assert written == [0, 1, 2]
    assert channel.get() is None


def test_a_channel_of_a_loop_that_is_gone() -> None:
    """Its reader is forgotten."""
    channel: Channel[int] = Channel(1)

    async def gives_up() -> None:
        async with asyncio.timeout(0.01):
            await channel.get_async()

    with pytest.raises(TimeoutError):
        asyncio.run(gives_up())
    channel.put(1)
    assert channel.get() == 1
