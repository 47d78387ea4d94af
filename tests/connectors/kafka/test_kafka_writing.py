"""Writing topics: what comes out is what went in, and transactions are seen whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import kafka_kit as kit
import polars as pl
import pytest
from confluent_kafka import Producer as PlainProducer

from tailrace.connectors.base import AtLeastOnceSink, TransactionalSink
from tailrace.connectors.kafka import producer
from tailrace.connectors.metadata import parse_type
from tailrace.engine.batch import KIND, TRACEPARENT
from tailrace.errors import ConfigError, DataError, TerminalError
from tailrace.plan.catalog import MetadataColumn
from tailrace.schema import STRING

pytestmark = pytest.mark.integration

EXACTLY_ONCE = {"sink.delivery-guarantee": "exactly-once"}
KEYED = {"key.format": "json", "key.fields": "id", "value.format": "json", "format": ""}
WRITTEN = (
    MetadataColumn("at", parse_type("TIMESTAMP_LTZ(3)"), "timestamp"),
    MetadataColumn("h", parse_type("MAP<STRING, BYTES>"), "headers"),
)


@pytest.fixture
def topic(kafka: str) -> str:
    """A topic of four partitions."""
    return kit.new_topic(kafka, 4)


def at_least_once(kafka: str, topic: str, more: dict[str, str] | None = None) -> AtLeastOnceSink:
    """Open a sink without transactions."""
    made = kit.sink(kit.table(kafka, topic, more))
    assert isinstance(made, AtLeastOnceSink)
    made.open()
    return made


@pytest.fixture
def opened() -> Iterator[list[TransactionalSink]]:
    """The sinks that a test has opened; closed at its end."""
    sinks: list[TransactionalSink] = []
    yield sinks
    for made in sinks:
        made.close()


def transactional(opened: list[TransactionalSink], kafka: str, topic: str, job: str) -> tuple[TransactionalSink, int]:
    """Open a sink of a job's transactions; give it, and the epoch that it found."""
    made = kit.sink(kit.table(kafka, topic, EXACTLY_ONCE), job)
    assert isinstance(made, TransactionalSink)
    opened.append(made)
    return made, made.open()


def ids(kafka: str, topic: str, isolation: str = "read_committed") -> list[int]:
    """Read the ids of a topic, sorted."""
    return sorted(int(m.value().split(b",")[0].split(b":")[1]) for m in kit.consume(kafka, topic, isolation))


def test_prepare_waits_for_delivery(kafka: str, topic: str) -> None:
    """After a checkpoint everything is in the topic, though the sink is still open."""
    sink = at_least_once(kafka, topic)
    for begin in range(0, 50_000, 10_000):
        sink.write(kit.frame(range(begin, begin + 10_000)))
    sink.prepare(1)

    assert ids(kafka, topic) == list(range(50_000))
    sink.close()


