"""From errors to one report on standard error and an exit status."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer

from tailrace.errors import ConfigError, TailraceError, TerminalError
from tailrace.observe.plain import plain

UsageError: Any = typer.BadParameter.__base__
"""What the library for command lines raises when a command is called wrongly; it has no public name for it."""

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def status_of(error: BaseException) -> int:
    """Give the exit status of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return WRONG_USE if isinstance(error, (ConfigError, UsageError)) else FAILED


def report(error: BaseException, *, as_json: bool = False) -> None:
    """
    Write an error to standard error: what, where, what to do; a traceback only for who asks by TAILRACE_DEBUG.

    For programs it is one line of JSON, last: `{"error": {"code", "message", "hint", "file", "line", "column"}}`.
    """
    told = error if isinstance(error, TailraceError) else _told(error)
    text = json.dumps({"error": _parts(told)}) if as_json else f"error: {plain(str(told))}"
    if os.environ.get("TAILRACE_DEBUG"):
        text = "".join(traceback.format_exception(error)) + text
    print(text, file=sys.stderr)


def _told(error: BaseException) -> TailraceError:
    """Give what is told of an error that is none of ours."""
    if isinstance(error, UsageError):
        command = error.ctx.command_path if error.ctx is not None else "tailrace"
        return ConfigError(error.format_message().replace("Value error, ", ""), hint=f"{command} --help says more")
    if isinstance(error, OSError) and error.filename is not None:
        return TerminalError(f"can't use '{error.filename}': {error.strerror}")
    hint = "this is a fault in Tailrace; set TAILRACE_DEBUG=1 to see where, and report it"
    return TailraceError(f"{type(error).__name__}: {error}", hint=hint)


def _parts(error: TailraceError) -> dict[str, str | int | None]:
    at = error.location
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "file": at.file if at else None,
        "line": at.line if at else None,
        "column": at.column if at else None,
    }


def guarded(command: Callable[[], object], *, as_json: bool = False) -> int:
    """Call a command; give its exit status. Errors are reported, with `as_json` as JSON."""
    try:
        command()
        sys.stdout.flush()
    except typer.Exit as leave:
        return leave.exit_code
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else OK if leave.code is None else FAILED
    except BrokenPipeError:
        silence_stdout()
        return OK
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last place that can report it
        if not _is_help(error):
            report(error, as_json=as_json)
        return status_of(error)
    return OK


def _is_help(error: Exception) -> bool:
    """Tell whether the error is that of a call without a command, which has shown the help."""
    return isinstance(error, UsageError) and not error.format_message()


def silence_stdout() -> None:
    """Point standard output to nowhere: its reader has gone, and Python writes once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
