"""The log of the library goes to standard error, so that standard output has rows alone."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def to_stderr(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all log lines to standard error (or what stands for it), short and without colours where nobody looks."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
