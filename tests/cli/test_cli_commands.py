"""`tailrace check`, `explain`, `sql` and `demo`."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
import structlog

from tailrace.cli import logs
from tailrace.cli.asking import completions, is_complete, statements
from tailrace.sql.session import Session

PROGRAM = [sys.executable, "-m", "tailrace"]
PIPELINE = """CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
CREATE TABLE kept (id BIGINT) WITH ('connector' = 'sqlite', 'path' = '{path}');
INSERT INTO kept SELECT id FROM numbers;
"""


def tailrace(folder: Path, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def test_check_reaches_and_promises(tmp_path: Path) -> None:
    """Each system is reached, and each sink says what it guarantees for each source; nothing is written."""
    (tmp_path / "job.sql").write_text(PIPELINE.format(path="out.db"))
    result = tailrace(tmp_path, "check", "job.sql")

    assert result.returncode == 0, result.stderr
    assert "source numbers (datagen): ok" in result.stdout
    assert "sink kept (sqlite): ok" in result.stdout
    assert "numbers -> kept: exactly-once" in result.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["job.sql"]


def test_check_reaches_tables_that_are_looked_up_in(tmp_path: Path) -> None:
    """A table of a lookup is no source, and is reached all the same."""
    (tmp_path / "job.sql").write_text(
        "CREATE TABLE t (k INT, p AS PROCTIME()) WITH ('connector' = 'datagen');"
        "CREATE TABLE dim (k INT, v STRING) WITH ('connector' = 'sqlite', 'path' = 'none.db');"
        "SELECT d.v FROM t JOIN dim FOR SYSTEM_TIME AS OF t.p AS d ON t.k = d.k;"
    )
    result = tailrace(tmp_path, "check", "job.sql")
    assert result.returncode == 1
    assert "lookup dim (sqlite): FAILED" in result.stdout


def test_check_fails_with_what_is_wrong(tmp_path: Path) -> None:
    """A system that can't be used is status 1, also in JSON."""
    (tmp_path / "job.sql").write_text(PIPELINE.format(path="no/such/folder/out.db"))
    result = tailrace(tmp_path, "check", "job.sql", "--json")
    found = json.loads(result.stdout)

    assert result.returncode == 1
    assert [(s["table"], s["ok"]) for s in found["systems"]] == [("numbers", True), ("kept", False)]
    assert "does not exist" in found["systems"][1]["message"]
    assert found["guarantees"] == [{"source": "numbers", "sink": "kept", "guarantee": "exactly-once"}]


def test_explain_draws_the_plan(tmp_path: Path) -> None:
    """The plan has the sink, the source and the changelog mode; nothing runs."""
    (tmp_path / "job.sql").write_text(PIPELINE.format(path="out.db"))
    text = tailrace(tmp_path, "explain", "job.sql")
    as_json = json.loads(tailrace(tmp_path, "explain", "job.sql", "--json").stdout)

    assert text.returncode == 0, text.stderr
    assert "Sink kept" in text.stdout
    assert "[I]" in text.stdout
    assert as_json["sinks"] == ["kept"]
    assert [n["node"].split()[0] for n in as_json["nodes"]] == ["Scan", "Sink"]
    assert as_json["nodes"][0] | {"node": ""} == {
        "id": 1,
        "node": "",
        "changes": ["I"],
        "state": "the position of each partition",
        "inputs": [],
        "place": "job.sql:3:33",
    }
    assert not (tmp_path / "out.db").exists()


def test_explain_of_nothing(tmp_path: Path) -> None:
    """A script that runs nothing has no plan, and says so."""
    (tmp_path / "job.sql").write_text("SET 'pipeline.name' = 'b';")
    result = tailrace(tmp_path, "explain", "job.sql")

    assert result.returncode == 2
    assert "no plan" in result.stderr


@pytest.mark.parametrize("command", ["explain", "check"])
def test_a_wrong_option_is_a_mistake_everywhere(tmp_path: Path, command: str) -> None:
    """What `run` refuses before it starts the other commands refuse too."""
    (tmp_path / "job.sql").write_text(PIPELINE.format(path="out.db").replace("number-of-rows", "number-of-row"))
    result = tailrace(tmp_path, command, "job.sql")

    assert result.returncode == 2
    assert "did you mean 'number-of-rows'?" in result.stderr
    assert result.stdout == ""


def test_sql_from_a_pipe(tmp_path: Path) -> None:
    """What comes through a pipe is run statement by statement; rows alone go to standard output."""
    text = PIPELINE.format(path="out.db") + "SELECT id >= 0 AS known FROM kept;"
    result = tailrace(tmp_path, "sql", "--output", "csv", stdin=text.replace("kept;", "kept LIMIT 2;"))

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == "known"
    assert len(result.stdout.splitlines()) == 3
    assert "table 'kept' created" in result.stderr


