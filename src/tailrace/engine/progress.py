"""How far event time has come: a watermark for each partition, and the least of the active ones for the source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tailrace.engine.batch import MIN_WATERMARK


@dataclass(slots=True)
class PartitionProgress:
    """One partition: its watermark (ms), when its last row came (monotonic seconds), and whether it counts."""

    watermark: int = MIN_WATERMARK
    last_row: float = 0.0
    idle: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class SourceTime:
    """
    How far event time has come at a source, by what rule, and where it waits; in milliseconds (None: not begun).

    A partition without rows for `idle_timeout` seconds (None: never) is left out; `silent` are the seconds since the last
    row of each.
    """

    table: str
    rule: str
    reached: int | None
    idle_timeout: float | None
    partitions: Mapping[str, PartitionProgress]
    silent: Mapping[str, float]


class Progress:
    """
    The watermarks of a source's partitions.

    A partition without rows for `idle_timeout` seconds (None: never) is left out until its next row. The watermark of the
    source never goes back; while no partition is active it stays.
    """

    def __init__(self, idle_timeout: float | None = None) -> None:
        self.idle_timeout = idle_timeout
        self._current = MIN_WATERMARK
        self._kept: Collection[str] = ()
        self.partitions: dict[str, PartitionProgress] = {}

    def assign(self, partition: str, now: float) -> None:
        """Begin to wait for a partition; one that was known goes on where it was."""
        known = self.partitions.setdefault(partition, PartitionProgress())
        known.last_row, known.idle, known.ended = now, False, False

    def revoke(self, partition: str) -> None:
        """Forget a partition."""
        self.partitions.pop(partition, None)

    def end(self, partition: str) -> None:
        """Wait for a partition no longer."""
        self.partitions.setdefault(partition, PartitionProgress()).ended = True

    def saw(self, partition: str, watermark: int, now: float) -> None:
        """Take note of rows; the partition's watermark is now at least `watermark`."""
        known = self.partitions.setdefault(partition, PartitionProgress())
        known.watermark = max(known.watermark, watermark)
        known.last_row, known.idle = now, False

    def keep(self, partitions: Collection[str], now: float) -> None:
        """Hear which partitions have rows that are still on their way: these are not idle, until the next call."""
        self._kept = partitions
        for name in partitions:
            known = self.partitions.get(name)
            if known is not None:
                known.last_row, known.idle = now, False

    def watermark_of(self, partition: str) -> int:
        """Give the watermark of one partition."""
        known = self.partitions.get(partition)
        return known.watermark if known else MIN_WATERMARK

    def current(self, now: float) -> int:
        """Give the source's watermark, after leaving out partitions that have become idle."""
        self._mark_idle(now)
        active = [p.watermark for p in self.partitions.values() if not p.idle and not p.ended]
        ended = [p.watermark for p in self.partitions.values() if p.ended]
        # with all partitions at their end the greatest counts: nothing can come before it
        reached = min(active) if active else max(ended, default=MIN_WATERMARK)
        self._current = max(self._current, reached)
        return self._current

    def _mark_idle(self, now: float) -> None:
        if self.idle_timeout is None:
            return
        for name, partition in self.partitions.items():
            silent = now - partition.last_row >= self.idle_timeout and name not in self._kept
            partition.idle = partition.idle or silent

    def next_idle(self, now: float) -> float | None:
        """Give the seconds until the next partition becomes idle; None if none will."""
        if self.idle_timeout is None:
            return None
        waits = [p.last_row + self.idle_timeout - now for p in self.partitions.values() if not p.idle and not p.ended]
        return max(0.0, min(waits)) if waits else None

    def state(self) -> list[tuple[str, int]]:
        """Give each partition's watermark, for a checkpoint."""
        return [(name, p.watermark) for name, p in self.partitions.items()]

    def restore(self, current: int, state: Iterable[tuple[str, int]]) -> None:
        """Take up the watermarks of a checkpoint."""
        self._current = current
        for name, watermark in state:
            self.partitions[name] = PartitionProgress(watermark=watermark)
