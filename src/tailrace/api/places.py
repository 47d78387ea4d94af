"""Where a piece of a pipeline was written: the line of the caller's Python file, which errors point at."""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path

from tailrace.errors import Location
from tailrace.sql.source import Source

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep


class Place(Source):
    """A line of a Python file, in the part that a script has for the tree of a SQL text."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__("", file)
        self._line = line

    def location(self, start: int = 0, stop: int = 0) -> Location:
        """Give the line; a tree that no text was parsed into has no places within it."""
        whole = linecache.getline(self.file, self._line).rstrip()
        text = whole.lstrip()
        return Location(self.file, self._line, len(whole) - len(text) + 1, whole, max(1, len(text)))


def place() -> Place:
    """Give the line outside of Tailrace that is running now."""
    frame = sys._getframe(1)  # noqa: SLF001  what `inspect` does too, without reading source files
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)
