"""Queues and streams of RabbitMQ through the conformance suites; the plain client is pika."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest

pytest.importorskip("aio_pika", reason="RabbitMQ: the extra tailrace[rabbitmq] is not installed")

import pika
from json_values import from_json, to_json
from server_kit import Recipe, free_ports, running

from tailrace.testing.connectors import SinkConformance, SourceConformance, System

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LARGEST = 60_000
WRITTEN_SECONDS = 10.0
"""
A broker writes down within it which queues it has, and which logs those of them that are kept by a log have; one killed before may not
find them again: of 14 classic queues declared up to 2 s before on a busy machine, 3 were gone, also with confirmed messages.
"""
SETTLED_SECONDS = 10.0
"""
A broker that was killed opens its logs again within it. RabbitMQ 3.10 opens those of streams twice, and forgets what it has confirmed
to the first: of 500 messages published half a second after the start, 410 were gone.
"""


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own that takes no large messages, and its URL."""
    given = {"RABBITMQ_PORT": str(free_ports(3)), "RABBITMQ_MAX_MESSAGE_SIZE": str(LARGEST)}
    with running("rabbitmq", tmp_path_factory.mktemp("rabbitmq"), given) as (recipe, said):
        yield recipe, said.partition("=")[2]


def _publish(channel: Any, queue: str, body: bytes, properties: pika.BasicProperties) -> None:
    """Publish until it is taken: a quorum queue refuses while it has no leader, as after a restart. Messages have ids."""
    for _ in range(100):
        try:
            channel.basic_publish("", queue, body, properties)
        except pika.exceptions.NackError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"queue '{queue}' took nothing for 20 s")


class Queues(System):
    """A queue for each table; each message has an id."""

    connector = "rabbitmq"
    title = "RabbitMQ"
    remote = True
    many = 4000
    kind: ClassVar[str] = "classic"

    @pytest.fixture(autouse=True)
    def _server(self, rabbitmq: tuple[Recipe, str]) -> None:
        self.recipe, self.url = rabbitmq

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Give a channel of the plain client."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"amqp://guest:guest@{at or self.address()}/"
        given = {"connector": "rabbitmq", "url": url, "queue": table, "queue.type": self.kind}
        return given | {"format": "json", "timeout": "5 s"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        with self.channel() as channel:
            channel.queue_declare(table, durable=True, arguments={"x-queue-type": self.kind})

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.channel() as channel:
            if len(rows) <= 1000:
                channel.confirm_delivery()  # each on its own: a tenth of the speed
            for row in rows:
                known = pika.BasicProperties(message_id=f"{table}-{row['id']}", delivery_mode=2)
                _publish(channel, table, to_json(columns, row).encode(), known)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        with self.channel() as channel:
            count = channel.queue_declare(table, passive=True).method.message_count
            if not count:
                return []
            given = channel.consume(table, inactivity_timeout=10)
            found = [from_json(columns, body) for _, (_, _, body) in zip(range(count), given, strict=False)]
            channel.cancel()  # what nobody acknowledged goes back
        return found

    def address(self) -> str:
        return self.url.rpartition("@")[2].rstrip("/")

    def settle(self) -> None:
        time.sleep(WRITTEN_SECONDS)

    def kill(self) -> None:
        self.recipe.kill()

    def start(self) -> None:
        self.recipe.start()
        if self.kind != "classic":
            time.sleep(SETTLED_SECONDS)

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        found = str(connection._impl.server_properties["version"])
        connection.close()
        return found


class TestClassicQueue(Queues, SourceConformance):
    """Messages with an id are taken once, whoever fails."""

    part = "classic queue"
    ends = False
    endless = True

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        super().put(table, columns, rows)
        if self.recording:  # what one has read is gone for the other
            self.make(f"{table}.plain", columns, ())
            super().put(f"{table}.plain", columns, rows)

    def put_unreadable(self, table: str) -> None:
        with self.channel() as channel:
            channel.basic_publish("", table, b'{"id": "no number"}')

    def read_plainly(self, table: str, count: int) -> None:
        with self.channel() as channel:
            channel.basic_qos(prefetch_count=1000)
            arguments = {"x-stream-offset": "first"} if self.kind == "stream" else {}
            given = channel.consume(f"{table}.plain", arguments=arguments)
            for _, (method, _, _) in zip(range(count), given, strict=False):
                channel.basic_ack(method.delivery_tag)
            # to cancel is to reject what waits here, for which a broker ends the connection of one that reads a stream
            with suppress(*([pika.exceptions.ConnectionClosedByBroker] if self.kind == "stream" else [])):
                channel.cancel()


class TestQuorumQueue(TestClassicQueue):
    """The same where the broker keeps each queue by a log."""

    part = "quorum queue"
    kind = "quorum"


class TestStream(TestClassicQueue):
    """A stream is read again behind an offset."""

    part = "stream"
    kind = "stream"


class TestSink(Queues, SinkConformance):
    """Messages are confirmed together."""

    guarantee = "at-least-once"

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {}, ())
        return {"name": "x" * LARGEST}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with self.channel() as channel:
            channel.confirm_delivery()
            for row in rows:
                body = to_json({"id": "BIGINT", "name": "STRING"}, row).encode()
                channel.basic_publish("", table, body, pika.BasicProperties(delivery_mode=2))
