"""The connector `iterable`: rows of Python code, read on a thread of its own and a bounded number ahead."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from connector_kit import context, table

from tailrace.connectors import registry
from tailrace.connectors.base import Ended, Limit, Reader
from tailrace.connectors.iterable import feeds
from tailrace.connectors.iterable.feeder import ROWS_AHEAD
from tailrace.connectors.iterable.feeds import Feed
from tailrace.connectors.python_rows import as_bytes, frame_of
from tailrace.errors import TerminalError
from tailrace.schema import (
    BIGINT,
    DATE,
    INT,
    STRING,
    DataType,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    timestamp,
    timestamp_ltz,
)

OF = table("iterable", {"a": INT, "b": STRING}, name="rows")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Threads of the test have ended with it; those of other tests may wait for an item for ever."""
    before = set(threading.enumerate())
    yield
    feeds.forget("rows")
    deadline = time.monotonic() + 5
    while any(t.name == "tailrace-iterable" for t in set(threading.enumerate()) - before):
        assert time.monotonic() < deadline, "a thread still reads"
        time.sleep(0.01)


def reader(items: Any, position: int = 0, *, strict: bool = False) -> Reader:
    """Open a reader of an iterable."""
    feeds.register("rows", Feed(items, strict=strict))
    source = registry.source(OF, OF.schema, context())
    return source.open({"0": position} if position else {})


def until_end(of: Reader, rows: int = 32_768) -> list[tuple[Any, ...]]:
    """Read to the end; rows that were refused are left out."""
    found: list[tuple[Any, ...]] = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for block in of.poll(Limit(rows, 1 << 20, 0.05)):
            assert isinstance(block.values, pl.DataFrame)
            bad = {r.row for r in block.rejects}
            found += [row for i, row in enumerate(block.values.rows()) if i not in bad]
        if any(isinstance(c, Ended) for c in of.changes()):
            of.close()
            return found
    raise AssertionError("it does not end")


def numbers(count: int) -> Iterator[dict[str, Any]]:
    """Give rows one after the other."""
    for n in range(count):
        yield {"a": n, "b": str(n)}


async def slowly(count: int) -> AsyncIterator[dict[str, Any]]:
    """Give rows with pauses."""
    for n in range(count):
        await asyncio.sleep(0.001)
        yield {"a": n}


@pytest.mark.parametrize(
    "items",
    [
        list(numbers(3)),
        numbers(3),
        lambda: numbers(3),
        (r for r in [{"a": 0, "b": "0"}, {"a": 1, "b": "1"}, {"a": 2, "b": "2"}]),
    ],
    ids=["list", "generator", "function", "expression"],
)
def test_kinds(items: Any) -> None:
    """All give the same rows."""
    assert until_end(reader(items)) == [(0, "0"), (1, "1"), (2, "2")]


def test_async() -> None:
    """In a loop of the reading thread, also where this one has a loop that runs."""

    async def inside() -> list[tuple[Any, ...]]:
        return until_end(reader(slowly(3)))

    assert asyncio.run(inside()) == [(0, None), (1, None), (2, None)]


def test_nothing() -> None:
    """An empty iterable ends."""
    assert until_end(reader([])) == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_more_is_read_than_has_room(kind: str) -> None:
    """An endless iterable waits for its reader, and hears of the end of the reading."""
    made = [0]
    closed = threading.Event()

    def endless() -> Iterator[dict[str, int]]:
        try:
            while True:
                made[0] += 1
                yield {"a": made[0]}
        finally:
            closed.set()

    async def endless_async() -> AsyncIterator[dict[str, int]]:
        try:
            while True:
                made[0] += 1
                yield {"a": made[0]}
        finally:
            closed.set()

    of = reader(endless() if kind == "sync" else endless_async())
    deadline = time.monotonic() + 10
    while made[0] < ROWS_AHEAD and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert made[0] == ROWS_AHEAD

    first = of.poll(Limit(100, 1 << 20, 1.0))
    time.sleep(0.3)
    assert len(first[0]) == 100
    assert ROWS_AHEAD < made[0] <= ROWS_AHEAD + 101
    of.close()
    assert closed.wait(5)


def test_what_is_there_is_given_though_the_next_is_slow() -> None:
    """A row does not wait for the one behind it."""
    go = threading.Event()

    def two() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        go.wait(30)
        yield {"a": 2}

    of = reader(two())
    began = time.monotonic()
    blocks: list[Any] = []
    while not blocks and time.monotonic() - began < 5:
        blocks = of.poll(Limit(10, 1 << 20, 0.05))
    assert [len(b) for b in blocks] == [1]
    assert of.poll(Limit(10, 1 << 20, 0.0)) == []
    go.set()
    assert until_end(of) == [(2, None)]


def test_closing_does_not_wait_for_an_async_iterable_that_waits() -> None:
    """It is cancelled."""
    cancelled = threading.Event()

    async def stuck() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    of = reader(stuck())
    while not of.poll(Limit(10, 1 << 20, 0.1)):
        pass
    of.close()

    assert cancelled.wait(5)


def test_going_on_behind_a_position() -> None:
    """Rows and parts of frames that were read before are left out."""
    assert until_end(reader(lambda: numbers(5), 3)) == [(3, "3"), (4, "4")]
    frames = [pl.DataFrame({"a": [n, n + 1], "b": ["x", "y"]}) for n in (0, 10, 20)]
    assert until_end(reader(frames, 3)) == [(11, "y"), (20, "x"), (21, "y")]


