"""Opens the server; its libraries are an extra."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tailrace.errors import ConfigError
from tailrace.runtime.observation import Observation
from tailrace.web.address import address

if TYPE_CHECKING:
    from tailrace.web.server import Server


def server(listen: str, look: Callable[[], Iterable[Observation]]) -> Server:
    """
    Make a server, to be opened with `with`; `look` gives what is seen of each job now.

    Raises:
        ConfigError: the address can't be read or had, it needs a token, or what serves is not installed.
    """
    where = address(listen)
    try:
        from tailrace.web.server import Server  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[ui]'"
        raise ConfigError(f"to listen, '{error.name}' is needed, which is not installed", hint=hint) from None
    return Server(where, look)
