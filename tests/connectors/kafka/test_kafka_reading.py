"""Reading topics: the native way gives what confluent-kafka gives, in order and whole."""

from __future__ import annotations

import ctypes
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import kafka_kit as kit
import numpy as np
import polars as pl
import pytest

from tailrace.connectors import registry
from tailrace.connectors.base import Assigned, Block, Limit
from tailrace.connectors.decoding import BlockDecoder
from tailrace.connectors.kafka import library, native, reading_kernels
from tailrace.connectors.metadata import parse_type
from tailrace.formats.base import Rows
from tailrace.plan.catalog import MetadataColumn
from tailrace.schema import BIGINT, STRING

pytestmark = pytest.mark.integration

KEYS = ("topic", "partition", "headers", "leader-epoch", "offset", "timestamp", "timestamp-type")
TYPES = ("STRING", "INT", "MAP<STRING, BYTES>", "INT", "BIGINT", "TIMESTAMP_LTZ(3)", "STRING")
METADATA = tuple(
    MetadataColumn(f"m_{key}", parse_type(type_), key, virtual=True) for key, type_ in zip(KEYS, TYPES, strict=True)
)
KEYED = {"key.format": "json", "key.fields": "id", "value.format": "json", "format": "", "value.fields-include": "ALL"}


def hostile(count: int) -> list[Mapping[str, Any]]:
    """Make messages with everything that may be there or not."""
    now = int(time.time() * 1000)
    headers = [None, [], [("a", b"1")], [("a", b"1"), ("b", None), ("a", b"2")], [("é", b""), ("x" * 300, b"y" * 9000)]]
    values = [b'{"id": 1}', None, b"", b"\n\n", b"\xff\x00", b"x" * 5000]
    keys = [None, b"", b'{"id": 7}', b"k" * 100]
    return [
        {
            "value": values[i % len(values)],
            "key": keys[i % len(keys)],
            "headers": headers[i % len(headers)],
            "timestamp": now + i,
            "partition": i % 3,
        }
        for i in range(count)
    ]


def one_by_one(rows: Rows | None) -> list[bytes | None]:
    """Give rows as Python bytes."""
    assert rows is not None
    return [rows.row(i) for i in range(len(rows))]


def facts(blocks: list[Block]) -> dict[str, list[Any]]:
    """Give all that is known of each message, by partition."""
    found: dict[str, list[Any]] = {}
    for block in blocks:
        assert isinstance(block.values, Rows)
        assert block.metadata is not None
        assert block.offsets is not None
        rows = zip(
            block.offsets.tolist(),
            one_by_one(block.values),
            one_by_one(block.keys),
            block.metadata.rows(),
            strict=True,
        )
        found.setdefault(block.partition, []).extend(rows)
    return found