def test_frames_are_cut_to_the_limit() -> None:
    """And may stand between rows."""
    items = [pl.DataFrame({"a": range(5), "b": ["x"] * 5, "more": [1] * 5}), {"a": 9}]

    assert [row[0] for row in until_end(reader(items), rows=2)] == [0, 1, 2, 3, 4, 9]


def test_an_iterator_is_read_once() -> None:
    """A list as often as it is asked for."""
    feeds.register("rows", Feed(numbers(1)))
    source = registry.source(OF, OF.schema, context())
    assert until_end(source.open({})) == [(0, "0")]
    again = source.open({})
    with pytest.raises(TerminalError, match="an iterator can be read once"):
        until_end(again)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_iterable_that_raises(kind: str) -> None:
    """The rows before it are given; then it is told."""

    def failing() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        raise ValueError("no more paper")

    async def failing_async() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}
        raise ValueError("no more paper")

    of = reader(failing() if kind == "sync" else failing_async())
    found = 0
    while not found:
        found = sum(map(len, of.poll(Limit(10, 1 << 20, 0.05))))
    assert found == 1
    with pytest.raises(TerminalError, match="the iterable of table 'rows' raised ValueError: no more paper"):
        of.poll(Limit(10, 1 << 20, 5.0))


def test_a_name_that_is_not_there() -> None:
    """As in a script that another process wrote."""
    source = registry.source(OF, OF.schema, context())

    assert not source.check().ok
    with pytest.raises(TerminalError, match="no iterable of this process has the name 'rows'"):
        source.open({})


@dataclass
class Point:
    """A row as an object."""

    a: int
    b: str


def rejects(rows: list[Any], *, strict: bool = False) -> dict[int, str]:
    """Give the reasons for which rows are refused."""
    return {i: r.reason for i, r in frame_of(rows, OF.schema, ("a", "b") if strict else None)[1].items()}


def test_rows_that_do_not_fit() -> None:
    """Each is told by its number, and the others are read."""
    rows = [{"a": 1}, {"a": "x"}, {"a": 2**40}, 7, None, ["a"], Point(3, "p"), {"a": 4, "b": 5}, {"c": 1}]
    frame, bad = frame_of(rows, OF.schema, None)

    assert sorted(bad) == [1, 2, 3, 4, 5, 7]
    assert bad[1].reason == "a value of column 'a' is no INT: str"
    assert bad[3].reason.endswith("this is int")
    assert frame["a"].to_list() == [1, None, None, None, None, None, 3, 4, None]
    assert frame["b"].to_list()[6] == "p"


def test_keys_that_are_no_columns() -> None:
    """They are left out, or refused where the columns were taken from other rows."""
    assert rejects([{"a": 1, "z": 2}]) == {}
    assert "a row has 'z', which the first rows have not" in rejects([{"a": 1, "z": 2}], strict=True)[0]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (timestamp(3), "2026-01-02 03:04:05.678", datetime(2026, 1, 2, 3, 4, 5, 678000)),
        (timestamp(3), "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
        (timestamp(3), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2025, 12, 31, 23)),
        (timestamp_ltz(3), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        (DATE, "2026-01-02", date(2026, 1, 2)),
        (decimal(10, 2), 7, Decimal("7.00")),
        (decimal(10, 2), "7.5", Decimal("7.50")),
        (array(BIGINT), [1, None], [1, None]),
        (map_type(STRING, BIGINT), {"k": 1}, [{"key": "k", "value": 1}]),
        (BIGINT, None, None),
    ],
    ids=lambda v: str(v)[:20].replace(" ", "_"),
)
def test_values(kind: DataType, value: Any, expected: Any) -> None:
    """Python values as columns have them; times, dates and decimals may be texts."""
    frame, bad = frame_of([{"v": value}], Schema((Field("v", kind),)), None)

    assert not bad
    assert frame["v"].to_list() == [expected]
    assert frame["v"].dtype == kind.polars


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (timestamp(3), "soon"),
        (timestamp(3), 5),
        (DATE, "2026-13-01"),
        (decimal(4, 2), Decimal("1e9")),
        (array(BIGINT), ["x"]),
        (BIGINT, 1.5),
    ],
    ids=lambda v: str(v)[:20].replace(" ", "_"),
)
def test_values_that_do_not_fit(kind: DataType, value: Any) -> None:
    """They are refused, beside one that fits."""
    frame, bad = frame_of([{"v": value}, {"v": None}], Schema((Field("v", kind),)), None)

    assert list(bad) == [0]
    assert frame["v"].dtype == kind.polars


def test_not_null() -> None:
    """A column that has no NULL refuses a row without a value."""
    _, bad = frame_of([{"v": 1}, {}], Schema((Field("v", BIGINT.with_nullable(False)),)), None)

    assert {i: r.reason for i, r in bad.items()} == {1: "column 'v' is NOT NULL"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [({"a": datetime(2026, 1, 1)}, b'{"a": "2026-01-01 00:00:00"}'), (Point(1, "x"), b'{"a": 1, "b": "x"}'), (7, b"7")],
    ids=["dictionary", "object", "number"],
)
def test_rows_as_bytes(row: Any, expected: bytes) -> None:
    """For dead letters."""
    assert as_bytes(row) == expected


def test_a_row_that_is_no_json() -> None:
    """It is told by its text."""
    looped: dict[str, Any] = {}
    looped["self"] = looped
    make: Callable[[Any], bytes] = as_bytes

    assert make({(1, 2): 3}) == b"{(1, 2): 3}"
    assert make(looped) == b"{'self': {...}}"
