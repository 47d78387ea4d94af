"""`tailrace sql`: type SQL and see the rows as they come."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.cli import logs
from tailrace.cli.failures import plain, report
from tailrace.cli.jobs import stopped_by_signals
from tailrace.cli.output import print_frame
from tailrace.cli.progress import Progress, summary_lines
from tailrace.cli.run import Gone, make_job, query_sink, show, tell
from tailrace.cli.screen import LiveLines
from tailrace.cli.script import Script, new_session, read, script_of
from tailrace.errors import TailraceError
from tailrace.sql.session import Session
from tailrace.sql.statements import Done, Insert, Query, Show, Statement

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

HISTORY = Path("~/.tailrace_history")
NAME = "<sql>"
_LEAVE = frozenset(("exit", "quit", r"\q"))
_HELP = """Statements end with a semicolon and may have several lines.
  SHOW TABLES;  DESCRIBE <table>;  EXPLAIN <query>;  SET 'key' = 'value';
Ctrl-C stops the query that runs (or drops what was typed), Ctrl-D or exit leaves."""
_WORDS = re.findall(
    r"\w+",
    """
SELECT DISTINCT FROM WHERE GROUP BY HAVING LIMIT OFFSET UNION ALL AS AND OR NOT IN IS NULL LIKE BETWEEN CASE
WHEN THEN ELSE END CAST TRY_CAST CREATE TEMPORARY TABLE VIEW DROP IF EXISTS WITH WATERMARK FOR PRIMARY KEY ENFORCED
METADATA VIRTUAL PARTITIONED INSERT INTO EXECUTE STATEMENT SET BEGIN RESET SHOW TABLES VIEWS DESCRIBE EXPLAIN INTERVAL
TUMBLE HOP CUMULATE DESCRIPTOR SECOND MINUTE HOUR DAY BOOLEAN INT BIGINT DOUBLE DECIMAL STRING BYTES DATE TIME TIMESTAMP
TIMESTAMP_LTZ ARRAY MAP ROW COUNT SUM AVG MIN MAX
""",
)
_QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|`(?:[^`]|``)*`", re.DOTALL)


def sql(files: Sequence[Path], output: str, parameters: Sequence[str] | None, settings: Sequence[str] | None) -> None:
    """
    Talk with the user; or run what comes through a pipe.

    Raises:
        TailraceError: a file, or a statement from a pipe, is wrong or failed.
    """
    logs.to_stderr(logging.WARNING)
    shell = Shell(new_session(parameters, settings), output)
    for file in files:
        shell.bind(read(file), str(file))
    if sys.stdin.isatty():
        talk(shell)
    else:
        shell.execute(sys.stdin.read(), "<stdin>")


class Shell:
    """A session whose statements are carried out one after the other."""

    def __init__(self, session: Session, output: str) -> None:
        self.session = session
        self._output = output

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
                print(plain(statement.message), file=sys.stderr)
            case Show():
                print_frame(statement.frame, sys.stdout)
                sys.stdout.flush()
            case Insert() | Query():
                self._run(script, talking=talking)
            case _:
                show(script, sys.stdout)

    def _run(self, script: Script, *, talking: bool) -> None:
        gone = Gone()
        sink = query_sink(script, self._output, gone)
        job = make_job(script, None, {} if sink is None else {"sink": sink}, allow_state_drop=False)
        gone.job = job
        second = _interrupt if talking else None
        if sink is not None:
            with stopped_by_signals(job, second=second):
                summary = job.run()
            print(f"({summary_lines(summary)[0]})", file=sys.stderr)
            return
        with (
            Progress(job, sys.stderr, live=LiveLines(sys.stderr) if sys.stderr.isatty() else None),
            stopped_by_signals(job, second=second),
        ):
            tell(job.run(), json=False)


def _interrupt() -> None:
    raise KeyboardInterrupt


def talk(shell: Shell) -> None:
    """Ask for statements until the user leaves; an error ends its statement only."""
    asker = _asker(shell)
    print("Tailrace: statements end with a semicolon; 'help' says more.", file=sys.stderr)
    for number, text in enumerate(statements(asker), start=1):
        if text.strip().rstrip(";").strip().lower() == "help":
            print(_HELP, file=sys.stderr)
            continue
        try:
            shell.execute(text, f"<sql {number}>", talking=True)
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
        except TailraceError as error:
            report(error)
        except Exception as error:  # noqa: BLE001  a fault ends its statement, not the session
            report(error)


def statements(ask: Callable[[str], str]) -> Iterator[str]:
    """Give what the user types, statement by statement; `ask` gets the prompt to show and gives a line."""
    lines: list[str] = []
    while True:
        try:
            line = ask("....> " if lines else "sql> ")
        except KeyboardInterrupt:
            lines = []
            continue
        except EOFError:
            return
        if not lines and line.strip().rstrip(";").lower() in _LEAVE:
            return
        if not lines and line.strip().lower() == "help":
            yield line
            continue
        lines += [line] if lines or line.strip() else []
        if lines and is_complete("\n".join(lines)):
            yield "\n".join(lines)
            lines = []


def is_complete(text: str) -> bool:
    """
    Tell whether a text ends with a statement's semicolon.

    >>> is_complete("SELECT ';'"), is_complete("SELECT 1; -- done")
    (False, True)
    """
    bare = _QUOTED.sub(lambda m: "" if m[0].startswith(("--", "/*")) else "x", text).rstrip()
    within = re.search(r"(?is)\bSTATEMENT\s+SET\b(?!.*\bEND\s*;\s*$)", bare)
    return bare.endswith(";") and not within and not re.search(r"['`]|/\*", bare)


def _asker(shell: Shell) -> Callable[[str], str]:
    from prompt_toolkit import PromptSession  # noqa: PLC0415  only when talking
    from prompt_toolkit.history import FileHistory, InMemoryHistory  # noqa: PLC0415

    path = HISTORY.expanduser()
    try:
        path.touch(mode=0o600)
        history: FileHistory | InMemoryHistory = FileHistory(str(path))
    except OSError:
        history = InMemoryHistory()
    session: PromptSession[str] = PromptSession(
        history=history, completer=_completer(shell), complete_while_typing=False
    )
    return session.prompt


def _completer(shell: Shell) -> Completer:
    from prompt_toolkit.completion import Completer, Completion  # noqa: PLC0415  only when talking

    class SqlCompleter(Completer):
        """Completes words, tables, columns and functions."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            word = document.get_word_before_cursor(pattern=re.compile(r"[\w.$]+"))
            for candidate in completions(word, shell.session):
                yield Completion(candidate, start_position=-len(word))

    return SqlCompleter()


def completions(word: str, session: Session) -> list[str]:
    """Give what a word may go on to be: names of the session first, then functions and SQL words."""
    if not word:
        return []
    from tailrace.expressions.catalogue import scalar_names  # noqa: PLC0415  only when talking

    columns = {name for table in session.tables.values() for name in table.schema.names}
    names = sorted({*session.tables, *session.views} | columns)
    words = sorted({*_WORDS, *(n for n in scalar_names() if n[0].isalpha())})
    upper = [w if word[0].isupper() else w.lower() for w in words]
    return [c for c in dict.fromkeys([*names, *upper]) if c.lower().startswith(word.lower())]
