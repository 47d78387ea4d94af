"""Topics of the benchmarks: filled with events, and read back."""

from __future__ import annotations

import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tailrace.bench import events

_TRACE = b"00-80f198ee56343ba864fe8b2a57d3eff7-%016x-01"


def fill(bootstrap: str, count: int, partitions: int, bad: int = 0, traced: int = 0) -> tuple[str, str]:
    """
    Make two topics, the first filled with `count` events dealt to its partitions by number, and `bad` messages that are none; give their names.

    Each `traced`-th message has a trace in its headers; 0: none has.

    Raises:
        RuntimeError: the broker did not take them all.
    """
    tag = uuid.uuid4().hex[:8]
    names = (f"events-{tag}", f"totals-{tag}")
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        made.result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 600_000})
    for chunk in events.chunks(count):
        numbers = chunk["number"].to_list()
        for number, line in zip(numbers, events.lines(chunk).to_list(), strict=True):
            headers = [("traceparent", _TRACE % (number + 1))] if traced and number % traced == 0 else None
            producer.produce(names[0], line, partition=number % partitions, headers=headers)
        for _ in range(bad):
            producer.produce(names[0], "no row", partition=0)
        bad = 0
        if producer.flush(60):
            raise RuntimeError("the broker did not take all events within a minute")
    return names


def drop(bootstrap: str, *topics: str) -> None:
    """Delete topics."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for gone in admin.delete_topics(list(topics)).values():
        gone.result(30)


def read(bootstrap: str, topic: str, timeout: float = 60) -> list[bytes]:
    """
    Give the committed messages of a topic, once those of all transactions are.

    Raises:
        TimeoutError: the end was not reached in time.
    """
    given = {"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False}
    ends = _ends(Consumer(given | {"isolation.level": "read_uncommitted"}), topic)
    consumer = Consumer(given | {"isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, p, 0) for p in ends])
        return _read_all(consumer, ends, time.monotonic() + timeout)
    finally:
        consumer.close()


def _ends(consumer: Consumer, topic: str) -> dict[int, int]:
    """Give where each partition ends, what is in open transactions included: a commit is done before it can be read."""
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
    finally:
        consumer.close()


def _read_all(consumer: Consumer, ends: dict[int, int], end: float) -> list[bytes]:
    out: list[bytes] = []
    ended: set[int] = set()
    while len(ended) < len(ends):
        if time.monotonic() > end:
            raise TimeoutError("the end of the topic was not reached in time")
        for message in consumer.consume(10_000, 0.2):
            if message.error():
                if message.offset() >= ends[message.partition()]:
                    ended.add(message.partition())
            else:
                out.append(message.value())
    return out
