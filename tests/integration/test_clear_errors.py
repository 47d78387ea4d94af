"""What goes wrong before or while a job runs gives one clear error, a status that is not 0, and no traceback."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

TAILRACE = str(Path(sys.executable).with_name("tailrace"))
ROWS = "".join(f'{{"card": "c{i % 3}", "amount": {i}.50, "ts": "2026-01-01 00:00:{i:02d}"}}\n' for i in range(60))
TABLE = """CREATE TABLE payments (card STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'{more});
"""


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder by the command line."""
    (folder / "job.sql").write_text(script)
    return subprocess.run(
        [TAILRACE, "run", "job.sql", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def assert_clear(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """One error with these words, and nothing that only a programmer could read."""
    assert result.returncode not in (0, -9), result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert sum(line.startswith("error: ") for line in result.stderr.splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of sixty payments."""
    path = tmp_path / "payments.json"
    path.write_text(ROWS)
    return path


def test_a_mistyped_column(tmp_path: Path, data: Path) -> None:
    """The error has file, line and column, a caret, and the column that was meant."""
    script = TABLE.format(path=data, more="") + "SELECT card,\n  amuont FROM payments;\n"
    result = run(tmp_path, script)

    assert_clear(result, "job.sql:5:3", "amuont", "^", "did you mean 'amount'?")
    assert result.stdout == ""


def test_parquet_named_json(tmp_path: Path) -> None:
    """A Parquet file is not taken for lines of JSON."""
    pl.DataFrame({"card": ["a"], "amount": [1.0]}).write_parquet(tmp_path / "p.json")
    result = run(tmp_path, TABLE.format(path=tmp_path / "p.json", more="") + "SELECT card FROM payments;")

    assert_clear(result, "p.json", "Parquet")


def test_truncated_gzip(tmp_path: Path) -> None:
    """A compressed file that ends too early is said to do so."""
    whole = gzip.compress(ROWS.encode())
    (tmp_path / "p.json.gz").write_bytes(whole[: len(whole) // 2])
    result = run(tmp_path, TABLE.format(path=tmp_path / "p.json.gz", more="") + "SELECT card FROM payments;")

    assert_clear(result, "p.json.gz")


def test_a_missing_file_names_its_neighbour(tmp_path: Path, data: Path) -> None:
    """A path that does not exist is named, with the file that was likely meant."""
    script = TABLE.format(path=data.with_name("payment.json"), more="") + "SELECT card FROM payments;"

    assert_clear(run(tmp_path, script), "payment.json", "did you mean")


def test_a_mistyped_option(tmp_path: Path, data: Path) -> None:
    """An option that does not exist is pointed to."""
    more = ", 'json.ignore-parse-error' = 'true'"
    script = TABLE.format(path=data, more=more) + "SELECT card FROM payments;"

    assert_clear(run(tmp_path, script), "job.sql:3:", "json.ignore-parse-errors")


INSERT = """CREATE TABLE results (card STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'json');
INSERT INTO results SELECT card, COUNT(*) FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY card, window_start, window_end;
"""


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def test_a_read_only_state_folder(tmp_path: Path, data: Path) -> None:
    """A state folder that can't be written is found before anything is read."""
    state = tmp_path / "state"
    state.mkdir(mode=0o500)
    (tmp_path / "job.sql").write_text(TABLE.format(path=data, more="") + INSERT.format(out=tmp_path / "out"))
    command = [TAILRACE, "run", "job.sql", "--state", str(state)]
    if os.geteuid() == 0:  # who may write anywhere, but not into a file system that is read-only
        command = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(state), *command]
        if subprocess.run([*command[:6], "true"], capture_output=True, check=False).returncode:
            pytest.skip("root may not mount here")
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert_clear(result, str(state), "can't be written")
    assert not (tmp_path / "out").exists()


def test_a_state_folder_that_is_a_file(tmp_path: Path, data: Path) -> None:
    """A state folder that can't be one is found before anything is read."""
    script = TABLE.format(path=data, more="") + INSERT.format(out=tmp_path / "out")

    assert_clear(run(tmp_path, script, "--state", str(data)), str(data))


def test_a_state_folder_below_a_file(tmp_path: Path, data: Path) -> None:
    """A state folder whose parents can't be made is the same mistake."""
    script = TABLE.format(path=data, more="") + INSERT.format(out=tmp_path / "out")
    result = run(tmp_path, script, "--state", str(data / "state"))

    assert_clear(result, str(data / "state"), "--state")
    assert result.returncode == 2


def test_two_runs_on_one_state_folder(tmp_path: Path, data: Path) -> None:
    """The second run refuses and names the process that holds the folder; the first goes on."""
    script = TABLE.format(path=data, more=", 'source.monitor-interval' = '1 s'") + INSERT.format(out=tmp_path / "out")
    (tmp_path / "job.sql").write_text(script)
    state = tmp_path / "state"
    first = subprocess.Popen(
        [TAILRACE, "run", "job.sql", "--state", str(state)], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(state)
        second = run(tmp_path, script, "--state", str(state))
        assert_clear(second, str(first.pid))
        assert first.poll() is None
    finally:
        first.terminate()
        _, err = first.communicate(timeout=30)
    assert first.returncode == 0, err


def wait_for(state: Path) -> None:
    """Wait until a job holds the folder."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if state.exists() and any(p.name == "lock" and p.read_text() for p in state.rglob("lock")):
            return
        time.sleep(0.05)
    raise AssertionError("the first run did not take the folder")


def test_a_wrong_port(tmp_path: Path) -> None:
    """A broker that does not answer is named with its port, within a bounded time."""
    pytest.importorskip("confluent_kafka")
    script = """CREATE TABLE t (a STRING) WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'json',
      'properties.bootstrap.servers' = '127.0.0.1:1', 'scan.startup.mode' = 'earliest-offset');
    SELECT * FROM t;"""

    assert_clear(run(tmp_path, script), "127.0.0.1:1", "job.sql:2:40", "^", "look at the address")


@pytest.mark.integration
def test_a_missing_topic(tmp_path: Path, kafka: str) -> None:
    """A topic that does not exist is named."""
    script = f"""CREATE TABLE t (a STRING) WITH ('connector' = 'kafka', 'topic' = 'no-such-topic', 'format' = 'json',
      'properties.bootstrap.servers' = '{kafka}', 'scan.startup.mode' = 'earliest-offset');
    SELECT * FROM t;"""

    assert_clear(run(tmp_path, script), "no-such-topic")


TWO_TABLES = """CREATE TABLE other (x INT) WITH ({options});
CREATE TABLE copied (card STRING) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'json');
"""


@pytest.mark.parametrize(
    "statements",
    [
        "INSERT INTO copied SELECT card FROM payments;\nSELECT x FROM other;",
        "INSERT INTO copied SELECT card FROM payments;\nINSERT INTO copied SELECT CAST(x AS STRING) FROM other;",
    ],
    ids=["select", "insert"],
)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("'connector' = 'filesystem', 'path' = 'no.json', 'format' = 'json'", ["job.sql:4:", "no.json", "^"]),
        ("'connector' = 'filesystem', 'path' = 'no-*.json', 'format' = 'json'", ["job.sql:4:", "no-*.json", "^"]),
        ("'connector' = 'sqlite', 'path' = 'no.db'", ["job.sql:4:", "no.db"]),
    ],
    ids=["file", "glob", "sqlite"],
)
def test_what_a_later_statement_reads_is_looked_for_first(
    tmp_path: Path, data: Path, options: str, words: list[str], statements: str
) -> None:
    """A missing input of the last statement is found before the first has written anything."""
    tables = TABLE.format(path=data, more="") + TWO_TABLES.format(options=options, out=tmp_path / "out")
    assert_clear(run(tmp_path, tables + statements), *words)
    assert not list(tmp_path.glob("out/*"))


def test_a_statement_reads_what_an_earlier_one_writes(tmp_path: Path, data: Path) -> None:
    """What the script itself writes need not be there before it runs."""
    written = "'connector' = 'filesystem', 'path' = 'out/*.json', 'format' = 'json'"
    tables = TABLE.format(path=data, more="") + TWO_TABLES.format(options=written, out=tmp_path / "out")
    result = run(tmp_path, tables + "INSERT INTO copied SELECT card FROM payments;\nSELECT COUNT(*) FROM other;")
    assert result.returncode == 0, result.stderr
    assert "60" in result.stdout


@pytest.mark.integration
def test_a_topic_of_a_later_statement_is_looked_for_first(tmp_path: Path, data: Path, kafka: str) -> None:
    """So is a missing topic."""
    options = f"""'connector' = 'kafka', 'topic' = 'no-such-topic', 'format' = 'json',
      'properties.bootstrap.servers' = '{kafka}', 'scan.startup.mode' = 'earliest-offset'"""
    tables = TABLE.format(path=data, more="") + TWO_TABLES.format(options=options, out=tmp_path / "out")
    result = run(tmp_path, tables + "INSERT INTO copied SELECT card FROM payments;\nSELECT x FROM other;")
    assert_clear(result, "no-such-topic", "job.sql:4:", "^")
    assert not list(tmp_path.glob("out/*"))
