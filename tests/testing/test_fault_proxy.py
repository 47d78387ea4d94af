"""The proxy that breaks the network: each fault as the sockets on both sides see it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import pytest

from tailrace.testing import FaultProxy

if TYPE_CHECKING:
    from tailrace.testing.pytest_plugin import Proxies

PATIENCE = 5.0
QUIET = 0.15
"""So many seconds without a byte are taken for silence."""


class Echo:
    """A server that answers each piece with itself, and remembers how its connections ended."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.heard = b""
        self.ends: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    self.heard += data
                    connection.sendall(data)
                self.ends.append("end")
            except OSError:
                self.ends.append("reset")

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Give a server that echoes."""
    with closing(Echo()) as server:
        yield server


@pytest.fixture
def proxy(echo: Echo, fault_proxy: Proxies) -> FaultProxy:
    """Give a proxy before it."""
    return fault_proxy(echo.address)


def client(proxy: FaultProxy) -> socket.socket:
    """Connect, and wait until the proxy has reached the server."""
    before = proxy.counts.connections
    sock = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
    proxy.until(connections=before + 1, open=1)
    return sock


def asked(sock: socket.socket, said: bytes) -> bytes:
    """Say something, and give as much of an answer."""
    sock.sendall(said)
    heard = b""
    while len(heard) < len(said) and (data := sock.recv(65536)):
        heard += data
    return heard


def is_silent(sock: socket.socket) -> bool:
    """Tell whether nothing comes, not even an end."""
    sock.settimeout(QUIET)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(PATIENCE)
    return False


def eventually(echo: Echo, ends: list[str]) -> None:
    """Wait until the server's connections have ended so."""
    end = time.monotonic() + PATIENCE
    while echo.ends != ends:
        assert time.monotonic() < end, echo.ends
        time.sleep(0.01)


def test_nothing_is_changed(proxy: FaultProxy, echo: Echo) -> None:
    """Without a fault all bytes pass both ways, and an end is passed on."""
    said = bytes(range(256)) * 4096
    with client(proxy) as sock:
        sender = threading.Thread(target=sock.sendall, args=(said,))
        sender.start()
        heard = b""
        while len(heard) < len(said):
            heard += sock.recv(65536)
        sender.join()
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    assert heard == said
    eventually(echo, ["end"])
    counts = proxy.counts
    assert (counts.to_server, counts.to_client) == (len(said), len(said))
    assert (counts.connections, counts.cut, counts.held, counts.delayed, counts.lost) == (1, 0, 0, 0, 0)


def test_cut(proxy: FaultProxy, echo: Echo) -> None:
    """Both sides are told of a reset; the next connection works."""
    with client(proxy) as sock:
        assert asked(sock, b"a") == b"a"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    eventually(echo, ["reset"])
    with client(proxy) as sock:
        assert asked(sock, b"b") == b"b"
    assert proxy.counts.cut == 1


@pytest.mark.parametrize(("to", "heard"), [("server", b"abc"), ("client", b"abcdef")])
def test_cut_after(proxy: FaultProxy, echo: Echo, to: Literal["server", "client"], heard: bytes) -> None:
    """The reset comes in mid-message, once: the server has got as much as passed."""
    with client(proxy) as sock:
        proxy.cut_after(3 if to == "server" else 0, to=to)
        sock.sendall(b"abcdef")
        with pytest.raises(ConnectionResetError):
            sock.makefile("rb").read()
    eventually(echo, ["reset"])
    assert echo.heard == heard
    assert (proxy.counts.cut, proxy.counts.lost) == (1, 3 if to == "server" else 6)
    with client(proxy) as sock:
        assert asked(sock, b"again") == b"again"


def test_refuse(proxy: FaultProxy) -> None:
    """Who is there is reset, and nobody is let in, until it is healed: on the same port."""
    with client(proxy) as sock:
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
    proxy.heal()
    with client(proxy) as sock:
        assert asked(sock, b"a") == b"a"


