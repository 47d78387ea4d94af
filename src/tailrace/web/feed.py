"""The feed: once a second a look at all jobs, kept for the time lines and sent to the pages that are open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from tailrace.web.history import JobHistory
from tailrace.web.jobs import Jobs

SECONDS = 1.0
"""The time between two looks."""

MOST_STREAMS = 32
"""So many pages may listen at once."""

_LOOK_SECONDS = 0.1


class Feed:
    """Looks at jobs; `step` is called once a second on a thread of its own."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._histories: dict[str, JobHistory] = {}
        self._number = 0
        self._event = b'{"jobs": []}'
        self.streams = 0

    def step(self) -> None:
        """Look at the jobs now."""
        at = time.time_ns() // 1_000_000
        views = self._jobs.views()
        self._histories = {v["id"]: self._histories.get(v["id"]) or JobHistory() for v in views}
        shown = [self._histories[v["id"]].take(v, at) for v in views]
        self._event = json.dumps({"at": at, "jobs": shown, "away": self._jobs.away}, allow_nan=False).encode()
        self._number += 1

    def history(self, job: str) -> dict[str, Any] | None:
        """Give the samples of a job, by its id; None if there is no such job."""
        known = self._histories.get(job)
        return None if known is None else known.columns()

    @property
    def full(self) -> bool:
        """Whether no more pages may listen."""
        return self.streams >= MOST_STREAMS

    async def events(self) -> AsyncIterator[bytes]:
        """Give each look as an event of a stream, the last one first."""
        self.streams += 1
        try:
            sent = -1
            while True:
                if sent != self._number:
                    sent = self._number
                    yield b"data: " + self._event + b"\n\n"
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self.streams -= 1
