"""Questions that are under way in this process, by key: who has the same one waits for its answer instead of asking again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future


class Flights:
    """
    The questions of all event loops of the process.

    >>> flights = Flights()
    >>> mine, others = flights.take("db", ["a", "b"])
    >>> again = flights.take("db", ["b", "c"])
    >>> again[0], list(again[1])
    (['c'], ['b'])
    >>> flights.land("db", mine, {"a": b"1", "b": b"2"})
    >>> again[1]["b"].result()
    b'2'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, str], Future[bytes | None]] = {}

    def take(self, where: str, keys: Iterable[str]) -> tuple[list[str], dict[str, Future[bytes | None]]]:
        """Give the keys that the caller now has to ask for and to `land`, and the answers of those that others ask for."""
        mine: list[str] = []
        others: dict[str, Future[bytes | None]] = {}
        with self._lock:
            for key in keys:
                flight = self._under_way.get((where, key))
                if flight is None:
                    self._under_way[where, key] = Future()
                    mine.append(key)
                else:
                    others[key] = flight
        return mine, others

    def land(self, where: str, keys: Iterable[str], values: Mapping[str, bytes]) -> None:
        """Answer those who wait; a key without a value was not found out, and they have to ask themselves."""
        with self._lock:
            landed = [(key, self._under_way.pop((where, key))) for key in keys]
        for key, flight in landed:
            flight.set_result(values.get(key))


FLIGHTS = Flights()
"""Those of this process."""


async def joined(others: Mapping[str, Future[bytes | None]]) -> dict[str, bytes]:
    """Wait for the answers of others, which come within the time-out of their requests; those that failed are left out."""
    values = await asyncio.gather(*(asyncio.wrap_future(_followed(flight)) for flight in others.values()))
    return {key: value for key, value in zip(others, values, strict=True) if value is not None}


def _followed(flight: Future[bytes | None]) -> Future[bytes | None]:
    """Give a future of the caller's own, so that one who gives up does not cancel that of all."""
    own: Future[bytes | None] = Future()

    def tell(done: Future[bytes | None]) -> None:
        if own.set_running_or_notify_cancel():
            own.set_result(done.result())

    flight.add_done_callback(tell)
    return own
