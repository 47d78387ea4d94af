"""Pipelines inside of a program: several at once, in event loops, interrupted, and at the program's end."""

from __future__ import annotations

import asyncio
import os
import queue
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tailrace as tr
from tailrace.errors import TailraceError

OFTEN = {"execution.checkpointing.interval": "20 ms"}


def counted(count: int, pause: float = 0.0) -> Iterator[dict[str, int]]:
    """Give numbers from 0, now and then with a pause."""
    for n in range(count):
        if pause and n % 100 == 0:
            time.sleep(pause)
        yield {"n": n}


def numbers(count: int, pause: float = 0.0, name: str = "numbers") -> tr.Table:
    """Give numbers from 0, which can be read again."""
    return tr.from_rows(lambda: counted(count, pause), {"n": int}, name=name)


def endless(name: str = "endless") -> tr.Table:
    """Give rows without an end."""
    return tr.read("datagen", {"id": int}, name=name, options={"rows-per-second": "1000"})


def fails(name: str = "fails") -> tr.Table:
    """Give rows, of which one fails after a while."""
    table = tr.from_rows(({"t": str(n) if n < 500 else "x"} for n in range(1000)), {"t": str}, name=name)
    return table.select(n=tr.col("t").cast("BIGINT"))


def stored(database: Path, table: str = "out") -> list[Any]:
    """Give the numbers that a pipeline has written."""
    connection = sqlite3.connect(database)
    found = [n for (n,) in connection.execute(f"SELECT n FROM {table} ORDER BY n")]
    connection.close()
    return found


@tr.udf
async def tripled(n: int) -> int:
    """Wait a little, as for a service."""
    await asyncio.sleep(0)
    return 3 * n


def test_several_at_once_and_one_fails(tmp_path: Path) -> None:
    """The others come to their end, each with its own rows; all call the same function."""
    database = tmp_path / "out.db"
    jobs = [
        numbers(2000, 0.01, f"numbers_{i}")
        .select(n=tr.call(tripled, tr.col("n")) + i)
        .to_sqlite(str(database.with_name(f"{i}.db")), "out")
        .start(f"job-{i}", state=tmp_path / f"state-{i}", settings=OFTEN)
        for i in range(4)
    ]
    failing = fails().to("blackhole").start("failing")
    going_on = endless().to("blackhole").start("going-on")

    with pytest.raises(TailraceError, match="CAST to BIGINT"):
        failing.wait(60)
    assert [job.wait(120).rows_out for job in jobs] == [2000] * 4
    assert failing.state == "failed"
    assert going_on.state == "running"
    going_on.stop()
    assert not going_on.wait(30).finished
    assert [job.state for job in jobs] == ["finished"] * 4
    assert going_on.state == "stopped"
    for i in range(4):
        assert stored(tmp_path / f"{i}.db") == [3 * n + i for n in range(2000)]


def test_a_pipeline_runs_twice_at_the_same_time() -> None:
    """What is started twice is two jobs."""
    pipeline = numbers(500).to("blackhole")
    jobs = [pipeline.start("first"), pipeline.start("second")]

    assert [job.wait(60).rows_out for job in jobs] == [500, 500]


def test_a_state_folder_is_used_by_one(tmp_path: Path) -> None:
    """The second is refused, and does not harm the first."""
    with endless().to("blackhole").start("first", state=tmp_path / "state") as first:
        while first.state == "starting":
            time.sleep(0.01)
        with pytest.raises(TailraceError, match="state"):
            endless().to("blackhole").start("second", state=tmp_path / "state").wait(30)
        assert first.state == "running"


def test_stopped_while_it_takes_checkpoints(tmp_path: Path) -> None:
    """Stopped at any moment, and started again, it has each row once."""
    database, chance = tmp_path / "out.db", random.Random(7)  # noqa: S311  any moments will do
    pipeline = numbers(3000, 0.005).to_sqlite(str(database), "out")
    finished, stops, checkpoints = False, 0, 0
    while not finished:
        job = pipeline.start("often", state=tmp_path / "state", settings=OFTEN)
        with pytest.raises(TimeoutError):  # a run is longer than this
            job.wait(chance.uniform(0.0, 0.1) if stops < 5 else 0.0)
        if stops < 5:
            job.stop()
            stops += 1
        summary = job.wait(120)
        finished, checkpoints = summary.finished, checkpoints + summary.checkpoints

    assert stops == 5
    assert checkpoints > 5
    assert stored(database) == list(range(3000))


