"""The server: an application on a thread of its own, for as long as jobs run."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Self

import uvicorn

from tailrace.errors import ConfigError
from tailrace.observe.exposition import Look
from tailrace.web.address import Address, token_for
from tailrace.web.app import Routes, make_app
from tailrace.web.guard import Guard

WATCH_SECONDS = 5.0
CLOSE_SECONDS = 5.0
_MOST_CONNECTIONS = 100
_IDLE_SECONDS = 15


class Server:
    """
    Serves what is seen of jobs, while it is open (a context manager).

    `look` gives what is seen of each job now; it is called on the server's thread.

    >>> import urllib.request
    >>> with Server(Address("127.0.0.1", 0), lambda: []) as server:
    ...     with urllib.request.urlopen(server.url + "/health/live") as answer:
    ...         answer.status
    200

    Raises:
        ConfigError: the port is taken, or the address needs a token.
    """

    def __init__(self, where: Address, look: Look) -> None:
        self._routes = Routes(look)
        app = Guard(make_app(self._routes), where, token_for(where))
        self._socket = _bound(where)
        self.address: Address = Address(where.host, self._socket.getsockname()[1])
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
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
        watching = asyncio.create_task(self._watch())
        try:
            await self._server.serve([self._socket])
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await asyncio.to_thread(self._routes.watch)


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
