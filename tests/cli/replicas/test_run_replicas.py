"""`tailrace run --replicas`: processes that share out replicas, one of which is killed; and what is refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from replicas_kit import PATIENCE, MemberProcess, end_all, is_child, until
from server_kit import free_ports

from tailrace.cli.commands import invoke
from tailrace.errors import ConfigError

COUNTED = """
SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '800', 'fields.id.kind' = 'sequence',
  'fields.id.start' = '1', 'fields.id.end' = '1000000');
CREATE TABLE counts (replica STRING, n BIGINT, total BIGINT, PRIMARY KEY (replica) NOT ENFORCED)
WITH ('connector' = 'sqlite', 'path' = 'out.db');
INSERT INTO counts SELECT r, COUNT(*), SUM(id) FROM (SELECT '${REPLICA}' AS r, id FROM n) GROUP BY r;
"""


def counts(folder: Path) -> dict[str, tuple[int, int]]:
    """Give what the replicas have counted by now."""
    if not (folder / "out.db").exists():
        return {}
    with closing(sqlite3.connect(folder / "out.db", timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'counts'").fetchall():
            return {}
        return {r: (n, total) for r, n, total in database.execute("SELECT * FROM counts")}


def counted_once(folder: Path) -> None:
    """Make sure that each replica has counted the numbers from 1, each once."""
    for replica, (n, total) in counts(folder).items():
        assert total == n * (n + 1) // 2, replica


@pytest.mark.slow
def test_one_is_killed_and_the_other_takes_over(tmp_path: Path) -> None:
    """
    The children of a killed member go with it, and its replicas go on elsewhere from their checkpoints.

    Ctrl-C then stops the other member, and by it its children, with a last checkpoint. Each replica has a port of its own.
    """
    (tmp_path / "job.sql").write_text(COUNTED)
    port = free_ports(3)
    members = [MemberProcess(tmp_path, name, 2, "--json", f"--listen={port}") for name in ("first", "second")]
    first, second = members
    both = ("1/2", "2/2")
    try:
        until(lambda: len(first.mine) == len(second.mine) == 1, *members)
        assert first.mine | second.mine == set(both)
        until(lambda: all(counts(tmp_path).get(r, (0, 0))[0] > 300 for r in both), *members)
        orphans, (moves,) = first.children, first.mine
        assert orphans
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not any(map(is_child, orphans)), second)
        before = counts(tmp_path)
        until(lambda: second.mine == set(both) and counts(tmp_path)[moves][0] > before[moves][0], second)
        counted_once(tmp_path)
        for number in (1, 2):
            assert httpx.get(f"http://127.0.0.1:{port + number}/health/live", timeout=30).status_code == 200
        pids = second.children
        assert len(pids) == 2
        assert len({os.getpgid(pid) for pid in [*pids, second.popen.pid]}) == 3, "a Ctrl-C would reach the children too"
        assert second.end(signal.SIGINT) == 0, second.said[-3000:]
        assert not any(map(is_child, pids))
    finally:
        end_all(*members)
    counted_once(tmp_path)
    said = [json.loads(line) for line in second.said.splitlines()]
    assert [line["replica"] for line in said if line.get("event") == "takes over a replica"] == [moves]
    assert {line["replica"] for line in said if "summary" in line} == set(both)


def test_replicas_that_have_come_to_their_end(tmp_path: Path) -> None:
    """When all are done the members end well, and so does who comes later; nothing is begun anew."""
    (tmp_path / "job.sql").write_text(COUNTED.replace("1000000", "500"))
    for name in ("first", "later"):
        member = MemberProcess(tmp_path, name, 1)
        try:
            assert member.popen.wait(PATIENCE) == 0, member.said[-3000:]
        finally:
            end_all(member)
        assert counts(tmp_path) == {"1/1": (500, 500 * 501 // 2)}
        assert ("replica started" in member.said) == (name == "first")


def script(folder: Path, text: str) -> str:
    """Write a script; give its path."""
    (folder / "job.sql").write_text(text)
    return str(folder / "job.sql")


@pytest.mark.parametrize(
    ("text", "arguments", "message", "hint"),
    [
        (
            "-- ${REPLICA}\n" + COUNTED.replace("${REPLICA}", "x"),
            [],
            "each process would read all rows",
            "'${REPLICA}'",
        ),
        (COUNTED, ["-p", "REPLICA=1/4"], "--replicas gives each process its REPLICA", "leave"),
        (COUNTED, ["--listen=65533"], "there are no 4 ports behind", "below 65532"),
        (COUNTED, ["--from-savepoint=x"], "a savepoint is of one job", "leave"),
        (COUNTED + "SELECT * FROM n;", [], "for a script of INSERTs", "INSERT"),
        (COUNTED.replace("'sqlite'", "'sqlight'"), [], "sqlight", "sqlite"),
    ],
    ids=["no-replica", "its-own-replica", "ports", "savepoint", "select", "mistake"],
)
def test_refused(tmp_path: Path, text: str, arguments: list[str], message: str, hint: str) -> None:
    """What can't be shared out is refused before anything is made."""
    with pytest.raises(ConfigError) as error:
        invoke(["run", script(tmp_path, text), f"--state={tmp_path / 'state'}", "--replicas=4", *arguments])
    assert message in error.value.message
    assert hint in error.value.hint
    assert not (tmp_path / "state").exists()


def test_refused_from_standard_input(tmp_path: Path) -> None:
    """Only one process could read it."""
    with pytest.raises(ConfigError, match="standard input"):
        invoke(["run", "-", f"--state={tmp_path / 'state'}", "--replicas=4"])
