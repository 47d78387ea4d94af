"""Queues, streams and exchanges of a real RabbitMQ; the other side is pika, another client."""

from __future__ import annotations

import gc
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import polars as pl
import pytest

pytest.importorskip("aio_pika", reason="RabbitMQ: the extra tailrace[rabbitmq] is not installed")

import aiormq
import pika
from connector_kit import sink, source, table

from tailrace.connectors.base import Block, Limit, Reader, Refusals
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.inbox import Message
from tailrace.connectors.metadata import parse_type
from tailrace.connectors.rabbitmq.client import Broker, as_ours
from tailrace.connectors.rabbitmq.given import Given
from tailrace.connectors.rabbitmq.sink import RabbitSink
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.formats.base import Rows
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BIGINT, STRING
from tailrace.testing import FaultProxy


@pytest.fixture(scope="module")
def url(service: Callable[[str, dict[str, str]], str]) -> str:
    """Give the address of a broker of this module's own."""
    return service("rabbitmq", {}).partition("=")[2]


@pytest.fixture
def channel(url: str) -> Iterator[Any]:
    """Give a channel of the other client, on a broker without our queue."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_delete("q")
    yield channel
    connection.close()


def queue(channel: Any, kind: str = "classic") -> None:
    channel.queue_declare("q", durable=True, arguments={"x-queue-type": kind})


def declare(url: str, *metadata: MetadataColumn, **options: str) -> Table:
    """Declare a table; `_` in an option's name stands for `-`, `__` for `.`."""
    named = {k.replace("__", ".").replace("_", "-"): v for k, v in options.items()}
    given = {"url": url, "queue": "q", "format": "json"} | named
    return table("rabbitmq", {"id": BIGINT}, given, name="rows", metadata=metadata)


def put(channel: Any, *numbers: int, ids: bool = False) -> None:
    for n in numbers:
        properties = pika.BasicProperties(message_id=f"m{n}" if ids else None, headers={"trace": b"t1", "n": n})
        channel.basic_publish("", "q", json.dumps({"id": n}).encode(), properties)


def ready(channel: Any) -> int:
    """Give how many messages wait in the queue, and are with nobody."""
    return int(channel.queue_declare("q", passive=True).method.message_count)


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def take(reader: Reader, count: int) -> list[Block]:
    """Read blocks until so many rows have come."""
    found: list[Block] = []
    end = time.monotonic() + 30
    while sum(map(len, found)) < count:
        found += reader.poll(Limit(wait_seconds=0.1))
        assert time.monotonic() < end, [len(b) for b in found]
    assert sum(map(len, found)) == count
    return found


def ids(blocks: list[Block]) -> list[int]:
    return [
        json.loads(row)["id"]
        for b in blocks
        if isinstance(b.values, Rows)
        for i in range(len(b))
        if (row := b.values.row(i))
    ]


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_messages_are_acknowledged_when_their_checkpoint_is_complete(url: str, channel: Any, kind: str) -> None:
    queue(channel, kind)
    put(channel, *range(10))
    reader = source(declare(url)).open({})
    blocks = take(reader, 10)
    assert ids(blocks) == list(range(10))
    assert reader.wants_positions
    reader.acknowledge({"q": blocks[-1].position})
    put(channel, 10, 11)
    assert ids(take(reader, 2)) == [10, 11]
    reader.close()
    until(lambda: ready(channel) == 2)  # the two that no checkpoint has
    again = source(declare(url, MetadataColumn("r", parse_type("BOOLEAN"), "redelivered", virtual=True))).open({})
    (block,) = take(again, 2)
    assert block.metadata is not None
    assert block.metadata["redelivered"].to_list() == [True, True]
    again.close()


def test_messages_with_an_id_are_taken_once(url: str, channel: Any) -> None:
    """The checkpoint was complete, and the broker did not hear of it."""
    queue(channel)
    put(channel, *range(5), ids=True)
    reader = source(declare(url)).open({})
    blocks = take(reader, 5)
    reader.close()
    until(lambda: ready(channel) == 5)
    put(channel, 5, 6, ids=True)
    again = source(declare(url)).open({"q": json.loads(json.dumps(blocks[-1].position))})
    rest = take(again, 2)
    assert ids(rest) == [5, 6]
    again.acknowledge({"q": rest[-1].position})
    again.close()
    until(lambda: ready(channel) == 0)


def test_a_connection_that_is_lost_is_made_again(url: str, channel: Any) -> None:
    """What was read and not acknowledged comes again, and is taken once; the position of before acknowledges nothing of now."""
    queue(channel)
    put(channel, *range(5), ids=True)
    with FaultProxy(url.rpartition("@")[2].rstrip("/")) as proxy:
        reader = source(declare(f"amqp://guest:guest@{proxy.address}/", prefetch="6")).open({})
        blocks = take(reader, 5)
        proxy.cut()
        put(channel, *range(5, 9), ids=True)
        with pytest.raises(TransientError, match="is away"):
            until(lambda: bool(reader.poll(Limit(wait_seconds=0.1))))
        (rest,) = take(reader, 1)
        assert ids([rest]) == [5]
        reader.acknowledge({"q": blocks[-1].position})
        assert ids(take(reader, 3)) == [6, 7, 8]
        reader.close()
    until(lambda: ready(channel) == 4)


