"""Running one job under the command line: signals, progress, summary."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from tailrace.cli.failures import INTERRUPTED


class Stoppable(Protocol):
    """What runs and can be asked to end: a job or a script."""

    def stop(self) -> None:
        """End in good order; returns at once."""


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(
    job: Stoppable, *, second: Callable[[], None] | None = None, last: bool = False
) -> Iterator[None]:
    """
    Let Ctrl-C and SIGTERM stop a job gently; a second one calls `second`, or else ends the process at once.

    After the `last` job of a process further ones are ignored: it is about to end. Works on the main thread only;
    elsewhere it changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            (second or _leave_now)()
            return
        asked = True
        job.stop()

    before = {s: signal.signal(s, handle) for s in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


def _leave_now() -> None:
    """End without any more ado; the state is that of the last complete checkpoint."""
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h")  # the live lines hide the cursor
    os._exit(INTERRUPTED)
