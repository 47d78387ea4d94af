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
from pathlib import Path

import polars as pl
import pytest

KILLS = int(os.environ.get("TAILRACE_KILLS", "55"))
SEED = int(os.environ.get("TAILRACE_SEED", str(time.time_ns() % 1_000_000)))
ROWS = 150_000
RATE = "3000"
"""Rows a second while it is killed: slow enough that it is never done before."""
UNLIMITED = "0"
IN_RECOVERY = 0.4
"""The share of kills soon after the start; the others come after the first checkpoint of their run, whenever that is."""
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


class Victim:
    """The job in a process of its own."""

    def __init__(self, folder: Path, rate: str) -> None:
        child = Path(__file__).with_name("crash_child.py")
        command = [sys.executable, str(child), str(folder), rate, str(folder / "job.sql")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_start(self) -> None:
        """Wait until imports are done and the job begins, or fail with what it said."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line != "start\n":
            raise AssertionError(f"the job did not start: {self.process.communicate()[1]}")

    def wait_for_checkpoint(self, state: Path, before: int) -> None:
        """Wait until there is a checkpoint newer than `before`."""
        end = time.monotonic() + LONGEST
        while newest_epoch(state) <= before:
            assert self.process.poll() is None, f"the job ended by itself: {self.process.communicate()[1]}"
            assert time.monotonic() < end, f"no checkpoint within {LONGEST} s"
            time.sleep(0.002)

    def kill(self) -> bool:
        """Kill it; tell whether it was still running."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        return self.process.returncode == -signal.SIGKILL

    def finish(self) -> int:
        """Let it come to its end; give the epoch that it went on from."""
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, err
        return int(out.split()[-1])


@pytest.mark.parametrize(
    ("databases", "share"), [(["ledger"], 0.6), (["ledger", "copy"], 0.4)], ids=["one database", "two databases"]
)
def test_killed_at_any_moment_every_row_counts_once(tmp_path: Path, databases: list[str], share: float) -> None:
    """Files and databases have, after many kills at random moments, exactly what a batch computation gives."""
    rng = random.Random(SEED)  # noqa: S311  moments are no secrets
    (tmp_path / "job.sql").write_text(script_for(databases))
    kills = round(KILLS * share)
    newest, grown = 0, 0
    for _ in range(kills):
        victim = Victim(tmp_path, RATE)
        victim.wait_for_start()
        if rng.random() < IN_RECOVERY:
            time.sleep(rng.uniform(0, 0.15))
        else:
            victim.wait_for_checkpoint(tmp_path / "state", newest)
            time.sleep(rng.uniform(0, 0.4))
        assert victim.kill(), f"seed {SEED}: the job was over before it was killed"
        before, newest = newest, newest_epoch(tmp_path / "state")
        grown += newest > before
    assert grown >= kills / 4, f"seed {SEED}: hardly any run took checkpoints, so the kills proved little"
    assert grown < kills, f"seed {SEED}: no kill came before the first checkpoint of its run, in recovery"
    last = Victim(tmp_path, UNLIMITED)
    assert last.finish() > 0, f"seed {SEED}: the last run began from nothing"
    wanted = expected()
    assert rows_of_files(tmp_path / "files").equals(wanted), f"seed {SEED}"
    for name in databases:
        assert rows_of_database(tmp_path / f"{name}.db", name).equals(wanted), f"seed {SEED}: {name}"
