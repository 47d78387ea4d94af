"""What a job says about itself: live, and at its end."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source, live. `watermark` is in milliseconds since 1970; `lag` rows wait at the source (None: not known)."""

    name: str
    table: str
    rows: int
    bytes: int
    lag: int | None
    watermark: int | None
    dropped: dict[str, int]
    dead_letters: int
    queued_bytes: int
    waiting: str = ""
    """Why it does not read just now (its system is away), if it does not."""
    held_seconds: float = 0.0
    """How long it was held back: its rows waited for the engine."""
    throttled: float = 0.0
    """The seconds for which its system has held it back."""
    behind_ms: int | None = None
    """How many milliseconds what was read is behind the newest row of its system, in its slowest partition; None where it does not say so."""

    @property
    def late(self) -> int:
        """Rows that came too late and were counted."""
        return self.dropped.get("late", 0)

    @property
    def errors(self) -> int:
        """Rows that could not be taken, dropped or sent as dead letters."""
        return sum(n for reason, n in self.dropped.items() if reason != "late") + self.dead_letters


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """
    One sink, live. `waited` is how often the engine had to wait for it, `held_seconds` how long in all.

    What its system could not do for now was tried again `retries` times; `waiting` says why it waits just now, if it does.
    It was at work for `busy_seconds`.
    """

    name: str
    table: str
    rows: int
    queued_bytes: int
    waited: int
    dropped: dict[str, int] = field(default_factory=dict)
    dead_letters: int = 0
    retries: int = 0
    waiting: str = ""
    held_seconds: float = 0.0
    busy_seconds: float = 0.0
    throttled: float = 0.0
    """The seconds for which its system has held it back."""
    readings: dict[str, float] = field(default_factory=dict)
    """What else is measured of its system, by name."""


@dataclass(frozen=True, slots=True)
class CheckpointStatus:
    """The last complete checkpoint: its epoch, how long the engine stood still, how long it took, and its bytes."""

    epoch: int = 0
    stall_seconds: float = 0.0
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """A job, live: counters since its start. Rates are the differences of two of them."""

    name: str
    state: str
    seconds: float
    sources: tuple[SourceStatus, ...]
    sinks: tuple[SinkStatus, ...]
    checkpoint: CheckpointStatus


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What one source gave: rows, those dropped by reason, and those sent as dead letters."""

    name: str
    table: str
    rows: int
    dropped: dict[str, int]
    dead_letters: int


@dataclass(frozen=True, slots=True)
class SinkSummary:
    """What one sink took, and what it could not: rows dropped by reason, and those sent as dead letters."""

    name: str
    table: str
    rows: int
    dropped: dict[str, int] = field(default_factory=dict)
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A job at its end."""

    name: str
    sources: tuple[SourceSummary, ...]
    sinks: tuple[SinkSummary, ...]
    seconds: float
    checkpoints: int
    restored_epoch: int
    finished: bool
    """Whether it came to its end; false if it was stopped and can go on."""
    peak_memory_bytes: int
    notes: tuple[str, ...] = field(default=())
    """What the user must know of the start, as a checkpoint that was damaged."""

    @property
    def rows_in(self) -> int:
        """Rows read in all."""
        return sum(s.rows for s in self.sources)

    @property
    def rows_out(self) -> int:
        """Rows written in all."""
        return sum(s.rows for s in self.sinks)

    @property
    def rows_per_second(self) -> float:
        """Rows read a second."""
        return self.rows_in / self.seconds if self.seconds > 0 else 0.0


def peak_memory() -> int:
    """Give the most memory that this process has held, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    # not `ru_maxrss`: on Linux a process takes that of its parent along
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
