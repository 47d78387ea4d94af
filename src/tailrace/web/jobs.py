"""The jobs that a server shows: those of its own process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tailrace.runtime.control import Control
from tailrace.runtime.inspection import Inspection
from tailrace.runtime.observation import Observation
from tailrace.web.views import observation_view

View = dict[str, Any]
"""What is seen of a job, as JSON values (`observation_view`), with its `id`."""


class Watched(Protocol):
    """What runs and can be looked at, asked and told."""

    @property
    def inspection(self) -> Inspection | None:
        """Questions to it; None before its engine has started."""

    @property
    def control(self) -> Control | None:
        """Orders to it; None before its engine has started."""

    def observe(self) -> Observation | None:
        """Give all that can be seen of it now; None before it has started."""


def job_id(name: str, where: str = "") -> str:
    """
    Give the id of a job in addresses: of fixed length, whatever its name is.

    >>> job_id("../../etc"), len(job_id("", "host:9249"))
    ('0bf70ea7d181', 12)
    """
    return hashlib.blake2s(f"{where}\0{name}".encode(), digest_size=6).hexdigest()


class Jobs(Protocol):
    """Gives what is seen of jobs now; called on a thread that may wait. `away` says who does not answer, and why."""

    away: dict[str, str]

    def views(self) -> list[View]:
        """Give what is seen of each job that has started."""


class LocalJobs:
    """The jobs of this process; `watched` gives those that there are now."""

    def __init__(self, watched: Callable[[], Iterable[Watched]]) -> None:
        self._watched = watched
        self.away: dict[str, str] = {}

    def look(self) -> list[Observation]:
        """Give what is seen of each job that has started."""
        return [seen for one in self._watched() if (seen := one.observe()) is not None]

    def views(self) -> list[View]:
        return [{"id": job_id(seen.status.name)} | observation_view(seen) for seen in self.look()]

    def find(self, wanted: str) -> Watched | None:
        """Find a job by its id; None if there is none."""
        for one in self._watched():
            seen = one.observe()
            if seen is not None and job_id(seen.status.name) == wanted:
                return one
        return None
