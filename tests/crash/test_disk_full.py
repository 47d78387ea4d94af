"""A disk that is full for real: a small file system in memory. What was there stays good, and room lets the job go on."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

TAILRACE = str(Path(sys.executable).with_name("tailrace"))
ROWS = 60_000
RATE = 15_000
"""Rows a second: however fast the machine, checkpoints are taken while windows are open."""

SCRIPT = """SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE events (
  id BIGINT, name AS MD5(CAST(id AS STRING)), ts AS CAST('2026-01-01 00:00:00' AS TIMESTAMP(3)),
  WATERMARK FOR ts AS ts - INTERVAL '1' DAY
) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}', 'number-of-rows' = '{rows}',
        'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
CREATE TABLE results (name STRING, total BIGINT) WITH ({results});
INSERT INTO results SELECT name, SUM(id) FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY name, window_start, window_end;
"""


class Disk:
    """A file system of a few kilobytes, that can be given more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], check=True, capture_output=True)

    def grow(self) -> None:
        """Give it room."""
        subprocess.run(["mount", "-o", "remount,size=100m", self.folder], check=True)

    def close(self) -> None:
        """Take it away."""
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Give a small disk."""
    if not shutil.which("mount"):
        pytest.skip("disk full: there is no `mount`")
    try:
        made = Disk(tmp_path / "small")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"disk full: this user can't mount a file system: {error.stderr.decode().strip()}")
    yield made
    made.close()


def run(folder: Path, script: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by the command."""
    (folder / "job.sql").write_text(script)
    command = [TAILRACE, "run", "job.sql", "--state", str(state)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def files(folder: Path) -> str:
    """Give the options of a table of files."""
    return f"'connector' = 'filesystem', 'path' = '{folder}', 'format' = 'json'"


def database(path: Path) -> str:
    """Give the options of a table of a database."""
    return f"'connector' = 'sqlite', 'path' = '{path}', 'sink.buffer-flush.max-bytes' = '1 kb'"


@pytest.fixture(scope="module", autouse=True)
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile what the script needs: else all rows may have come before the first checkpoint."""
    folder = tmp_path_factory.mktemp("compiled")
    script = SCRIPT.format(rate=RATE, rows=100, last=99, results=files(folder / "out"))
    assert run(folder, script, folder / "state").returncode == 0


@pytest.mark.parametrize("full", ["state", "spilled rows", "files", "database"])
def test_a_full_disk(tmp_path: Path, disk: Disk, full: str) -> None:
    """S1: one error that says which file and what to do; with room the job goes on, and every row counts once."""
    on_disk, elsewhere = disk.folder, tmp_path / "elsewhere"
    elsewhere.mkdir()
    state = (on_disk if full in ("state", "spilled rows") else elsewhere) / "state"
    target = on_disk if full in ("files", "database") else elsewhere
    in_database = full in ("database", "spilled rows")
    results = database(target / "out.db") if in_database else files(target / "out")
    script = SCRIPT.format(rate=RATE, rows=ROWS, last=ROWS - 1, results=results)
    refused = run(tmp_path, script, state)

    assert refused.returncode == 1, refused.stderr
    assert "No space left on device" in refused.stderr or "disk is full" in refused.stderr
    assert str(on_disk) in refused.stderr
    assert "free some space" in refused.stderr
    assert "Traceback" not in refused.stderr

    disk.grow()
    done = run(tmp_path, script, state)
    assert done.returncode == 0, done.stderr
    assert totals(target, in_database=in_database) == (ROWS, ROWS * (ROWS - 1) // 2)


def totals(target: Path, *, in_database: bool) -> tuple[int, int]:
    """Count the results, and sum them."""
    if in_database:
        connection = sqlite3.connect(target / "out.db")
        try:
            count, total = connection.execute("SELECT COUNT(*), SUM(total) FROM results").fetchone()
        finally:
            connection.close()
        return int(count), int(total)
    rows = pl.read_ndjson(target / "out" / "part-*")
    return len(rows), int(rows["total"].sum())
