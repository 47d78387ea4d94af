"""Patterns as lists of fields and plain texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_FIELD = re.compile(r"([A-Za-z])\1*")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_FORMATTER = {
    **dict.fromkeys("GE", 5),
    **dict.fromkeys("uyY", 19),
    **dict.fromkeys("MLQqec", 5),
    **dict.fromkeys("dwHhKkms", 2),
    **dict.fromkeys("WFa", 1),
    "D": 3,
    "S": 9,
    **dict.fromkeys("AnN", 19),
}
"""The letters of `DateTimeFormatter` that need no time zone, and how often each may stand in a row."""

_ZONES = {"X": 5, "x": 5, "Z": 5}
_SIMPLE = "GyYMLwWDdFEuaHkKhmsSzZX"


class PatternError(ValueError):
    """Java would refuse the pattern, or it asks for what is not here."""


@dataclass(frozen=True, slots=True)
class Field:
    """A letter, and how often it stands in a row."""

    letter: str
    count: int

    @property
    def numeric(self) -> bool:
        """Tell whether it is written in digits."""
        return not (self.letter in "GEazZXx" or (self.letter in "MLec" and self.count > 2))


@dataclass(frozen=True, slots=True)
class Pattern:
    """The parts of a pattern: fields, plain texts, and the marks `[` and `]` of what may be left out."""

    parts: tuple[Field | str, ...]
    marks: frozenset[int]
    old: bool

    def numeric(self, place: int) -> bool:
        """Tell whether the part at a place is a field in digits."""
        part = self.parts[place] if place < len(self.parts) else ""
        return isinstance(part, Field) and part.numeric


@cache
def formatter(pattern: str) -> Pattern:
    """
    Read a pattern of `DateTimeFormatter`.

    >>> formatter("yyyy-MM").parts
    (Field(letter='y', count=4), '-', Field(letter='M', count=2))

    Raises:
        PatternError: it is none, or not supported.
    """
    return _read(pattern, old=False)


@cache
def simple(pattern: str) -> Pattern:
    """
    Read a pattern of `SimpleDateFormat`.

    Raises:
        PatternError: it is none.
    """
    return _read(pattern, old=True)


def _read(pattern: str, old: bool) -> Pattern:
    parts: list[Field | str] = []
    marks: set[int] = set()
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if match := _FIELD.match(pattern, at):
            parts.append(_field(c, len(match[0]), pattern, old))
            at = match.end()
        elif c == "'":
            quoted = _QUOTED.match(pattern, at)
            if not quoted:
                raise PatternError(f"'{pattern}' has a ' without its end")
            parts.append(quoted[1].replace("''", "'") or "'")
            at = quoted.end()
        else:
            if not old and c in "{}#":
                raise PatternError(f"'{pattern}' has the reserved '{c}'")
            if not old and c in "[]":
                marks.add(len(parts))
            parts.append(c)
            at += 1
    return Pattern(tuple(parts), frozenset(marks), old)


def _field(letter: str, count: int, pattern: str, old: bool) -> Field:
    if old:
        if letter not in _SIMPLE:
            raise PatternError(f"'{pattern}' has the letter '{letter}', which means nothing")
        return Field(letter, count)
    most = (_FORMATTER | _ZONES).get(letter)
    if most is None:
        raise PatternError(f"'{pattern}' has the letter '{letter}', which is not supported")
    if count > most:
        raise PatternError(f"'{pattern}' has too many '{letter}' in a row")
    return Field(letter, count)
