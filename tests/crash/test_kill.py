"""
kill -9 at any moment, also during recovery: what comes out is what an undisturbed batch computation gives.

`TAILRACE_KILLS` sets how often it kills (55), `TAILRACE_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

KILLS = int(os.environ.get("TAILRACE_KILLS", "55"))
SEED = int(os.environ.get("TAILRACE_SEED", str(time.time_ns() % 1_000_000)))
ROWS = 600_000
RATE = "2000"
"""Rows a second while it is killed: five minutes of them, so that it is never done before."""
UNLIMITED = "0"
AT_ONCE, IN_RECOVERY = 0.1, 0.3
"""The shares of kills that come at once, and as soon as the job has its folder; the others come after its first checkpoint."""
LONGEST = 60.0
"""So many seconds a run may take to its first checkpoint, on the slowest machine."""

SCRIPT = f"""
SET 'execution.checkpointing.interval' = '40 ms';
SET 'table.local-time-zone' = 'UTC';

CREATE TABLE events (
  id BIGINT,
  ts AS TO_TIMESTAMP_LTZ(1000000 + id * 10 - MOD(id, 5) * 3000, 3),
  WATERMARK FOR ts AS ts - INTERVAL '20' SECOND
) WITH (
  'connector' = 'datagen', 'rows-per-second' = '${{RATE}}', 'number-of-rows' = '{ROWS}',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}'
);
CREATE VIEW counted AS
SELECT MOD(id, 17) AS k, window_end, COUNT(*) AS n, SUM(id) AS total
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY MOD(id, 17), window_start, window_end;
"""
FILES = """
CREATE TABLE files (k BIGINT, window_end TIMESTAMP(3), n BIGINT, total BIGINT)
WITH ('connector' = 'filesystem', 'path' = '${FOLDER}/files', 'format' = 'json');
"""
DATABASE = """
CREATE TABLE {name} (k BIGINT, window_end TIMESTAMP(3), n BIGINT, total BIGINT)
WITH ('connector' = 'sqlite', 'path' = '${{FOLDER}}/{name}.db');
"""


def script_for(databases: list[str]) -> str:
    """Give the script that writes the counts into files and these databases, in one job."""
    tables = FILES + "".join(DATABASE.format(name=name) for name in databases)
    inserts = "\n".join(f"INSERT INTO {name} SELECT * FROM counted;" for name in ["files", *databases])
    return f"{SCRIPT}{tables}\nEXECUTE STATEMENT SET BEGIN\n{inserts}\nEND;\n"


def expected() -> pl.DataFrame:
    """Compute the outcome from the sequence alone."""
    ids = pl.DataFrame({"id": pl.int_range(1, ROWS + 1, dtype=pl.Int64, eager=True)})
    end = ((1_000_000 + pl.col("id") * 10 - pl.col("id") % 5 * 3000) // 10_000 + 1) * 10_000
    grouped = ids.group_by((pl.col("id") % 17).alias("k"), end.alias("window_end"))
    return grouped.agg(pl.len().cast(pl.Int64).alias("n"), pl.col("id").sum().alias("total")).sort("k", "window_end")


def rows_of_files(folder: Path) -> pl.DataFrame:
    """Read all files that the sink has published."""
    parts = [p for p in folder.rglob("part-*") if p.is_file()]
    read = pl.concat([pl.read_ndjson(p) for p in parts])
    return _normal(read)


def rows_of_database(path: Path, table: str) -> pl.DataFrame:
    """Read a table."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(f'SELECT k, window_end, n, total FROM "{table}"').fetchall()
    finally:
        connection.close()
    return _normal(pl.DataFrame(rows, schema=["k", "window_end", "n", "total"], orient="row"))


def _normal(rows: pl.DataFrame) -> pl.DataFrame:
    time_ = pl.col("window_end").str.replace("T", " ").str.to_datetime(time_unit="ms").dt.epoch("ms")
    return rows.select("k", time_, "n", "total").sort("k", "window_end")


