"""
How fast the Kafka connector writes and reads: messages of 150 bytes through one topic of four partitions.

    python benchmarks/kafka_read.py HOST:PORT [--messages 2000000] [--rounds 3]

It measures the connector alone: no decoding, no engine. The broker's own work is on the same cores if it is on this machine.
"""

from __future__ import annotations

import argparse
import time
import uuid
from pathlib import Path

import numpy as np
from confluent_kafka.admin import AdminClient, NewTopic

from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Assigned, Context, Ended, Limit, Reader
from tailrace.connectors.kafka.encoding import Encoded
from tailrace.connectors.kafka.sink import KafkaSink
from tailrace.formats.base import Rows
from tailrace.options import OptionText
from tailrace.plan.catalog import PhysicalColumn, Table
from tailrace.schema import STRING, Field, Schema

SIZE = 150
BATCH = 50_000


def table(bootstrap: str, topic: str, native: str = "true") -> Table:
    """Declare the topic as a table."""
    options = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": bootstrap,
        "format": "json",
        "scan.startup.mode": "earliest-offset",
        "scan.bounded.mode": "latest-offset",
        "tailrace.kafka.native": native,
    }
    texts = {key: OptionText(value) for key, value in options.items()}
    return Table("t", (PhysicalColumn("x", STRING),), Schema((Field("x", STRING),)), texts)


def new_topic(bootstrap: str) -> str:
    """Make a topic."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(topic, 4, 1)]).values():
        made.result(30)
    return topic


def rows() -> Rows:
    """Give a batch of messages."""
    line = (b'{"x": "' + b"y" * (SIZE - 9) + b'"}' + b"\n") * BATCH
    starts = np.arange(BATCH, dtype=np.int64) * (SIZE + 1)
    return Rows(np.frombuffer(line, np.uint8), starts, starts + SIZE)


def report(what: str, count: int, began: float, cpu: float) -> None:
    """Print one line."""
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    print(f"{what:<16} {count / seconds:>12,.0f} messages/s {used / count * 1e6:8.2f} CPU seconds per million")


def write(bootstrap: str, topic: str, count: int) -> None:
    """Write messages by the connector's producer, and wait until all are delivered."""
    context = Context("bench", Path("bench"), SystemClock())
    sink = registry.sink(table(bootstrap, topic), context)
    assert isinstance(sink, KafkaSink)
    sink.open()
    batch = Encoded(rows())
    producer = sink.producer
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(count // BATCH):
        producer.send(batch)
    producer.flush()
    report("write", count // BATCH * BATCH, began, cpu)
    sink.close()


def drain(reader: Reader) -> int:
    """Read to the end; give the number of messages."""
    count, live, begun = 0, 0, False
    while live or not begun:
        count += sum(len(block) for block in reader.poll(Limit()))
        for change in reader.changes():
            begun = True
            live += isinstance(change, Assigned) - isinstance(change, Ended)
    return count


def read(bootstrap: str, topic: str, native: str) -> None:
    """Read the topic to its end."""
    declared = table(bootstrap, topic, native)
    source = registry.source(declared, declared.schema, Context("bench", Path("bench"), SystemClock()))
    began, cpu = time.perf_counter(), time.process_time()
    reader = source.open({})
    count = drain(reader)
    report("read" if native == "true" else "read, plain way", count, began, cpu)
    reader.close()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap", help="the broker, as HOST:PORT")
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for _ in range(given.rounds):
        topic = new_topic(given.bootstrap)
        write(given.bootstrap, topic, given.messages)
        read(given.bootstrap, topic, "true")
    read(given.bootstrap, topic, "false")


if __name__ == "__main__":
    main()
