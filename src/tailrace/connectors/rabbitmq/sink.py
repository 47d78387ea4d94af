"""Queues and exchanges of RabbitMQ as sinks: many messages are on their way before their confirms are waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aio_pika
import polars as pl
from aio_pika import exceptions
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

from tailrace.connectors import one_trace
from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.encoding import RowEncoder, messages
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.rabbitmq.client import Broker, Queues, as_ours, check_broker, hang_up, reported
from tailrace.errors import DataError, TailraceError, TerminalError, TransientError

_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where messages go: `key` unless the column `key_column` has another; `id_column` has the id of each."""

    exchange: str
    key: str
    mandatory: bool
    persistent: bool
    key_column: str | None = None
    id_column: str | None = None


class RabbitSink(BulkSink):
    """Publishes rows in order on one channel, and waits for the confirms of a request together."""

    traced = True

    def __init__(self, broker: Broker, queues: Queues, route: Route, encoder: RowEncoder, bulk: Bulk) -> None:
        super().__init__(bulk)
        self._broker = broker
        self._queues = queues
        self._route = route
        self._encoder = encoder
        self._loop: EventLoop | None = None
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    def open(self) -> None:
        self._loop = self._loop or EventLoop("tailrace-rabbitmq-sink")
        self._encoder.open()
        try:
            self._loop.run(self._connect(), self._broker.seconds * 2)
        except BaseException:
            self.close()
            raise

    async def _connect(self) -> None:
        await self._disconnect()
        self._connection = await self._broker.connect()
        with reported(self._broker):
            channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            if not self._route.exchange:
                await self._queues.ready(channel, self._broker)
            self._exchange = await _exchange(channel, self._route.exchange)

    async def _disconnect(self) -> None:
        self._exchange = None
        if self._connection is not None and not self._connection.is_closed:
            await hang_up(self._connection)

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._loop is not None
        made = self._messages(rows)
        try:
            answers = self._loop.run(self._publish(made), self._broker.seconds)
        except TransientError:
            self._exchange = None  # what became of them is not known: a new connection, and all again
            raise
        return self._outcome(answers)

    def _messages(self, rows: pl.DataFrame) -> list[tuple[aio_pika.Message, str]]:
        route = self._route
        keys = rows[route.key_column].to_list() if route.key_column else [None] * len(rows)
        ids = rows[route.id_column].to_list() if route.id_column else [None] * len(rows)
        mode = aio_pika.DeliveryMode.PERSISTENT if route.persistent else aio_pika.DeliveryMode.NOT_PERSISTENT
        now = datetime.now(UTC)
        found = []
        for message, key, number in zip(messages(self._encoder.encode(rows)), keys, ids, strict=True):
            headers = {name: _header(name, value) for name, value in message.headers}
            body = aio_pika.Message(
                message.value or b"", headers=headers, delivery_mode=mode, timestamp=now, message_id=number
            )
            found.append((body, key if key is not None else route.key))
        return found

    async def _publish(self, made: list[tuple[aio_pika.Message, str]]) -> list[Any]:
        if self._exchange is None or self._connection is None or self._connection.is_closed:
            await self._connect()
        assert self._exchange is not None
        publish, mandatory = self._exchange.publish, self._route.mandatory
        return await asyncio.gather(
            *(publish(message, key, mandatory=mandatory) for message, key in made), return_exceptions=True
        )

    def _outcome(self, answers: list[Any]) -> Outcome:
        refused, again, why = [], [], None
        for row, answer in enumerate(answers):
            if not isinstance(answer, BaseException):
                continue
            if isinstance(answer, exceptions.PublishError):
                hint = "bind a queue for it, or set 'sink.mandatory' = 'false'"
                refused.append(Refused(row, "unroutable", "no queue takes a message of this routing key", hint))
                continue
            why = self._again(answer)
            again.append(row)
        if why is not None:
            self._exchange = None
        return Outcome(refused, again, why)

    def _again(self, error: BaseException) -> TransientError:
        try:
            return _transient(error, self._broker)
        except TailraceError:
            self._exchange = None  # its channel is closed
            raise

    def check(self) -> Report:
        return check_broker(self._broker, self._queues, self._route.exchange)

    def close(self) -> None:
        super().close()
        if self._loop is None:
            return
        try:
            self._loop.run(self._disconnect(), _CLOSE_SECONDS)
        except (TailraceError, OSError, aio_pika.exceptions.AMQPError):
            self._connection = None  # it was going down
        finally:
            self._loop.close()
            self._loop = None


def _header(name: str, value: bytes | None) -> Any:
    """Give the value of a header: text where it tells of a trace, as others read no bytes there."""
    return value.decode(errors="replace") if value is not None and name.lower() in one_trace.NAMES else value


async def _exchange(channel: AbstractChannel, name: str) -> AbstractExchange:
    return await channel.get_exchange(name) if name else channel.default_exchange


def _transient(error: BaseException, broker: Broker) -> TransientError:
    """
    Give the error of a message that may be sent again.

    Raises:
        DataError: it is too large; the broker has closed the channel, and what became of the others is not known.
        TerminalError: it may not.
    """
    if isinstance(error, exceptions.ChannelPreconditionFailed) and "message size" in str(error):
        hint = "raise 'max_message_size' of the broker, or drop such rows"
        raise DataError(f"RabbitMQ at {broker.shown} takes no message of this size: {error}", hint=hint)
    if isinstance(error, exceptions.DeliveryError):
        return TransientError(
            f"RabbitMQ at {broker.shown} did not take a message for now", hint="its queue may be full"
        )
    ours = as_ours(error, broker)
    if isinstance(ours, TerminalError):
        raise ours
    return TransientError(ours.message, hint=ours.hint)
