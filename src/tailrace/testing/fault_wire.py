"""What a fault proxy is on its own loop: a listener, the connections that it has let in, and the faults that hold."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

from tailrace.testing.fault_link import Link, reset
from tailrace.testing.fault_rules import DIRECTIONS, Direction, FaultCounts, Rules

HOST = "127.0.0.1"
BACKLOG = 128
CONNECT_SECONDS = 5.0
REBIND_SECONDS = 5.0


def listening(port: int) -> socket.socket:
    """Listen on a port, or on any free one."""
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class Wire:
    """All of a proxy that belongs to its loop."""

    def __init__(self, target: tuple[str, int], port: int) -> None:
        self.target = target
        self._rules = Rules()
        self._listener: socket.socket | None = listening(port)
        self.port: int = self._listener.getsockname()[1]
        self._links: dict[asyncio.Task[None], Link] = {}
        self._connecting: set[asyncio.Task[None]] = set()

    async def counts(self) -> FaultCounts:
        """Give a copy of what has been counted."""
        return replace(self._rules.counts, open=len(self._links))

    async def listen(self) -> None:
        """Let clients in. The port is ours again within a moment, unless somebody else has taken it."""
        end = asyncio.get_running_loop().time() + REBIND_SECONDS
        while self._listener is None:
            try:
                self._listener = listening(self.port)
            except OSError:
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(0.02)
        # a task that waits for a client and is cancelled may lose one that has just come, with its socket open
        asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    async def refuse(self) -> None:
        """Let nobody in, and reset who is there."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self.cut()

    async def cut(self) -> None:
        """Reset all connections, also those that are being made."""
        for task in self._connecting:
            task.cancel()
        if self._connecting:
            await asyncio.wait(list(self._connecting))
        self._rules.counts.cut += sum(not link.half_open for link in self._links.values())
        await self._reset(list(self._links))

    async def half_open(self, gone: Direction) -> None:
        """Reset one side of all connections."""
        live = [link for link in self._links.values() if not link.half_open]
        self._rules.counts.cut += len(live)
        for link in live:
            await link.lose(gone)

    async def hold(self, to: str) -> None:
        """Hold what goes to a side, or to both."""
        for one in DIRECTIONS:
            if to in {one, "both"}:
                self._rules.hold(one)

    async def slow(self, seconds: float, rate: int) -> None:
        """Let each piece wait, and bound the bytes in a second."""
        self._rules.slow(seconds, rate)

    async def cut_after(self, count: int, to: Direction) -> None:
        """Reset the connection that carries the byte behind so many more."""
        self._rules.cut_after(count, to)

    async def heal(self) -> None:
        """End all faults, and what is left of half-open connections."""
        self._rules.heal()
        await self._reset([task for task, link in self._links.items() if link.half_open])
        await self.listen()

    async def _reset(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            self._links[task].cut()
        if tasks:
            await asyncio.wait(tasks)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:  # it has gone away again
            return
        client.setblocking(False)
        self._rules.counts.connections += 1
        task = asyncio.ensure_future(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(lambda ended: self._connected(ended, client))

    def _connected(self, task: asyncio.Task[None], client: socket.socket) -> None:
        self._connecting.discard(task)
        if task.cancelled():  # before it began
            reset(client)

    async def _connect(self, client: socket.socket) -> None:
        """Reach the server for a client; one that can't be reached resets the client."""
        server = socket.socket()
        server.setblocking(False)
        connected = asyncio.get_running_loop().sock_connect(server, self.target)
        try:
            await asyncio.wait_for(connected, CONNECT_SECONDS)
        except (OSError, asyncio.CancelledError) as error:
            self._rules.counts.unreachable += isinstance(error, OSError)
            server.close()
            reset(client)
            return
        link = Link(client, server, self._rules)
        task = asyncio.ensure_future(link.run())
        self._links[task] = link
        task.add_done_callback(self._links.pop)
