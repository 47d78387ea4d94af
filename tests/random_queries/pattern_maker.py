"""Makes random patterns, with conditions that can be computed in Python, and rows for them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from pattern_oracle import Condition, Part, Pattern, Row, Taken, Truth

_QUANTIFIERS = ((1, 1), (1, 1), (0, None), (1, None), (0, 1), (2, 2), (2, None), (1, 2), (0, 2), (1, 3))
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<>": lambda a, b: a != b,
}


def _compared(sign: str, a: Any, b: Any) -> Truth:
    return None if a is None or b is None else _SIGNS[sign](a, b)


def _of(taken: Taken, row: Row, own: int, place: int | None) -> list[Row]:
    """Give the rows of a variable (None: all), as if the row at hand was one of the own."""
    rows = [r for p, r in taken if place in (None, p)]
    return [*rows, row] if place in (None, own) else rows


def _at(rows: Sequence[Row], column: str, *, first: bool, offset: int) -> Any:
    if offset >= len(rows):
        return None
    return rows[offset if first else -1 - offset][column]


def _truncated(total: int, count: int) -> int:
    return total // count if total >= 0 else -(-total // count)


_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "SUM": lambda x: sum(x) if x else None,
    "COUNT": len,
    "MIN": lambda x: min(x, default=None),
    "MAX": lambda x: max(x, default=None),
    "AVG": lambda x: None if not x else _truncated(sum(x), len(x)) if isinstance(x[0], int) else sum(x) / len(x),
}


class PatternMaker:
    """Makes one pattern."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def make(self) -> Pattern:
        """Give a pattern that Flink takes."""
        count = self._rng.choice([2, 2, 3, 3, 4])
        while True:
            parts = [self._part("ABCD"[i], i, count) for i in range(count)]
            if self._is_taken(parts):
                break
        skips = ["PAST LAST ROW", "PAST LAST ROW", "TO NEXT ROW"]
        skips += [f"TO {side} {p.variable}" for side in ("FIRST", "LAST") for p in parts[1:] if p.low]
        within = self._rng.choice([None, 6, 12, 20, 40])
        return Pattern(tuple(parts), self._rng.choice(skips), within)

    def _part(self, name: str, place: int, count: int) -> Part:
        low, high = self._rng.choice(_QUANTIFIERS)
        fixed = low == high or (low, high) == (0, 1)
        reluctant = not fixed and self._rng.random() < (1.0 if place == count - 1 else 0.4)
        condition = self._condition(place, place) if self._rng.random() < 0.65 else None
        return Part(name, low, high, reluctant, condition)

    @staticmethod
    def _is_taken(parts: Sequence[Part]) -> bool:
        """Tell whether Flink takes the pattern: some part needs a row, and nothing optional follows a greedy one."""
        pairs = pairwise(parts)
        bad = any(a.greedy and b.low == 0 and b.high in (1, None) for a, b in pairs)
        return not bad and any(p.low for p in parts)

    def _condition(self, own: int, known: int, depth: int = 0) -> Condition:
        kind = self._rng.random()
        if depth < 2 and kind < 0.25:
            word = self._rng.choice(["AND", "OR"])
            a, b = self._condition(own, known, depth + 1), self._condition(own, known, depth + 1)
            return Condition(f"({a.sql} {word} {b.sql})", lambda *x: _joined(word, a.holds(*x), b.holds(*x)))
        if depth < 2 and kind < 0.32:
            a = self._condition(own, known, depth + 1)
            return Condition(f"NOT ({a.sql})", lambda *x: None if (t := a.holds(*x)) is None else not t)
        choices = [*[self._plain] * 6, self._null, self._navigated, self._aggregate, self._texts]
        return self._rng.choice(choices)(own, known)

    def _plain(self, own: int, _known: int) -> Condition:
        sign, limit = self._rng.choice([("<", self._rng.randint(3, 9)), (">=", self._rng.randint(1, 6)), ("<>", 5)])
        name = self._rng.choice([f"{'ABCD'[own]}.v", "v"])
        return Condition(f"{name} {sign} {limit}", lambda _t, row, _o: _compared(sign, row["v"], limit))

    def _null(self, own: int, known: int) -> Condition:
        sql, value = self._value(own, known, "v")
        return Condition(f"{sql} IS NULL", lambda *x: value(*x) is None)

    def _navigated(self, own: int, known: int) -> Condition:
        sign, more = self._rng.choice(["<", ">=", "<>"]), self._rng.randint(-2, 3)
        (left, a), (right, b) = self._value(own, known, "v"), self._value(own, known, "v")
        added = f"{right} + {more}" if more >= 0 else f"{right} - {-more}"
        return Condition(
            f"{left} {sign} {added}",
            lambda *x: _compared(sign, a(*x), None if (value := b(*x)) is None else value + more),
        )

    def _texts(self, own: int, known: int) -> Condition:
        """Put together texts of two rows, which no number can stand for."""
        (left, a), (right, b) = self._value(own, known, "c"), self._value(own, known, "c")
        if self._rng.random() < 0.5:
            return Condition(f"{left} <> {right}", lambda *x: _compared("<>", a(*x), b(*x)))
        return Condition(
            f"CHAR_LENGTH({left} || {right}) < 4",
            lambda *x: None if a(*x) is None or b(*x) is None else len(a(*x) + b(*x)) < 4,
        )

    def _value(self, own: int, known: int, column: str) -> tuple[str, Callable[[Taken, Row, int], Any]]:
        place = self._rng.choice([None, own, *range(known)])
        first, offset = self._rng.random() < 0.4, self._rng.choice([0, 0, 1, 2])
        name = column if place is None else f"{'ABCD'[place]}.{column}"
        sql = f"{'FIRST' if first else 'LAST'}({name}, {offset})"
        return sql, lambda t, r, o: _at(_of(t, r, o, place), column, first=first, offset=offset)

    def _aggregate(self, own: int, known: int) -> Condition:
        place, function = self._rng.choice([None, own, *range(known)]), self._rng.choice(sorted(_AGGREGATES))
        column, sign, limit = self._rng.choice("vd"), self._rng.choice(["<", ">="]), self._rng.randint(1, 12)
        name = column if place is None else f"{'ABCD'[place]}.{column}"

        def holds(taken: Taken, row: Row, at: int) -> Truth:
            values = [r[column] for r in _of(taken, row, at, place) if r[column] is not None]
            return _compared(sign, _AGGREGATES[function](values), limit)

        return Condition(f"{function}({name}) {sign} {limit}", holds)


