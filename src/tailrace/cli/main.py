"""
The command `tailrace`: where it begins.

It takes signals before the slow imports, so that a Ctrl-C while it loads ends it quietly.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from tailrace.cli.streams import secure

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; errors become one report and a status."""
    secure()
    runs = sys.argv[1:2] == ["run"]
    signal.signal(signal.SIGINT, _nothing_ran if runs else _interrupted)
    if runs:
        signal.signal(signal.SIGTERM, _nothing_ran)
    from tailrace.cli.commands import invoke  # noqa: PLC0415  slow
    from tailrace.cli.failures import guarded  # noqa: PLC0415  slow
    from tailrace.cli.serving import with_default  # noqa: PLC0415  slow

    if not runs:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = with_default(sys.argv[1:])
    _leave(guarded(lambda: invoke(arguments), as_json="--json" in arguments))


def _leave(status: int) -> None:
    """End the process; a thread that waits for a system which does not answer must not hold it up."""
    if any(t.daemon and t.name.startswith("tailrace-") for t in threading.enumerate()):
        os._exit(status)
    sys.exit(status)


def _nothing_ran(_number: int, _frame: FrameType | None) -> None:
    """End in good order: there is no job yet that would have to."""
    os.write(2, b"stopped before anything ran\n")
    os._exit(0)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
