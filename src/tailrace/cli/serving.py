"""The server of `--listen`, for as long as a script runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from tailrace.errors import ConfigError
from tailrace.runtime.observation import Observation
from tailrace.web.address import Address, address

_log = structlog.get_logger("tailrace.cli")


class Observable(Protocol):
    """What runs and can be looked at; None before its first job."""

    def observe(self) -> Observation | None:
        """Give all that can be seen of it now."""


def where(text: str | None) -> Address | None:
    """
    Read an address to listen on; None for none.

    Raises:
        ConfigError: it can't be read.
    """
    return None if text is None else address(text)


@contextmanager
def served(runner: Observable, at: Address | None) -> Iterator[None]:
    """
    Serve what is seen of a runner meanwhile.

    Raises:
        ConfigError: the port is taken, the address needs a token, or what serves is not installed.
    """
    if at is None:
        yield
        return
    try:
        from tailrace.web.server import Server  # noqa: PLC0415  its libraries are an extra
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[ui]'"
        raise ConfigError(f"--listen needs the package '{error.name}', which is not installed", hint=hint) from None

    def look() -> list[Observation]:
        seen = runner.observe()
        return [] if seen is None else [seen]

    with Server(at, look) as server:
        _log.info("listening", url=server.url)
        yield
