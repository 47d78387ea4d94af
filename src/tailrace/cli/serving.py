"""The server of `--listen`, for as long as a script runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from tailrace.runtime.observation import Observation
from tailrace.web.opening import server

_log = structlog.get_logger("tailrace.cli")


class Observable(Protocol):
    """What runs and can be looked at; None before its first job."""

    def observe(self) -> Observation | None:
        """Give all that can be seen of it now."""


@contextmanager
def served(runner: Observable, listen: str | None) -> Iterator[None]:
    """
    Serve what is seen of a runner meanwhile, if there is an address to listen on.

    Raises:
        ConfigError: as `server`.
    """
    if listen is None:
        yield
        return

    def look() -> list[Observation]:
        seen = runner.observe()
        return [] if seen is None else [seen]

    with server(listen, look) as opened:
        _log.info("listening", url=opened.url)
        yield
