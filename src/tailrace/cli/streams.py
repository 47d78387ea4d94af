"""The standard streams before anything uses them: all three are open, and what is said on standard error never fails."""

from __future__ import annotations

import io
import os
import sys


class Forgiving(io.TextIOWrapper):
    """Standard error whose reader may be gone or whose disk may be full: what can't be written is lost, and nothing else."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Do nothing that can fail."""
        try:
            super().flush()
        except OSError:
            return


def secure() -> None:
    """
    Make sure of the standard streams.

    One that was closed leads to nowhere: the next file that is opened would take its number, and what is printed would
    get into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  it stays open
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  it stays open
    encoding = sys.stderr.encoding if sys.stderr is not None else "utf-8"
    raw = open(2, "wb", buffering=0, closefd=False)  # noqa: SIM115  it stays open
    sys.stderr = Forgiving(raw, encoding, "backslashreplace", write_through=True)
