"""What a running job can be told, beside to stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet

from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.checkpoint_history import CheckpointRecord, Wish
from tailrace.runtime.loop import Loop
from tailrace.state.savepoints import check_name

WAIT_SECONDS = 60.0
"""So long who asks waits for a checkpoint; it may be complete later all the same."""


class Control:
    """Orders to one running job, from any thread; `stop` ends it in good order."""

    def __init__(self, loop: Loop, stop: Callable[[], None]) -> None:
        self._loop = loop
        self._stop = stop

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
