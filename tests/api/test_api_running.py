"""Pipelines of the API while they run: streams, threads, state."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import polars as pl
import pytest

import tailrace as tr
from tailrace.errors import ConfigError, TailraceError


def numbers(count: int = 5) -> tr.Table:
    """Give numbers from 1."""
    return tr.from_polars(pl.DataFrame({"v": range(1, count + 1)}), name="numbers")


def endless() -> tr.Table:
    """Give rows without an end."""
    return tr.read("datagen", {"id": int}, name="endless", options={"rows-per-second": "1000"})


def test_stream_of_a_bounded_table() -> None:
    """It ends by itself."""
    assert pl.concat(list(numbers()))["v"].to_list() == [1, 2, 3, 4, 5]


def test_stream_of_updates() -> None:
    """Each row says what it does."""
    frames = pl.concat(list(numbers(3).agg(total=tr.col("v").sum())))

    assert frames.columns == ["op", "total"]
    assert frames.filter(pl.col("op").is_in(["+I", "+U"]))["total"].to_list()[-1] == 6


def test_stream_of_an_endless_table_is_closed() -> None:
    """It gives rows while it runs, and stops with its block."""
    with endless().stream() as stream:
        frame = next(iter(stream))

    assert len(frame) > 0


def test_preview() -> None:
    """A few rows of what never ends."""
    assert len(endless().preview(7)) == 7
    assert len(numbers(3).preview(7)) == 3


def test_async() -> None:
    """Rows and the end of a pipeline can be awaited."""

    async def both() -> tuple[int, int]:
        read = [frame async for frame in numbers()]
        summary = await numbers(4).to("blackhole").start()
        return sum(map(len, read)), summary.rows_out

    assert asyncio.run(both()) == (5, 4)


def test_an_error_is_raised_where_the_rows_are_read() -> None:
    """A cast that fails in the pipeline reaches the reader."""
    failing = tr.from_rows([{"t": "1"}, {"t": "x"}], name="texts").select(v=tr.col("t").cast("INT"))

    with pytest.raises(TailraceError, match="x"):
        list(failing)
    with pytest.raises(TailraceError, match="x"):
        failing.to("blackhole").start().wait()


def test_several_sinks_are_one_job(tmp_path: Path) -> None:
    """What two queries share is read once, and both tables are written."""
    t = numbers()
    database = str(tmp_path / "out.db")
    pipeline = t.filter(tr.col("v") > 3).to_sqlite(database, "big") + t.agg(n=tr.count()).to_sqlite(
        database, "counted", primary_key="n"
    )
    summary = pipeline.run("both")

    assert summary.rows_in == 5
    assert pipeline.sql().count("INSERT INTO") == 2
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT v FROM big ORDER BY v").fetchall() == [(4,), (5,)]
        assert connection.execute("SELECT n FROM counted").fetchall() == [(5,)]
    connection.close()


def test_start_and_stop() -> None:
    """It runs beside the program, tells how far it is, and stops in good order."""
    job = endless().to("blackhole").start("beside")
    try:
        with pytest.raises(TimeoutError, match="'beside' still runs"):
            job.wait(0.3)
        status = job.status()
        assert job.running
        assert status is not None
    finally:
        job.stop()

    assert not job.wait(30).finished
    assert not job.running


def test_state_goes_on(tmp_path: Path) -> None:
    """With a folder for its state a pipeline that was stopped goes on where it was."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.json").write_text('{"v": 1}\n{"v": 2}\n')
    source = tr.read_files(
        str(tmp_path / "in"), {"v": int}, name="files", options={"source.monitor-interval": "100 ms"}
    )
    pipeline = source.to_sqlite(str(tmp_path / "out.db"), "rows")

    def run_until(rows: int) -> None:
        with pipeline.start("files", state=tmp_path / "state") as job:
            for _ in range(300):
                if (status := job.status()) and sum(s.rows for s in status.sinks) >= rows:
                    return
                with pytest.raises(TimeoutError):
                    job.wait(0.1)

    run_until(2)
    (tmp_path / "in" / "2.json").write_text('{"v": 3}\n')
    run_until(1)

    with sqlite3.connect(tmp_path / "out.db") as connection:
        assert connection.execute("SELECT v FROM rows ORDER BY v").fetchall() == [(1,), (2,), (3,)]
    connection.close()


def test_a_sink_that_takes_no_updates() -> None:
    """It is refused before anything runs, at the line that wrote it."""
    with pytest.raises(ConfigError, match=r"update"):
        numbers().agg(n=tr.count()).to_files("/nowhere")


def test_insert_into() -> None:
    """Rows go into a table that was defined before."""
    out = tr.read("blackhole", {"v": int}, name="out")

    assert numbers().insert_into(out).run().rows_out == 5