def test_what_is_known_makes_room_for_more(url: str, channel: Any) -> None:
    """All that the broker gives at once was in the checkpoint."""
    queue(channel)
    put(channel, *range(10), ids=True)
    reader = source(declare(url, prefetch="5")).open({})
    blocks = take(reader, 5)
    reader.close()
    until(lambda: ready(channel) == 10)
    again = source(declare(url, prefetch="5")).open({"q": blocks[-1].position})
    rest = take(again, 5)
    assert ids(rest) == [5, 6, 7, 8, 9]
    again.acknowledge({"q": blocks[-1].position})
    again.close()
    until(lambda: ready(channel) == 5)


def test_queues_are_acknowledged_each_on_its_own(url: str, channel: Any) -> None:
    channel.queue_delete("r")
    channel.queue_declare("r", durable=True)
    queue(channel)
    for n in range(6):
        channel.basic_publish("", "qr"[n % 2], json.dumps({"id": n}).encode())
    reader = source(declare(url, queue="q;r")).open({})
    last = {b.partition: b.position for b in take(reader, 6)}
    reader.acknowledge({"r": last["r"]})
    reader.close()
    until(lambda: ready(channel) == 3)
    assert channel.queue_declare("r", passive=True).method.message_count == 0
    channel.queue_delete("r")


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_queue_has_one_reader(url: str, channel: Any, kind: str) -> None:
    """So a query may keep state of its rows; a second one waits for the first to end."""
    queue(channel, kind)
    put(channel, 1)
    one = source(declare(url))
    assert not one.shared
    reader = one.open({})
    with pytest.raises(TransientError, match="another reads the queue") as caught:
        source(declare(url)).open({})
    assert "queue.exclusive" in caught.value.hint
    reader.close()
    next_one = source(declare(url)).open({})
    assert ids(take(next_one, 1)) == [1]
    next_one.close()


def test_a_queue_with_several_readers(url: str, channel: Any) -> None:
    queue(channel)
    of = declare(url, queue__exclusive="false")
    assert source(of).shared
    readers = [source(of).open({}), source(of).open({})]
    put(channel, *range(10))
    assert sorted(n for reader in readers for n in ids(take(reader, 5))) == list(range(10))
    for reader in readers:
        reader.close()


def test_the_prefetch_bounds_what_is_on_its_way(url: str, channel: Any) -> None:
    queue(channel)
    put(channel, *range(20))
    reader = source(declare(url, prefetch="5")).open({})
    blocks = take(reader, 5)
    assert reader.poll(Limit(wait_seconds=0.2)) == []
    assert ready(channel) == 15
    reader.acknowledge({"q": blocks[-1].position})
    assert ids(take(reader, 5)) == [5, 6, 7, 8, 9]
    reader.close()


def test_a_stream_is_read_behind_its_offset(url: str, channel: Any) -> None:
    queue(channel, "stream")
    put(channel, *range(10))
    of = declare(url, MetadataColumn("o", BIGINT, "offset", virtual=True), queue__type="stream")
    reader = source(of).open({})
    blocks = take(reader, 10)
    reader.close()
    assert ids(blocks) == list(range(10))
    put(channel, 10)
    again = source(of).open({"q": {"offset": 3}})
    rest = take(again, 7)
    again.close()
    assert ids(rest) == [4, 5, 6, 7, 8, 9, 10]
    assert rest[-1].position == {"offset": 10}


def test_metadata_and_headers(url: str, channel: Any) -> None:
    queue(channel)
    put(channel, 7, ids=True)
    kinds = {"routing-key": "STRING", "message-id": "STRING", "headers": "MAP<STRING, BYTES>"}
    reader = source(declare(url, *(MetadataColumn(k, parse_type(t), k, virtual=True) for k, t in kinds.items()))).open(
        {}
    )
    (block,) = take(reader, 1)
    reader.close()
    assert block.metadata is not None
    headers = [{"key": "trace", "value": b"t1"}, {"key": "n", "value": b"7"}]
    assert block.metadata.rows() == [("q", "m7", headers)]


