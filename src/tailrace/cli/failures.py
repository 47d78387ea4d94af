"""From errors to one report on standard error and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from tailrace.errors import ConfigError, TailraceError

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def status_of(error: BaseException) -> int:
    """Give the exit status of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return WRONG_USE if isinstance(error, ConfigError) else FAILED


def report(error: BaseException) -> None:
    """Write an error to standard error: what, where, what to do; a traceback only for who asks by TAILRACE_DEBUG."""
    if isinstance(error, TailraceError):
        text = f"error: {plain(str(error))}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"error: can't use '{error.filename}': {error.strerror}"
    else:
        hint = "hint: this is a fault in Tailrace; set TAILRACE_DEBUG=1 to see where, and report it"
        text = f"error: {type(error).__name__}: {plain(str(error))}\n{hint}"
    if os.environ.get("TAILRACE_DEBUG"):
        text = "".join(traceback.format_exception(error)) + text
    print(text, file=sys.stderr)


def plain(text: str) -> str:
    r"""
    Write control characters as escapes, so that data can't steer a terminal.

    >>> print(plain("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def guarded(command: Callable[[], Any]) -> int:
    """Call a command; give its exit status."""
    try:
        command()
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else OK if leave.code is None else FAILED
    except BrokenPipeError:
        silence_stdout()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last place that can report it
        report(error)
        return status_of(error)
    return OK


def silence_stdout() -> None:
    """Point standard output to nowhere: its reader has gone, and Python writes once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
