"""The lines at the bottom of a terminal that change in place, while other lines go past above them."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

_NARROW = 20


class LiveLines(io.StringIO):
    """
    Lines that are drawn again and again at one place of a terminal.

    Whatever else goes to the same terminal is written within `aside`, or to this as a stream: the lines make room and
    come back below it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lock = threading.RLock()
        self._drawn = 0
        self._lines: tuple[str, ...] = ()

    def show(self, lines: Sequence[str]) -> None:
        """Draw these lines in place of the last ones."""
        with self._lock:
            self._erase()
            self._lines = tuple(lines)
            self._draw()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room for what is written meanwhile."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                self._draw()

    def write(self, text: str) -> int:
        """Write a text above the lines."""
        with self.aside():
            return self._stream.write(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Tell that this is a terminal."""
        return True

    def clear(self) -> None:
        """Take the lines away."""
        self.show(())

    def _draw(self) -> None:
        columns = self._columns()
        for line in self._lines:
            self._stream.write(line[: columns - 1] + "\n")
        self._drawn = len(self._lines)
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0
            self._stream.flush()

    def _columns(self) -> int:
        try:
            return max(_NARROW, os.get_terminal_size(self._stream.fileno()).columns)
        except (OSError, ValueError):
            return 80
