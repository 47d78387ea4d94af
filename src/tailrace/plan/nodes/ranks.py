"""Nodes that know an order of rows: the best of a partition, its first or last, and sorted streams."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.plan.nodes.base import Unary


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to order by, and where NULLs stand: in SQL they are less than all values, unless told."""

    column: str
    descending: bool
    nulls_last: bool

    def __str__(self) -> str:
        nulls = "" if self.nulls_last is self.descending else f" NULLS {'LAST' if self.nulls_last else 'FIRST'}"
        return f"{self.column}{' DESC' if self.descending else ''}{nulls}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank(Unary):
    """
    Of each partition the rows at the places `start` to `end` (None: to the last) of its order.

    Rows that are equal in their order stand as they came. The schema is the input's and, with `number`, a last column
    of this name with the row's place. `function` tells how places are counted: ROW_NUMBER, RANK or DENSE_RANK.
    """

    partition: tuple[str, ...]
    order: tuple[SortKey, ...]
    start: int = 1
    end: int | None = None
    number: str | None = None
    function: str = "ROW_NUMBER"

    @property
    def by_place(self) -> bool:
        """Tell whether a place of a partition has one row in the output at a time, which may be known by it."""
        return self.number is not None or self.start == self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplicate(Unary):
    """Of each key the row that is first, or with `last` the last, by the time attribute `time`. The schema is the input's."""

    keys: tuple[str, ...]
    time: str
    last: bool
    processing_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(Unary):
    """Each row that is, when it comes, the last of its key by the row time `time`. The schema is the input's."""

    keys: tuple[str, ...]
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRank(Rank):
    """
    A `Rank` by window, put out once, when the watermark has passed the end of the window.

    `edge` is the column among `partition` with the window's end, `local` tells that it is in the job's time zone, `latest` that of
    rows equal in their order the one that came last stands first.
    """

    edge: str
    local: bool = False
    latest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort(Unary):
    """
    All rows in order; `time` is the time attribute by which they are sorted first, ascending (None: there is none).

    With `strict` each row that the watermark has passed is late, and not only those that others went before.
    """

    order: tuple[SortKey, ...]
    time: str | None = None
    processing_time: bool = False
    strict: bool = False
