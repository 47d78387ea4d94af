"""The thread of a sink that keeps rows which were not taken: tried again, gathered for a while, and no row twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import polars as pl
import pytest

from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.coordinator import Event, Prepared
from tailrace.runtime.halt import Halt
from tailrace.runtime.outlet import Barrier, Outlet

ROWS = pl.DataFrame({"n": [1, 2]})


class Gathering(AtLeastOnceSink):
    """Gathers rows; handing them on fails so many times."""

    resumes = True

    def __init__(self, failures: int = 0, linger: float = 0.0, most: int = 100) -> None:
        self.linger_seconds = linger
        self.waiting: list[pl.DataFrame] = []
        self.taken: list[list[int]] = []
        self.flushed = threading.Event()
        self._failures = failures
        self._most = most

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        self.waiting.append(batch)

    @property
    def full(self) -> bool:
        return sum(map(len, self.waiting)) >= self._most

    def flush(self) -> None:
        if self._failures:
            self._failures -= 1
            raise TransientError("away")
        if self.waiting:
            self.taken.append(pl.concat(self.waiting)["n"].to_list())
            self.waiting = []
            self.flushed.set()

    def prepare(self, epoch: int) -> None:
        self.flush()

    def check(self) -> Report:
        return Report(True, "")

    def close(self) -> None:
        """There is nothing to let go of."""


class Run:
    """An outlet that runs, and what it reports."""

    def __init__(self, sink: Gathering, retry_seconds: float = 30.0) -> None:
        self.halt = Halt()
        self.prepared = threading.Event()
        self.outlet = Outlet("s", sink, 1 << 20, self.halt, self._hear, retry_seconds)
        self.outlet.start()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Prepared):
            self.prepared.set()


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    made: list[Run] = []
    yield made
    for run in made:
        assert run.outlet.stop(5)


def test_what_was_not_taken_is_tried_again(runs: list[Run]) -> None:
    sink = Gathering(failures=2)
    runs.append(run := Run(sink))
    run.outlet.put(ROWS)
    assert sink.flushed.wait(5)
    assert sink.taken == [[1, 2]]
    assert run.outlet.retries == 2
    assert run.outlet.away == ""
    assert run.halt.failure is None


def test_a_checkpoint_waits_until_all_is_taken(runs: list[Run]) -> None:
    sink = Gathering(failures=1, linger=60)
    runs.append(run := Run(sink))
    run.outlet.put(ROWS)
    run.outlet.mark(Barrier(1))
    assert run.prepared.wait(5)
    assert sink.taken == [[1, 2]]


def test_it_gives_up_in_the_end(runs: list[Run]) -> None:
    sink = Gathering(failures=1_000)
    runs.append(run := Run(sink, retry_seconds=0.2))
    run.outlet.put(ROWS)
    until = time.monotonic() + 10
    while run.halt.failure is None and time.monotonic() < until:
        time.sleep(0.02)
    assert isinstance(run.halt.failure, TerminalError)
    assert "away" in str(run.halt.failure)
    assert sink.taken == []


def test_rows_wait_for_more(runs: list[Run]) -> None:
    sink = Gathering(linger=0.3)
    runs.append(run := Run(sink))
    run.outlet.put(ROWS)
    assert not sink.flushed.wait(0.05)
    run.outlet.put(ROWS)
    assert sink.flushed.wait(5)
    assert sink.taken == [[1, 2, 1, 2]]


def test_one_that_is_full_waits_no_longer(runs: list[Run]) -> None:
    sink = Gathering(linger=60, most=3)
    runs.append(run := Run(sink))
    run.outlet.put(ROWS)
    run.outlet.put(ROWS)
    assert sink.flushed.wait(5)
    assert sink.taken == [[1, 2, 1, 2]]
