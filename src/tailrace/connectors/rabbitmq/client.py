"""Connections to RabbitMQ, and its errors as ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq import exceptions as errors

from tailrace.connectors.base import Report
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.rabbitmq.options import CLASSIC, STREAM
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.options import Values

_LOGIN = (errors.ProbableAuthenticationError, errors.AuthenticationError)
_RIGHTS = (errors.ChannelAccessRefused,)
_MISSING = (errors.ChannelNotFoundEntity, errors.ConnectionNotAllowed)
_OTHER = (errors.ChannelPreconditionFailed, errors.ConnectionNotImplemented, errors.ConnectionCommandInvalid)
_STARTING = "down or inaccessible"
"""So a broker calls a queue of a node that has just come back, by the same code as one that is not there."""
_HEARTBEAT = 10


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is and how it is spoken to; `shown` is its address without secrets."""

    url: str = field(repr=False)
    shown: str
    seconds: float
    context: ssl.SSLContext | None = None

    @classmethod
    def of(cls, options: Values) -> Broker:
        """
        Read the options.

        Raises:
            ConfigError: the URL is none.
        """
        at = options.location("url")
        parts = urlsplit(options["url"])
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
            hint = "write it as amqp://localhost:5672/"
            raise ConfigError("'url' is no address of a RabbitMQ broker", hint=hint, location=at)
        user = quote(options["username"] or parts.username or "guest", safe="")
        password = quote(options["password"] or parts.password or "guest", safe="")
        address = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        context = None
        if parts.scheme == "amqps":
            context = ssl.create_default_context(cafile=options["ssl.ca-location"])
        return cls(
            f"{parts.scheme}://{user}:{password}@{address}",
            f"{parts.scheme}://{address}",
            options["timeout"] / 1000,
            context,
        )

    async def connect(self) -> AbstractConnection:
        """
        Connect.

        Raises:
            TransientError: it is away for now.
            TerminalError: it refuses the login.
        """
        url = aio_pika.connection.make_url(self.url, heartbeat=_HEARTBEAT)
        connection = aio_pika.Connection(url, ssl_context=self.context)
        try:
            with reported(self):
                await connection.connect(self.seconds)
        except BaseException:
            await hang_up(connection)
            raise
        return connection


@dataclass(frozen=True, slots=True)
class Queues:
    """Queues of one type; with `declare` they are made where they are missing; `exclusive` ones have one reader."""

    names: tuple[str, ...]
    type: str = CLASSIC
    declare: bool = False
    exclusive: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether they keep their messages, and are read from any offset."""
        return self.type == STREAM

    async def ready(self, channel: AbstractChannel, broker: Broker) -> None:
        """
        Make sure that they are there.

        Raises:
            TerminalError: one is not there, or is of another kind.
        """
        for name in self.names:
            with reported(broker):
                await channel.declare_queue(
                    name,
                    durable=True,
                    passive=not self.declare,
                    arguments={"x-queue-type": self.type} if self.declare else None,
                )


async def hang_up(connection: AbstractConnection) -> None:
    """
    Close a connection, also one that was never open.

    The library closes one that counts as open when its memory is freed, on whatever thread that is, where it cannot be awaited.
    """
    try:
        await connection.close()
    finally:
        await (
            connection.close()
        )  # where the first was given up in the middle: nothing is left but to count it as closed


async def refuse_company(channel: AbstractChannel, name: str, broker: Broker) -> None:
    """
    Make sure that nobody reads a queue: the broker itself refuses a second reader of classic queues alone.

    Raises:
        TransientError: somebody does.
    """
    with reported(broker):
        found = await channel.declare_queue(name, passive=True)
    if count := found.declaration_result.consumer_count:
        raise taken(broker, f"queue '{name}' has {count} consumers")


@contextmanager
def reported(broker: Broker) -> Iterator[None]:
    """
    Turn errors of RabbitMQ into ours.

    Raises:
        TransientError: it is away for now.
        TerminalError: a login or a right is refused, or something is not there.
    """
    try:
        yield
    except (TimeoutError, aiormq.AMQPError, OSError) as error:
        raise as_ours(error, broker) from None


def as_ours(error: BaseException, broker: Broker) -> TailraceError:
    """Give an error of RabbitMQ as ours."""
    # `reason` of the library's errors is a pattern, what the broker says is among the arguments
    given = [str(a) for a in reversed(error.args) if isinstance(a, str | OSError) and str(a)]
    text = given[0] if given else type(error).__name__
    place = f"RabbitMQ at {broker.shown}"
    if "in exclusive use" in text:
        return taken(broker, text)
    if isinstance(error, _LOGIN) or "ACCESS_REFUSED" in text or isinstance(error, _RIGHTS):
        hint = "set 'username' and 'password', or give the user the right"
        return TerminalError(f"{place} refuses the login or a right: {text}", hint=hint)
    if isinstance(error, _MISSING) and _STARTING not in text:
        return TerminalError(f"{place}: {text}", hint="create it, or set 'queue.declare' = 'true'")
    if isinstance(error, _OTHER):
        return TerminalError(f"{place}: {text}", hint="look at 'queue.type' and at how it was declared")
    return TransientError(f"{place} is away: {text}", hint="look at the address and the broker")


def taken(broker: Broker, text: str) -> TransientError:
    """Say that another reads a queue."""
    hint = "stop the other, or set 'queue.exclusive' = 'false' for all that read it"
    return TransientError(f"RabbitMQ at {broker.shown}: another reads the queue already: {text}", hint=hint)


def check_broker(broker: Broker, queues: Queues, exchange: str = "") -> Report:
    """Reach a broker, and look for queues and an exchange; makes none."""
    loop = EventLoop("tailrace-rabbitmq-check")
    try:
        version = loop.run(_look(broker, queues, exchange), broker.seconds + 5)
    except TailraceError as error:
        return Report.failed(error)
    finally:
        loop.close()
    what = f"exchange '{exchange}'" if exchange else f"queue '{';'.join(queues.names)}'"
    return Report(True, f"{what} of RabbitMQ {version} at {broker.shown}")


async def _look(broker: Broker, queues: Queues, exchange: str) -> str:
    connection = await broker.connect()
    try:
        channel = await connection.channel()
        if exchange:
            with reported(broker):
                await channel.get_exchange(exchange)
        elif not queues.declare:
            await queues.ready(channel, broker)
        return _version(connection)
    finally:
        await hang_up(connection)


def _version(connection: AbstractConnection) -> str:
    transport = connection.transport
    found = getattr(transport.connection, "server_properties", {}) if transport is not None else {}
    return str(found.get("version", "of an unknown version"))
