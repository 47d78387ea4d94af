"""Queues and streams of RabbitMQ as sources."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import aiormq
import polars as pl
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from tailrace.connectors.base import HEADERS, Assigned, Block, Change, Limit, Positions, Reader, Report, Source
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.inbox import Inbox, Message, block
from tailrace.connectors.rabbitmq.client import Broker, Queues, as_ours, check_broker, hang_up, reported
from tailrace.errors import TailraceError

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
        self.shared = not queues.is_stream
        self.broker = broker
        self.queues = queues
        self.prefetch = prefetch
        self.latest = latest
        self.metadata = {key: METADATA[key] for key in metadata}

    def open(self, positions: Positions) -> QueueReader:
        return QueueReader(self, positions)

    def check(self) -> Report:
        return check_broker(self.broker, self.queues)


@dataclass(slots=True)
class _Queue:
    """One queue: what was given and is not acknowledged, in order; `before` has ids of what was taken before a restart."""

    before: set[str]
    given: deque[tuple[int, str]] = field(default_factory=deque)
    messages: dict[int, AbstractIncomingMessage] = field(default_factory=dict)

    def ids(self) -> list[str]:
        """Give the ids of all that may come again."""
        return [*sorted(self.before), *(i for _, i in self.given if i)]


class QueueReader(Reader):
    """Consumes on a loop of its own; the prefetch bounds what waits here."""

    def __init__(self, source: QueueSource, positions: Positions) -> None:
        self._source = source
        self._changes: list[Change] = [Assigned(name) for name in source.queues.names]
        self._queues = {name: _Queue(set(positions.get(name, {}).get("ids", ()))) for name in source.queues.names}
        self._inbox = Inbox(rows=(source.prefetch + 1) * len(self._queues), size=1 << 62)
        self._loop = EventLoop("tailrace-rabbitmq")
        self._connection: AbstractConnection | None = None
        try:
            self._loop.run(self._consume(positions), source.broker.seconds * 2)
        except BaseException:
            self.close()
            raise

    # on the loop

    async def _consume(self, positions: Positions) -> None:
        broker = self._source.broker
        self._connection = await broker.connect()
        self._connection.close_callbacks.add(self._closed)
        with reported(broker):
            channel = await self._connection.channel()
            channel.close_callbacks.add(self._closed)
            await self._source.queues.ready(channel, broker)
            await channel.set_qos(prefetch_count=self._source.prefetch)
            for name in self._queues:
                await self._start(channel, name, positions.get(name, {}).get("offset"))

    async def _start(self, channel: AbstractChannel, name: str, offset: int | None) -> None:
        queue = await channel.get_queue(name, ensure=False)
        arguments: dict[str, Any] = {}
        if self._source.queues.is_stream:
            begin = "next" if self._source.latest else "first"
            arguments["x-stream-offset"] = begin if offset is None else offset + 1

        async def take(message: AbstractIncomingMessage) -> None:
            self._take(name, offset, message)

        await queue.consume(take, arguments=arguments)

    def _take(self, name: str, offset: int | None, message: AbstractIncomingMessage) -> None:
        tag = int(message.delivery_tag or 0)
        found = _message(message, tag)
        if self._source.queues.is_stream and offset is not None and found.offset <= offset:
            return  # a chunk begins before the offset that was asked for
        self._queues[name].messages[tag] = message
        self._inbox.put(name, found)

    def _closed(self, _: Any, error: BaseException | None) -> None:
        self._inbox.fail(as_ours(error or ConnectionError("the connection is closed"), self._source.broker))

    # on the reader's thread

    def poll(self, limit: Limit) -> list[Block]:
        found = self._inbox.take(limit)
        return [b for name, messages in found.items() if (b := self._block(name, messages)) is not None]

    def _block(self, name: str, messages: list[Message]) -> Block | None:
        queue = self._queues[name]
        kept = []
        for message in messages:
            known = str(message.metadata["message-id"] or "")
            queue.given.append((message.position, known))
            if known and known in queue.before:
                queue.before.discard(known)  # it is in the checkpoint already
                continue
            kept.append(message)
        tag = messages[-1].position
        if self._source.queues.is_stream:
            self._acknowledge(name, tag)  # the offset is the position; this only asks for more
            position: dict[str, Any] = {"offset": messages[-1].offset}
        else:
            position = {"tag": tag, "ids": queue.ids()}
        if not kept:
            return None
        return replace(block(name, kept, self._source.metadata, headers=True), position=position)

    def acknowledge(self, positions: Positions) -> None:
        for name, position in positions.items():
            if name in self._queues and "tag" in position:
                self._acknowledge(name, int(position["tag"]))

    @property
    def wants_positions(self) -> bool:
        return not self._source.queues.is_stream

    def _acknowledge(self, name: str, tag: int) -> None:
        queue = self._queues[name]
        message = queue.messages.get(tag)
        if message is None:
            return  # of an earlier connection: it comes again
        while queue.given and queue.given[0][0] <= tag:
            queue.messages.pop(queue.given.popleft()[0], None)
        try:
            self._loop.run(_all_up_to(message), self._source.broker.seconds)
        except (
            aiormq.AMQPError,
            OSError,
            RuntimeError,
        ) as error:  # the connection is gone: what was not heard comes again
            raise as_ours(error, self._source.broker) from None

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._inbox.close()
        try:
            if self._connection is not None and not self._connection.is_closed:
                self._connection.close_callbacks.clear()
                self._loop.run(hang_up(self._connection), _CLOSE_SECONDS)
        except (TailraceError, OSError):
            self._connection = None  # it was going down; what is not acknowledged comes again
        finally:
            self._loop.close()


async def _all_up_to(message: AbstractIncomingMessage) -> None:
    await message.ack(multiple=True)


def _message(message: AbstractIncomingMessage, tag: int) -> Message:
    headers = [(k, _bytes(v)) for k, v in (message.headers or {}).items() if k != "x-stream-offset"]
    offset = (message.headers or {}).get("x-stream-offset", message.delivery_tag)
    number = int(offset) if isinstance(offset, int) else -1
    metadata = {
        "exchange": message.exchange or "",
        "routing-key": message.routing_key or "",
        "message-id": message.message_id,
        "timestamp": message.timestamp,
        "redelivered": bool(message.redelivered),
        "offset": number,
    }
    return Message(message.body, tag, number, None, headers, metadata)


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return None if value is None else str(value).encode()