def _joined(word: str, a: Truth, b: Truth) -> Truth:
    decides = word == "OR"
    if decides in (a, b):
        return decides
    return None if None in (a, b) else not decides


def make_rows(rng: random.Random, *, ordered: bool) -> list[Row]:
    """Make rows of several partitions; those that are not `ordered` come out of order, and some late."""
    rows, now = [], 0
    for number in range(rng.choice([0, 20, 40, 80, 80])):
        now += rng.choice([0, 1, 1, 2, 4])
        back = 0 if ordered else rng.choice([0, 0, 0, 1, 2, 5])
        maybe = [None if rng.random() < 0.1 else value for value in (rng.randint(0, 9), rng.choice([0.5, 1.25, 7.75]))]
        text = rng.choice(["x", "yy", "zzz", None])
        key = rng.choice(["a", "a", "b", None])
        rows.append({"id": number, "k": key, "c": text, "v": maybe[0], "d": maybe[1], "time": max(now - back, 0)})
    return rows


def in_time(rows: Sequence[Row], delay: int) -> list[Row]:
    """Give the rows that are not late, in the order of time and arrival; the watermark is so far behind the latest."""
    latest, kept = None, []
    for row in rows:
        if latest is None or row["time"] > latest - delay:
            kept.append(row)
        latest = row["time"] if latest is None else max(latest, row["time"])
    return sorted(kept, key=lambda row: row["time"])


def as_json(rows: Sequence[Row]) -> str:
    """Write rows for a table."""
    stamp = "2026-03-28 00:{:02}:{:02}"
    lines = [
        {**{n: r[n] for n in ("id", "k", "c", "v", "d")}, "ts": stamp.format(*divmod(r["time"], 60))} for r in rows
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)
