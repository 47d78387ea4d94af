"""Standard streams that are closed, or whose disk is full: what is said may be lost, rows may not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -m tailrace"
ROWS = """CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '5000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5000');
"""
FILES = """CREATE TABLE files (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'files', 'format' = 'json');
INSERT INTO files SELECT id FROM numbers;
"""


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run the program by a shell, which opens and closes its streams."""
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_log_that_can_not_be_written_stops_nothing(tmp_path: Path, streams: str) -> None:
    """S1: the job goes on to its end, and what it says gets into no file of its own."""
    (tmp_path / "job.sql").write_text(ROWS + FILES)
    result = shell(tmp_path, f"{PROGRAM} run job.sql {streams}")
    written = b"".join(p.read_bytes() for p in (tmp_path / "files").glob("part-*"))

    assert result.returncode == 0
    assert written.splitlines() == [b'{"id":%d}' % i for i in range(1, 5001)]


@pytest.mark.parametrize("output", ["jsonl", "csv", "table"])
def test_rows_that_can_not_be_written_are_an_error(tmp_path: Path, output: str) -> None:
    """S1: a full disk behind standard output is told, with a status that is not 0."""
    (tmp_path / "job.sql").write_text(ROWS + "SELECT * FROM numbers;")
    result = shell(tmp_path, f"{PROGRAM} run job.sql --output {output} >/dev/full")

    assert result.returncode == 1
    assert "error: standard output can't be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_reader_that_reads_nothing_does_not_hold_a_stop_up(tmp_path: Path) -> None:
    """P6: after its limit the program ends, though the pipe that it writes to is full; the first signal is enough."""
    endless = ROWS.replace("'number-of-rows' = '5000'", "'rows-per-second' = 'unlimited'").replace("5000", "900000000")
    (tmp_path / "job.sql").write_text(endless)
    with (tmp_path / "job.sql").open("a") as file:
        file.write("SELECT * FROM numbers;")
    command = [*PROGRAM.split(), "run", "job.sql", "--output", "jsonl", "--set", "tailrace.stop.limit=1 s"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1000)
        process.terminate()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert b"was stopped and not done after 1 s" in process.stderr.read()
