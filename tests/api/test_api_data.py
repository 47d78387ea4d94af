"""Data of this process as tables: frames, Arrow, pandas, iterables and async iterables."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pytest

import tailrace as tr
from tailrace.connectors import memory
from tailrace.connectors.iterable import feeds
from tailrace.errors import ConfigError, TailraceError

COLUMNS = {"n": int, "word": str}


def total(table: tr.Table) -> int:
    """Add up the column `n`."""
    found: int = table.agg(total=tr.col("n").sum()).collect().item()
    return found


def generated(count: int = 10) -> Iterator[dict[str, Any]]:
    """Give rows one after the other."""
    for n in range(count):
        yield {"n": n, "word": str(n)}


async def arriving(count: int = 10) -> AsyncIterator[dict[str, Any]]:
    """Give rows with pauses between them."""
    for row in generated(count):
        await asyncio.sleep(0)
        yield row


FRAME = pl.DataFrame(list(generated()))
SOURCES: dict[str, Callable[[], tr.Table]] = {
    "list": lambda: tr.from_rows(list(generated())),
    "list_with_columns": lambda: tr.from_rows(list(generated()), COLUMNS),
    "generator": lambda: tr.from_rows(generated()),
    "generator_with_columns": lambda: tr.from_rows(generated(), COLUMNS),
    "function": lambda: tr.from_rows(generated, COLUMNS),
    "async_generator": lambda: tr.from_rows(arriving(), COLUMNS),
    "async_function": lambda: tr.from_rows(arriving, COLUMNS),
    "polars": lambda: tr.from_polars(FRAME),
    "polars_lazy": lambda: tr.from_polars(FRAME.lazy()),
    "polars_frames": lambda: tr.from_polars(FRAME.iter_slices(3)),
    "polars_list_of_frames": lambda: tr.from_polars([FRAME[:4], FRAME[4:]]),
    "pandas": lambda: tr.from_pandas(FRAME.to_pandas()),
    "pandas_frames": lambda: tr.from_pandas(part for part in (FRAME[:4].to_pandas(), FRAME[4:].to_pandas())),
    "arrow_table": lambda: tr.from_arrow(FRAME.to_arrow()),
    "arrow_batch": lambda: tr.from_arrow(FRAME.to_arrow().to_batches()[0]),
    "arrow_batches": lambda: tr.from_arrow(FRAME.to_arrow().to_batches(3)),
    "arrow_reader": lambda: tr.from_arrow(FRAME.to_arrow().to_reader(3)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_kinds(kind: str) -> None:
    """All give the same rows with the same types."""
    table = SOURCES[kind]()

    assert table.columns == ("n", "word")
    assert table.collect().equals(FRAME)


def test_in_a_running_loop() -> None:
    """As in a notebook: an async iterable has a loop of its own."""

    async def cell() -> int:
        return total(tr.from_rows(arriving(), COLUMNS))

    assert asyncio.run(cell()) == 45


def test_an_iterable_is_read_as_far_as_it_is_needed() -> None:
    """An endless one can be looked at, and stays where it is."""
    made = [0]
    closed = threading.Event()

    def endless() -> Iterator[dict[str, int]]:
        try:
            while True:
                made[0] += 1
                yield {"n": made[0]}
        finally:
            closed.set()

    table = tr.from_rows(endless(), {"n": int}, bounded=False)
    assert made[0] == 0
    assert table.preview(5)["n"].to_list() == [1, 2, 3, 4, 5]
    assert closed.wait(5)
    assert made[0] < 5_000_000


def test_what_may_never_end_is_not_collected() -> None:
    """It is refused before it is read."""
    with pytest.raises(ConfigError, match="an endless table can't be collected"):
        tr.from_rows(generated(), COLUMNS, bounded=False).collect()
    assert sum(map(len, tr.from_rows(generated(3), COLUMNS, bounded=False))) == 3  # it ends all the same


@dataclass
class Reading:
    """A row as an object."""

    n: int
    word: str | None


def test_objects() -> None:
    """Rows of the class that has the columns."""
    table = tr.from_rows((Reading(n, None) for n in range(3)), Reading)

    assert str(table.schema["n"].type) == "BIGINT NOT NULL"
    assert total(table) == 3


def test_windows_over_an_iterable() -> None:
    """With a time that comes as text."""
    rows = ({"user": "a", "ts": f"2026-01-01 00:0{n // 2}:{n % 2}0"} for n in range(6))
    table = tr.from_rows(rows, {"user": str, "ts": "TIMESTAMP(3)"}, time=tr.event_time("ts"))
    counted = table.window(tr.tumble("1m")).group_by("user").agg(n=tr.count()).select("n").collect()

    assert counted["n"].to_list() == [2, 2, 2]


def test_rows_that_do_not_fit_follow_the_policy() -> None:
    """By default the first ends the job; it is named."""
    table = tr.from_rows([{"n": 1}, {"n": "x"}], {"n": int}, name="mixed")

    with pytest.raises(
        TailraceError, match="source 'mixed', partition '0', offset 1: a value of column 'n' is no BIGINT: str"
    ):
        table.collect()


def test_dead_letters() -> None:
    """A row that does not fit is there as it was."""
    dead = tr.read("memory", {"reason": str, "payload": str}, name="dead", options={"name": "letters-of-rows"})
    table = tr.from_rows([{"n": 1}, {"n": "x"}, 7, {"n": 2}], {"n": int}, name="mixed", dead_letters=dead)

    assert table.to("blackhole").run().rows_in == 4
    assert [row[1] for row in memory.table("letters-of-rows").rows()] == ['{"n": "x"}', "7"]
    memory.drop("letters-of-rows")


def test_a_key_that_the_first_rows_have_not() -> None:
    """It is not lost silently."""
    rows = ({"n": n} if n < 2000 else {"n": n, "late": 1} for n in range(2001))

    with pytest.raises(TailraceError, match="offset 2000: a row has 'late', which the first rows have not"):
        tr.from_rows(rows).collect()


def test_state_goes_on_behind_the_rows_that_were_read(tmp_path: Path) -> None:
    """A pipeline that was stopped leaves out what it has read, whatever has become of the iterable since."""
    go = threading.Event()

    def halting() -> Iterator[dict[str, Any]]:
        yield from generated(3)
        go.wait(30)
        yield from ({"n": n, "word": ""} for n in range(3, 5))

    def run(rows: Iterator[dict[str, Any]]) -> tr.Running:
        table = tr.from_rows(rows, COLUMNS, name="rows")
        return table.select("n").to_sqlite(str(tmp_path / "out.db"), "out").start("goes-on", state=tmp_path / "state")

    with run(halting()) as job:
        while not ((status := job.status()) and sum(s.rows for s in status.sinks) >= 3):
            with pytest.raises(TimeoutError):
                job.wait(0.05)
    go.set()
    with run(halting()) as job:
        assert job.wait(60).rows_in == 2

    with sqlite3.connect(tmp_path / "out.db") as connection:
        assert connection.execute("SELECT n FROM out ORDER BY n").fetchall() == [(n,) for n in range(5)]
    connection.close()


def test_an_iterator_runs_once() -> None:
    """A second run says what to do; a function that makes it runs again."""
    once, again = tr.from_rows(generated(), COLUMNS), tr.from_rows(generated, COLUMNS)
    assert total(once) == total(again) == total(again) == 45

    with pytest.raises(TailraceError, match="an iterator can be read once, and was"):
        once.collect()


def test_a_table_that_is_gone_keeps_nothing() -> None:
    """Its iterable is let go of with it."""
    table = tr.from_rows(generated(), COLUMNS)
    gc.collect()
    before = len(feeds._feeds)
    del table
    gc.collect()

    assert len(feeds._feeds) == before - 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tr.from_rows({"n": 1}), "this is one row"),
        (lambda: tr.from_rows("text"), "this is no rows: str"),
        (lambda: tr.from_rows(7), "this is no rows: int"),  # type: ignore[arg-type]
        (lambda: tr.from_rows(FRAME), "use from_polars"),
        (lambda: tr.from_rows([]), "there are no rows to take the columns from"),
        (lambda: tr.from_rows(iter([])), "there are no rows to take the columns from"),
        (lambda: tr.from_rows([{"n": object()}, 7]), "the rows have no columns of one type each"),
        (lambda: tr.from_rows(generated), "the columns of a function must be given"),
        (lambda: tr.from_rows(arriving()), "the columns of an async iterable must be given"),
        (lambda: tr.from_rows([{"n": 1}], {"n": object}), "there is no SQL type for"),
        (lambda: tr.from_polars(7), "these are no frames: int"),  # type: ignore[arg-type]
        (lambda: tr.from_polars([]), "there are no frames to take the columns from"),
        (lambda: tr.from_polars(iter([FRAME.to_dicts])), "these are no frames"),  # type: ignore[arg-type]
        (lambda: tr.from_pandas([1]), "these are no frames"),
        (lambda: tr.from_arrow(["x"]), "these are no frames"),  # type: ignore[list-item]
    ],
)
def test_bad_input(make: Callable[[], tr.Table], message: str) -> None:
    """It is refused at the line that wrote it."""
    with pytest.raises(ConfigError, match=message) as caught:
        make()
    assert caught.value.location is not None
    assert caught.value.location.file.endswith("test_api_data.py")


def test_a_reader_without_batches() -> None:
    """It has columns all the same."""
    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), [])

    assert tr.from_arrow(reader).collect().schema == {"n": pl.Int64}


def test_a_frame_without_the_columns_of_the_first() -> None:
    """It ends the job, naming the column."""
    with pytest.raises(TailraceError, match="a frame of table 'parts' has no column 'n'"):
        tr.from_polars([FRAME, pl.DataFrame({"m": [1]})], name="parts").collect()


def test_results_as_pandas_and_arrow() -> None:
    """A collected result is a Polars frame, which gives both."""
    found = tr.from_rows(list(generated(3))).filter(tr.col("n") > 0).collect()

    assert isinstance(found.to_pandas(), pd.DataFrame)
    assert found.to_pandas()["n"].tolist() == [1, 2]
    assert found.to_arrow().to_pylist() == [{"n": 1, "word": "1"}, {"n": 2, "word": "2"}]
