"""The checkpoints of a run that are complete, and those that somebody asked for."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from tailrace.state.savepoints import Savepoint

KEPT = 100
"""So many checkpoints are remembered."""


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """
    One complete checkpoint: when it was (ms since 1970), how long it took, how long the engine stood still, and its bytes.

    `rows_in` rows were read until then, since the job's first start.
    """

    epoch: int
    time_ms: int
    seconds: float
    stall_seconds: float
    bytes: int
    rows_in: int
    savepoint: Savepoint | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a checkpoint, and with a name a savepoint; `done` gets the record once all of it is complete."""

    name: str = ""
    done: Future[CheckpointRecord] = field(default_factory=Future)


class History:
    """The last complete checkpoints, the newest first."""

    def __init__(self) -> None:
        self._records: deque[CheckpointRecord] = deque(maxlen=KEPT)

    def add(self, record: CheckpointRecord) -> None:
        """Take note of one; on the checkpoint thread."""
        self._records.appendleft(record)

    def records(self) -> list[CheckpointRecord]:
        """Give them; from any thread."""
        return list(self._records.copy())
