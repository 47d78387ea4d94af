"""What a pipeline logs inside of another program."""

from __future__ import annotations

import logging
import sys

import structlog

from tailrace.observe.logs import setup


def by_default() -> None:
    """Let warnings and errors go to standard error, unless the program has configured structlog itself."""
    if not structlog.is_configured():
        setup.console(logging.WARNING, sys.stderr, colours=sys.stderr.isatty())
