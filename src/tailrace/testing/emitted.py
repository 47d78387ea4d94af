"""What a driven pipeline takes in and gives: rows with what they do, and those that were refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """
    A row and its row kind (+I, -U, +U, -D); of one that came out also the table that it went into.

    >>> Change("+I", {"user": "ann", "n": 1}).row["n"]
    1
    """

    op: str
    row: dict[str, Any]
    table: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """
    Rows that could not be taken.

    `stage` is `late`, `decode`, or where they failed, as `expression`; `action` is what their table says that happens to
    them: `fail`, `drop` or `dead-letter`.

    >>> Refused("late", "came too late", [{"user": "ann"}], "drop").stage
    'late'
    """

    stage: str
    reason: str
    rows: list[dict[str, Any]]
    action: str = ""


class Emitted(list[T]):
    """
    A list of rows or changes that came out; with pytest, one that is not as expected is shown as a table of differences.

    >>> Emitted([{"n": 1}]) == [{"n": 1}]
    True
    """
