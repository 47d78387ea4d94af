"""A job that the tests of the dashboard look at, and steer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass
class Payments:
    """Rows that come slowly, and many at once when the test asks for them."""

    burst: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give rows until it is over."""
        while not self.over.is_set():
            for i in range(20_000 if self.burst.is_set() else 1):
                yield {"card": f"card-{i % 7}", "amount": i, "ts": datetime.now(UTC).replace(tzinfo=None)}
            self.burst.clear()
            time.sleep(0.02)


@dataclass
class Dashboard:
    """A dashboard of a running job, and what makes its rows."""

    url: str
    payments: Payments
    job: str