def test_memory_is_bounded(kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is faster than the broker waits; nothing is lost, and each partition stays in order."""
    monkeypatch.setattr(producer, "CHUNK", 700)
    more = {"properties.buffer.memory": "65536", "properties.queue.buffering.max.messages": "1000"}
    sink = at_least_once(kafka, topic, more)
    sink.write(kit.frame(range(20_000)))
    sink.prepare(1)
    sink.close()
    found = kit.consume(kafka, topic)
    by_partition = {p: [m.value() for m in found if m.partition() == p] for p in range(4)}

    assert len(found) == 20_000
    for values in by_partition.values():
        numbers = [int(v.split(b",")[0].split(b":")[1]) for v in values]
        assert numbers == sorted(numbers)


def test_keys_go_where_java_puts_them(kafka: str, topic: str) -> None:
    """A row with a key goes to the partition that a Java client (murmur2) would take."""
    sink = at_least_once(kafka, topic, KEYED)
    sink.write(kit.frame(range(40)))
    sink.prepare(1)
    sink.close()
    other = kit.new_topic(kafka, 4)
    plain = PlainProducer({"bootstrap.servers": kafka, "partitioner": "murmur2_random"})
    for message in kit.consume(kafka, topic):
        plain.produce(other, message.value(), message.key())
    plain.flush(10)

    where = [{m.key(): m.partition() for m in kit.consume(kafka, t)} for t in (topic, other)]
    assert where[0] == where[1]
    assert len(where[0]) == 40
    assert b'{"id":7}' in where[0]


@pytest.mark.parametrize(("partitioner", "want"), [("fixed", [40, 0, 0, 0]), ("round-robin", [10, 10, 10, 10])])
def test_partitioners(kafka: str, topic: str, partitioner: str, want: list[int]) -> None:
    """`fixed` takes one partition, `round-robin` all in turn."""
    sink = at_least_once(kafka, topic, {"sink.partitioner": partitioner})
    for begin in (0, 7):
        sink.write(kit.frame(range(begin, 7 if begin == 0 else 40)))
    sink.prepare(1)
    sink.close()

    assert [[m.partition() for m in kit.consume(kafka, topic)].count(p) for p in range(4)] == want


def test_times_and_headers_are_written(kafka: str) -> None:
    """`timestamp` and `headers` go into the message; NULL leaves them to the client."""
    topic = kit.new_topic(kafka)
    now = int(time.time()) * 1000
    columns = {
        "name": ["a", "b", "c"],
        "at": pl.Series([now - 5000, None, now], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")),
        "h": [[{"key": "x", "value": b"\x00\xff"}, {"key": "é", "value": None}], None, []],
    }
    table = kit.table(kafka, topic, {}, {"name": STRING}, WRITTEN)
    sink = kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    sink.open()
    sink.write(pl.DataFrame(columns, schema=table.written.polars))
    sink.prepare(1)
    sink.close()
    found = kit.consume(kafka, topic)

    assert [m.headers() for m in found] == [[("x", b"\x00\xff"), ("é", None)], None, None]
    assert [m.timestamp()[1] for m in found][::2] == [now - 5000, now]
    assert abs(found[1].timestamp()[1] - time.time() * 1000) < 60_000


TRACES = {n: f"00-{n + 1:032x}-{n + 1:016x}-00" for n in (0, 1, 500, 501, 1_999)}


def traced(count: int) -> pl.DataFrame:
    """Give rows, a few of which have a trace, after each other and alone."""
    return kit.frame(range(count)).with_columns(
        pl.Series(TRACEPARENT, [TRACES.get(n) for n in range(count)], dtype=pl.String)
    )


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
@pytest.mark.parametrize("partitioner", ["default", "fixed", "round-robin"])
def test_few_rows_have_a_trace(
    kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch, guarantee: str, partitioner: str
) -> None:
    """Rows with headers go between those without: none is lost, each partition is in order, and each header at its row."""
    monkeypatch.setattr(producer, "CHUNK", 700)
    more = {"sink.delivery-guarantee": guarantee, "sink.partitioner": partitioner}
    keyed = KEYED if partitioner == "default" else {}
    made = kit.sink(kit.table(kafka, topic, more | keyed), f"traced-{partitioner}")
    assert isinstance(made, AtLeastOnceSink | TransactionalSink)
    made.open()
    made.write(traced(2_000))
    made.prepare(1)
    if isinstance(made, TransactionalSink):
        made.commit(1)
    made.close()
    found = [(m.partition(), json.loads(m.value())["id"], m.headers()) for m in kit.consume(kafka, topic)]

    assert sorted(n for _, n, _ in found) == list(range(2_000))
    assert found == sorted(found, key=lambda m: m[:2])
    assert {n: h for _, n, h in found if h} == {n: [("traceparent", t.encode())] for n, t in TRACES.items()}
    if partitioner != "default":
        assert all(p == (n % 4 if partitioner == "round-robin" else 0) for p, n, _ in found)


def test_rows_of_one_key_stay_in_order(kafka: str, topic: str) -> None:
    """Changes of one key come out in order, whether they have a trace or not."""
    names = [f"n{n}" for n in range(600)]
    traces = [TRACES[0] if n % 7 in (0, 1) else None for n in range(600)]
    frame = pl.DataFrame({"id": [n % 5 for n in range(600)], "name": names})
    sink = at_least_once(kafka, topic, KEYED)
    sink.write(frame.with_columns(pl.Series(TRACEPARENT, traces, dtype=pl.String)))
    sink.prepare(1)
    sink.close()
    found = kit.consume(kafka, topic)

    by_key: dict[bytes, list[str]] = {}
    for m in found:
        by_key.setdefault(m.key(), []).append(json.loads(m.value())["name"])
    assert by_key == {b'{"id":%d}' % k: names[k::5] for k in range(5)}
    with_header = {json.loads(m.value())["name"] for m in found if m.headers()}
    assert with_header == {name for name, trace in zip(names, traces, strict=True) if trace}


@pytest.mark.parametrize("place", [1, 3])
def test_a_row_that_is_too_large_beside_a_trace(kafka: str, topic: str, place: int) -> None:
    """Whether it has headers or goes with those that have none, a row that is not taken is told."""
    names = ["a", "b", "c", "d"]
    names[place] = "x" * 2_000_000
    traces = pl.Series(TRACEPARENT, [None, TRACES[0], None, None], dtype=pl.String)
    sink = at_least_once(kafka, topic)
    with pytest.raises(DataError, match=r"2,000,\d\d\d bytes is too large"):
        sink.write(pl.DataFrame({"id": range(4), "name": names}).with_columns(traces))
    sink.close()


def test_headers_of_the_query_between_rows_without(kafka: str) -> None:
    """Several headers and such without a value are written as given, between rows that have none, and beside a trace."""
    topic = kit.new_topic(kafka)
    given = {3: [{"key": "x", "value": None}, {"key": "x", "value": b"2"}], 4: [{"key": "é", "value": b""}], 9: []}
    columns = {"name": [str(n) for n in range(20)], "h": [given.get(n) for n in range(20)]}
    table = kit.table(kafka, topic, {}, {"name": STRING}, WRITTEN[1:])
    traces = pl.Series(TRACEPARENT, [TRACES[0] if n in (4, 5) else None for n in range(20)], dtype=pl.String)
    batch = pl.DataFrame(columns, schema=table.written.polars)
    sink = kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    sink.open()
    sink.write(batch)
    sink.write(batch.with_columns(traces))
    sink.prepare(1)
    sink.close()
    found = kit.consume(kafka, topic)

    ours = ("traceparent", TRACES[0].encode())
    plain = {3: [("x", None), ("x", b"2")], 4: [("é", b"")]}
    followed = plain | {4: [("é", b""), ours], 5: [ours]}
    assert [m.value() for m in found] == [b'{"name":"%d"}' % n for n in range(20)] * 2
    assert [m.headers() for m in found] == [plain.get(n) for n in range(20)] + [followed.get(n) for n in range(20)]


def test_a_row_that_is_too_large(kafka: str, topic: str) -> None:
    """Such a row is an error that names its size, the topic and what to raise."""
    sink = at_least_once(kafka, topic)
    with pytest.raises(DataError, match=f"2,000,0.. bytes is too large for topic '{topic}'") as error:
        sink.write(pl.DataFrame({"id": [1], "name": ["x" * 2_000_000]}))

    assert "max.request.size" in error.value.hint
    sink.close()


def test_a_row_that_the_broker_refuses(kafka: str) -> None:
    """What is refused after it was sent is raised at the latest with the checkpoint."""
    topic = kit.new_topic(kafka, 1, "small", **{"max.message.bytes": "1000"})
    sink = at_least_once(kafka, topic)

    def write() -> None:
        sink.write(pl.DataFrame({"id": [1], "name": ["x" * 5000]}))
        sink.prepare(1)

    with pytest.raises(DataError, match=f"too large for topic '{topic}'"):
        write()
    sink.close()


def test_updates_are_refused(kafka: str, topic: str) -> None:
    """A row that takes another back can't be written."""
    sink = at_least_once(kafka, topic)
    with pytest.raises(TerminalError, match="new rows only"):
        sink.write(kit.frame(range(1)).with_columns(pl.lit(3, pl.Int8).alias(KIND)))
    sink.close()


def test_transactions_are_seen_when_committed(kafka: str, topic: str, opened: list[TransactionalSink]) -> None:
    """Rows are seen with the commit of their epoch, not before; an epoch without rows counts too."""
    sink, epoch = transactional(opened, kafka, topic, "seen")
    assert epoch == 0
    sink.write(kit.frame(range(10)))
    sink.flush()
    assert kit.consume(kafka, topic, settled=False) == []
    sink.commit(1)
    assert ids(kafka, topic) == list(range(10))
    sink.commit(2)
    sink.write(kit.frame(range(10, 15)))
    sink.commit(3)
    assert ids(kafka, topic) == list(range(15))


def test_the_mark_survives(kafka: str, topic: str, opened: list[TransactionalSink]) -> None:
    """The next run finds the last committed epoch, and rows of the one that was open are gone."""
    sink, _ = transactional(opened, kafka, topic, "survives")
    for epoch in range(1, 4):
        sink.write(kit.frame(range(epoch * 10, epoch * 10 + 10)))
        sink.commit(epoch)
    sink.write(kit.frame(range(90, 99)))
    sink.flush()
    time.sleep(0.1)
    again, epoch = transactional(opened, kafka, topic, "survives")

    assert epoch == 3
    assert ids(kafka, topic) == list(range(10, 40))
    again.write(kit.frame(range(40, 50)))
    again.commit(4)
    assert ids(kafka, topic) == list(range(10, 50))


def test_an_old_run_is_fenced(kafka: str, topic: str, opened: list[TransactionalSink]) -> None:
    """A run that was taken for dead can't commit any more, and says why."""
    old, _ = transactional(opened, kafka, topic, "fenced")
    old.write(kit.frame(range(5)))
    new, epoch = transactional(opened, kafka, topic, "fenced")
    assert epoch == 0
    with pytest.raises(TerminalError, match="fenced") as error:
        old.commit(1)
    new.write(kit.frame(range(5, 8)))
    new.commit(1)

    assert "another run" in error.value.hint
    assert ids(kafka, topic) == [5, 6, 7]


def test_a_close_aborts(kafka: str, topic: str, opened: list[TransactionalSink]) -> None:
    """What was not committed when a sink is closed is never seen, and holds no reader up."""
    sink, _ = transactional(opened, kafka, topic, "closed")
    sink.write(kit.frame(range(5)))
    sink.flush()
    sink.close()
    other = at_least_once(kafka, topic)
    other.write(kit.frame(range(5, 7)))
    other.prepare(1)
    other.close()

    assert ids(kafka, topic) == [5, 6]


def test_a_bounded_read_over_transactions_ends(kafka: str, opened: list[TransactionalSink]) -> None:
    """The marks of transactions take offsets: a bounded read ends behind them, with committed rows only."""
    topic = kit.new_topic(kafka)
    sink, _ = transactional(opened, kafka, topic, "bounded")
    for epoch in (1, 2):
        sink.write(kit.frame(range(3)))
        sink.commit(epoch)
    sink.write(kit.frame(range(3)))
    sink.close()
    for native in ("true", "false"):
        blocks = kit.read(kit.table(kafka, topic, kit.BOUNDED | {"tailrace.kafka.native": native}))
        assert len(kit.payloads(blocks)) == 6


def test_a_timeout_that_the_broker_refuses(kafka: str, topic: str, opened: list[TransactionalSink]) -> None:
    """A transaction time-out beyond what the broker allows is told at the start."""
    made = kit.sink(kit.table(kafka, topic, EXACTLY_ONCE | {"properties.transaction.timeout.ms": "1800000"}))
    assert isinstance(made, TransactionalSink)
    opened.append(made)
    with pytest.raises(ConfigError) as error:
        made.open()

    assert "transaction.max.timeout.ms" in error.value.hint
