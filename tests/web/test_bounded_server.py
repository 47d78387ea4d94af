"""What a client may hold of a server: by raw sockets, against the servers of the dashboard and of webhooks."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from connector_kit import context, source, table
from starlette.types import Receive, Scope, Send

from tailrace.connectors.bounded_server import BoundedProtocol, bounded_server
from tailrace.connectors.http.webhook import WebhookReader
from tailrace.schema import STRING
from tailrace.web import body
from tailrace.web.address import Address
from tailrace.web.server import Server

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
SHORT = 0.6


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have little patience, so that the tests need none."""
    monkeypatch.setattr(BoundedProtocol, "header_seconds", SHORT)
    monkeypatch.setattr(BoundedProtocol, "answer_seconds", SHORT)
    monkeypatch.setattr(body, "BODY_SECONDS", SHORT)


@pytest.fixture(params=["dashboard", "webhook"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Give the port of a server of each kind."""
    if request.param == "dashboard":
        with Server(Address("127.0.0.1", 0), list) as server:
            yield server.address.port
        return
    options = {"listen": "127.0.0.1:0", "format": "json", "max-connections": "100"}
    reader = source(table("http", {"id": STRING}, options), where=context(tmp_path)).open({})
    assert isinstance(reader, WebhookReader)
    yield reader.port
    reader.close()


def connect(port: int) -> socket.socket:
    """Connect; what is asked of it takes 10 seconds at most."""
    made = socket.create_connection(("127.0.0.1", port), 10)
    made.settimeout(10)
    return made


def rest(of: socket.socket) -> bytes:
    """Give all that comes until the server closes."""
    found = b""
    while piece := of.recv(65_536):
        found += piece
    return found


def asked(of: socket.socket) -> int:
    """Ask for something, take the whole answer, and give its status."""
    of.sendall(GET)
    answer = http.client.HTTPResponse(of)
    answer.begin()
    answer.read()
    return answer.status


def test_who_says_nothing_is_closed(port: int) -> None:
    began = time.monotonic()
    with connect(port) as silent:
        assert rest(silent) == b""
    assert SHORT * 0.9 < time.monotonic() - began < 8


def test_headers_byte_by_byte_are_cut_off(port: int) -> None:
    """Each byte comes soon after the last one; the time is that of all of them."""
    began, answer = time.monotonic(), b""
    with connect(port) as slow:
        slow.settimeout(0.05)
        for letter in b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 10_000:
            try:
                slow.sendall(bytes([letter]))
                answer += slow.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
            if answer:
                break
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 8


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    """The time begins anew with each request, and a client in good order sees nothing of it."""
    with connect(port) as kept:
        for _ in range(3):
            assert asked(kept) in (200, 404)
            time.sleep(SHORT / 3)
        time.sleep(SHORT * 1.5)  # idle, within the time for that
        assert asked(kept) in (200, 404)


def test_a_second_request_byte_by_byte_is_cut_off(port: int) -> None:
    with connect(port) as slow:
        assert asked(slow) in (200, 404)
        slow.sendall(b"GET /health")
        began = time.monotonic()
        assert rest(slow) == b""
    assert time.monotonic() - began < 8


def test_a_body_byte_by_byte_is_cut_off() -> None:
    """The one of the dashboard; that of a webhook has its own option."""
    with Server(Address("127.0.0.1", 0), list, actions=True) as server, connect(server.address.port) as slow:
        head = (
            f"POST /api/jobs/{'0' * 12}/checkpoints/take HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
        slow.sendall(head.encode())
        answer = rest(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "the body did not come in time"


def test_many_who_say_nothing_keep_nobody_out_for_long(port: int) -> None:
    """More connections than are allowed: the newest are cut at once, and all are gone when their time is over."""
    with ExitStack() as stack:
        many = [stack.enter_context(connect(port)) for _ in range(230)]
        cut = 0
        for one in many[200:]:
            try:
                cut += one.recv(1) == b""
            except ConnectionResetError:
                cut += 1
        assert cut == len(many[200:])
        deadline = time.monotonic() + 8
        while True:
            # it may be cut, or told that it is one too many
            with connect(port) as good, suppress(http.client.HTTPException, OSError):
                if asked(good) != 503:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.1)


async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without an end."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await asyncio.sleep(0)


def test_who_does_not_read_is_cut_off() -> None:
    """An answer that nobody takes is not waited for; one that is taken slowly is."""
    server = bounded_server(endless, 10, 1)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        with connect(bound.getsockname()[1]) as deaf, connect(bound.getsockname()[1]) as slow:
            for client in (deaf, slow):
                client.sendall(GET)
            began = time.monotonic()
            while time.monotonic() - began < 4 * SHORT:
                assert slow.recv(4_000_000)
                time.sleep(SHORT / 20)
            with suppress(ConnectionResetError):
                while deaf.recv(4_000_000):
                    assert time.monotonic() - began < 20
        server.should_exit = True
        thread.join(10)