def test_what_was_taken_from_a_queue_is_put_through(tmp_path: Path) -> None:
    """It does not come again: what waits for the engine when the pipeline is stopped is not lost, nor taken twice."""
    inboxes: list[queue.SimpleQueue[int | None]] = []
    taken: list[int] = []

    def received() -> Iterator[dict[str, int]]:
        inbox = inboxes[-1]
        while (n := inbox.get(timeout=60)) is not None:
            taken.append(n)
            yield {"n": n}

    rows = tr.from_rows(received, {"n": int}, name="inbox", bounded=False)
    pipeline = rows.to_sqlite(str(tmp_path / "out.db"), "out")
    left = 0
    for first in (0, 50_000):
        inboxes.append(queue.SimpleQueue())
        for n in range(first, first + 50_000):
            inboxes[-1].put(n)
        before = len(taken)
        with pipeline.start("inbox", state=tmp_path / "state", settings=OFTEN) as job:
            while len(taken) == before:
                with pytest.raises(TimeoutError):
                    job.wait(0.001)
        left += inboxes[-1].qsize()
        inboxes[-1].put(None)

    assert stored(tmp_path / "out.db") == taken
    assert len(taken) + left == 100_000


def test_stopped_before_it_has_begun() -> None:
    """It has read nothing, and says so."""
    job = endless().to("blackhole").start()
    job.stop()
    summary = job.wait(30)

    assert not summary.finished
    assert job.state in ("starting", "stopped")


def test_async_forms() -> None:
    """Started, looked at, stopped and awaited in an event loop."""

    async def main() -> None:
        job = await endless().to("blackhole").astart("one")
        assert job.state == "running"
        assert job.status() is not None
        summary = await job.astop()
        assert not summary.finished
        assert job.state == "stopped"

        async with endless().to("blackhole").start("two") as second:
            assert second.state == "running"
        assert second.state == "stopped"
        assert (await numbers(10).to("blackhole").start()).rows_in == 10

    asyncio.run(main())


def test_what_can_not_begin() -> None:
    """It is told where it is started."""

    async def main() -> None:
        nowhere = numbers(10).to_sqlite("/no/such/folder/out.db", "out")
        with pytest.raises(TailraceError, match="/no/such/folder"):
            await nowhere.astart()
        with pytest.raises(TailraceError, match="/no/such/folder"):
            async with nowhere.start():
                raise AssertionError("it runs")

    asyncio.run(main())


def test_many_are_awaited_in_one_loop() -> None:
    """More than the loop has threads for; and it goes on to do other things in threads."""

    async def main() -> list[int]:
        jobs = [numbers(100, 0.05, f"n_{i}").to("blackhole").start(f"job-{i}") for i in range(20)]
        waiting = [asyncio.ensure_future(job) for job in jobs]
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 10) == 7
        return [summary.rows_in for summary in await asyncio.gather(*waiting)]

    assert asyncio.run(main()) == [100] * 20


def test_who_stops_to_wait_does_not_stop_the_pipeline() -> None:
    """`wait_for` gives up, the pipeline goes on."""

    async def main() -> None:
        async with endless().to("blackhole").start() as job:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(job, 0.1)
            assert job.state == "running"

    asyncio.run(main())


def test_an_error_of_the_block_goes_first() -> None:
    """And tells that the pipeline failed too."""

    def inside(error: Exception | None) -> tr.Running:
        with fails().to("blackhole").start("failing") as job:
            jobs.append(job)
            while job.running:
                time.sleep(0.01)
            if error is not None:
                raise error
        return job

    jobs: list[tr.Running] = []
    with pytest.raises(KeyError) as caught:
        inside(KeyError("mine"))
    with pytest.raises(TailraceError, match="CAST to BIGINT"):
        inside(None)

    job = jobs[-1]
    assert "pipeline 'failing' failed too" in caught.value.__notes__[0]
    status = job.status()
    assert status is not None
    assert status.state == "failed"
    assert repr(job) == "<Running failing: failed>"


