"""`tailrace run --from-savepoint`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from tailrace.cli.run import runner_of
from tailrace.cli.script import load
from tailrace.runtime.script import Script

PROGRAM = [sys.executable, "-m", "tailrace"]
TEXT = """CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{end}');
CREATE TABLE written (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json');
INSERT INTO written SELECT id FROM numbers;
"""
END = 3000


def tailrace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run([*PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def with_savepoint(file: Path, state: Path) -> None:
    """Run a script's job for a while, and stop it with a savepoint."""
    script = load([file], None, None)
    runner: Script = runner_of(script, lambda _: None, state)  # type: ignore[arg-type, return-value]
    thread = threading.Thread(target=runner.run)
    thread.start()
    until = time.monotonic() + 30
    while (control := runner.control) is None or runner.status().sources[0].rows < 500:  # type: ignore[union-attr]
        assert time.monotonic() < until
        time.sleep(0.01)
    record = control.savepoint("half-way", stop=True)
    thread.join(20)
    assert 500 <= record.rows_in < END


def test_a_new_job_goes_on_where_the_savepoint_was_taken(tmp_path: Path) -> None:
    """Stopped with it, each row is written once over both; the state folder of the first is left alone, and refused."""
    file = tmp_path / "job.sql"
    file.write_text(TEXT.format(end=END, folder=tmp_path))
    with_savepoint(file, tmp_path / "state")
    saved = str(tmp_path / "state" / "savepoints" / "half-way")

    refused = tailrace(tmp_path, "run", "job.sql", "--state", "state", "--from-savepoint", saved)
    assert refused.returncode == 2
    assert "has state already" in refused.stderr

    result = tailrace(tmp_path, "run", "job.sql", "--state", "second", "--from-savepoint", saved)
    assert result.returncode == 0, result.stderr
    parts = (tmp_path / "out").glob("part-*")
    ids = sorted(json.loads(line)["id"] for part in parts for line in part.read_text().splitlines())
    assert ids == list(range(1, END + 1))


def test_what_is_no_savepoint(tmp_path: Path) -> None:
    (tmp_path / "job.sql").write_text(TEXT.format(end=1, folder=tmp_path))
    result = tailrace(tmp_path, "run", "job.sql", "--from-savepoint", "nowhere")
    assert result.returncode == 2
    assert "'nowhere' is no savepoint" in result.stderr
    (tmp_path / "query.sql").write_text("SELECT 1;")
    result = tailrace(tmp_path, "run", "query.sql", "--from-savepoint", "nowhere")
    assert result.returncode == 2
    assert "a savepoint is of one job" in result.stderr
