"""The server: an application on a thread of its own, for as long as jobs run."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import structlog

from tailrace.connectors.bounded_server import bounded_server
from tailrace.errors import ConfigError
from tailrace.web.address import Address, token_for
from tailrace.web.app import Routes, make_app
from tailrace.web.feed import SECONDS
from tailrace.web.gate import Gate
from tailrace.web.guard import Guard
from tailrace.web.jobs import LocalJobs, Watched
from tailrace.web.remote import RemoteJobs
from tailrace.web.site import Site

WATCH_SECONDS = 5.0
CLOSE_SECONDS = 5.0
_MOST_CONNECTIONS = 100

_log = structlog.get_logger("tailrace.web")


class Server:
    """
    Serves what is seen of jobs, while it is open (a context manager).

    `watched` gives the jobs that there are now; it is called on threads of the server. With `actions` the dashboard may
    change what jobs have written, too. With `others` it shows the jobs of the servers that listen there instead.

    >>> import urllib.request
    >>> with Server(Address("127.0.0.1", 0), lambda: []) as server:
    ...     with urllib.request.urlopen(server.url + "/health/live") as answer:
    ...         answer.status
    200

    Raises:
        ConfigError: the port is taken, or the address needs a token.
    """

    def __init__(
        self,
        where: Address,
        watched: Callable[[], Iterable[Watched]],
        *,
        actions: bool = False,
        others: Sequence[Address] = (),
    ) -> None:
        gate = Gate(token_for(where))
        self._site = Site(LocalJobs(watched), actions, RemoteJobs(others) if others else None)
        self._routes = Routes(self._site, gate)
        app = Guard(make_app(self._routes), where, gate)
        self._socket = _bound(where)
        self.address: Address = Address(where.host, self._socket.getsockname()[1])
        self._server = bounded_server(app, _MOST_CONNECTIONS, 1)
        self._thread = threading.Thread(target=self._run, name="tailrace-web", daemon=True)

    @property
    def url(self) -> str:
        """Its address for a browser."""
        return self.address.url()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(CLOSE_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        tasks = [
            asyncio.create_task(_again(WATCH_SECONDS, self._routes.watch)),
            asyncio.create_task(_again(SECONDS, self._site.feed.step)),
        ]
        try:
            await self._server.serve([self._socket])
        finally:
            for task in tasks:
                task.cancel()


async def _again(seconds: float, step: Callable[[], None]) -> None:
    """Do something again and again; a mistake in it is told, and does not end it."""
    while True:
        try:
            await asyncio.to_thread(step)
        except Exception as error:  # noqa: BLE001  the server goes on; the next look may be well
            _log.warning("can't look at the jobs", error=str(error))
        await asyncio.sleep(seconds)


def _bound(where: Address) -> socket.socket:
    """
    Take the port.

    Raises:
        ConfigError: it can't be had.
    """
    try:
        return socket.create_server((where.host, where.port), family=_family(where.host), backlog=_MOST_CONNECTIONS)
    except OSError as error:
        message = f"can't listen on {where.host}:{where.port}: {error.strerror}"
        raise ConfigError(message, hint="name another address; port 0 takes one that is free") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
