"""Waits between tries: longer each time, never for ever, and never all at once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tailrace.errors import TerminalError, TransientError


@dataclass(slots=True)
class Backoff:
    """
    Doubles the wait after each try, up to `longest` seconds, with jitter; `failed` gives up after `limit` seconds of failures.

    `reset` after a success.

    >>> backoff = Backoff(0.1, 1.0, rng=random.Random(1))
    >>> [0.05 <= backoff.next() <= 0.1, [backoff.next() for _ in range(9)][-1] <= 1.0]
    [True, True]
    """

    first: float = 0.1
    longest: float = 15.0
    limit: float = 300.0
    rng: random.Random = field(default_factory=random.Random)
    tries: int = 0
    since: float | None = None

    def reset(self) -> None:
        """Forget the failures."""
        self.tries, self.since = 0, None

    def next(self) -> float:
        """Give how many seconds to wait before the next try."""
        wait = min(self.longest, self.first * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return wait * self.rng.uniform(0.5, 1.0)

    def failed(self, what: str, error: TransientError, now: float) -> float:
        """
        Take note of a failure at `now` (monotonic seconds); give how long to wait before the next try.

        Raises:
            TerminalError: it has failed for too long.
        """
        if self.since is None:
            self.since = now
        if now - self.since >= self.limit:
            message = f"{what} has been away for {now - self.since:.0f} s ({self.tries + 1} tries): {error.message}"
            hint = (
                error.hint
                or "look at the address, or start the job again when the other side is there; the state is intact"
            )
            raise TerminalError(message, hint=hint, location=error.location)
        return max(self.next(), min(error.after, self.limit))
