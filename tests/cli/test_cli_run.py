"""`tailrace run`, as a program that another one calls."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "tailrace"]
NUMBERS = """CREATE TABLE numbers (id BIGINT, half DECIMAL(10, 2), ts TIMESTAMP(3)) WITH ('connector' = 'datagen',
  'rows-per-second' = 'unlimited', 'tailrace.start-time' = '2026-01-01 00:00:00', 'fields.id.kind' = 'sequence',
  'fields.id.start' = '1', 'fields.id.end' = '{end}', 'fields.half.min' = '0.50', 'fields.half.max' = '0.50');
"""
ENDLESS = "CREATE TABLE ticks (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}');\n"


def tailrace(folder: Path, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def script(folder: Path, text: str, name: str = "job.sql") -> str:
    """Write a script."""
    (folder / name).write_text(text)
    return name


def test_jsonl_is_all_that_standard_output_gets(tmp_path: Path) -> None:
    """Each line is one row with its kind; decimals are strings, times have no empty fraction."""
    result = tailrace(
        tmp_path, "run", script(tmp_path, NUMBERS.format(end=3) + "SELECT * FROM numbers;"), "-o", "jsonl"
    )

    assert result.returncode == 0, result.stderr
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"op": "+I", "row": {"id": i, "half": "0.50", "ts": f"2026-01-01 00:00:00{fraction}"}}
        for i, fraction in ((1, ""), (2, ".001"), (3, ".002"))
    ]
    assert "3 rows in, 3 rows out" in result.stderr
    assert not (tmp_path / ".tailrace").exists(), "a SELECT alone keeps no state"


def test_csv_has_a_header(tmp_path: Path) -> None:
    """Texts with commas are quoted, NULL is an empty field."""
    text = NUMBERS.format(end=2) + "SELECT id, 'a,b' AS t, CAST(NULL AS STRING) AS n, ts FROM numbers;"
    result = tailrace(tmp_path, "run", script(tmp_path, text), "--output", "csv")

    assert list(csv.reader(io.StringIO(result.stdout))) == [
        ["id", "t", "n", "ts"],
        ["1", "a,b", "", "2026-01-01 00:00:00"],
        ["2", "a,b", "", "2026-01-01 00:00:00.001"],
    ]


def test_table_is_aligned(tmp_path: Path) -> None:
    """Numbers stand right, texts left; there is no column of kinds where rows are only added."""
    text = NUMBERS.format(end=10) + "SELECT id, 'x' AS a_text, CAST(NULL AS STRING) AS n FROM numbers;"
    result = tailrace(tmp_path, "run", script(tmp_path, text))
    lines = result.stdout.splitlines()

    assert lines[:3] == ["id | a_text | n", "---+--------+-----", " 1 | x      | NULL"]
    assert lines[-1] == "10 | x      | NULL"
    assert len(lines) == 12


def test_no_rows_give_a_header(tmp_path: Path) -> None:
    """A query without rows shows what it would have had."""
    text = NUMBERS.format(end=1) + "SELECT id, half FROM numbers WHERE id > 5;"
    result = tailrace(tmp_path, "run", script(tmp_path, text))

    assert result.stdout == "id | half\n---+-----\n"


def test_several_files_are_one_script(tmp_path: Path) -> None:
    """What one file defines the next one knows; parameters are replaced in all."""
    first = script(tmp_path, NUMBERS.replace("{end}", "${END}"), "tables.sql")
    second = script(tmp_path, "SELECT id FROM numbers;", "query.sql")
    result = tailrace(tmp_path, "run", first, second, "-p", "END=2", "-o", "csv")

    assert result.stdout == "id\n1\n2\n"


def test_environment_enters_by_its_prefix_only(tmp_path: Path) -> None:
    """`${env:HOME}` is refused."""
    result = tailrace(tmp_path, "run", script(tmp_path, "SELECT '${env:HOME}';"))

    assert result.returncode == 2
    assert "job.sql:1:9" in result.stderr
    assert "TAILRACE_" in result.stderr


def test_an_insert_keeps_state_by_the_name_of_the_file(tmp_path: Path) -> None:
    """The state of an INSERT is in ./.tailrace, unless --state says otherwise."""
    text = NUMBERS.format(end=2) + "CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');"
    name = script(tmp_path, text + "INSERT INTO b SELECT id FROM numbers;", "etl.sql")
    first = tailrace(tmp_path, "run", name)
    second = tailrace(tmp_path, "run", name, "--state", "elsewhere", "--json")
    summary = json.loads(second.stderr.splitlines()[-1])["summary"]

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert (tmp_path / ".tailrace" / "etl").is_dir()
    assert (tmp_path / "elsewhere").is_dir()
    assert (summary["rows_in"], summary["rows_out"], summary["finished"]) == (2, 2, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * FROM nowhere;", ["job.sql:1:15", "nowhere", "^"]),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'datagn'); SELECT * FROM t;", ["did you mean 'datagen'?"]),
    ],
)
def test_mistakes_are_one_clear_error(tmp_path: Path, text: str, words: list[str]) -> None:
    """A mistake in a script ends with status 2 before anything runs, and without a traceback."""
    result = tailrace(tmp_path, "run", script(tmp_path, text))

    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_mistakes_on_the_command_line(tmp_path: Path) -> None:
    """A file that is not there is named with the one that was meant; so is an argument that is no pair."""
    script(tmp_path, "SELECT 1;")
    missing = tailrace(tmp_path, "run", "jb.sql")
    pair = tailrace(tmp_path, "run", "job.sql", "--set", "novalue")

    unknown = tailrace(tmp_path, "run", "job.sql", "--ouput", "csv")
    choice = tailrace(tmp_path, "run", "job.sql", "--output", "xml", "--json")

    assert missing.returncode == pair.returncode == unknown.returncode == choice.returncode == 2
    assert unknown.stderr.splitlines() == [
        "error: No such option: --ouput (Possible options: --output)",
        "hint: tailrace run --help says more",
    ]
    assert "'xml' is not one of 'table', 'jsonl', 'csv'" in json.loads(choice.stderr)["error"]["message"]
    assert "did you mean 'job.sql'?" in missing.stderr
    assert "--set NAME=VALUE" in pair.stderr


def test_a_script_from_standard_input(tmp_path: Path) -> None:
    """A - among the files is standard input."""
    well = tailrace(tmp_path, "run", "-", "-o", "csv", stdin="SELECT 1 AS a;")
    wrong = tailrace(tmp_path, "run", "-", stdin="\nSELECT b;")

    assert (well.returncode, well.stdout) == (0, "a\n1\n")
    assert "finished stdin" in well.stderr
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: <stdin>:2:8: ")


@pytest.mark.parametrize("content", [b"", b"  -- nothing\n;;", b"\xff\xfe", b"\x7fELF\x00\x01\xff", b"SELECT '\xe9';"])
def test_what_is_no_script(tmp_path: Path, content: bytes) -> None:
    """A file without a statement, and one that is no text, is one clear error."""
    (tmp_path / "job.sql").write_bytes(content)
    result = tailrace(tmp_path, "run", "job.sql")

    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(r"error: .*job\.sql.*", result.stderr)
    assert len(result.stderr.splitlines()) <= 2


def test_what_no_row_is_to_blame_for(tmp_path: Path) -> None:
    """An expression of constants that fails is pointed to, without a word of sources or rows."""
    result = tailrace(tmp_path, "run", script(tmp_path, "SELECT 1 / 0;"))

    assert result.returncode == 1
    assert "error: job.sql:1:8: division by zero (stage cast)\n  SELECT 1 / 0;\n         ^^^^^\n" in result.stderr


def test_a_bad_row_is_status_1(tmp_path: Path) -> None:
    """What fails while it runs is status 1, with the row's place."""
    (tmp_path / "in.json").write_text('{"id": 1}\nnonsense\n')
    text = "CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'in.json', 'format' = 'json');"
    result = tailrace(tmp_path, "run", script(tmp_path, text + "SELECT * FROM t;"))

    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "in.json" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    """After a signal what was read goes through, and the status is 0."""
    name = script(tmp_path, ENDLESS.format(rate=2000) + "SELECT id FROM ticks;")
    process = subprocess.Popen(
        [*PROGRAM, "run", name, "-o", "csv"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    head = [process.stdout.readline() for _ in range(20)]
    process.send_signal(number)
    rows = len(head) + len(process.stdout.readlines()) - 1
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 0, errors
    assert "stopped job" in errors
    assert f"{rows:,} rows out" in errors, "every row that was read was written"


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Whoever can't wait sends a second signal: status 130."""
    name = script(tmp_path, ENDLESS.format(rate="unlimited") + "SELECT id FROM ticks;")
    process = subprocess.Popen(
        [*PROGRAM, "run", name, "-o", "csv"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "id\n"
        # nobody reads on: the sink is stuck in its pipe, and draining can't end
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)

        assert process.wait(10) == 130
    finally:
        process.kill()
        process.communicate()


def wait_for_handler(process: subprocess.Popen[str]) -> None:
    """Wait until a process takes SIGTERM itself; that is soon after its start."""
    status = Path(f"/proc/{process.pid}/status")
    for _ in range(2000):
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)
    raise AssertionError("SIGTERM is not taken")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_loads_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    """Before the job there is nothing to drain: the status is 0, and there is no traceback."""
    name = script(tmp_path, ENDLESS.format(rate=10) + "SELECT id FROM ticks;")
    process = subprocess.Popen(
        [*PROGRAM, "run", name], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_handler(process)
    process.send_signal(number)
    rows, errors = process.communicate(timeout=30)

    assert (process.returncode, rows) == (0, "")
    assert errors == "stopped before anything ran\n"


def test_rows_and_live_lines_share_a_terminal(tmp_path: Path) -> None:
    """On a terminal a line for each source and sink changes in place, below the rows of the SELECT."""
    name = script(tmp_path, ENDLESS.format(rate=20) + "SELECT 'row ' || CAST(id AS STRING) AS r FROM ticks;")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*PROGRAM, "run", name], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = read_until(ours, b"\x1b[2F\x1b[Jrow ")
    process.send_signal(signal.SIGINT)
    shown += read_until(ours, None)

    assert process.wait(30) == 0
    assert b"source ticks: " in shown
    assert b"sink (result): " in shown
    assert b"stopped job: " in shown
    assert all(b"row " not in line for line in shown.splitlines() if b"source ticks: " in line)


def read_until(terminal: int, wanted: bytes | None) -> bytes:
    """Read what a program writes to its terminal: up to these bytes, or to its end."""
    shown = b""
    while wanted is None or wanted not in shown:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            assert wanted is None, shown
            os.close(terminal)
            return shown
        shown += part
    return shown


def test_print_goes_beside_rows_for_programs(tmp_path: Path) -> None:
    """The connector print has standard output unless it has rows for programs."""
    text = "CREATE TABLE p (a INT) WITH ('connector' = 'print'); INSERT INTO p VALUES (7); SELECT 1 AS a;"
    table = tailrace(tmp_path, "run", script(tmp_path, text))
    lines = tailrace(tmp_path, "run", script(tmp_path, text), "-o", "jsonl")

    assert table.stdout == "+I[7]\na\n-\n1\n"
    assert lines.stdout == '{"op": "+I", "row": {"a": 1}}\n'
    assert "+I[7]" in lines.stderr


def test_a_reader_that_leaves_ends_the_query(tmp_path: Path) -> None:
    """`| head` ends an endless query quietly."""
    name = script(tmp_path, ENDLESS.format(rate=5000) + "SELECT id FROM ticks;")
    process = subprocess.Popen(
        [*PROGRAM, "run", name, "-o", "csv"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "id\n"
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(30) == 0, errors
    assert "Broken" not in errors
    assert "Traceback" not in errors


def test_a_reader_that_leaves_before_all_is_written(tmp_path: Path) -> None:
    """`explain | head` is well too."""
    name = script(tmp_path, NUMBERS.format(end=1) + "SELECT id FROM numbers;")
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [*PROGRAM, "explain", name], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")


def test_shows_go_beside_rows_for_programs(tmp_path: Path) -> None:
    """SHOW prints a table; with rows for programs it goes to standard error."""
    text = NUMBERS.format(end=1) + "SHOW TABLES; SELECT id FROM numbers;"
    result = tailrace(tmp_path, "run", script(tmp_path, text), "-o", "csv")

    assert result.stdout == "id\n1\n"
    assert "numbers" in result.stderr


def test_help_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    """Help needs neither Polars nor numba nor sqlglot."""
    code = "import sys, tailrace.cli.commands as m\ntry: m.app(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'polars', 'numba', 'sqlglot', 'numpy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert result.stdout.splitlines()[-1] == "set()"
    assert all(word in result.stdout for word in ("run", "check", "explain", "sql", "demo"))


def test_every_command_has_help_with_an_example() -> None:
    """Each command says what it is for, with an example."""
    for command in ("run", "check", "explain", "sql", "demo"):
        environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "120"}
        result = subprocess.run(
            [*PROGRAM, command, "--help"], capture_output=True, text=True, check=True, env=environment
        )
        assert f"Example: tailrace {command}" in result.stdout


def test_a_first_run_tells_that_it_compiles(tmp_path: Path) -> None:
    """Nothing else is seen for some seconds; with JSON the note is JSON too. The next run has nothing to compile."""
    (tmp_path / "in.csv").write_text("1\n2\n")
    text = "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv');"
    name = script(tmp_path, text + "SELECT a FROM t;")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [*PROGRAM, "run", name, "--json", "--output", "jsonl"]
    runs = [
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment, timeout=120)
        for _ in range(2)
    ]

    lines = [[json.loads(line) for line in run.stderr.splitlines()] for run in runs]
    assert [[x["event"] for x in said if "event" in x] for said in lines] == [
        ["compiling kernels: only now, they are kept for the next runs"],
        [],
    ]
