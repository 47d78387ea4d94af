"""What is said of a function of the user that went wrong: its name, its file and line, and what happened."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tailrace.errors import TerminalError
from tailrace.user_functions.declarations import Declaration

_LONG = 300
PASSED_ON = (KeyboardInterrupt, GeneratorExit, MemoryError)
"""What is never taken for a failure of a row."""


def caused(declaration: Declaration[..., Any], error: BaseException) -> str:
    """Say which function raised what, and where: the innermost line of the user's file."""
    line = _line(error.__traceback__, declaration.place.file) or declaration.place.line
    text = str(error)
    shown = f"{text[:_LONG]}…" if len(text) > _LONG else text
    what = f"{type(error).__name__}: {shown}" if shown else type(error).__name__
    return f"{named(declaration, line)} raised {what}"


def named(declaration: Declaration[..., Any], line: int | None = None) -> str:
    """Name a function with its place."""
    return f"the function {declaration.__name__} ({declaration.place.file}:{line or declaration.place.line})"


def stopped(declaration: Declaration[..., Any], what: str, hint: str, line: int | None = None) -> TerminalError:
    """Give the error of a function that is wrong for all rows: no policy lets a job go on with it."""
    return TerminalError(f"{named(declaration, line)} {what}", hint=hint)


def _line(traceback: TracebackType | None, file: str) -> int | None:
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return found
