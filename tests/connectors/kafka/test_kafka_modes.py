"""Where reading begins and ends, and that a restart goes on just there."""

from __future__ import annotations

import time

import kafka_kit as kit
import pytest

from tailrace.connectors.base import Assigned, Block, Ended, Limit
from tailrace.errors import ConfigError, TerminalError

pytestmark = pytest.mark.integration

BASE = int(time.time() - 3600) * 1000
"""A broker takes no times far in the future, and soon deletes what is long past."""


@pytest.fixture(scope="module")
def ten(kafka: str) -> str:
    """A topic of two partitions with five rows each, a second apart from row to row."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, [{**m, "timestamp": BASE + i * 1000} for i, m in enumerate(kit.numbered(10, 2))])
    return topic


def ids(blocks: list[Block]) -> list[int]:
    """Give the ids in the payloads, sorted."""
    return sorted(int((p or b"").split(b",")[0].split(b":")[1]) for p in kit.payloads(blocks))


@pytest.mark.parametrize(
    ("options", "want"),
    [
        ({"scan.startup.mode": "earliest-offset"}, range(10)),
        ({"scan.startup.mode": "latest-offset"}, []),
        ({"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": str(BASE + 6500)}, [7, 8, 9]),
        ({"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": str(BASE + 60_000)}, []),
        (
            {
                "scan.startup.mode": "specific-offsets",
                "scan.startup.specific-offsets": "partition:0,offset:3;partition:1,offset:4",
            },
            [6, 8, 9],
        ),
        (
            {"scan.startup.mode": "specific-offsets", "scan.startup.specific-offsets": "partition:0,offset:4"},
            [1, 3, 5, 7, 8, 9],
        ),
    ],
    ids=["earliest", "latest", "time", "time-after-all", "offsets", "offsets-of-some"],
)
def test_start(kafka: str, ten: str, options: dict[str, str], want: range | list[int]) -> None:
    """Each mode begins where Flink begins; partitions that `specific-offsets` does not name from their beginning."""
    assert ids(kit.read(kit.table(kafka, ten, options | {"scan.bounded.mode": "latest-offset"}))) == list(want)


@pytest.mark.parametrize(
    ("options", "want"),
    [
        ({"scan.bounded.mode": "latest-offset"}, range(10)),
        ({"scan.bounded.mode": "timestamp", "scan.bounded.timestamp-millis": str(BASE + 3000)}, [0, 1, 2]),
        ({"scan.bounded.mode": "timestamp", "scan.bounded.timestamp-millis": str(BASE + 60_000)}, range(10)),
        (
            {
                "scan.bounded.mode": "specific-offsets",
                "scan.bounded.specific-offsets": "partition:0,offset:2;partition:1,offset:0",
            },
            [0, 2],
        ),
        ({"scan.bounded.mode": "specific-offsets", "scan.bounded.specific-offsets": "partition:1,offset:1"}, [1]),
    ],
    ids=["latest", "time", "time-after-all", "offsets", "offsets-of-some"],
)
def test_end(kafka: str, ten: str, options: dict[str, str], want: range | list[int]) -> None:
    """Each mode ends where Flink ends; partitions that `specific-offsets` does not name are not read."""
    assert ids(kit.read(kit.table(kafka, ten, kit.EARLIEST | options))) == list(want)


def test_empty_topic_ends(kafka: str) -> None:
    """A bounded source of nothing ends at once, after it has announced its partitions."""
    topic = kit.new_topic(kafka)
    reader = kit.source(kit.table(kafka, topic, kit.BOUNDED)).open({})
    reader.poll(Limit())

    assert reader.changes() == [Assigned(f"{topic}-0"), Ended(f"{topic}-0")]
    reader.close()


def test_group_offsets(kafka: str, ten: str) -> None:
    """Acknowledged positions are committed for the group, and reading begins from them."""
    group = {"properties.group.id": f"g-{time.time_ns()}", "scan.bounded.mode": "latest-offset"}
    first = kit.source(kit.table(kafka, ten, group | {"scan.startup.mode": "earliest-offset"})).open({})
    kit.drain(first)
    first.acknowledge({f"{ten}-0": {"offset": 3}, f"{ten}-1": {"offset": 5}})
    first.close()

    assert ids(kit.read(kit.table(kafka, ten, group))) == [6, 8]


def test_group_without_offsets(kafka: str, ten: str) -> None:
    """A group that has none is an error that says what to do, unless the table says where to begin then."""
    group = {"properties.group.id": f"g-{time.time_ns()}", "scan.bounded.mode": "latest-offset"}
    with pytest.raises(ConfigError, match="has committed no offset") as error:
        kit.source(kit.table(kafka, ten, group)).open({})

    assert "auto.offset.reset" in error.value.hint
    reset = {"properties.auto.offset.reset": "earliest"}
    assert ids(kit.read(kit.table(kafka, ten, group | reset))) == list(range(10))


def test_restart_goes_on(kafka: str) -> None:
    """A reader that is opened with positions gives what comes after them, and nothing twice."""
    topic = kit.new_topic(kafka, 2)
    kit.produce(kafka, topic, kit.numbered(10, 2))
    table = kit.table(kafka, topic, kit.EARLIEST)
    reader = kit.source(table).open({})
    blocks, _ = kit.poll_until(reader, 10)
    positions = {b.partition: b.position for b in blocks}
    reader.close()
    kit.produce(kafka, topic, [{"value": b"more", "partition": 1}])
    again = kit.source(table).open(positions)
    after, _ = kit.poll_until(again, 1)
    again.close()

    assert kit.payloads(after) == [b"more"]


def test_a_start_that_was_looked_up_is_kept(kafka: str) -> None:
    """The end at which `latest-offset` began is a position, though no row has come: a restart loses nothing after it."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(2))
    table = kit.table(kafka, topic, {"scan.startup.mode": "latest-offset"})
    reader = kit.source(table).open({})
    positions = {b.partition: b.position for b in reader.poll(Limit())}
    reader.close()
    kit.produce(kafka, topic, [{"value": b"between"}])
    again = kit.source(table).open(positions)
    blocks, _ = kit.poll_until(again, 1)
    again.close()

    assert kit.payloads(blocks) == [b"between"]


