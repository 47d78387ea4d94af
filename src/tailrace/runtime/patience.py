"""Waiting for what is needed to decode rows, as a schema registry that is away: the same rows are tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tailrace.backoff import Backoff
from tailrace.clock import Clock
from tailrace.connectors.base import Block
from tailrace.errors import TailraceError, TransientError
from tailrace.formats.base import Decoded
from tailrace.runtime.decode_line import Decode


class StoppedError(TailraceError):
    """The source is to stop, and rows that wait are not decoded any more."""


class Patience:
    """
    Makes decoders wait, with growing pauses, while what they need is away; after `limit` seconds of that the job ends.

    `waiting` hears what is waited for (empty: nothing more). A wait ends at once when `stop` is set: the rows are then not taken, and come again
    after a restart.
    """

    def __init__(
        self, what: str, stop: threading.Event, clock: Clock, limit: float, waiting: Callable[[str], None]
    ) -> None:
        self._what = what
        self._stop = stop
        self._clock = clock
        self._limit = limit
        self._waiting = waiting

    def patient(self, decode: Decode) -> Decode:
        """Give the same decoder, patient."""

        def decoded(block: Block) -> Decoded:
            backoff = Backoff(limit=self._limit)
            while True:
                try:
                    out = decode(block)
                except TransientError as error:
                    self._wait(backoff, error)
                else:
                    if backoff.tries:
                        self._waiting("")
                    return out

        return decoded

    def _wait(self, backoff: Backoff, error: TransientError) -> None:
        self._waiting(error.message)
        pause = backoff.failed(f"what decodes the rows of source '{self._what}'", error, self._clock.monotonic())
        if self._stop.wait(pause):
            raise StoppedError(f"source '{self._what}' was stopped while it waited: {error.message}") from error
