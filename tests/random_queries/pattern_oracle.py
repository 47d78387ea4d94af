"""
What a pattern must give, by trying: from each row on all ways to give rows to variables, row by row.

It knows nothing of automatons. A search ends at the first row with which some way is complete; the next one begins where
AFTER MATCH says, or behind its first row if no way is left. A search that the end of the rows leaves open lets nothing out behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Taken = tuple[tuple[int, Row], ...]
"""Rows with the place of their variable in the pattern."""
Truth = bool | None
_MANY = 300
"""Of so many ways to match the same rows nobody can tell which one counts."""


class SkipError(Exception):
    """AFTER MATCH goes to a row that the match lacks, or to its first."""


class AmbiguousError(Exception):
    """Several matches begin with the same row, and it is not said which one counts."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as SQL, and computed: of the rows taken so far, the row at hand, and the place of its variable."""

    sql: str
    holds: Callable[[Taken, Row, int], Truth]


@dataclass(frozen=True, slots=True)
class Part:
    """A variable of the pattern with its quantifier."""

    variable: str
    low: int
    high: int | None
    reluctant: bool
    condition: Condition | None

    @property
    def greedy(self) -> bool:
        """Tell whether it takes rows away from what follows it."""
        return not self.reluctant and self.low != self.high and (self.low, self.high) != (0, 1)

    def __str__(self) -> str:
        high = "" if self.high is None else self.high
        named = {(0, None): "*", (1, None): "+", (0, 1): "?", (1, 1): ""}.get((self.low, self.high))
        times = f"{{{self.low},{high}}}" if self.low != self.high else f"{{{self.low}}}"
        return f"{self.variable}{times if named is None else named}{'?' if self.reluctant else ''}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A whole pattern; `skip` is as SQL writes it behind AFTER MATCH SKIP, `within` in seconds."""

    parts: tuple[Part, ...]
    skip: str
    within: int | None

    def matches(self, rows: Sequence[Row]) -> Iterator[Taken]:
        """
        Give the matches in the rows of one partition.

        Raises:
            SkipError: the job must fail.
            AmbiguousError: nobody can tell what must come out.
        """
        at, held = 0, -1
        while at < len(rows):
            found, last = self._search(rows, at, held)
            if found is None:
                return
            held = max(held, last)
            if found:
                at = self._next(found, at)
                yield found
            else:
                at += 1

    def _next(self, match: Taken, start: int) -> int:
        if self.skip == "TO NEXT ROW":
            return start + 1
        if self.skip == "PAST LAST ROW":
            return start + len(match)
        _, side, name = self.skip.split()
        mine = [i for i, (place, _) in enumerate(match) if self.parts[place].variable == name]
        chosen = (mine or [0])[0 if side == "FIRST" else -1]
        if not chosen:
            raise SkipError
        return start + chosen

    def _search(self, rows: Sequence[Row], start: int, held: int) -> tuple[Taken | None, int]:
        """
        Give the match that begins with a row, and the row at which that is known; empty: there is none; None: it is still open.

        Until the row `held` the match is not put out, as earlier searches go on. If the same row begins another one
        meanwhile, nobody can tell which one comes out.
        """
        ways: list[Taken] = [()]
        match: Taken = ()
        for at in range(start, len(rows)):
            if match and at > held:
                break
            if self.within is not None and rows[at]["time"] - rows[start]["time"] >= self.within:
                return match, at - 1
            complete, ways = self._longer(ways, rows[at])
            if len(complete) > 1 or (match and complete) or len(ways) > _MANY:
                raise AmbiguousError
            if complete:
                (match,) = complete
            if not ways:
                return match, at
        if match:
            return match, start + len(match) - 1
        return None if self.within is None else (), len(rows)

    def _longer(self, ways: Sequence[Taken], row: Row) -> tuple[list[Taken], list[Taken]]:
        """Give the ways that are complete with a row, and all that go on."""
        complete, going = [], []
        for way in ways:
            for place in self._places(way, row):
                longer = (*way, (place, row))
                going.append(longer)
                if self._may_leave(way, row, place, longer, len(self.parts)):
                    complete.append(longer)
        return complete, going

    def _places(self, way: Taken, row: Row) -> Iterator[int]:
        """Give the variables that may take the row next."""
        own = way[-1][0] if way else -1
        if own >= 0 and self._has_room(way, own) and self._true(way, row, own):
            yield own
        for place in range(own + 1, len(self.parts)):
            if self._may_leave(way, row, own, way, place) and self._true(way, row, place):
                yield place

    def _may_leave(self, way: Taken, row: Row, own: int, counted: Taken, target: int) -> bool:
        """Tell whether the parts from one up to another may end before the row, which no greedy one of them can want."""
        enough = all(self._count(counted, p) >= self.parts[p].low for p in range(max(own, 0), target))
        greedy = [p for p in range(max(own, 0), target) if self.parts[p].greedy]
        return enough and not any(self._true(way, row, p) for p in greedy)

    def _has_room(self, way: Taken, place: int) -> bool:
        high = self.parts[place].high
        return high is None or self._count(way, place) < high

    def _count(self, way: Taken, place: int) -> int:
        return sum(p == place for p, _ in way)

    def _true(self, way: Taken, row: Row, place: int) -> bool:
        condition = self.parts[place].condition
        return condition is None or condition.holds(way, row, place) is True