def test_a_bound_outlives_a_restart(kafka: str) -> None:
    """The end that was looked up at the first start stays the end."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(3))
    table = kit.table(kafka, topic, kit.BOUNDED)
    reader = kit.source(table).open({})
    positions = {b.partition: b.position for b in reader.poll(Limit())}
    reader.close()
    kit.produce(kafka, topic, kit.numbered(5))

    assert ids(kit.read(table, positions)) == [0, 1, 2]


def test_an_expired_position(kafka: str) -> None:
    """A position that the cluster has no more stops the job and says how much is lost; never silently."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(20))
    kit.delete_before(kafka, topic, 0, 12)
    for native in ("true", "false"):
        table = kit.table(kafka, topic, kit.EARLIEST | {"tailrace.kafka.native": native})
        reader = kit.source(table).open({f"{topic}-0": {"offset": 5}})
        with pytest.raises(TerminalError, match="has expired: its first is 12 now, so 7 offsets are lost"):
            kit.poll_until(reader, 1)
        reader.close()


def test_a_position_behind_the_end(kafka: str) -> None:
    """A position that the topic has not reached (it was made anew) is not taken for the end."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(3))
    reader = kit.source(kit.table(kafka, topic, kit.EARLIEST)).open({f"{topic}-0": {"offset": 100}})
    with pytest.raises(TerminalError, match="made anew"):
        kit.poll_until(reader, 1)
    reader.close()


def test_an_expired_position_where_a_gap_is_allowed(kafka: str) -> None:
    """Who sets `auto.offset.reset` goes on from there."""
    topic = kit.new_topic(kafka)
    kit.produce(kafka, topic, kit.numbered(20))
    kit.delete_before(kafka, topic, 0, 18)
    options = kit.EARLIEST | {"properties.auto.offset.reset": "earliest"}
    reader = kit.source(kit.table(kafka, topic, options)).open({f"{topic}-0": {"offset": 5}})
    blocks, _ = kit.poll_until(reader, 2)
    reader.close()

    assert ids(blocks) == [18, 19]
