"""
Paths of JSON functions: `$.a.b[0]`, `$['a']`, `$.*`, `$[1:3]`, `$..a`, `$[?(@.a > 1)]`, with `lax` or `strict` before.

What a path finds is what Flink's library for them finds. A strict path (the default) fails where it finds nothing, a lax
one gives nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tailrace.errors import UnsupportedError
from tailrace.expressions.json.filters import Filter, filter_of
from tailrace.expressions.json.steps import (
    Anywhere,
    Every,
    Items,
    Length,
    Members,
    PathError,
    ScalarError,
    Slice,
    Step,
    Where,
)
from tailrace.expressions.json.text import NotJsonError, read

_MODE = re.compile(r"\s*(strict|lax)\s+(.+)", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*""")
_INDEXES = re.compile(r"\s*-?\d+\s*(,\s*-?\d+\s*)*")
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*")
_NAME = re.compile(r"[^.\[\]\s()]+")


@dataclass(frozen=True, slots=True)
class Path:
    """A path; `error` is why it is none, `definite` tells that it means one place."""

    lax: bool
    steps: tuple[Step, ...] = ()
    definite: bool = True
    error: str = ""
    keys: tuple[str | int, ...] | None = None
    """The members and places one after the other, if there is nothing else in the path."""

    def find(self, text: str) -> Any:
        """
        Give what stands at the path in a JSON text; None for nothing and for null.

        >>> compiled("$.a[1]").find('{"a": [1, 2]}')
        2

        Raises:
            PathError: the path is none, or strict and finds nothing, or the text is no JSON.
        """
        try:
            root = read(text)
        except NotJsonError as error:
            if self.lax:
                return None
            raise PathError(str(error)) from None
        if root is None:
            raise PathError("the JSON text is null")
        if self.error:
            raise PathError(self.error)
        found = self._found(root) if self.keys is None else self._at_keys(root, self.keys)
        if found is None and not self.lax:
            raise PathError("there is nothing at the path, or null")
        return found

    def _at_keys(self, root: Any, keys: tuple[str | int, ...]) -> Any:
        """Give what stands at one place, as `_found` does."""
        value = root
        for key in keys:
            if isinstance(key, str):
                value = value.get(key) if isinstance(value, dict) else None
            else:
                inside = isinstance(value, list) and -len(value) <= key < len(value)
                value = value[key] if inside else None
            if value is None:
                return None
        return value

    def _found(self, root: Any) -> Any:
        try:
            found = [root]
            sure = True
            for i, step in enumerate(self.steps):
                found = step.take(found, sure=sure, last=i + 1 == len(self.steps))
                sure = sure and step.single
        except PathError as error:
            if self.lax and not isinstance(error, ScalarError):
                return None if self.definite else []
            raise
        if not self.definite:
            return found
        return found[0] if found else None


@lru_cache(maxsize=1024)
def compiled(text: str) -> Path:
    """
    Give the path that a text means; one that is wrong too, as it may fail quietly.

    Raises:
        UnsupportedError: it is right, but can't be searched here.
    """
    match = _MODE.fullmatch(text)
    lax = match is not None and match[1].lower() == "lax"
    try:
        steps = tuple(_Reader(match[2] if match else text).steps())
    except PathError as error:
        return Path(lax, error=str(error))
    last = len(steps) - 1
    definite = all(s.single or (i == last and isinstance(s, Members)) for i, s in enumerate(steps))
    return Path(lax, steps, definite, keys=_keys(steps))


def _keys(steps: tuple[Step, ...]) -> tuple[str | int, ...] | None:
    keys: list[str | int] = []
    for step in steps:
        if isinstance(step, Members) and step.single:
            keys.append(step.names[0])
        elif isinstance(step, Items) and step.single:
            keys.append(step.places[0])
        else:
            return None
    return tuple(keys)


class _Reader:
    def __init__(self, text: str) -> None:
        if not text:
            raise PathError("the JSON path is empty")
        self._text = text.rstrip() if text[0] in "$@" else f"$.{text.rstrip()}"
        self._at = 1

    def steps(self) -> list[Step]:
        found: list[Step] = []
        while self._at < len(self._text):
            found.append(self._step())
        return found

    def _rest(self) -> str:
        return self._text[self._at :]

    def _step(self) -> Step:
        rest = self._rest()
        if rest.startswith(".."):
            self._at += 2
            return self._anywhere()
        if rest[0] == "[":
            return self._bracket()
        if rest[0] != ".":
            raise self._wrong()
        self._at += 1
        return self._dotted()

    def _anywhere(self) -> Step:
        step = self._bracket() if self._rest().startswith("[") else self._dotted()
        if not isinstance(step, (Members, Every)):
            raise UnsupportedError("'..' before [] is not supported in a JSON path", hint="write '..name' or '..*'")
        return Anywhere(step)

    def _dotted(self) -> Step:
        if self._rest().startswith("*"):
            self._at += 1
            return Every()
        match = _NAME.match(self._rest())
        if match is None:
            raise self._wrong()
        self._at += match.end()
        if not self._rest().startswith("("):
            if self._rest()[:1] not in ("", ".", "["):
                raise self._wrong()
            return Members((match[0],))
        return self._function(match[0])

    def _function(self, name: str) -> Step:
        end = self._text.find(")", self._at)
        if end < 0:
            raise self._wrong()
        if name not in ("length", "size") or end != self._at + 1 or end + 1 != len(self._text):
            message = f"the function '{name}' is not supported in a JSON path"
            raise UnsupportedError(message, hint="supported is length() at the end of a path")
        self._at = end + 1
        return Length()

    def _bracket(self) -> Step:
        if self._rest().startswith("[?"):
            self._at += 2
            return Where(self._filter())
        names, quoted_end = self._quoted()
        if names:
            self._at = quoted_end
            return Members(tuple(names))
        end = self._text.find("]", self._at)
        inside = self._text[self._at + 1 : end] if end >= 0 else ""
        self._at = end + 1
        if inside.strip() == "*":
            return Every()
        if _INDEXES.fullmatch(inside):
            return Items(tuple(int(i) for i in inside.split(",")))
        if (bounds := _SLICE.fullmatch(inside)) and (bounds[1] or bounds[2]):
            return Slice(int(bounds[1]) if bounds[1] else None, int(bounds[2]) if bounds[2] else None)
        raise self._wrong()

    def _quoted(self) -> tuple[list[str], int]:
        """Give the names in brackets, and where they end."""
        names, at = [], self._at + 1
        while match := _QUOTED.match(self._text, at):
            names.append(re.sub(r"\\(.)", r"\1", match[1] if match[1] is not None else match[2]))
            at = match.end()
            if self._text[at : at + 1] == "]":
                return names, at + 1
            if self._text[at : at + 1] != ",":
                break
            at += 1
        if names:
            raise self._wrong()
        return [], at

    def _filter(self) -> Filter:
        end = self._text.find(")]", self._at)
        if not self._rest().startswith("(") or end < 0:
            raise self._wrong()
        inside = self._text[self._at + 1 : end]
        self._at = end + 2
        return filter_of(inside)

    def _wrong(self) -> PathError:
        return PathError(f"'{self._text}' is no JSON path")
