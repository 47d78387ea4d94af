"""The log of the library goes to standard error, so that standard output has rows alone."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def to_stderr(level: int = logging.INFO, stream: TextIO | None = None, *, as_json: bool = False) -> None:
    """
    Send all log lines to standard error (or what stands for it), short and without colours where nobody looks.

    With `as_json` each is an object with the keys `event`, `level`, `timestamp` and those of the event.
    """
    colours = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.JSONRenderer() if as_json else colours,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
