"""What a process function is given beside a row or timer: its key, times, timers and side outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tailrace import options

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  the times of TIMESTAMP have no zone
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH_UTC) // _MS
_LAST = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH_UTC) // _MS


def moment(ms: int, *, zoned: bool) -> datetime:
    """
    Give a time in milliseconds as Python has it.

    >>> moment(1500, zoned=False)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000)
    """
    return (_EPOCH_UTC if zoned else _EPOCH) + timedelta(milliseconds=ms)


def in_milliseconds(at: datetime) -> int:
    """Give a time in milliseconds since 1970; one without a zone is taken as UTC."""
    return (at - (_EPOCH if at.tzinfo is None else _EPOCH_UTC)) // _MS


class TimerChange(NamedTuple):
    """A timer that is set, or with `at` None cleared; `clock` tells that it goes by the wall clock."""

    name: str
    clock: bool
    at: int | None


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that has come: the time that it was set for, its name, and whether it went by the wall clock."""

    time: datetime
    name: str
    clock: bool


class Moments:
    """The times of a call."""

    __slots__ = ("_zoned", "now_ms", "watermark_ms")

    def __init__(self, *, zoned: bool) -> None:
        self._zoned = zoned
        self.now_ms: int = 0
        self.watermark_ms: int | None = None

    @property
    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return moment(self.now_ms, zoned=True)

    @property
    def watermark(self) -> datetime | None:
        """How far the time of events has come; None before the first watermark, the greatest time at the end of the input."""
        if self.watermark_ms is None:
            return None
        try:
            return moment(self.watermark_ms, zoned=self._zoned)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC if self._zoned else None)


class Context(Moments):
    """
    What a process function knows of the row or timer at hand, and what it can ask for.

    `key` is the value of the one column that the table is divided by, or a tuple of several.
    """

    __slots__ = ("_sides", "asked", "changes", "cleared", "key", "put", "time_ms")

    def __init__(self, sides: dict[str, Callable[[Any], tuple[Any, ...]]], *, zoned: bool) -> None:
        super().__init__(zoned=zoned)
        self._sides = sides
        self.key: Any = None
        self.time_ms: int | None = None
        self.changes: list[TimerChange] = []
        self.put: list[tuple[str, tuple[Any, ...]]] = []
        self.cleared: bool = False
        self.asked: bool = False  # whether there is any of those

    @property
    def time(self) -> datetime | None:
        """The time of the row or timer at hand; None for a row of a table without a time column."""
        return None if self.time_ms is None else moment(self.time_ms, zoned=self._zoned)

    @property
    def late(self) -> bool:
        """Whether the watermark had passed the row before it came."""
        if self.watermark_ms is None or self.time_ms is None:
            return False
        return self.time_ms <= self.watermark_ms

    def set_timer(self, at: datetime | timedelta | str, name: str = "", *, clock: bool = False) -> None:
        """
        Call `on_timer` for this key when the watermark has come to `at`, or with `clock` the wall clock.

        A length of time, as "60s", counts from the time of the row or timer at hand, or with `clock` from now. A key has one timer
        of each name: to set it again moves it.
        """
        due = self._due(at, clock=clock)
        if not _FIRST <= due <= _LAST:
            raise OverflowError(f"the timer '{name}' is set for a time that no calendar has")
        self.changes.append(TimerChange(name, clock, due))
        self.asked = True

    def _due(self, at: datetime | timedelta | str, *, clock: bool) -> int:
        if isinstance(at, datetime):
            if self.time_ms is None and not clock:
                raise ValueError(NO_TIME)
            return in_milliseconds(at)
        if clock:
            start = self.now_ms
        elif self.time_ms is None:
            raise ValueError(NO_TIME)
        else:
            start = self.time_ms
        return start + (int(options.duration(at)) if isinstance(at, str) else at // _MS)

    def clear_timer(self, name: str = "", *, clock: bool = False) -> None:
        """Let a timer of this key be no more."""
        self.changes.append(TimerChange(name, clock, None))
        self.asked = True

    def clear(self) -> None:
        """Forget all of this key: its states and its timers."""
        self.cleared = self.asked = True
        self.changes.clear()

    def renew(self) -> None:
        """Let nothing be asked for."""
        self.changes, self.put = [], []
        self.cleared = self.asked = False

    def side(self, output: str, row: Any) -> None:
        """Give a row to a side output."""
        take = self._sides.get(output)
        if take is None:
            raise KeyError(no_side(output, self._sides))
        self.put.append((output, take(row)))
        self.asked = True


NO_TIME = "a timer by event time needs a table with a time column; with clock=True it goes by the wall clock"


def no_side(output: str, sides: Iterable[str]) -> str:
    """Say that there is no such side output."""
    known = ", ".join(sides) or "none: write side_outputs={...} in its declaration"
    return f"there is no side output '{output}'; side outputs: {known}"
