"""Receivers that take everything: OTLP and alerts over HTTP, DogStatsD over UDP, and a page of the dashboard that is open."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

_DATAGRAM = 65_536
_SECONDS = 10.0


class Receivers:
    """What has come, by its way: a path of HTTP, `dogstatsd`, or `dashboard`."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.web = ""
        """The base address of the HTTP receiver."""
        self.dogstatsd = ""
        """Where datagrams are taken, as `host:port`."""

    def look_at(self, url: str) -> None:
        """Be a page of a dashboard, until its server ends."""
        threading.Thread(target=self._look, args=(f"{url}/api/stream",), daemon=True).start()

    def _look(self, url: str) -> None:
        # the server is ended while the page is open
        with suppress(OSError), urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310  our own server
            for line in answer:
                self.came["dashboard"] += line.startswith(b"data:")


@contextmanager
def receivers() -> Iterator[Receivers]:
    """Open the receivers, on ports that are free."""
    taken = Receivers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            taken.came[self.path] += 1
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is Python's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        taken.web = f"http://127.0.0.1:{web.server_port}"
        taken.dogstatsd = f"127.0.0.1:{datagrams.getsockname()[1]}"
        web.daemon_threads = True
        over = threading.Event()
        threads = [
            threading.Thread(target=web.serve_forever, daemon=True),
            threading.Thread(target=_take, args=(datagrams, taken, over), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield taken
        finally:
            web.shutdown()
            over.set()
            for thread in threads:
                thread.join(_SECONDS)


def _take(datagrams: socket.socket, taken: Receivers, over: threading.Event) -> None:
    datagrams.settimeout(0.2)
    while not over.is_set():
        with suppress(TimeoutError):
            datagrams.recv(_DATAGRAM)
            taken.came["dogstatsd"] += 1
