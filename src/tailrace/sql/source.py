"""The text of a script: parameters replaced, and every place of the result known in the original."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

from tailrace.errors import ConfigError, Location, did_you_mean

ENVIRONMENT = "env:"
PREFIX = "TAILRACE_"

_PIECES = re.compile(
    r"(?P<comment>--[^\n]*|/\*(?!\+).*?\*/)"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>`(?:[^`]|``)*`)"
    r"|(?P<parameter>\$\{[^}\n]*\})"
    r"|(?P<open>/\*(?!\+)|'|`)",
    re.DOTALL,
)
_PARAMETER = re.compile(r"\$\{([^}\n]*)\}")
_OPEN = {"/*": ("comment", "*/"), "'": ("string", "'"), "`": ("name", "`")}


def parameters_in(text: str) -> frozenset[str]:
    """
    Give the names of the parameters that a script asks for; those in comments don't count.

    >>> sorted(parameters_in("SELECT '${A}', ${B} -- ${C}"))
    ['A', 'B']
    """
    pieces = [p for p in _PIECES.finditer(text) if p.lastgroup not in ("comment", "open")]
    return frozenset(m[1].strip() for p in pieces for m in _PARAMETER.finditer(p[0]))


class Source:
    """
    A script after `${NAME}` and `${env:TAILRACE_...}` are replaced.

    Comments are left alone. Inside a string or a quoted name the value's quotes are doubled, so that a value can't end it.

    >>> Source("SELECT '${WHO}'", "a.sql", {"WHO": "it's"}).text
    "SELECT 'it''s'"
    """

    def __init__(
        self, text: str, file: str, parameters: Mapping[str, str] = {}, environ: Mapping[str, str] = {}
    ) -> None:
        self.file = file
        self._original = text
        self._parameters = parameters
        self._environ = environ
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", text))]
        # (place in the text, place in the original, length in the original; 0 for text that is copied)
        self._segments: list[tuple[int, int, int]] = [(0, 0, 0)]
        self.text: str = self._replace()

    def __deepcopy__(self, memo: object) -> Source:
        return self  # it never changes, and every node of a tree may refer to it

    def location(self, start: int, stop: int) -> Location:
        """Give the place in the original text of `text[start:stop]`."""
        first, last = self._original_span(start)[0], self._original_span(max(start, stop - 1))[1]
        return self._locate(first, last)

    def quote(self, start: int, stop: int) -> str:
        """Give a piece of the text as it stands."""
        return self.text[start:stop]

    def _locate(self, first: int, last: int) -> Location:
        line = bisect_right(self._line_starts, first)
        begin = self._line_starts[line - 1]
        text = self._original[begin:].split("\n", 1)[0].rstrip("\r")
        column = first - begin
        length = min(last, begin + len(text)) - first
        return Location(self.file, line, column + 1, text, max(1, length))

    def _original_span(self, place: int) -> tuple[int, int]:
        at = bisect_right([s[0] for s in self._segments], place) - 1
        start, original, length = self._segments[at]
        if length:
            return original, original + length
        return original + place - start, original + place - start + 1

    def _replace(self) -> str:
        out: list[str] = []
        size = copied = 0
        for start, stop, value in self._parameters_of():
            before = self._original[copied:start]
            size += len(before)
            out += [before, value]
            if value:
                self._segments.append((size, start, stop - start))
            size += len(value)
            self._segments.append((size, stop, 0))
            copied = stop
        return "".join([*out, self._original[copied:]])

    def _parameters_of(self) -> list[tuple[int, int, str]]:
        """Give each parameter's span in the original and the text that takes its place."""
        found = []
        for piece in _PIECES.finditer(self._original):
            kind = piece.lastgroup
            if kind == "open":
                raise self._unclosed(piece)
            if kind == "comment":
                continue
            quote = {"string": "'", "name": "`"}.get(kind or "", "")
            for match in _PARAMETER.finditer(self._original, piece.start(), piece.end()):
                value = self._value(match)
                found.append((match.start(), match.end(), value.replace(quote, quote * 2) if quote else value))
        return found

    def _unclosed(self, piece: re.Match[str]) -> ConfigError:
        what, closing = _OPEN[piece[0]]
        return ConfigError(
            f"the {what} that begins here has no end",
            hint=f"close it with {closing}",
            location=self._locate(piece.start(), piece.end()),
        )

    def _value(self, match: re.Match[str]) -> str:
        name = match[1].strip()
        at = self._locate(match.start(), match.end())
        if name.startswith(ENVIRONMENT):
            return self._environment_value(name[len(ENVIRONMENT) :], at)
        if name not in self._parameters:
            hint = did_you_mean(name, self._parameters) or f"give it with --parameter {name or 'NAME'}=value"
            raise ConfigError(f"the parameter '{name}' has no value", hint=hint, location=at)
        return self._parameters[name]

    def _environment_value(self, name: str, at: Location) -> str:
        if not name.startswith(PREFIX):
            raise ConfigError(
                f"the environment variable '{name}' can't be read from a script",
                hint=f"only names that begin with {PREFIX} can",
                location=at,
            )
        if name not in self._environ:
            raise ConfigError(
                f"the environment variable '{name}' is not set",
                hint=did_you_mean(name, (n for n in self._environ if n.startswith(PREFIX))) or f"export {name}=value",
                location=at,
            )
        return self._environ[name]
