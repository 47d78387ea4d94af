"""Queues and streams of RabbitMQ as sources."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import aiormq
import polars as pl
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from tailrace.connectors.base import Assigned, Block, Change, Limit, Positions, Reader, Report, Source
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.inbox import Inbox, Message, block
from tailrace.connectors.rabbitmq.client import Broker, Queues, as_ours, check_broker, hang_up, refuse_company, reported
from tailrace.connectors.rabbitmq.given import Given, Heard
from tailrace.errors import TailraceError, TransientError
from tailrace.formats.base import HEADERS

METADATA: dict[str, pl.DataType] = {
    "exchange": pl.String(),
    "routing-key": pl.String(),
    "message-id": pl.String(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "headers": HEADERS,
    "redelivered": pl.Boolean(),
    "offset": pl.Int64(),
}
_CLOSE_SECONDS = 5.0


class QueueSource(Source):
    """
    Reads queues: messages are acknowledged when the checkpoint that has them is complete.

    What is not acknowledged comes again after a restart; those with an id are taken once all the same, since the checkpoint has the ids
    of what was read and not yet acknowledged. A stream is read behind its offset.
    """

    def __init__(
        self, broker: Broker, queues: Queues, prefetch: int, *, latest: bool, metadata: tuple[str, ...]
    ) -> None:
        self.shared = not (queues.is_stream or queues.exclusive)
        self.repeats = not queues.is_stream  # messages without an id do
        self.broker = broker
        self.queues = queues
        self.prefetch = prefetch
        self.latest = latest
        self.metadata = {key: METADATA[key] for key in metadata}

    def open(self, positions: Positions) -> QueueReader:
        return QueueReader(self, positions)

    def check(self) -> Report:
        return check_broker(self.broker, self.queues)


class QueueReader(Reader):
    """
    Consumes on a loop of its own; the prefetch bounds what waits here. When its connection is lost, the next poll makes another.

    Each queue has a channel of its own, as what is acknowledged together are all messages of a channel up to one.
    """

    def __init__(self, source: QueueSource, positions: Positions) -> None:
        self._source = source
        self._changes: list[Change] = [Assigned(name) for name in source.queues.names]
        lately = 0 if source.queues.is_stream else source.prefetch
        self._queues = {name: Given.at(positions.get(name), lately) for name in source.queues.names}
        self._inbox = Inbox(rows=(source.prefetch + 1) * len(self._queues), size=1 << 62)
        self._loop = EventLoop("tailrace-rabbitmq")
        self._connection: AbstractConnection | None = None
        self._down = self._lost = False
        try:
            self._loop.run(self._consume(), source.broker.seconds * 2)
        except BaseException:  # its loop must not outlive a reader that could not begin
            self.close()
            raise

    # on the loop

    async def _consume(self) -> None:
        await self._hang_up()
        self._inbox.renew()
        for given in self._queues.values():
            given.begin()
        connection = self._connection = await self._source.broker.connect()
        self._down = False
        connection.close_callbacks.add(partial(self._closed, connection))
        with reported(self._source.broker):
            for name in self._queues:
                await self._start(connection, name)

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed:
            await hang_up(connection)

    async def _start(self, connection: AbstractConnection, name: str) -> None:
        source, given = self._source, self._queues[name]
        channel = await connection.channel()
        channel.close_callbacks.add(partial(self._closed, connection))
        await replace(source.queues, names=(name,)).ready(channel, source.broker)
        if source.queues.exclusive:
            await refuse_company(channel, name, source.broker)
        await channel.set_qos(prefetch_count=source.prefetch)
        queue = await channel.get_queue(name, ensure=False)
        arguments: dict[str, Any] = {}
        offset = given.offset
        if source.queues.is_stream:
            begin = "next" if source.latest else "first"
            arguments["x-stream-offset"] = begin if offset is None else offset + 1

        async def take(message: AbstractIncomingMessage) -> None:
            if connection is self._connection and not self._down:  # else it comes again
                self._take(name, offset, message)

        await queue.consume(take, exclusive=source.queues.exclusive, arguments=arguments)

    def _take(self, name: str, behind: int | None, message: AbstractIncomingMessage) -> None:
        offset = _offset(message)
        if self._source.queues.is_stream and behind is not None and offset <= behind:
            return  # a chunk begins before the offset that was asked for
        self._inbox.put(name, _message(message, self._queues[name].came(message), offset))

    def _closed(self, connection: AbstractConnection, _: Any, error: BaseException | None) -> None:
        """Say, once for each connection, that it is gone; also when one of its channels is."""
        if connection is not self._connection or self._down:
            return
        self._down = True
        self._inbox.fail(as_ours(error or ConnectionError("the connection is closed"), self._source.broker))

    # on the reader's thread

    def poll(self, limit: Limit) -> list[Block]:
        if self._lost:
            self._loop.run(self._consume(), self._source.broker.seconds * 2)
            self._lost = False
        try:
            found = self._inbox.take(limit)
        except TailraceError:
            self._lost = True
            raise
        return [b for name, messages in found.items() if (b := self._block(name, messages)) is not None]

    def _block(self, name: str, messages: list[Message]) -> Block | None:
        given = self._queues[name]
        kept = given.take(messages)
        if self._source.queues.is_stream:
            given.offset = messages[-1].offset
            self._acknowledge(given.hear(messages[-1].position))  # the offset is the position; this only asks for more
            position: dict[str, Any] = {"offset": given.offset}
        else:
            self._acknowledge((None, given.known()))
            position = {"tag": messages[-1].position, "ids": given.ids()}
        if not kept:
            return None
        return replace(block(name, kept, self._source.metadata, headers=True), position=position)

    def acknowledge(self, positions: Positions) -> None:
        for name, position in positions.items():
            if name in self._queues and "tag" in position:
                self._acknowledge(self._queues[name].hear(int(position["tag"])))

    @property
    def wants_positions(self) -> bool:
        return not self._source.queues.is_stream

    def _acknowledge(self, heard: Heard) -> None:
        last, alone = heard
        if last is None and not alone:
            return
        with suppress(
            TransientError, aiormq.AMQPError, OSError, RuntimeError
        ):  # the connection is gone, as the next poll tells
            self._loop.run(_tell(last, alone), self._source.broker.seconds)

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._inbox.close()
        try:
            self._loop.run(self._hang_up(), _CLOSE_SECONDS)
        except (TailraceError, OSError):
            self._connection = None  # it was going down; what is not acknowledged comes again
        finally:
            self._loop.close()


async def _tell(last: AbstractIncomingMessage | None, alone: list[AbstractIncomingMessage]) -> None:
    if last is not None:
        await last.ack(multiple=True)
    for message in alone:
        await message.ack()


def _offset(message: AbstractIncomingMessage) -> int:
    offset = (message.headers or {}).get("x-stream-offset", message.delivery_tag)
    return int(offset) if isinstance(offset, int) else -1


def _message(message: AbstractIncomingMessage, number: int, offset: int) -> Message:
    headers = [(k, _bytes(v)) for k, v in (message.headers or {}).items() if k != "x-stream-offset"]
    metadata = {
        "exchange": message.exchange or "",
        "routing-key": message.routing_key or "",
        "message-id": message.message_id,
        "timestamp": message.timestamp,
        "redelivered": bool(message.redelivered),
        "offset": offset,
    }
    return Message(message.body, number, offset, None, headers, metadata)


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return None if value is None else str(value).encode()
