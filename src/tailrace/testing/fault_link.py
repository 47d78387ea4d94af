"""One connection through a fault proxy: two sockets and what carries bytes between them."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

from tailrace.testing.fault_rules import DIRECTIONS, Direction, Rules

RESET = struct.pack("ii", 1, 0)
OTHER: dict[Direction, Direction] = {"server": "client", "client": "server"}


def reset(sock: socket.socket) -> None:
    """Close a socket so that the other side is told of a reset."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


class Link:
    """
    A client's connection and the one to the server that belongs to it.

    Sockets are closed by `run` alone, once nobody waits on them: the loop would watch another's that gets the number.
    """

    def __init__(self, client: socket.socket, server: socket.socket, rules: Rules) -> None:
        self._loop = asyncio.get_running_loop()
        self._sides: dict[Direction, socket.socket] = {"client": client, "server": server}
        self._rules = rules
        self._gone: Direction | None = None
        self._lost = asyncio.Event()
        self._cut = False
        self._tasks = [asyncio.ensure_future(self._carry(to)) for to in DIRECTIONS]

    @property
    def half_open(self) -> bool:
        """Whether one side is gone without the other's knowing."""
        return self._gone is not None

    async def run(self) -> None:
        """Carry bytes until both sides have ended, or one breaks."""
        await self._done()
        if self._gone is not None and not self._cut:
            reset(self._sides[self._gone])
            self._tasks = [asyncio.ensure_future(self._hear_out(self._sides[OTHER[self._gone]]))]
            self._lost.set()
            await self._done()
        for sock in self._sides.values():
            (reset if self._cut else socket.socket.close)(sock)

    def cut(self) -> None:
        """Reset both sides, soon."""
        self._cut = True
        self._stop()

    async def lose(self, gone: Direction) -> None:
        """Reset one side; the other is not told, and is answered nothing."""
        if self._gone is None and not self._cut:
            self._gone = gone
            self._stop()
            await self._lost.wait()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _done(self) -> None:
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    async def _carry(self, to: Direction) -> None:
        """Carry bytes in one direction; a side that breaks breaks the other."""
        try:
            while piece := await self._loop.sock_recv(self._sides[OTHER[to]], self._rules.piece):
                await self._pass(piece, to)
            await self._rules.admit(b"", to)
            self._sides[to].shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    async def _pass(self, piece: bytes, to: Direction) -> None:
        let, ends = await self._rules.admit(piece, to)
        await self._loop.sock_sendall(self._sides[to], let)
        self._rules.passed(len(let), to)
        if ends:
            self._rules.counts.cut += 1
            self._rules.counts.lost += len(piece) - len(let)
            self.cut()

    async def _hear_out(self, left: socket.socket) -> None:
        """Take what the side that is left still says, until it gives up or is reset."""
        with suppress(OSError):
            while piece := await self._loop.sock_recv(left, self._rules.piece):
                self._rules.counts.lost += len(piece)
