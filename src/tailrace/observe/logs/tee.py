"""Where log lines leave for other systems, beside the place where they are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from structlog.typing import EventDict

OWN = "tailrace.telemetry"
"""The logger of the exporters: what it says of one that fails is not sent by it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when (nanoseconds since 1970), who, how grave, and its message with values."""

    time: int
    logger: str
    level: str
    event: EventDict = field(default_factory=dict)


Take = Callable[[Line], None]
_takers: dict[int, tuple[str, Take]] = {}


def to_exports(logger: Any, method: str, event: EventDict) -> EventDict:
    """Hand a line to all that take lines of its job (it is a processor of structlog)."""
    name = getattr(logger, "name", "")
    for job, take in list(_takers.values()) if name != OWN else ():
        if event.get("job", job) == job:
            take(Line(time.time_ns(), name, method, dict(event)))
    return event


@contextmanager
def taking(job: str, take: Take) -> Iterator[None]:
    """Have the lines of a job, and those of none, taken meanwhile."""
    _takers[id(take)] = (job, take)
    try:
        yield
    finally:
        del _takers[id(take)]
