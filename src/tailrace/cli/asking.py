"""Asking for SQL on a terminal: where a statement ends, the history, and what a word may go on to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.sql.session import Session

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

HISTORY = Path("~/.tailrace_history")
MORE = "....> "
HELP = "help"
_LEAVE = frozenset(("exit", "quit", r"\q"))
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


def statements(ask: Callable[[str], str]) -> Iterator[str]:
    """Give what the user types, statement by statement; `ask` gets the prompt to show and gives a line."""
    lines: list[str] = []
    while True:
        try:
            line = ask(MORE if lines else "sql> ")
        except KeyboardInterrupt:
            lines = []
            continue
        except EOFError:
            return
        if not lines and typed_word(line) in _LEAVE:
            return
        if not lines and typed_word(line) == HELP:
            yield line
            continue
        lines += [line] if lines or line.strip() else []
        if lines and is_complete("\n".join(lines)):
            yield "\n".join(lines)
            lines = []


def typed_word(text: str) -> str:
    """
    Give what was typed as a word may be: without a semicolon, in small letters.

    >>> typed_word(" Exit ; ")
    'exit'
    """
    return text.strip().rstrip(";").strip().lower()


def goes_on(text: str) -> bool:
    """
    Tell whether Enter begins a new line of a statement, rather than end it.

    >>> goes_on("SELECT"), goes_on("SELECT 1;"), goes_on("exit"), goes_on("")
    (True, False, False, False)
    """
    typed = typed_word(text)
    return bool(typed) and typed not in {*_LEAVE, HELP} and not is_complete(text)


def is_complete(text: str) -> bool:
    """
    Tell whether a text ends with a statement's semicolon.

    >>> is_complete("SELECT ';'"), is_complete("SELECT 1; -- done")
    (False, True)
    """
    bare = _QUOTED.sub(lambda m: "" if m[0].startswith(("--", "/*")) else "x", text).rstrip()
    within = re.search(r"(?is)\bSTATEMENT\s+SET\b(?!.*\bEND\s*;\s*$)", bare)
    return bare.endswith(";") and not within and not re.search(r"['`]|/\*", bare)


def asker(session: Session) -> Callable[[str], str]:
    """Give what asks a user for a statement: with a history of whole ones, and with completion from the session."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415  only when talking
    from prompt_toolkit.application import get_app  # noqa: PLC0415
    from prompt_toolkit.filters import Condition  # noqa: PLC0415
    from prompt_toolkit.history import FileHistory, InMemoryHistory  # noqa: PLC0415

    try:
        path = HISTORY.expanduser()
        path.touch(mode=0o600)
        history: FileHistory | InMemoryHistory = FileHistory(str(path))
    except (OSError, RuntimeError):  # it can't be written, or this user has no home
        history = InMemoryHistory()
    made: PromptSession[str] = PromptSession(
        history=history,
        completer=_completer(session),
        complete_while_typing=False,
        multiline=Condition(lambda: goes_on(get_app().current_buffer.text)),
        prompt_continuation=MORE,
    )
    return made.prompt


def _completer(session: Session) -> Completer:
    from prompt_toolkit.completion import Completer, Completion  # noqa: PLC0415  only when talking

    class SqlCompleter(Completer):
        """Completes words, tables, columns and functions."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            word = document.get_word_before_cursor(pattern=re.compile(r"[\w.$]+"))
            for candidate in completions(word, session):
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
