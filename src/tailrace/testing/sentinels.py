"""What stands between the rows that a test plays into a table: time that goes on, checkpoints, crashes, the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tailrace.api.durations import Span
from tailrace.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Watermark:
    """
    The time of events has come this far in the table, without a row that says so; rows before it are late.

    >>> Watermark("2026-01-01 00:01:00").ms
    1767225660000
    """

    time: str | datetime

    @property
    def ms(self) -> int:
        """The time in milliseconds since 1970."""
        return milliseconds(self.time)


@dataclass(frozen=True, slots=True)
class Pause:
    """
    Nothing comes for a while: the clock goes on.

    >>> Pause("10s")
    Pause(by='10s')
    """

    by: Span


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    A checkpoint is taken.

    >>> Checkpoint()
    Checkpoint()
    """


@dataclass(frozen=True, slots=True)
class Crash:
    """
    All is lost but the last checkpoint; rows since then come again.

    >>> Crash()
    Crash()
    """


@dataclass(frozen=True, slots=True)
class End:
    """
    The table has no more rows.

    >>> End()
    End()
    """


Sentinel = Watermark | Pause | Checkpoint | Crash | End


def milliseconds(time: str | datetime) -> int:
    """
    Give a time in milliseconds since 1970; one without a zone is in UTC.

    Raises:
        ConfigError: the text is no time.
    """
    try:
        found = datetime.fromisoformat(time) if isinstance(time, str) else time
    except ValueError:
        raise ConfigError(f"'{time}' is no time", hint='write it as "2026-01-01 00:01:00"') from None
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
