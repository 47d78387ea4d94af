"""
The exceptions of Tailrace, by what the caller should do about them.

    TailraceError
      ConfigError       mend your file, option or environment; nothing has run
        UnsupportedError  the statement is right in Flink, but not (yet) here
      DataError         a row is bad; the error policy of its table decides
      TransientError    the other side is away; it is tried again
      TerminalError     the job stops; its state is intact

Every message says what is wrong and where; `hint` says what to do next.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_AROUND = 100
"""So many characters of a long line are shown before and after the marked part."""


_SECRETS = (
    "password", "secret", "account.key", "apikey", "api-key", "auth-params", "service-key", "token", "basic-auth",
    "jaas.config", "http-headers", "otlp.headers", "access-key", "credential", "passphrase", "connection-string", "key.pem", "keystore.key",
)  # fmt: skip
_ASSIGNED = re.compile(
    rf"""((?:{"|".join(map(re.escape, _SECRETS))})[\w.-]*['"]?\s*[=:,]\s*)('(?:''|[^'])*|"(?:\\.|[^"])*)""",
    re.IGNORECASE,
)


def is_secret(key: str) -> bool:
    """
    Tell whether the value of an option must not be shown.

    >>> is_secret("properties.sasl.jaas.config"), is_secret("topic")
    (True, False)
    """
    return any(part in key.lower() for part in _SECRETS)


def without_secrets(line: str) -> str:
    """
    Hide the values of secret options in a line of a script; it stays as long as it was.

    >>> without_secrets("'properties.sasl.password' = 'abc', 'topic' = 'a'")
    "'properties.sasl.password' = '***', 'topic' = 'a'"
    """
    return _ASSIGNED.sub(lambda m: m[1] + m[2][0] + "*" * (len(m[2]) - 1), line)


def _columns(character: str) -> int:
    """Give how many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text: `line` and `column` count from 1, `text` is the whole line, `length` the marked part."""

    file: str
    line: int
    column: int
    text: str = ""
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def caret(self) -> str:
        """Give the line with a caret under the marked part, of a long line what is around it; without secrets."""
        if not self.text:
            return ""
        text = without_secrets(self.text)
        first = max(0, self.column - 1 - _AROUND)
        last = min(len(text), self.column - 1 + min(self.length, _AROUND) + _AROUND)
        if last - first >= len(text) - _AROUND // 2:  # a little more is better than dots
            first, last = 0, len(text)
        before, marked = text[first : self.column - 1], text[self.column - 1 : last][: self.length]
        dots, more = "… " if first else "", " …" if last < len(text) else ""
        pad = "".join("\t" if c == "\t" else " " * _columns(c) for c in dots + before)
        return f"  {dots}{text[first:last]}{more}\n  {pad}{'^' * max(1, sum(map(_columns, marked)))}"


class TailraceError(Exception):
    """Anything that Tailrace reports; `code` is stable and documented."""

    code = "TR000"

    def __init__(self, message: str, *, hint: str = "", location: Location | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.location = location

    def __str__(self) -> str:
        """Give the whole report: place, message, the line with a caret, and the hint."""
        where = f"{self.location}: " if self.location else ""
        caret = self.location.caret() if self.location else ""
        hint = f"hint: {self.hint}" if self.hint else ""
        return "\n".join(part for part in (f"{where}{self.message}", caret, hint) if part)


class ConfigError(TailraceError):
    """A file, option or environment is wrong; nothing has run."""

    code = "TR100"


class UnsupportedError(ConfigError):
    """A statement that Flink knows and this version does not."""

    code = "TR101"


class DataError(TailraceError):
    """A row is bad; the message names source, partition and offset."""

    code = "TR200"


class TransientError(TailraceError):
    """The other side is away for now; the caller may try again."""

    code = "TR300"
    after: float = 0.0
    """It asked not to be tried again for so many seconds."""


class TerminalError(TailraceError):
    """The job can't go on; its last checkpoint is intact."""

    code = "TR400"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """
    Give a hint that names what was likely meant, or an empty text.

    >>> did_you_mean("amuont", ["amount", "card"])
    "did you mean 'amount'?"
    """
    by_fold = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), by_fold, n=1, cutoff=0.6)
    return f"did you mean '{by_fold[close[0]]}'?" if close else ""
