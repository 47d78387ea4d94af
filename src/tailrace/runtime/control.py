"""What a running job can be told, beside to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass

from tailrace.clock import Clock
from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.assembly import Parts
from tailrace.runtime.checkpoint_history import CheckpointRecord, Wish
from tailrace.runtime.inspection import ANSWER_SECONDS
from tailrace.runtime.loop import Loop
from tailrace.runtime.replay import arrivals, scan_of
from tailrace.runtime.stored_letter import StoredLetter
from tailrace.state.savepoints import check_name

WAIT_SECONDS = 60.0
"""So long who asks waits for a checkpoint; it may be complete later all the same."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """So many rows were replayed, of which some were not taken again; what became of the others is in checkpoint `epoch`."""

    rows: int
    refused: int
    epoch: int


class Control:
    """Orders to one running job, from any thread; `stop` ends it in good order."""

    def __init__(
        self, loop: Loop, stop: Callable[[], None], parts: Parts, settings: Mapping[str, str], clock: Clock
    ) -> None:
        self._loop = loop
        self._stop = stop
        self._parts = parts
        self._settings = settings
        self._clock = clock

    def checkpoint(self) -> CheckpointRecord:
        """
        Take a checkpoint now, and wait until it is complete: what was read so far is then kept and committed.

        Raises:
            TransientError: it is not complete yet.
            TerminalError: the job has ended before.
        """
        return self._wait(Wish(), at_the_end=False)

    def savepoint(self, name: str, *, stop: bool = False) -> CheckpointRecord:
        """
        Take a savepoint and wait for it; with `stop` it is the last checkpoint of the job, which then ends.

        Raises:
            ConfigError: it can't have the name, there is one of that name, or the job keeps no state.
            TransientError, TerminalError: as `checkpoint`.
        """
        check_name(name)
        return self._wait(Wish(name), at_the_end=stop)

    def replay(self, letters: Sequence[StoredLetter], payload: bytes | None = None) -> Replayed:
        """
        Take the rows of dead letters of one source once more, and wait for the checkpoint with what became of them.

        With a `payload` that takes the place of what came. `GUARANTEE` says what is promised.

        Raises:
            ConfigError: they can't be replayed; says why.
            TransientError: the engine is busy, or the checkpoint is not complete yet.
            TerminalError: the job has ended before.
        """
        name = scan_of(self._parts, letters)
        scan = self._parts.executor.scans[name]
        given = arrivals(scan, letters, payload, self._settings, self._clock)
        refused = self._loop.between.ask(lambda: self._loop.replay(name, given), ANSWER_SECONDS)
        return Replayed(len(letters), refused, self.checkpoint().epoch)

    def _wait(self, wish: Wish, *, at_the_end: bool) -> CheckpointRecord:
        self._loop.want(wish, at_the_end=at_the_end)
        if at_the_end:
            self._stop()
        try:
            return wish.done.result(WAIT_SECONDS)
        except NotYet:
            message = f"the checkpoint was not complete after {WAIT_SECONDS:g} s"
            raise TransientError(message, hint="look at the list of checkpoints: it may be complete later") from None
        except CancelledError:
            raise TerminalError("the job has ended before the checkpoint was complete") from None
