"""
The server of webhooks and of the dashboard: HTTP by uvicorn, with bounds on what a client may hold.

A client that says nothing, sends a request byte by byte, or does not read its answer keeps a connection, and others find
none. So each of these has its time; and of more connections than are allowed, those that ask are answered with 503, and
of more than twice as many the newest are cut.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE_SECONDS = 15
"""So long a connection is kept for another request."""
HEADER_SECONDS = 10.0
"""So long a request may take to come, from its first byte (or that of the connection) to the end of its headers."""
ANSWER_SECONDS = 30.0
"""So long a client may read nothing of an answer that waits for it."""
_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(H11Protocol):
    """One connection."""

    header_seconds = HEADER_SECONDS
    answer_seconds = ANSWER_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > 2 * self.limit_concurrency:
            transport.abort()
            return
        self._heed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_reading_timer()
        self._stop_request_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._begun = True
        super().data_received(data)
        self._heed()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self._reading or self.loop.call_later(self.answer_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_reading_timer()

    def _heed(self) -> None:
        """Have the time run while no request is answered, and something of one has come or the first is waited for."""
        if self._answering:
            self._stop_request_timer()
        elif self._request is None:
            self._request = self.loop.call_later(self.header_seconds, self._late)

    def _late(self) -> None:
        self._request = None
        if self._answering or self.transport.is_closing():
            return
        if self._begun and not self._answered:
            self.transport.write(_LATE)
        self.transport.close()

    @property
    def _answered(self) -> bool:
        """Whether a request has come before; uvicorn has none at first, against its own type."""
        return getattr(self, "cycle", None) is not None

    @property
    def _answering(self) -> bool:
        return self._answered and not self.cycle.response_complete

    def _stop_request_timer(self) -> None:
        if self._request is not None:
            self._request.cancel()
            self._request = None

    def _stop_reading_timer(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


def bounded_server(app: Any, connections: int, close_seconds: int) -> uvicorn.Server:
    """Make a server for an application, with so many connections at most; it is stopped within `close_seconds`."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=connections,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=close_seconds,
    )
    return uvicorn.Server(config)
