"""Rows that arrived, against those that were sent: one check that knows what a guarantee allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tailrace.testing.comparing import difference, row_key

Verdict = Literal["exactly-once", "effectively-once", "at-least-once", "at-most-once"]
"""What is promised of rows. Effectively-once: what stands at the target at last is as if each row had come once."""

_MAY_LACK = ("at-most-once",)
_MAY_REPEAT = ("at-least-once",)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of rows: how many arrived, how many of them again, and how many of those sent did not arrive."""

    rows: int
    again: int
    missing: int


def assert_delivered(
    got: Iterable[Mapping[str, Any]], sent: Iterable[Mapping[str, Any]], guarantee: Verdict
) -> Delivered:
    """
    Make sure that the rows that arrived are those that a guarantee allows, in any order.

    `exactly-once` and `effectively-once`: the rows that were sent, and no others. `at-least-once`: all of them, some more
    than once. `at-most-once`: some of them. Rows that nobody has sent are never allowed.

    Raises:
        AssertionError: they are not; its text is a table of the differences.

    >>> sent = [{"id": 1}, {"id": 2}]
    >>> assert_delivered([{"id": 2}, {"id": 1}, {"id": 2}], sent, "at-least-once")
    Delivered(rows=3, again=1, missing=0)
    """
    came, wanted = list(got), list(sent)
    has, asked = Counter(map(row_key, came)), Counter(map(row_key, wanted))
    unknown = set(has) - set(asked)
    missing, again = (asked - has).total(), (has - asked).total()
    wrong = unknown or (missing and guarantee not in _MAY_LACK) or (again and guarantee not in _MAY_REPEAT)
    if wrong:
        head = f"not {guarantee}: of {len(wanted)} rows sent, {missing} are missing, {again} came once more or were not sent"
        raise AssertionError("\n".join([head, *difference(came, wanted, ordered=False)]))
    return Delivered(len(came), again, missing)
