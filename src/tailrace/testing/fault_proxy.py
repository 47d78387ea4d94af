"""A TCP proxy in front of a real server that breaks the network between it and its clients, as it is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from dataclasses import asdict
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from tailrace.testing.fault_rules import Direction, FaultCounts
from tailrace.testing.fault_wire import HOST, Wire

CALL_SECONDS = 30.0

T = TypeVar("T")


def endpoint(address: str) -> tuple[str, int]:
    """Take `host:port` apart."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"'{address}' is no address: write host:port")
    return host, int(port)


class FaultProxy:
    """
    Stands between clients and a server (`host:port`), and breaks the network between them when a test says so.

    It runs on a thread of its own and listens on `address`, on any free `port` unless one is given. When the call of a
    fault returns, it holds for all connections, open or new, until `heal`; faults add up. `counts` tells what took
    place. Use it as a context manager, or `close` it; with pytest the fixture `fault_proxy` does.

    >>> import socket
    >>> from tailrace.testing import FaultProxy
    >>> with socket.create_server(("127.0.0.1", 0)) as server:
    ...     with FaultProxy(f"127.0.0.1:{server.getsockname()[1]}") as proxy:
    ...         client = socket.create_connection(("127.0.0.1", proxy.port))
    ...         proxy.until(open=1)
    ...         proxy.cut()
    ...         client.close()
    ...         proxy.counts.cut
    1
    """

    def __init__(self, target: str, *, port: int = 0) -> None:
        self._wire = Wire(endpoint(target), port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self._do(self._wire.listen())

    @property
    def port(self) -> int:
        """
        The port that clients connect to.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.address == f"127.0.0.1:{proxy.port}"
        True
        """
        return self._wire.port

    @property
    def address(self) -> str:
        """
        The address that clients connect to, as `host:port`.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.address.partition(":")[0]
        '127.0.0.1'
        """
        return f"{HOST}:{self.port}"

    @property
    def counts(self) -> FaultCounts:
        """
        What has taken place since the proxy began; a copy that stands still.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.counts.connections
        0
        """
        return self._do(self._wire.counts())

    def until(self, seconds: float = 10.0, **least: int) -> None:
        """
        Wait until the counts are at least so large: the fault has met somebody.

        Raises:
            AssertionError: They are not within so many seconds.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.until(connections=0)
        """
        end = time.monotonic() + seconds
        while any(asdict(self.counts)[name] < value for name, value in least.items()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds:g} s: {least}; there is {self.counts}")
            time.sleep(0.005)

    def cut(self) -> None:
        """
        Reset all connections, once; new ones are let in.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.cut()
        """
        self._do(self._wire.cut())

    def cut_after(self, count: int, to: Direction = "server") -> None:
        """
        Reset, once, the connection that carries the byte behind the next `count` ones to a side: in mid-message.

        `cut_after(0, to="client")` lets a request through, and its answer is lost.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.cut_after(100)
        """
        self._do(self._wire.cut_after(count, to))

    def refuse(self) -> None:
        """
        Be a server that is down: connections are reset, and new ones refused (by the system, so that none is counted).

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.refuse()
        ...     proxy.heal()
        """
        self._do(self._wire.refuse())

    def black_hole(self, to: Direction | Literal["both"] = "both") -> None:
        """
        Hold all bytes to a side, or to both: nothing is answered, and nobody is told. Healed, they go on.

        `black_hole(to="client")` lets requests through and holds their answers.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.black_hole()
        """
        self._do(self._wire.hold(to))

    def half_open(self, gone: Direction = "server") -> None:
        """
        Let one side of each open connection go away without the other's being told; new connections work.

        What the other still says is lost; `heal` resets what is left of them.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.half_open()
        """
        self._do(self._wire.half_open(gone))

    def slow(self, seconds: float = 0.0, *, bytes_per_second: int = 0) -> None:
        """
        Let each piece (at most 64 KiB) wait so long, or so many bytes pass in a second to each side, or both.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.slow(0.2)
        ...     proxy.slow(bytes_per_second=2000)
        """
        self._do(self._wire.slow(seconds, bytes_per_second))

    def move(self, target: str) -> None:
        """
        Lead new connections to another server, as a name that gets another address does; open ones stay.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.move("127.0.0.1:6380")
        """
        self._wire.target = endpoint(target)

    def heal(self) -> None:
        """
        End all faults.

        >>> with FaultProxy("127.0.0.1:6379") as proxy:
        ...     proxy.black_hole()
        ...     proxy.heal()
        """
        self._do(self._wire.heal())

    def close(self) -> None:
        """
        Reset all connections, and listen no more.

        >>> FaultProxy("127.0.0.1:6379").close()
        """
        if self._loop.is_closed():
            return
        self._do(self._wire.refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)