@pytest.mark.parametrize("chunk", [7, 4096])
def test_native_is_plain(kafka: str, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Payloads, keys, headers, times, tombstones and empty rows are the same by both ways, whatever the chunks were."""
    monkeypatch.setattr(native, "CHUNK", chunk)
    topic = kit.new_topic(kafka, 3)
    kit.produce(kafka, topic, hostile(300))
    ways = [
        facts(
            kit.read(kit.table(kafka, topic, kit.BOUNDED | KEYED | {"tailrace.kafka.native": way}, metadata=METADATA))
        )
        for way in ("true", "false")
    ]

    assert ways[0] == ways[1]
    assert sum(map(len, ways[0].values())) == 300


@pytest.mark.parametrize("native_way", ["true", "false"])
def test_few_messages_have_headers(kafka: str, native_way: str) -> None:
    """Headers are at the messages that they came with, over many chunks and partitions; of several with one name the last."""
    topic = kit.new_topic(kafka, 3)
    some: dict[int, list[tuple[str, bytes | None]]] = {
        0: [("traceparent", b"first")],
        4_098: [("a", None), ("b", b""), ("é", b"\xff")],
        4_099: [("a", b"1"), ("b", b"2"), ("a", None)],
        11_999: [("x" * 300, b"y" * 9_000)],
    }
    count = 12_000
    messages: list[Mapping[str, Any]] = [
        {**message, "headers": some.get(i)} for i, message in enumerate(kit.numbered(count, 3))
    ]
    kit.produce(kafka, topic, messages)
    more = kit.BOUNDED | {"tailrace.kafka.native": native_way}
    blocks = kit.read(kit.table(kafka, topic, more, metadata=METADATA))
    found: dict[int, list[dict[str, Any]]] = {}
    for block in blocks:
        assert block.metadata is not None
        numbers = [json.loads(value or b"")["id"] for value in kit.payloads([block])]
        found |= dict(zip(numbers, block.metadata["headers"].to_list(), strict=True))

    want = {i: dict(pairs) for i, pairs in some.items()}
    assert {i: {h["key"]: h["value"] for h in row} for i, row in found.items() if row} == want
    assert [h["key"] for h in found[4_099]] == ["b", "a"]
    assert len(found) == count


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4", "snappy", "zstd"])
def test_headers_that_are_wanted_for_traces_alone(kafka: str, compression: str) -> None:
    """Messages that seem to have none are not asked; all headers are found all the same."""
    topic = kit.new_topic(kafka, 3)
    sent = [*hostile(2_000), *kit.numbered(5_000, 3), *hostile(10)]
    kit.produce(kafka, topic, sent, **{"compression.type": compression})
    of = kit.table(kafka, topic, kit.BOUNDED)

    def headers(way: str, *, traced: bool) -> dict[tuple[str, int], Any]:
        given = kit.table(kafka, topic, kit.BOUNDED | {"tailrace.kafka.native": way}, metadata=METADATA[2:3])
        schema = given.schema if not traced else of.schema
        blocks = kit.drain(registry.source(given, schema, replace(kit.context(), traced=traced)).open({}))
        found: dict[tuple[str, int], Any] = {}
        for block in blocks:
            assert block.offsets is not None
            rows = block.headers if traced else block.metadata["headers"]  # type: ignore[index]
            values = [[]] * len(block.offsets) if rows is None else rows.to_list()
            found |= {(block.partition, o): v for o, v in zip(block.offsets.tolist(), values, strict=True)}
        return found

    want = headers("false", traced=False)
    assert len(want) == len(sent)
    assert sum(bool(row) for row in want.values()) == 3 * 402
    assert headers("true", traced=True) == want


def test_headers_that_a_payload_does_not_tell_of() -> None:
    """One message in so many is asked for its headers, whatever it seems to have."""
    payload = ctypes.create_string_buffer(b"ab\0", 64)
    message = (library.Message * 600)()
    for one in message:
        one.payload, one.len = ctypes.addressof(payload), 2
    asked: list[int] = []

    def ask(_: int, __: int) -> int:
        asked.append(1)
        return 0

    has_some = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_int64)(ask)
    address = ctypes.cast(has_some, ctypes.c_void_p).value
    data, numbers, few = np.empty(2_000, np.uint8), [np.zeros(600, np.int64) for _ in range(5)], np.zeros(600, np.int32)
    messages = np.arange(600) * ctypes.sizeof(library.Message) + ctypes.addressof(message)
    *_, headed, misled = reading_kernels.gather(
        messages,
        600,
        0,
        0,
        0,
        data.ctypes.data,
        numbers[0],
        numbers[1],
        np.zeros(600, np.bool_),
        numbers[2],
        few,
        np.zeros(4, np.int64),
        np.zeros(4, np.int32),
        numbers[3],
        address,
        True,
        numbers[4].ctypes.data,
        np.zeros(600, np.int64),
    )
    assert (len(asked), headed, misled) == (3, 3, 3)


def test_metadata_columns(kafka: str) -> None:
    """Metadata columns have Flink's values and types, also in a table that reads nothing else."""
    topic = kit.new_topic(kafka)
    stamp = int(time.time()) * 1000 + 123
    kit.produce(kafka, topic, [{"value": b'{"id": 5}', "timestamp": stamp, "headers": [("h", b"v")]}])
    table = kit.table(kafka, topic, kit.BOUNDED, metadata=METADATA)
    decoder = BlockDecoder(table.schema, table)
    frame = pl.concat([decoder.decode(block).frame for block in kit.read(table)])
    row = frame.to_dicts()[0]

    assert len(frame) == 1
    assert (row["id"], row["m_topic"], row["m_partition"], row["m_offset"]) == (5, topic, 0, 0)
    assert row["m_headers"] == [{"key": "h", "value": b"v"}]
    assert row["m_timestamp"].timestamp() == stamp / 1000
    assert (row["m_timestamp-type"], row["m_leader-epoch"]) == ("CreateTime", 0)


def test_log_append_time(kafka: str) -> None:
    """A topic that sets times itself says so."""
    topic = kit.new_topic(kafka, 1, "append", **{"message.timestamp.type": "LogAppendTime"})
    kit.produce(kafka, topic, kit.numbered(1))
    blocks = kit.read(kit.table(kafka, topic, kit.BOUNDED, metadata=METADATA))

    assert [b.metadata["timestamp-type"].to_list() for b in blocks if b.metadata is not None and len(b)] == [
        ["LogAppendTime"]
    ]


def test_keys_and_values_make_columns(kafka: str) -> None:
    """Columns come from the key where the table says so; a prefix is in the table alone."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, [{"key": b'{"id": 9}', "value": b'{"id": 1, "name": "a"}'}, {"value": b'{"name": "b"}'}])
    more = KEYED | {"key.fields": "k_id", "key.fields-prefix": "k_", "value.fields-include": "EXCEPT_KEY"}
    table = kit.table(kafka, topic, kit.BOUNDED | more, {"k_id": BIGINT, "id": BIGINT, "name": STRING})
    decoder = BlockDecoder(table.schema, table)
    frame = pl.concat([decoder.decode(block).frame for block in kit.read(table)])

    assert frame.rows() == [(9, 1, "a"), (None, None, "b")]


def test_many_rows_are_in_order_and_whole(kafka: str) -> None:
    """Each partition's offsets have no gap, over many blocks, and positions are where the next one begins."""
    topic = kit.new_topic(kafka, 4)
    kit.produce(kafka, topic, kit.numbered(50_000, 4), **{"queue.buffering.max.messages": 100_000})
    reader = kit.source(kit.table(kafka, topic, kit.BOUNDED)).open({})
    blocks = kit.drain(reader, limit=Limit(rows=5000, wait_seconds=0.05))
    reader.close()

    for partition in range(4):
        mine = [b for b in blocks if b.partition == f"{topic}-{partition}" and len(b)]
        offsets = np.concatenate([b.offsets for b in mine if b.offsets is not None])
        assert np.array_equal(offsets, np.arange(12_500))
        assert [b.position["offset"] for b in mine] == [int(b.offsets[-1]) + 1 for b in mine if b.offsets is not None]
        want = [m["value"] for m in kit.numbered(50_000, 4) if m["partition"] == partition]
        assert kit.payloads(blocks, f"{topic}-{partition}") == want
    assert max(map(len, blocks)) <= 5000 + native.CHUNK


def test_rows_larger_than_the_limit(kafka: str) -> None:
    """A row that is larger than a whole look's limit comes all the same."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, [{"value": b"x" * 900_000}] * 4)
    reader = kit.source(kit.table(kafka, topic, kit.BOUNDED)).open({})
    blocks = kit.drain(reader, limit=Limit(rows=2, bytes=1000, wait_seconds=0.05))
    reader.close()

    assert [len(p or b"") for p in kit.payloads(blocks)] == [900_000] * 4


def test_new_partitions_are_found(kafka: str) -> None:
    """A partition that is added while the job runs is read from its beginning."""
    topic = kit.new_topic(kafka)
    options = {"scan.startup.mode": "latest-offset", "scan.topic-partition-discovery.interval": "100 ms"}
    reader = kit.source(kit.table(kafka, topic, options)).open({})
    kit.produce(kafka, topic, kit.numbered(3))
    kit.poll_until(reader, 3)
    kit.add_partitions(kafka, topic, 2)
    kit.produce(kafka, topic, [{"value": b"new", "partition": 1}])
    blocks, changes = kit.poll_until(reader, 1)
    reader.close()

    assert kit.payloads(blocks) == [b"new"]
    assert changes == [Assigned(f"{topic}-1")]


def test_topics_by_pattern(kafka: str) -> None:
    """A pattern stands for all topics whose whole name matches, those that come later too."""
    prefix = uuid.uuid4().hex[:8]
    first = kit.new_topic(kafka, 1, f"{prefix}-a")
    kit.new_topic(kafka, 1, f"other-{prefix}")
    options = kit.EARLIEST | {
        "topic": "",
        "topic-pattern": f"{prefix}-.*",
        "scan.topic-partition-discovery.interval": "100 ms",
    }
    reader = kit.source(kit.table(kafka, "", options)).open({})
    later = kit.new_topic(kafka, 1, f"{prefix}-b")
    kit.produce(kafka, first, kit.numbered(2))
    kit.produce(kafka, later, kit.numbered(3))
    blocks, changes = kit.poll_until(reader, 5)
    reader.close()

    assert {b.partition for b in blocks} == {f"{first}-0", f"{later}-0"}
    assert [c.partition for c in changes] == [f"{first}-0", f"{later}-0"]


def test_several_topics(kafka: str) -> None:
    """Several topics of one table are partitions of one source."""
    topics = [kit.new_topic(kafka) for _ in range(2)]
    for topic in topics:
        kit.produce(kafka, topic, kit.numbered(2))

    assert {b.partition for b in kit.read(kit.table(kafka, ";".join(topics), kit.BOUNDED)) if len(b)} == {
        f"{t}-0" for t in topics
    }


def test_lag(kafka: str) -> None:
    """The lag is what is between the position and the end."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(10))
    options = {"scan.startup.mode": "specific-offsets", "scan.startup.specific-offsets": "partition:0,offset:4"}
    reader = kit.source(kit.table(kafka, topic, options)).open({})
    kit.poll_until(reader, 6)

    assert reader.lags() == {f"{topic}-0": 0}
    reader.close()


@pytest.mark.parametrize("native", ["true", "false"])
def test_it_tells_when_the_broker_took_messages(kafka: str, native: str) -> None:
    """The time of one message of each read, as it was given to the broker."""
    topic = kit.new_topic(kafka)
    sent = 1_700_000_000_123
    kit.produce(kafka, topic, [{"value": b'{"id": 1}', "timestamp": sent}])
    reader = kit.source(kit.table(kafka, topic, kit.EARLIEST | {"tailrace.kafka.native": native})).open({})
    kit.poll_until(reader, 1)

    assert list(reader.sent_times()) == [sent]
    assert list(reader.sent_times()) == []
    reader.close()


def test_a_quiet_topic_costs_no_time(kafka: str) -> None:
    """Waiting for rows takes no CPU to speak of."""
    reader = kit.source(kit.table(kafka, kit.new_topic(kafka), kit.EARLIEST)).open({})
    reader.poll(Limit(wait_seconds=0.2))
    before = time.process_time()
    for _ in range(10):
        assert reader.poll(Limit(wait_seconds=0.1)) == []
    used = time.process_time() - before
    reader.close()

    assert used < 0.25
