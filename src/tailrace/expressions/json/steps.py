"""The steps of a path: each takes the places that were found so far to those one step further."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tailrace.expressions.json.filters import Filter


class PathError(ValueError):
    """A path is none, or finds nothing."""


class ScalarError(PathError):
    """A filter stands behind a scalar, which is an error in a lax path too."""


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """
    A step; `single` tells that it leads to one place.

    Where all steps before are single (`sure`), a place that it can't be taken from is an error.
    """

    single: ClassVar[bool] = False

    def take(self, found: list[Any], *, sure: bool, last: bool) -> list[Any]:
        """Give the next places."""
        return [x for value in found for x in self.next(value, sure, last)]

    @abstractmethod
    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        """Give the places that follow one."""


@dataclass(frozen=True, slots=True)
class Members(Step):
    """`.a`, `['a']`, `['a', 'b']`: one member, or at the end of a path an object of several."""

    names: tuple[str, ...]

    @property
    def single(self) -> bool:  # type: ignore[override]  # of one name only
        """Whether there is one name."""
        return len(self.names) == 1

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        if not isinstance(value, dict):
            if sure:
                raise PathError(f"there is no object with '{self.names[0]}'")
            return
        if last and len(self.names) > 1:
            yield {n: value[n] for n in self.names if n in value}
            return
        for name in self.names:
            if name in value:
                yield value[name]
            elif sure and not last and self.single:
                raise PathError(f"there is no member '{name}'")


@dataclass(frozen=True, slots=True)
class Items(Step):
    """`[0]`, `[0, 2]`; negative numbers count from the end."""

    places: tuple[int, ...]

    @property
    def single(self) -> bool:  # type: ignore[override]  # of one place only
        """Whether there is one place."""
        return len(self.places) == 1

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        for place in self.places if _is_list(value, sure) else ():
            at = place + len(value) if place < 0 else place
            if 0 <= at < len(value):
                yield value[at]


@dataclass(frozen=True, slots=True)
class Slice(Step):
    """`[1:3]`, `[1:]`, `[:3]`."""

    start: int | None
    end: int | None

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        if not _is_list(value, sure):
            return
        if self.start is None or self.end is None:
            yield from value[slice(self.start, self.end)]
            return
        places = range(self.start, min(len(value), self.end))
        yield from (value[p] for p in places if -len(value) <= p < len(value))


@dataclass(frozen=True, slots=True)
class Every(Step):
    """`.*`, `[*]`."""

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        yield from _inside(value)


@dataclass(frozen=True, slots=True)
class Anywhere(Step):
    """`..a`, `..*`: a step from a value and from all that is inside of it."""

    step: Members | Every

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        if isinstance(self.step, Every) or (isinstance(value, dict) and self._has(value)):
            yield from self.step.next(value, sure=False, last=last)
        for inner in _inside(value):
            yield from self.next(inner, sure, last)

    def _has(self, value: dict[str, Any]) -> bool:
        return isinstance(self.step, Members) and all(n in value for n in self.step.names)


@dataclass(frozen=True, slots=True)
class Where(Step):
    """`[?(...)]`: the items of an array, or an object itself, that fit."""

    fits: Filter

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        if isinstance(value, list):
            yield from (x for x in value if self.fits(x))
        elif isinstance(value, dict):
            if self.fits(value):
                yield value
        elif sure:
            raise ScalarError("a filter stands behind a scalar")


@dataclass(frozen=True, slots=True)
class Length(Step):
    """`.length()`: how many items or members; null for a scalar."""

    single: ClassVar[bool] = True

    def next(self, value: Any, sure: bool, last: bool) -> Iterator[Any]:
        yield len(value) if isinstance(value, dict | list) else None


def _is_list(value: Any, sure: bool) -> bool:
    if sure and not isinstance(value, list):
        raise PathError("there is no array")
    return isinstance(value, list)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
