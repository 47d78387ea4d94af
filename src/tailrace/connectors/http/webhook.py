"""Webhook in: a small server whose requests are rows; each is answered when its rows are safe in the journal."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tailrace.connectors import one_trace
from tailrace.connectors.base import Assigned, Block, Change, Limit, Positions, Reader, Report, Source
from tailrace.connectors.bounded_server import bounded_server
from tailrace.connectors.http import journal
from tailrace.connectors.http.bodies import BadBodyError, split
from tailrace.connectors.http.journal import Journal
from tailrace.connectors.http.signing import Signer
from tailrace.connectors.inbox import Message, block
from tailrace.errors import ConfigError, TailraceError, TerminalError

PARTITION = "requests"
LOCAL = ("127.0.0.1", "localhost", "::1")
METADATA: dict[str, pl.DataType] = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "headers": pl.List(pl.Struct({"key": pl.String, "value": pl.Binary})),
}
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a webhook listens, and what it takes."""

    host: str
    port: int
    path: str
    body: str
    signer: Signer | None
    key_header: str
    known_seconds: float
    largest: int
    seconds: float
    max_rows: int
    max_bytes: int
    connections: int
    folder: Path
    metadata: tuple[str, ...]
    traced: bool = False
    """Whether the traces in headers are kept."""

    @property
    def shown(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.path}"

    def bound(self) -> socket.socket:
        """
        Take the port.

        Raises:
            ConfigError: it can't be had.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=self.connections)
        except OSError as error:
            message = f"can't listen on {self.host}:{self.port}: {error.strerror or error}"
            raise ConfigError(message, hint="name another address in 'listen'") from None


class WebhookSource(Source):
    """Rows that others post."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def open(self, positions: Positions) -> WebhookReader:
        return WebhookReader(self.hook, int(positions.get(PARTITION, 0)))

    def check(self) -> Report:
        try:
            self.hook.bound().close()
        except TailraceError as error:
            return Report.failed(error)
        return Report(True, f"takes rows posted to {self.hook.shown}")


class WebhookReader(Reader):
    """Serves, and reads the journal behind a position."""

    def __init__(self, hook: Hook, after: int) -> None:
        self._hook = hook
        self._after = after
        self._changes: list[Change] = [Assigned(PARTITION)]
        bound = hook.bound()
        try:
            self._journal = Journal(
                hook.folder / "journal.db",
                known_seconds=hook.known_seconds,
                max_rows=hook.max_rows,
                max_bytes=hook.max_bytes,
            )
            self._journal.refuse_dropped(after)
        except BaseException:
            bound.close()
            raise
        self.port: int = bound.getsockname()[1]
        self._server = _Server(Receiver(hook, self._journal), hook, bound)

    def poll(self, limit: Limit) -> list[Block]:
        if self._journal.failure is not None:
            raise self._journal.failure
        found = self._journal.read(self._after, limit.rows, limit.bytes, limit.wait_seconds)
        if not found:
            return []
        self._after = found[-1].number
        wanted, traced = {key: METADATA[key] for key in self._hook.metadata}, self._hook.traced
        messages = [_message(e, headers=traced or "headers" in wanted) for e in found]
        return [block(PARTITION, messages, wanted, headers=traced)]

    def changes(self) -> list[Change]:
        given, self._changes = self._changes, []
        return given

    def acknowledge(self, positions: Positions) -> None:
        if PARTITION in positions:
            self._journal.acknowledge(int(positions[PARTITION]))

    @property
    def wants_positions(self) -> bool:
        return True

    def lags(self) -> Mapping[str, int | None]:
        return {PARTITION: self._journal.waiting(self._after)}

    def close(self) -> None:
        self._server.close()
        self._journal.close()


def _message(entry: journal.Entry, *, headers: bool) -> Message:
    pairs = [(name, value.encode()) for name, value in json.loads(entry.headers).items()] if headers else []
    return Message(entry.body, entry.number, entry.number, headers=pairs, metadata={"timestamp": entry.at})


class Receiver:
    """Answers requests: 202 when the rows are safe (or were known), else why not."""

    def __init__(self, hook: Hook, kept: Journal) -> None:
        self._hook = hook
        self._journal = kept

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer one."""
        hook = self._hook
        if self._journal.full:
            return _no(429, "too many rows wait", {"Retry-After": "1"})
        try:
            async with asyncio.timeout(hook.seconds):
                body = await self._body(request)
        except TimeoutError:
            return _no(408, "the body did not come in time", {"Connection": "close"})
        except ClientDisconnect:
            return _no(400, "the connection was closed")
        if body is None:
            return _no(413, f"a body has at most {hook.largest} bytes", {"Connection": "close"})
        if hook.signer is not None and not hook.signer.accepts(body, request.headers, time.time()):
            return _no(401, "the signature is missing, wrong or too old")
        try:
            rows = split(body, hook.body)
        except BadBodyError as error:
            return _no(400, f"the body can't be read: {error}")
        return await self._keep(rows, request)

    async def _body(self, request: Request) -> bytes | None:
        """Give the body; None if it is too large."""
        length = request.headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:18]) > self._hook.largest:
            return None
        taken = bytearray()
        async for piece in request.stream():
            taken += piece
            if len(taken) > self._hook.largest:
                return None
        return bytes(taken)

    def _headers(self, request: Request) -> dict[str, str]:
        """Give the headers that are kept with the rows: those that somebody asks for."""
        if "headers" in self._hook.metadata:
            return {k: v for k, v in request.headers.items() if k not in _SECRET}
        return {k: v for k, v in request.headers.items() if self._hook.traced and k in one_trace.NAMES}

    async def _keep(self, rows: list[bytes], request: Request) -> JSONResponse:
        if not rows:
            return JSONResponse({"rows": 0}, 202)
        headers = json.dumps(self._headers(request)).encode()
        key = request.headers.get(self._hook.key_header) if self._hook.known_seconds else None
        asked = journal.Request(rows, headers, key, int(time.time() * 1000))
        try:
            new = await asyncio.wrap_future(self._journal.add(asked))
        except TerminalError:
            return _no(503, "rows can't be kept for now", {"Retry-After": "10"})
        return JSONResponse({"rows": len(rows), "known": not new}, 202)


def _no(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": why}, status, headers)


class _Server:
    """Serves on a thread."""

    def __init__(self, receiver: Receiver, hook: Hook, bound: socket.socket) -> None:
        self._bound = bound

        async def receive(request: Request) -> JSONResponse:
            return await receiver(request)

        app = Starlette(routes=[Route(hook.path, receive, methods=["POST"])])
        self._server = bounded_server(app, hook.connections, 2)
        self._thread = threading.Thread(target=self._run, name="tailrace-http-webhook", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._bound]))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(_CLOSE_SECONDS)
        self._bound.close()
