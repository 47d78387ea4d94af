"""What a pipeline logs inside of another program."""

from __future__ import annotations

import logging
import sys

import structlog


def by_default() -> None:
    """Let warnings and errors go to standard error, unless the program has configured structlog itself."""
    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
