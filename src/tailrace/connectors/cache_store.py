"""What a shared cache of lookups needs of the system that it is in: bytes by key, for a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence


class CacheStore(ABC):
    """
    A system that keeps values for a time. A connector gives one by `Connector.cache_store`.

    Calls block, within the time-out of the options, and come on several threads. Keys are at most 250 bytes of UTF-8 without blanks and control
    characters. All calls raise TransientError while it is away, and TerminalError where it refuses.
    """

    shown: str
    """What it is and where, without secrets."""

    @abstractmethod
    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Give the values of those keys that have one."""

    @abstractmethod
    def put(self, values: Mapping[str, bytes], milliseconds: int) -> None:
        """Keep values for so long. One that it can't keep (too large) is left out in silence."""

    @abstractmethod
    def claim(self, keys: Sequence[str], value: bytes, milliseconds: int) -> set[str]:
        """Keep a value for so long at those keys that have none, and give these: of several who claim one key only one gets it."""

    @abstractmethod
    def drop(self, keys: Sequence[str]) -> None:
        """Forget keys."""

    def rest(self) -> None:
        """Let go of connections that nobody uses just now; the next call makes others."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections."""