PROGRAM = """
import signal

import tailrace as tr

signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may have been started with it ignored

rows = tr.read_files(
    "in", {{"n": int}}, name="files", options={{"source.monitor-interval": "50 ms"}}
).to_sqlite("out.db", "out")
started = dict(name="files", state="state", settings={{"execution.checkpointing.interval": "1 h"}})
{body}
"""
RUN = "print('begins', flush=True)\nrows.run(**started)"
WITH = """
import time
with rows.start(**started) as job:
    while not (job.status() and sum(s.rows for s in job.status().sinks) >= 3):
        time.sleep(0.01)
    print("begins", flush=True)
    job.wait()
"""
LEFT = """
import time
job = rows.start(**started)
while not (job.status() and sum(s.rows for s in job.status().sinks) >= 3):
    time.sleep(0.01)
print("left", flush=True)
"""


def program(folder: Path, body: str, *, interrupt: bool = False) -> tuple[int, str]:
    """
    Run a program with a pipeline that reads a folder without an end; give its status and what it wrote to standard error.

    With `interrupt` Ctrl-C is pressed when it has been running for a while.
    """
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / "1.json").write_text("".join(f'{{"n": {n}}}\n' for n in range(3)))
    (folder / "program.py").write_text(PROGRAM.format(body=body))
    with subprocess.Popen(
        [sys.executable, "program.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            said = running.stdout.readline()
            if interrupt:
                assert said == "begins\n"
                time.sleep(1)
                running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=60)
        finally:
            running.kill()
    return running.returncode, errors


@pytest.mark.parametrize("body", [RUN, WITH], ids=["run", "with"])
def test_ctrl_c(body: str, tmp_path: Path) -> None:
    """It ends the program as it ends any other, and the next run has each row once."""
    status, said = program(tmp_path, body, interrupt=True)

    assert status in (1, 130, -signal.SIGINT), said
    assert said.strip().endswith("KeyboardInterrupt")
    if body == WITH:  # it was stopped in good order, though no checkpoint was due
        assert stored(tmp_path / "out.db") == [0, 1, 2]
    (tmp_path / "in" / "2.json").write_text('{"n": 3}\n')
    assert program(tmp_path, LEFT.replace(">= 3", ">= 1"))[0] == 0
    assert stored(tmp_path / "out.db") == [0, 1, 2, 3]


def test_what_still_runs_at_the_end_is_stopped_in_good_order(tmp_path: Path) -> None:
    """A program that never stops its pipeline loses nothing of what was read."""
    status, said = program(tmp_path, LEFT)

    assert status == 0, said
    assert stored(tmp_path / "out.db") == [0, 1, 2]


def test_no_thread_is_left(tmp_path: Path) -> None:
    """What has ended has left no thread behind."""
    with endless().to("blackhole").start("gone", state=tmp_path / "state"):
        time.sleep(0.2)
    deadline = time.monotonic() + 10
    while (left := [t.name for t in threading.enumerate() if "gone" in t.name]) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert left == []


NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "payments.ipynb"


def test_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of the notebook run in order, in an event loop that runs, as in a notebook."""
    import ast  # noqa: PLC0415  for this test alone
    import inspect  # noqa: PLC0415
    import json  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    (tmp_path / "payments.json").write_bytes(NOTEBOOK.with_name("payments.json").read_bytes())
    cells = ["".join(c["source"]) for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]
    names: dict[str, Any] = {}

    async def notebook() -> None:
        for number, cell in enumerate(cells):
            code = compile(cell, f"<cell {number}>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)  # noqa: S307  the project's own notebook
            if inspect.isawaitable(result):
                await result

    asyncio.run(notebook())
    assert len(cells) >= 4
    assert names["found"].rows() == [("card-7", 24)]
    assert names["first"]["card"].startswith("card-")
    assert names["summary"].rows_in == 200
    assert os.path.exists("busy.db")  # noqa: PTH110  as short as can be
