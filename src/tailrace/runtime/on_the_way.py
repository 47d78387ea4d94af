"""Which partitions have rows between the source and the engine: those are not idle, however long that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from tailrace.connectors.base import Reader


class OnTheWay:
    """
    Rows that have not reached the engine yet, by partition: still at the source, in decoding, or in the queue.

    The fetch thread tells what it `sees` and `took`, the engine's what `arrived`; each counts for itself, so no lock is
    needed.
    """

    def __init__(self) -> None:
        self._behind: frozenset[str] = frozenset()
        self._taken: Counter[str] = Counter()
        self._arrived: Counter[str] = Counter()

    def see(self, reader: Reader) -> None:
        """Ask the reader what is left at the source."""
        self._behind = frozenset(reader.behind())

    def took(self, partition: str) -> None:
        """Take note of a block that was read."""
        self._taken[partition] += 1

    def arrived(self, partition: str) -> None:
        """Take note of a block that the engine has."""
        self._arrived[partition] += 1

    def partitions(self) -> Collection[str]:
        """Give the partitions with rows on the way."""
        # this first: a block is taken note of before the reader is asked again, so one of the two has it
        behind = self._behind
        return behind | {p for p, taken in list(self._taken.items()) if taken > self._arrived[p]}
