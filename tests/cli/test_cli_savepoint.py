"""`tailrace run --from-savepoint`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from shop import open_shop, payment, until

from tailrace.cli.commands import invoke
from tailrace.cli.run import runner_of
from tailrace.cli.script import load
from tailrace.errors import ConfigError, TerminalError
from tailrace.runtime.script import Script
from tailrace.web.address import Address
from tailrace.web.server import Server

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


def test_a_running_job_is_told_to_take_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its server: the folder is said, what is there is listed by the job and by its folder, and a name is taken once."""
    with (
        open_shop(tmp_path) as shop,
        Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as server,
        Server(Address("127.0.0.1", 0), lambda: [shop.script]) as watched,
    ):
        shop.pay(payment("c1", 5, 10))
        until(lambda: ("c1", 5) in shop.paid())
        at, name = server.url.removeprefix("http://"), shop.script.name

        invoke(["savepoint", "take", "first", "--at", at, "--json"])
        answer = json.loads(capsys.readouterr().out.splitlines()[-1])
        folder = tmp_path / "state" / "savepoints" / "first"
        assert answer["folder"] == str(folder.resolve())
        status = shop.script.status()
        assert status is not None
        rows = sum(s.rows for s in status.sources)
        assert answer["rows_in"] == rows
        assert (folder / "job.json").exists()
        invoke(["savepoint", "take", "second", "--at", at, "--job", name])
        assert f"savepoint 'second' of {rows} rows is in {folder.resolve().parent}/second\n" in capsys.readouterr().out

        for where in (["--at", at], [str(tmp_path / "state")]):
            invoke(["savepoint", "list", *where, "--json"])
            lines = [json.loads(x) for x in capsys.readouterr().out.splitlines() if x.startswith("{")]
            assert [one["name"] for one in lines] == ["second", "first"]
        invoke(["savepoint", "list", "--at", at])
        assert "second" in capsys.readouterr().out

        with pytest.raises(TerminalError, match="there is a savepoint 'first' already"):
            invoke(["savepoint", "take", "first", "--at", at])
        with pytest.raises(TerminalError, match="--allow-actions"):
            invoke(["savepoint", "take", "third", "--at", watched.url.removeprefix("http://")])
        with pytest.raises(ConfigError, match="shows no job 'other'"):
            invoke(["savepoint", "take", "third", "--at", at, "--job", "other"])
        with pytest.raises(ConfigError, match="can't be named"):
            invoke(["savepoint", "take", "../third", "--at", at])

        invoke(["savepoint", "take", "last", "--at", at, "--stop"])
        assert "the job has stopped" in capsys.readouterr().out
        until(lambda: shop.script.status().state == "stopped")  # type: ignore[union-attr]
    with pytest.raises(TerminalError, match="nothing answers"):
        invoke(["savepoint", "list", "--at", at])
    with pytest.raises(ConfigError, match="is no state folder"):
        invoke(["savepoint", "list", str(tmp_path)])