def test_sql_speaks_json(tmp_path: Path) -> None:
    """With --json rows and what SHOW lists are lines of JSON, and so is the rest, on standard error."""
    text = (
        "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); SHOW TABLES; EXPLAIN SELECT 1; SELECT 1 AS a; SELECT b;"
    )
    whole = tailrace(tmp_path, "sql", "--json", stdin=text.replace("SELECT b;", ""))
    wrong = tailrace(tmp_path, "sql", "--json", stdin=text)

    rows = [json.loads(line)["row"] for line in whole.stdout.splitlines()]
    assert (rows[0], rows[2]) == ({"table name": "t"}, {"a": 1})
    assert rows[1]["result"].startswith("Sink (result)")
    said = [json.loads(line) for line in whole.stderr.splitlines()]
    assert said[0] == {"done": "table 't' created"}
    assert said[1]["summary"]["rows_out"] == 1
    assert (wrong.returncode, wrong.stdout) == (2, "")
    error = json.loads(wrong.stderr)["error"]
    assert (error["code"], error["file"], error["line"], error["column"]) == ("TR100", "<stdin>", 1, len(text) - 1)


def test_sql_from_a_pipe_stops_at_a_mistake(tmp_path: Path) -> None:
    """A mistake in a piped script is status 2, with its place."""
    result = tailrace(tmp_path, "sql", stdin="SELECT * FROM nowhere;")

    assert result.returncode == 2
    assert "<stdin>:1:15" in result.stderr


def test_the_demo_ends_by_itself(tmp_path: Path) -> None:
    """After its seconds the demo has found stolen cards, stored them, and ends with a summary."""
    result = tailrace(tmp_path, "demo", "--ui", "0", "--seconds", "9", "--rows-per-second", "4000")
    connection = sqlite3.connect(tmp_path / "tailrace-demo.db")
    stored = connection.execute("SELECT card, payments, countries FROM suspicious_cards").fetchall()
    connection.close()

    assert result.returncode == 0, result.stderr
    assert "stopped demo" in result.stderr
    assert re.search(r"^dashboard: http://127\.0\.0\.1:\d+$", result.stderr, re.MULTILINE)
    assert stored
    assert all(card.startswith("stolen-") and payments >= 5 and countries >= 3 for card, payments, countries in stored)
    assert all(f"card={card}" in result.stdout for card, _, _ in stored)


def test_the_demo_speaks_json(tmp_path: Path) -> None:
    """With --json the suspicious cards are lines of JSON, and so is the summary; payments without a time are dead letters."""
    result = tailrace(tmp_path, "demo", "--seconds", "8", "--rows-per-second", "100000", "--json")
    rows = [json.loads(line)["row"] for line in result.stdout.splitlines()]
    summary = json.loads(result.stderr.splitlines()[-1])["summary"]
    with closing(sqlite3.connect(tmp_path / "tailrace-demo.db")) as connection:
        letters = connection.execute("SELECT stage, payload FROM dead_letters").fetchall()

    assert result.returncode == 0, result.stderr
    assert rows
    assert all(set(row) == {"window_end", "card", "payments", "countries", "total"} for row in rows)
    written = {"suspicious_cards": len(rows), "": len(rows), "dead_letters": len(letters)}
    assert {s["table"]: s["rows"] for s in summary["sinks"]} == written
    assert {(stage, json.loads(payload)["ts"]) for stage, payload in letters} == {("time", None)}


def test_log_lines_go_through_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands for standard error when a line is written gets it, so that a table that changes in place makes room."""
    before, display = structlog.get_config(), StringIO()
    try:
        logs.to_stderr()
        monkeypatch.setattr("sys.stderr", display)
        structlog.get_logger("tailrace.test").warning("a line")
    finally:
        structlog.configure(**before)

    assert "a line" in display.getvalue()


def test_demo_without_a_broker(tmp_path: Path) -> None:
    """A broker that does not answer is named, within a bounded time."""
    pytest.importorskip("confluent_kafka")
    result = tailrace(tmp_path, "demo", "--kafka", "127.0.0.1:1", "--seconds", "1")

    assert result.returncode == 1
    assert re.search(r"the Kafka broker at 127.0.0.1:1 can't be used: \S+", result.stderr)
    assert "Traceback" not in result.stderr


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """Make somebody who types these lines; a class is raised."""
    left: Iterator[str | type[BaseException]] = iter([*lines, EOFError])

    def ask(_: str) -> str:
        line = next(left)
        if isinstance(line, str):
            return line
        raise line

    return ask


def test_statements_of_several_lines() -> None:
    """A statement goes on until its semicolon; Ctrl-C drops what was typed, exit leaves."""
    assert list(statements(typed("SELECT", "1;", "", "SELECT 2;"))) == ["SELECT\n1;", "SELECT 2;"]
    assert list(statements(typed("SELECT", KeyboardInterrupt, "SHOW TABLES;"))) == ["SHOW TABLES;"]
    for leave in ("exit", "EXIT;", "exit ;", r" \q "):
        assert list(statements(typed(leave, "SELECT 1;"))) == []
    assert list(statements(typed("help ;", "exit"))) == ["help ;"]


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("SELECT 1;", True),
        ("SELECT ';", False),
        ("SELECT ';' ", False),
        ("SELECT 1; -- ;", True),
        ("SELECT 1 /* ;", False),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;", False),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;", True),
    ],
)
def test_where_a_statement_ends(text: str, complete: bool) -> None:
    """A semicolon in a text, a comment or a statement set ends nothing."""
    assert is_complete(text) == complete


def test_completion() -> None:
    """Tables and columns come first, words in the case that was begun."""
    session = Session()
    session.bind("CREATE TABLE selected (sel_id INT) WITH ('connector' = 'datagen');", "a.sql")

    assert completions("sel", session) == ["sel_id", "selected", "select"]
    assert completions("SELE", session) == ["selected", "SELECT"]
    assert completions("", session) == []
