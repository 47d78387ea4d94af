"""`tailrace sql`: type SQL and see the rows as they come."""

from __future__ import annotations

import json as jsons
import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import polars as pl

from tailrace.cli import logs
from tailrace.cli.asking import HELP, asker, statements, typed_word
from tailrace.cli.compiling import told_of_compiling
from tailrace.cli.failures import report, silence_stdout
from tailrace.cli.jobs import stopped_by_signals
from tailrace.cli.output import output_sink, print_frame
from tailrace.cli.progress import Progress, summary_lines
from tailrace.cli.run import Gone, make_job, query_sink, show, tell
from tailrace.cli.screen import LiveLines
from tailrace.cli.script import Script, new_session, read, script_of
from tailrace.observe.plain import plain
from tailrace.plan.explain import explain as draw
from tailrace.schema import STRING, Field, Schema
from tailrace.sql.session import Session
from tailrace.sql.statements import Done, Explain, Insert, Query, Show, Statement

NAME = "<sql>"
_HELP = """Statements end with a semicolon and may have several lines.
  SHOW TABLES;  DESCRIBE <table>;  EXPLAIN <query>;  SET 'key' = 'value';
Ctrl-C stops the query that runs (or drops what was typed), Ctrl-D or exit leaves."""


def sql(
    files: Sequence[Path],
    output: str,
    parameters: Sequence[str] | None,
    settings: Sequence[str] | None,
    *,
    json: bool = False,
) -> None:
    """
    Talk with the user; or run what comes through a pipe. With `json` all that is said is lines of JSON.

    Raises:
        TailraceError: a file, or a statement from a pipe, is wrong or failed.
    """
    logs.to_stderr(logging.WARNING, as_json=json)
    shell = Shell(new_session(parameters, settings), "jsonl" if json else output, json=json)
    for file in files:
        shell.bind(read(file), str(file))
    if sys.stdin.isatty():
        talk(shell)
    else:
        shell.execute(sys.stdin.read(), "<stdin>")


class Shell:
    """A session whose statements are carried out one after the other."""

    def __init__(self, session: Session, output: str, *, json: bool = False) -> None:
        self.session = session
        self._output = output
        self._json = json

    def bind(self, text: str, file: str) -> list[Statement]:
        """
        Bind a text; definitions take effect, nothing runs.

        Raises:
            ConfigError: a statement is wrong.
        """
        return self.session.bind(text, file)

    def execute(self, text: str, file: str, *, talking: bool = False) -> None:
        """
        Bind a text, and run its statements in order.

        Raises:
            TailraceError: a statement is wrong, or its job failed.
        """
        for statement in self.bind(text, file):
            self._execute(statement, talking=talking)

    def _execute(self, statement: Statement, *, talking: bool) -> None:
        script = script_of([statement], self.session, "sql")
        match statement:
            case Done():
                text = jsons.dumps({"done": statement.message}) if self._json else plain(statement.message)
                print(text, file=sys.stderr)
            case Show():
                self._show(statement.frame)
            case Insert() | Query():
                self._run(script, talking=talking)
            case Explain():
                if self._output == "table":
                    show(script, sys.stdout)
                else:
                    self._show(pl.DataFrame({"result": [draw(statement.sinks)]}))

    def _show(self, frame: pl.DataFrame) -> None:
        """Print a small frame of texts in the way that rows are written."""
        if self._output == "table":
            print_frame(frame, sys.stdout)
        else:
            schema = Schema(tuple(Field(name, STRING) for name in frame.columns))
            sink = output_sink(self._output, schema, sys.stdout, updating=False, on_gone=silence_stdout)
            sink.open()
            sink.write(frame)
            sink.close()
        sys.stdout.flush()

    def _run(self, script: Script, *, talking: bool) -> None:
        gone = Gone()
        sink = query_sink(script, self._output, gone)
        job = make_job(script, None, {} if sink is None else {"sink": sink}, allow_state_drop=False)
        gone.job = job
        second = _interrupt if talking else None
        live = LiveLines(sys.stderr) if sys.stderr.isatty() and not self._json else None
        shown = nullcontext() if sink is not None else Progress(job, sys.stderr, live=live, as_json=self._json)
        note = told_of_compiling(lambda text: None if self._json else print(text, file=sys.stderr))
        with shown, note, stopped_by_signals(job, second=second):
            summary = job.run()
        if sink is not None and not self._json:
            print(f"({summary_lines(summary)[0]})", file=sys.stderr)
        else:
            tell(summary, json=self._json)


def _interrupt() -> None:
    raise KeyboardInterrupt


def talk(shell: Shell) -> None:
    """Ask for statements until the user leaves; an error ends its statement only."""
    ask = asker(shell.session)
    print("Tailrace: statements end with a semicolon; 'help' says more.", file=sys.stderr)
    for number, text in enumerate(statements(ask), start=1):
        if typed_word(text) == HELP:
            print(_HELP, file=sys.stderr)
            continue
        try:
            shell.execute(text, f"<sql {number}>", talking=True)
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
        except Exception as error:  # noqa: BLE001  an error ends its statement, not the session
            report(error)
