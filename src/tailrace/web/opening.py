"""Opens the server; its libraries are an extra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from tailrace.errors import ConfigError
from tailrace.web.address import address
from tailrace.web.jobs import Watched

if TYPE_CHECKING:
    from tailrace.web.server import Server


def server(
    listen: str,
    watched: Callable[[], Iterable[Watched]],
    *,
    actions: bool = False,
    others: Sequence[str] = (),
) -> Server:
    """
    Make a server, to be opened with `with`; `watched` gives the jobs that there are now.

    With `actions` its dashboard may change what jobs have written, too; with `others` it shows the jobs of the servers
    that listen there.

    Raises:
        ConfigError: the address can't be read or had, it needs a token, or what serves is not installed.
    """
    where, asked = address(listen), [address(text) for text in others]
    try:
        from tailrace.web.server import Server  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[ui]'"
        raise ConfigError(f"to listen, '{error.name}' is needed, which is not installed", hint=hint) from None
    return Server(where, watched, actions=actions, others=asked)