class Noted(Refusals):
    """Keeps what is refused."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self.rows += [(code, n) for n in rows["id"].to_list()]


def opened(of: Table) -> RabbitSink:
    target = sink(of)
    assert isinstance(target, RabbitSink)
    target.refusals = Noted()
    target.open()
    return target


def test_rows_are_confirmed_together(url: str, channel: Any) -> None:
    target = opened(declare(url, queue__declare="true", sink__bulk_flush__max_actions="500"))
    target.write(pl.DataFrame({"id": range(2000)}))
    target.prepare(1)
    target.close()
    assert ready(channel) == 2000
    got = [json.loads(channel.basic_get("q", auto_ack=True)[2])["id"] for _ in range(2000)]
    assert got == list(range(2000))


def test_a_row_that_no_queue_takes_is_refused(url: str, channel: Any) -> None:
    channel.exchange_declare("x", "direct")
    queue(channel)
    channel.queue_bind("q", "x", "here")
    of = declare(url, MetadataColumn("key", STRING, "routing-key"), exchange="x")
    target = opened(of)
    target.write(pl.DataFrame({"id": [1, 2, 3], "key": ["here", "nowhere", "here"]}))
    target.prepare(1)
    assert isinstance(target.refusals, Noted)
    assert target.refusals.rows == [("unroutable", 2)]
    target.close()
    assert ready(channel) == 2


def test_a_queue_that_is_full_is_tried_again(url: str, channel: Any) -> None:
    channel.queue_declare("q", durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    target = opened(declare(url))
    target.write(pl.DataFrame({"id": range(4)}))
    with pytest.raises(TransientError, match="did not take a message"):
        target.prepare(1)
    channel.queue_purge("q")
    target.prepare(1)
    target.close()
    assert ready(channel) == 2


def test_what_is_wrong_is_said(url: str, channel: Any) -> None:
    with pytest.raises(TerminalError, match="no queue 'q'") as caught:
        opened(declare(url))
    assert "queue.declare" in caught.value.hint
    assert "no queue 'q'" in source(declare(url)).check().message
    queue(channel, "quorum")
    with pytest.raises(TerminalError, match="x-queue-type"):
        opened(declare(url, queue__declare="true", queue__type="stream"))
    with pytest.raises(ConfigError, match="no address"):
        source(declare("http://x"))
    with pytest.raises(TransientError, match="is away"):
        opened(declare("amqp://127.0.0.1:1/", timeout="2 s"))
    with pytest.raises(TerminalError, match="refuses the login") as caught:
        opened(declare(url.replace("guest:guest@", ""), username="guest", password="canary-secret"))  # noqa: S106
    assert "canary" not in str(caught.value)


@contextmanager
def all_awaited() -> Iterator[None]:
    """Fail where a coroutine was made and not awaited."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(w.message) for w in said] == []


def on_a_thread(work: Callable[[], object]) -> None:
    """Run something where there is no event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()


def test_a_sink_that_does_not_open_leaves_nothing_open() -> None:
    away = declare("amqp://127.0.0.1:1/", timeout="2 s")

    def fail() -> None:
        with pytest.raises(TransientError, match="is away"):
            opened(away)

    before = set(threading.enumerate())
    with all_awaited():
        on_a_thread(fail)
    assert set(threading.enumerate()) <= before


def test_a_connection_that_failed_is_closed_where_it_was_made() -> None:
    """The library closes one that it takes for open when its memory is freed: on any thread, where nobody awaits it."""
    loop = EventLoop("test")
    broker = Broker("amqp://127.0.0.1:1/", "amqp://127.0.0.1:1/", 2.0)

    def fail() -> None:
        with pytest.raises(TransientError, match="is away"):
            loop.run(broker.connect(), 5)
        gc.collect()

    with all_awaited():
        on_a_thread(fail)
    loop.close()


class Heard:
    """A message of a broker, as the bookkeeping knows it."""

    def __init__(self, tag: int) -> None:
        self.delivery_tag = tag


def came(given: Given, *known: tuple[int, str]) -> list[str]:
    """Let messages come; give the ids of those that are kept."""
    messages = [Message(b"", given.came(cast("Any", Heard(tag))), metadata={"message-id": i}) for tag, i in known]
    return [str(m.metadata["message-id"]) for m in given.take(messages)]


def test_a_broker_that_forgot_what_it_was_told() -> None:
    """What was acknowledged before it was killed comes again, is taken once, and acknowledged at once."""
    given = Given.at(None, 10)
    assert came(given, (1, "a"), (2, "b"), (3, "c")) == ["a", "b", "c"]
    last, alone = given.hear(2)
    assert (last and last.delivery_tag, alone) == (2, [])
    given.begin()
    assert came(given, (1, "a"), (2, "b"), (3, "c"), (4, "d")) == ["d"]
    assert [m.delivery_tag for m in given.known()] == [1, 2]
    assert given.hear(2) == (None, [])
    _, alone = given.hear(3)
    assert [m.delivery_tag for m in alone] == [3]
    last, _ = given.hear(7)
    assert last is not None
    assert last.delivery_tag == 4
    assert came(given, (5, "d")) == ["d"]  # the sender's own doing


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NOT_FOUND - no queue 'q' in vhost '/'", TerminalError),
        ("NOT_FOUND - home node 'a@b' of durable queue 'q' in vhost '/' is down or inaccessible", TransientError),
    ],
)
def test_a_queue_whose_node_is_starting_is_waited_for(said: str, kind: type[Exception]) -> None:
    """A broker that has come back says for a moment that its queues are not found."""
    error = as_ours(aiormq.exceptions.ChannelNotFoundEntity(said), Broker("amqp://h/", "amqp://h/", 2.0))
    assert type(error) is kind
    assert said in error.message