def newest_epoch(state: Path) -> int:
    """Give the number of the newest checkpoint; 0 without one."""
    return max((int(p.stem) for p in (state / "checkpoints").glob("*.manifest")), default=0)


class Nursery:
    """The process that has everything loaded, and forks jobs."""

    def __init__(self) -> None:
        child = Path(__file__).with_name("crash_child.py")
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, str(child)], stdin=pipe, stdout=pipe, text=True)

    def ask(self, *words: object) -> int:
        """Give it a line, and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=LONGEST)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One for all tests."""
    made = Nursery()
    yield made
    made.close()


class Victim:
    """The job in a process of its own."""

    def __init__(self, nursery: Nursery, folder: Path, rate: str) -> None:
        self._nursery = nursery
        self._folder = folder
        self._process = nursery.ask("run", folder, rate, folder / "job.sql")

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something, at most as long as the slowest machine may take."""
        end = time.monotonic() + LONGEST
        while not happened():
            assert time.monotonic() < end, f"{what} did not happen within {LONGEST} s: {self._said()}"
            time.sleep(0.002)

    def holds(self) -> bool:
        """Whether it has taken its state folder: it recovers, or has."""
        lock = self._folder / "state" / "lock"
        return lock.exists() and f'"pid":{self._process},' in lock.read_text()

    def _said(self) -> str:
        return (self._folder / "log").read_text()[-3000:]

    def kill(self) -> bool:
        """Kill it; tell whether it was still running."""
        os.kill(self._process, signal.SIGKILL)
        return self._nursery.ask("wait", self._process) == -signal.SIGKILL

    def finish(self) -> int:
        """Let it come to its end; give the epoch that it went on from."""
        assert self._nursery.ask("wait", self._process) == 0, self._said()
        return int((self._folder / "done").read_text())


@pytest.mark.parametrize(
    ("databases", "share"), [(["ledger"], 0.6), (["ledger", "copy"], 0.4)], ids=["one database", "two databases"]
)
def test_killed_at_any_moment_every_row_counts_once(
    tmp_path: Path, nursery: Nursery, databases: list[str], share: float
) -> None:
    """P1, P3: after many kills at random moments, files and databases have exactly what a batch computation gives."""
    rng = random.Random(SEED)  # noqa: S311  moments are no secrets
    (tmp_path / "job.sql").write_text(script_for(databases))
    state = tmp_path / "state"
    kills = round(KILLS * share)
    newest, grown = 0, 0
    for _ in range(kills):
        victim = Victim(nursery, tmp_path, RATE)
        moment = rng.random()
        if moment < AT_ONCE:
            time.sleep(rng.uniform(0, 0.05))
        elif moment < AT_ONCE + IN_RECOVERY:
            victim.wait_until(victim.holds, "its start")
            time.sleep(rng.uniform(0, 0.1))
        else:
            victim.wait_until(lambda before=newest: newest_epoch(state) > before, "a checkpoint")  # type: ignore[misc]
            time.sleep(rng.uniform(0, 0.4))
        assert victim.kill(), f"seed {SEED}: the job was over before it was killed"
        before, newest = newest, newest_epoch(state)
        grown += newest > before
    assert grown >= kills / 4, f"seed {SEED}: hardly any run took checkpoints, so the kills proved little"
    assert grown < kills, f"seed {SEED}: no kill came before the first checkpoint of its run, in recovery"
    last = Victim(nursery, tmp_path, UNLIMITED)
    assert last.finish() > 0, f"seed {SEED}: the last run began from nothing"
    wanted = expected()
    assert rows_of_files(tmp_path / "files").equals(wanted), f"seed {SEED}"
    for name in databases:
        assert rows_of_database(tmp_path / f"{name}.db", name).equals(wanted), f"seed {SEED}: {name}"