def test_black_hole(proxy: FaultProxy, echo: Echo) -> None:
    """Nothing passes and nobody is told, of old connections and new ones; healed, what was said arrives."""
    with client(proxy) as old:
        proxy.black_hole()
        with client(proxy) as new:
            for sock in (old, new):
                sock.sendall(b"a")
                assert is_silent(sock)
            assert echo.heard == b""
            assert proxy.counts.held == 2
            proxy.heal()
            assert [sock.recv(1) for sock in (old, new)] == [b"a", b"a"]
    assert proxy.counts.cut == 0


def test_answers_that_do_not_come(proxy: FaultProxy, echo: Echo) -> None:
    """In one direction: the server hears the request, and its answer is held."""
    with client(proxy) as sock:
        proxy.black_hole(to="client")
        sock.sendall(b"a")
        proxy.until(held=1)
        assert echo.heard == b"a"
        assert is_silent(sock)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_server_that_is_gone(proxy: FaultProxy, echo: Echo) -> None:
    """Half-open: the server has ended, the client is not told; what it says is lost, and new connections work."""
    with client(proxy) as sock:
        proxy.half_open()
        eventually(echo, ["reset"])
        sock.sendall(b"abc")
        assert is_silent(sock)
        proxy.until(lost=3)
        with client(proxy) as other:
            assert asked(other, b"b") == b"b"
        proxy.heal()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert (proxy.counts.cut, proxy.counts.lost, echo.heard) == (1, 3, b"b")


def test_a_client_that_is_gone(proxy: FaultProxy, echo: Echo) -> None:
    """Half-open the other way: the server goes on to hold the connection."""
    with client(proxy) as sock:
        proxy.half_open("client")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    time.sleep(QUIET)
    assert echo.ends == []
    proxy.heal()
    eventually(echo, ["reset"])


def test_slow(proxy: FaultProxy) -> None:
    """Each piece waits, in both directions."""
    with client(proxy) as sock:
        proxy.slow(0.1)
        began = time.monotonic()
        assert asked(sock, b"a") == b"a"
        assert time.monotonic() - began >= 0.2
        assert proxy.counts.delayed == 2
        proxy.heal()
        assert asked(sock, b"b") == b"b"
        assert proxy.counts.delayed == 2


def test_a_bound_on_bytes(proxy: FaultProxy) -> None:
    """So many bytes a second pass each way, whichever connection carries them."""
    with client(proxy) as one, client(proxy) as two:
        proxy.slow(bytes_per_second=4000)
        began = time.monotonic()
        for sock in (one, two):
            sock.sendall(b"x" * 500)
        heard = 0
        while heard < 1000:
            heard += len(one.recv(1000)) if heard < 500 else len(two.recv(1000))
        assert 0.25 <= time.monotonic() - began < PATIENCE


def test_a_server_that_moves(proxy: FaultProxy) -> None:
    """New connections go to where it is now, open ones stay where they are."""
    with client(proxy) as old, closing(Echo()) as other:
        proxy.move(other.address)
        with client(proxy) as new:
            assert asked(new, b"new") == b"new"
            assert asked(old, b"old") == b"old"
        assert other.heard == b"new"


def test_a_server_that_is_not_there(fault_proxy: Proxies) -> None:
    """A client whose server can't be reached is reset, and counted."""
    proxy = fault_proxy("127.0.0.1:1")  # a port that was free may be taken meanwhile, by the connection itself too
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as sock:
        sock.recv(1)
    proxy.until(unreachable=1)


def test_a_port_that_is_given(echo: Echo, fault_proxy: Proxies) -> None:
    """A proxy may be where clients were told that it is; closed, it leaves the port alone."""
    first = fault_proxy(echo.address)
    port = first.port
    first.close()
    first.close()
    again = fault_proxy(echo.address, port=port)
    assert again.address == f"127.0.0.1:{port}"
    with client(again) as sock:
        assert asked(sock, b"a") == b"a"


def test_counts_that_do_not_come(proxy: FaultProxy) -> None:
    """A fault that met nobody is told from one that did."""
    with pytest.raises(AssertionError, match=r"cut.*: 1.*cut=0"):
        proxy.until(0.05, cut=1)


@pytest.mark.parametrize("wrong", ["6379", "localhost:", "a:b"])
def test_an_address_that_is_none(wrong: str) -> None:
    with pytest.raises(ValueError, match="write host:port"):
        FaultProxy(wrong)
