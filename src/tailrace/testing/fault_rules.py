"""What a fault proxy does to the bytes that pass it, and what it has counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

Direction = Literal["server", "client"]
"""Where bytes go to."""

DIRECTIONS: tuple[Direction, Direction] = ("server", "client")
CHUNK = 65536
TRICKLES_A_SECOND = 20
"""A bound on bytes per second lets so many pieces through in a second."""


@dataclass(slots=True)
class FaultCounts:
    """
    What a proxy has seen and done since it began; a test that compares them proves that its fault took place.

    `connections` that clients opened, `open` those of them that are open now, `cut` those that a fault has reset or
    left half-open, `unreachable` those whose server could not be reached; `held` pieces that had to wait in a black
    hole, `delayed` those that were slowed; `lost` bytes that nobody will get; `to_server` and `to_client` bytes passed.

    >>> FaultCounts(connections=1).connections
    1
    """

    connections: int = 0
    open: int = 0
    cut: int = 0
    unreachable: int = 0
    held: int = 0
    delayed: int = 0
    lost: int = 0
    to_server: int = 0
    to_client: int = 0


class Rules:
    """The faults that hold now; belongs to the loop of its proxy."""

    def __init__(self) -> None:
        self.counts: FaultCounts = FaultCounts()
        self._gates = {to: asyncio.Event() for to in DIRECTIONS}
        self._pace = {to: asyncio.Lock() for to in DIRECTIONS}
        self._left: dict[Direction, int] = {}
        self.heal()

    def heal(self) -> None:
        """Let everything pass."""
        self._delay = 0.0
        self._rate = 0
        self._left.clear()
        for gate in self._gates.values():
            gate.set()

    def hold(self, to: Direction) -> None:
        """Hold all bytes of a direction, until it is healed."""
        self._gates[to].clear()

    def slow(self, seconds: float, rate: int) -> None:
        """Let each piece wait, and only so many bytes a second pass in each direction (0: any)."""
        self._delay, self._rate = seconds, rate

    def cut_after(self, count: int, to: Direction) -> None:
        """Reset the connection that carries the byte behind so many more."""
        self._left[to] = count

    @property
    def piece(self) -> int:
        """How many bytes pass at once."""
        return min(CHUNK, max(1, self._rate // TRICKLES_A_SECOND)) if self._rate else CHUNK

    async def admit(self, piece: bytes, to: Direction) -> tuple[bytes, bool]:
        """Wait as long as the faults say; give what may pass, and whether the connection is reset behind it."""
        if not self._gates[to].is_set():
            self.counts.held += 1
        await self._gates[to].wait()
        await self._wait(len(piece), to)
        left = self._left.get(to)
        if left is None or len(piece) <= left:
            if left is not None:
                self._left[to] = left - len(piece)
            return piece, False
        del self._left[to]
        return piece[:left], True

    async def _wait(self, count: int, to: Direction) -> None:
        if self._delay or self._rate:
            self.counts.delayed += 1
        if self._delay:
            await asyncio.sleep(self._delay)
        if self._rate:
            async with self._pace[to]:
                await asyncio.sleep(count / self._rate)

    def passed(self, count: int, to: Direction) -> None:
        """Count bytes that the other side has."""
        if to == "server":
            self.counts.to_server += count
        else:
            self.counts.to_client += count
