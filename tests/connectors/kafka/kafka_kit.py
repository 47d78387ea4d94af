"""What the tests of the Kafka connector share: topics, tables, reading all rows, and a plain client to compare with."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Assigned, Block, Change, Context, Ended, Limit, Reader, Sink, Source
from tailrace.formats.base import Rows
from tailrace.options import OptionText
from tailrace.plan.catalog import MetadataColumn, PhysicalColumn, Table, TableColumn
from tailrace.schema import BIGINT, STRING, DataType, Field, Schema

COLUMNS = {"id": BIGINT, "name": STRING}
EARLIEST = {"scan.startup.mode": "earliest-offset"}
BOUNDED = EARLIEST | {"scan.bounded.mode": "latest-offset"}


def new_topic(bootstrap: str, partitions: int = 1, prefix: str = "t", **config: str) -> str:
    """Make a topic; give its name."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values():
        made.result(30)
    return name


def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    """Give a topic more partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_partitions([NewPartitions(topic, total)]).values():
        made.result(30)


def produce(bootstrap: str, topic: str, messages: list[Mapping[str, Any]], **config: Any) -> None:
    """Write messages by confluent-kafka, given by the arguments of its `produce`."""
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 1_000_000, **config})
    failures: list[Any] = []
    for message in messages:
        producer.produce(topic, **message, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(30) == 0
    assert not failures


def numbered(count: int, partitions: int = 1) -> list[Mapping[str, Any]]:
    """Give messages of JSON dealt to the partitions."""
    return [{"value": b'{"id": %d, "name": "n%d"}' % (i, i), "partition": i % partitions} for i in range(count)]


def settle(bootstrap: str, topic: str) -> None:
    """
    Wait until no transaction is open in a topic.

    A commit returns before its marks are in the partitions; a reader of committed rows who comes at once may see none.
    """
    conf = {"bootstrap.servers": bootstrap, "group.id": "kit", "enable.auto.commit": False}
    readers = [Consumer(conf | {"isolation.level": level}) for level in ("read_committed", "read_uncommitted")]
    try:
        count = len(readers[0].list_topics(topic, timeout=10).topics[topic].partitions)
        deadline = time.monotonic() + 30
        for partition in range(count):
            at = TopicPartition(topic, partition)
            while len({reader.get_watermark_offsets(at, timeout=10)[1] for reader in readers}) > 1:
                assert time.monotonic() < deadline, f"a transaction stays open in {topic}-{partition}"
                time.sleep(0.05)
    finally:
        for reader in readers:
            reader.close()


def consume(bootstrap: str, topic: str, isolation: str = "read_committed", *, settled: bool = True) -> list[Any]:
    """Give all messages of a topic, partition by partition, by confluent-kafka, once no transaction is open."""
    if settled and isolation == "read_committed":
        settle(bootstrap, topic)
    conf = {
        "bootstrap.servers": bootstrap,
        "group.id": "kit",
        "isolation.level": isolation,
        "enable.partition.eof": True,
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 20,
    }
    consumer = Consumer(conf)
    try:
        count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, p, 0) for p in range(count)])
        found: list[Any] = []
        ended: set[int] = set()
        deadline = time.monotonic() + 20
        while len(ended) < count:
            assert time.monotonic() < deadline
            for message in consumer.consume(1000, 0.02):
                if message.error():
                    ended.add(message.partition())
                else:
                    found.append(message)
        return sorted(found, key=lambda m: (m.partition(), m.offset()))
    finally:
        consumer.close()


def committed(bootstrap: str, group: str, topic: str, partitions: int) -> list[int]:
    """Give the offsets that a group has committed."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        found = consumer.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=10)
        return [tp.offset for tp in found]
    finally:
        consumer.close()


def table(
    bootstrap: str,
    topic: str,
    more: Mapping[str, str] | None = None,
    columns: Mapping[str, DataType] | None = None,
    metadata: tuple[MetadataColumn, ...] = (),
) -> Table:
    """Declare a table of the connector."""
    given: list[TableColumn] = [PhysicalColumn(n, t) for n, t in (columns or COLUMNS).items()]
    given += metadata
    schema = Schema(tuple(Field(c.name, c.type) for c in given if isinstance(c, PhysicalColumn | MetadataColumn)))
    options = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": bootstrap, "format": "json"}
    options |= more or {}
    texts = {k: OptionText(v) for k, v in options.items() if v}
    return Table("t", tuple(given), schema, texts)


def context(folder: Path | None = None, job: str = "job") -> Context:
    """Give the context of a job."""
    return Context(job, folder or Path("sink-t"), SystemClock())


def source(of: Table) -> Source:
    """Make the source of a table, for all its columns."""
    return registry.source(of, of.schema, context())


def sink(of: Table, job: str = "job", folder: str = "sink-t") -> Sink:
    """Make the sink of a table."""
    return registry.sink(of, context(Path(folder), job))


def drain(reader: Reader, seconds: float = 60, limit: Limit | None = None) -> list[Block]:
    """Read until every partition has ended."""
    blocks: list[Block] = []
    live: set[str] = set()
    began = False
    deadline = time.monotonic() + seconds
    while not began or live:
        assert time.monotonic() < deadline, "the source did not end"
        blocks += reader.poll(limit or Limit(wait_seconds=0.05))
        for change in reader.changes():
            began = True
            if isinstance(change, Assigned):
                live.add(change.partition)
            elif isinstance(change, Ended):
                live.remove(change.partition)
    return blocks


def read(of: Table, positions: dict[str, Any] | None = None) -> list[Block]:
    """Read a bounded table to its end."""
    reader = source(of).open(positions or {})
    try:
        return drain(reader)
    finally:
        reader.close()


def poll_until(reader: Reader, rows: int, seconds: float = 15) -> tuple[list[Block], list[Change]]:
    """Poll until so many rows have come."""
    blocks: list[Block] = []
    changes: list[Change] = []
    deadline = time.monotonic() + seconds
    while sum(map(len, blocks)) < rows:
        assert time.monotonic() < deadline, f"only {sum(map(len, blocks))} of {rows} rows came"
        blocks += reader.poll(Limit(wait_seconds=0.05))
        changes += reader.changes()
    return blocks, changes


def payloads(blocks: list[Block], partition: str | None = None) -> list[bytes | None]:
    """Give the payloads of blocks, in order."""
    found: list[bytes | None] = []
    for block in blocks:
        assert isinstance(block.values, Rows)
        if partition in (None, block.partition):
            found += [block.values.row(i) for i in range(len(block))]
    return found


def frame(ids: range) -> pl.DataFrame:
    """Make rows for a sink."""
    return pl.DataFrame({"id": list(ids), "name": [f"n{i}" for i in ids]}, schema={"id": pl.Int64, "name": pl.String})


def delete_before(bootstrap: str, topic: str, partition: int, offset: int) -> None:
    """Delete the rows of a partition before an offset."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for deleted in admin.delete_records([TopicPartition(topic, partition, offset)]).values():
        deleted.result(30)


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for deleted in admin.delete_topics([topic]).values():
        deleted.result(30)


def unbase64(text: str | None) -> bytes | None:
    """Give the bytes that JSON carries in base64."""
    return None if text is None else base64.b64decode(text)
