"""The windows that an operator has not put out yet: what is asked for by who wants to know why one is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from tailrace.engine.local_time import LocalTime
from tailrace.state.kernels import I64


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """
    One window, or all sessions between the same edges; in milliseconds.

    `start` (None: not known) and `end` are in the time of its columns; it is put out once time has passed `last`, in UTC.
    `rows` are those of the state that it has.
    """

    start: int | None
    end: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class OpenWindows:
    """The open windows of an operator: `count` in all, and those that close first. By event time, or by the wall clock."""

    count: int
    first: tuple[OpenWindow, ...]
    processing_time: bool = False


@dataclass(frozen=True, slots=True)
class WindowState:
    """The windows of one operator, the event time that it has reached (ms, None: none yet), and the scans that it comes from."""

    operator: str
    title: str
    windows: OpenWindows
    reached: int | None
    scans: tuple[str, ...]


class Cut(Protocol):
    """How windows are cut into slices."""

    slide: int

    def first_end(self, slice_end: int) -> int:
        """Give the end of the first window that has a slice."""

    def last_end(self, slice_end: int) -> int:
        """Give the end of the last window that has a slice."""


def counted(values: I64) -> tuple[I64, I64]:
    """
    Give the different values, ascending, and how often each is there.

    >>> [a.tolist() for a in counted(np.array([7, 5, 7]))]
    [[5, 7], [1, 2]]
    """
    found = pl.Series("value", values, dtype=pl.Int64).value_counts().sort("value")
    return found["value"].to_numpy(), found["count"].to_numpy().astype(np.int64)


def open_ends(slice_ends: I64, cut: Cut, fired: int) -> Iterator[range]:
    """Give the ends of the windows that have these slices (ascending) and are not put out, each once, ascending."""
    reached = fired + 1
    for slice_end in slice_ends.tolist():
        begin, last = cut.first_end(slice_end), cut.last_end(slice_end)
        if begin <= reached:
            begin += ((reached - begin) // cut.slide + 1) * cut.slide
        if begin <= last:
            yield range(begin, last + 1, cut.slide)
            reached = last


def by_last(lasts: I64, zone: LocalTime, most: int) -> OpenWindows:
    """Give the open windows of rows by the last moments of theirs, in UTC."""
    moments, rows = counted(lasts)
    ends = zone.local(moments[:most]) + 1
    found = zip(ends.tolist(), moments[:most].tolist(), rows[:most].tolist(), strict=True)
    return OpenWindows(len(moments), tuple(OpenWindow(None, end, last, n) for end, last, n in found))
