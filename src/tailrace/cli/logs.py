"""The log of the library goes to standard error, so that standard output has rows alone."""

from __future__ import annotations

import io
import logging
import sys
from typing import TextIO, cast

import structlog

from tailrace.observe.logs import setup


class _Stderr(io.TextIOBase):
    """Standard error as it is at the moment: a display that changes in place stands for it meanwhile, and makes room."""

    def write(self, text: str) -> int:
        """Write a text."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        sys.stderr.flush()


def to_stderr(
    level: int = logging.INFO, stream: TextIO | None = None, *, as_json: bool = False, log_format: str | None = None
) -> None:
    """
    Send all log lines to standard error (or what stands for it), short and without colours where nobody looks.

    With `as_json` each is an object with the keys `event`, `level`, `timestamp` and those of the event; a `log_format` of
    `json` makes it one of the Elastic Common Schema.

    Raises:
        ConfigError: a package for that is missing.
    """
    target = stream or cast(TextIO, _Stderr())
    if log_format == "json":
        setup.ecs(level, target)
    elif as_json and log_format is None:
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        setup.configure(level, target, structlog.processors.JSONRenderer(), stamp)
    else:
        setup.console(level, target, colours=sys.stderr.isatty())
