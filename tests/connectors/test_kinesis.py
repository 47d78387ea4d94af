"""Streams of Kinesis on the stand-in kinesis-mock; what that never answers comes from a server in front of it."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("botocore", reason="AWS: the extra tailrace[kinesis] is not installed")

import kinesis_kit as kit
from connector_kit import context, sink, source, table
from http_kit import Said
from kinesis_kit import Front, refused
from server_kit import free_ports

from tailrace.clock import SystemClock
from tailrace.connectors.aws.failures import ThrottledError
from tailrace.connectors.base import Block, Context, Guarantee, Limit, Reader, Refusals
from tailrace.connectors.decoding import BlockDecoder
from tailrace.connectors.kinesis.aggregated import parts
from tailrace.connectors.kinesis.sink import KinesisSink
from tailrace.connectors.metadata import parse_type
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, DataError, TerminalError, TransientError
from tailrace.observe.samples import samples
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BIGINT, STRING, DataType, array
from tailrace.testing.connectors.system import ddl
from tailrace.testing.connectors.trials import Got, Trial

COLUMNS: dict[str, DataType] = {"id": BIGINT, "name": STRING}
RAW: dict[str, DataType] = {"value": STRING}


@pytest.fixture(scope="module")
def endpoint(service: Callable[[str, dict[str, str]], str]) -> str:
    """Give the address of a server of this module's own."""
    return service("kinesis", {"KINESIS_PORT": str(free_ports(2))}).partition("=")[2]


@pytest.fixture(scope="module")
def client(endpoint: str) -> Any:
    return kit.client_of(endpoint)


@pytest.fixture
def stream(client: Any) -> str:
    """Make a stream of one shard."""
    return kit.make(client, f"s-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def front(endpoint: str) -> Iterator[tuple[str, Front]]:
    """Give the address of a server that stands before Kinesis, and what rules it."""
    api, made = kit.front(endpoint)
    with api:
        yield api.url, made


def declare(
    endpoint: str,
    stream: str,
    columns: dict[str, DataType] | None = None,
    metadata: Sequence[MetadataColumn] = (),
    partitioned_by: tuple[str, ...] = (),
    **options: str,
) -> Table:
    """Declare a table; `_` in an option's name stands for `-`, `__` for `.`."""
    given = {"aws.endpoint": endpoint, "stream": stream, "format": "json" if columns is None else "raw"} | kit.LOGIN
    given |= {"source.init.position": "TRIM_HORIZON", "source.reader.empty-records-fetch-interval": "20 ms"}
    given |= {k.replace("__", ".").replace("_", "-"): v for k, v in options.items()}
    return table("kinesis", columns or COLUMNS, given, metadata=metadata, partitioned_by=partitioned_by)


def bounded(endpoint: str, stream: str, **options: str) -> Table:
    return declare(endpoint, stream, RAW, (), (), scan__bounded="true", **options)


def values(blocks: list[Block]) -> list[str]:
    """Give the bytes of blocks as texts."""
    return [(b.values.row(i) or b"").decode() for b in blocks for i in range(len(b))]  # type: ignore[union-attr]


def now() -> Context:
    """Give a context whose clock is that of the server."""
    return context(clock=SystemClock())


def opened(of: Table, positions: dict[str, Any] | None = None) -> Reader:
    return source(of, where=now()).open(positions or {})


def read_all(of: Table, positions: dict[str, Any] | None = None) -> list[Block]:
    reader = opened(of, positions)
    try:
        blocks: list[Block] = []
        live, deadline = set[str](), time.monotonic() + 60
        while time.monotonic() < deadline:
            blocks += reader.poll(Limit(wait_seconds=0.05))
            for change in reader.changes():
                live ^= {change.partition}
            if not live:
                return blocks
        raise AssertionError("the source did not end")
    finally:
        reader.close()


def poll_often(reader: Reader) -> None:
    """Poll until it fails."""
    for _ in range(200):
        reader.poll(Limit(wait_seconds=0.05))


def read_until(reader: Reader, count: int, blocks: list[Block], seconds: float = 60.0) -> None:
    """Read until there are so many rows."""
    deadline = time.monotonic() + seconds
    while sum(map(len, blocks)) < count:
        assert time.monotonic() < deadline, f"{sum(map(len, blocks))} of {count} rows"
        blocks += reader.poll(Limit(rows=20, wait_seconds=0.05))
        reader.changes()


class Noted(Refusals):
    """Keeps what is refused."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.reasons: list[str] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self.rows += rows.rows()
        self.reasons.append(f"{code}: {reason}")


def target_of(of: Table, refusals: Refusals | None = None) -> KinesisSink:
    target = sink(of)
    assert isinstance(target, KinesisSink)
    target.refusals = refusals or target.refusals
    target.open()
    return target


def written(of: Table, frame: pl.DataFrame, refusals: Refusals | None = None) -> KinesisSink:
    """Write a batch as the runtime does."""
    target = target_of(of, refusals)
    try:
        target.write(frame)
        target.prepare(1)
    finally:
        target.close()
    return target


def frame(ids: range, names: list[str] | None = None) -> pl.DataFrame:
    return pl.DataFrame({"id": list(ids), "name": names or [f"n{i}" for i in ids]})


def by_key(found: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Give the ids of records by their partition key, in order."""
    made: dict[str, list[int]] = defaultdict(list)
    for record in found:
        made[record["PartitionKey"]].append(json.loads(record["Data"])["id"])
    return made


# what is read


def test_records_and_what_kinesis_says_of_them(endpoint: str, client: Any, stream: str) -> None:
    before = datetime.now(UTC)
    kit.put(client, stream, [("a", b'{"id": 1, "name": "x"}'), ("b", b'{"id": 2, "name": null}')])
    given = [("k", "STRING", "partition-key"), ("shard", "STRING", "shard-id"), ("n", "STRING", "sequence-number")]
    given += [("sub", "BIGINT", "sub-sequence-number"), ("at", "TIMESTAMP_LTZ(3)", "timestamp")]
    metadata = tuple(MetadataColumn(n, parse_type(t), key, virtual=True) for n, t, key in given)
    of = declare(endpoint, stream, metadata=metadata, scan__bounded="true", partitioned_by=("id",))
    blocks = [b for b in read_all(of) if len(b)]
    decoder = BlockDecoder(of.schema, of)
    rows = [row for b in blocks for row in decoder.decode(b).frame.rows(named=True)]
    assert [(r["id"], r["name"], r["k"], r["shard"], r["sub"]) for r in rows] == [
        (1, "x", "a", "shardId-000000000000", 0),
        (2, None, "b", "shardId-000000000000", 0),
    ]
    assert [r["n"] for r in rows] == [r["SequenceNumber"] for r in kit.records(client, stream)]
    assert all(abs((r["at"] - before).total_seconds()) < 60 for r in rows)
    assert blocks[0].offsets is not None
    assert blocks[0].offsets.tolist()[0] == int(rows[0]["n"][-18:])


def test_it_goes_on_behind_a_position_in_any_place(endpoint: str, client: Any, stream: str) -> None:
    kit.put(client, stream, [("a", f"{i}".encode()) for i in range(10)])
    reader = opened(bounded(endpoint, stream))
    positions: dict[str, Any] = {}
    got: list[str] = []
    deadline = time.monotonic() + 30
    while len(got) < 4:
        assert time.monotonic() < deadline
        for block in reader.poll(Limit(rows=4 - len(got), wait_seconds=0.05)):
            got += values([block])
            positions[block.partition] = json.loads(json.dumps(block.position))
    reader.close()
    assert got == ["0", "1", "2", "3"]
    assert values(read_all(bounded(endpoint, stream), positions)) == ["4", "5", "6", "7", "8", "9"]


def test_where_reading_begins(endpoint: str, client: Any, stream: str) -> None:
    kit.put(client, stream, [("a", b"old")])
    time.sleep(0.3)
    middle = datetime.now(UTC)
    latest = opened(declare(endpoint, stream, RAW, source__init__position="LATEST"))
    got: list[Block] = []
    for _ in range(20):
        got += latest.poll(Limit(wait_seconds=0.02))
    time.sleep(0.3)
    kit.put(client, stream, [("a", b"new")])
    read_until(latest, 1, got)
    latest.close()
    assert values(got) == ["new"]
    for moment in (middle.isoformat(), f"{middle.timestamp():.3f}"):
        given = {"source__init__position": "AT_TIMESTAMP", "source__init__timestamp": moment}
        assert values(read_all(bounded(endpoint, stream, **given))) == ["new"]
    assert values(read_all(bounded(endpoint, stream))) == ["old", "new"]
    (first, *_) = got  # from LATEST, before the first row
    positions = {first.partition: first.position}
    later = bounded(endpoint, stream, source__init__position="LATEST")
    assert values(read_all(later, positions)) == ["new"]


def test_lag_delays_and_what_may_come(endpoint: str, client: Any, stream: str) -> None:
    kit.put(client, stream, [("a", b"x")])
    reader = opened(declare(endpoint, stream, RAW))
    assert list(reader.behind()) == ["shardId-000000000000"]
    blocks: list[Block] = []
    read_until(reader, 1, blocks)
    assert abs(reader.sent_times()[0] / 1000 - time.time()) < 60
    deadline = time.monotonic() + 20
    while reader.behind():
        assert time.monotonic() < deadline
        reader.poll(Limit(wait_seconds=0.02))
    assert reader.lags() == {"shardId-000000000000": 0}
    assert reader.behind_ms() == {"shardId-000000000000": 0}
    reader.close()


def test_how_far_it_is_behind_is_told(front: tuple[str, Front], client: Any, stream: str, tmp_path: Path) -> None:
    """What Kinesis says of it is the metric of the source and of its partition."""
    url, rules = front

    def rule(action: str, body: dict[str, Any]) -> Said | None:
        if action != "GetRecords":
            return None
        said = rules.hand_on(action, json.dumps(body).encode())
        return replace(said, body=json.dumps(json.loads(said.body or b"") | {"MillisBehindLatest": 90_000}).encode())

    rules.rule = rule
    kit.put(client, stream, [("a", b"x")])
    options = {k: v.value for k, v in declare(url, stream, RAW).options.items()}
    script = f"{ddl('given', {'value': 'STRING'}, options)}{ddl('got', {'value': 'STRING'}, Got(tmp_path).options)}"
    trial = Trial(f"{script}INSERT INTO got SELECT * FROM given;", tmp_path)
    trial.until(lambda: trial.status and any(s.behind_ms for s in trial.status.sources), "an answer")
    seen = trial.seen
    assert seen is not None
    assert {s.metric.name: s.value for s in samples(seen) if "behind" in s.metric.name} == {
        "source_behind_seconds": 90,
        "partition_behind_seconds": 90,
    }
    trial.halt()


class Writer(threading.Thread):
    """Puts numbered rows of some keys one by one, and splits and merges meanwhile."""

    def __init__(self, client: Any, stream: str, count: int, changes: dict[int, Callable[[], None]]) -> None:
        super().__init__(daemon=True)
        self.client, self.stream, self.count, self.changes = client, stream, count, changes
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            for i in range(self.count):
                self.changes.get(i, lambda: None)()
                self.client.put_record(StreamName=self.stream, PartitionKey=f"k{i % 13}", Data=f"{i % 13} {i}".encode())
        except BaseException as error:  # noqa: BLE001  the test's thread raises it
            self.failure = error


@pytest.mark.slow
def test_splits_and_merges_while_it_reads_and_restarts(endpoint: str, client: Any, stream: str) -> None:
    """Each row once, those of a key in order; children begin when their parents were read to the end."""
    count = 300
    changes = {
        50: lambda: kit.split(client, stream),
        110: lambda: kit.split(client, stream, 1),
        170: lambda: kit.merge(client, stream),
        230: lambda: kit.merge(client, stream),
    }
    writer = Writer(client, stream, count, changes)
    of = declare(endpoint, stream, RAW, source__shard__discovery__interval="200 ms")
    reader, rng = opened(of), random.Random(5)  # noqa: S311  a test that can be repeated
    writer.start()
    got: list[tuple[str, str]] = []
    positions: dict[str, Any] = {}
    kept: tuple[int, dict[str, Any]] = (0, {})
    restarts, deadline = 0, time.monotonic() + 240
    while len(got) < count or writer.is_alive():
        assert time.monotonic() < deadline, (len(got), writer.failure)
        for block in reader.poll(Limit(rows=15, wait_seconds=0.05)):
            got += [(block.partition, v) for v in values([block])]
            positions[block.partition] = block.position
        reader.changes()
        if rng.random() < 0.2:
            kept = (len(got), json.loads(json.dumps(positions)))
        if rng.random() < 0.02 and len(got) < count:
            restarts += 1
            reader.close()
            del got[kept[0] :]
            positions = dict(kept[1])
            reader = opened(of, positions)
    reader.close()
    assert writer.failure is None
    rows: dict[str, list[int]] = defaultdict(list)
    for _, value in got:
        key, number = value.split()
        rows[key].append(int(number))
    assert rows == {str(k): list(range(k, count, 13)) for k in range(13)}
    assert len({shard for shard, _ in got}) == len(kit.shards(client, stream)) == 7
    assert restarts
    parents = {
        s["ShardId"]: [s.get("ParentShardId"), s.get("AdjacentParentShardId")] for s in kit.shards(client, stream)
    }
    seen = [shard for shard, _ in got]
    for shard, above in parents.items():
        for parent in filter(None, above):
            assert seen.index(shard) > len(seen) - 1 - seen[::-1].index(parent), f"{shard} before the end of {parent}"


# faults that the stand-in never shows


def test_expired_iterators_are_made_anew(front: tuple[str, Front], client: Any, stream: str) -> None:
    url, rules = front
    kit.put(client, stream, [("a", f"{i}".encode()) for i in range(6)])
    asked: list[int] = []

    def rule(action: str, _: dict[str, Any]) -> Said | None:
        asked.append(action == "GetRecords")
        return refused("ExpiredIteratorException") if action == "GetRecords" and sum(asked) in {1, 3} else None

    rules.rule = rule
    of = declare(url, stream, RAW, source__shard__get_records__max_record_count="2")
    reader, blocks = opened(of), list[Block]()
    read_until(reader, 6, blocks)
    reader.close()
    assert values(blocks) == ["0", "1", "2", "3", "4", "5"]
    assert rules.actions.count("GetShardIterator") == 3


def test_a_throttled_shard_is_asked_again_after_growing_pauses(
    front: tuple[str, Front], client: Any, stream: str
) -> None:
    url, rules = front
    kit.put(client, stream, [("a", b"x")])
    times: list[float] = []

    def rule(action: str, _: dict[str, Any]) -> Said | None:
        if action != "GetRecords" or len(times) >= 4:
            return None
        times.append(time.monotonic())
        return refused("ProvisionedThroughputExceededException")

    rules.rule = rule
    reader, blocks = opened(declare(url, stream, RAW)), list[Block]()
    read_until(reader, 1, blocks)
    assert values(blocks) == ["x"]
    assert reader.throttled > 0.7
    reader.close()
    pauses = [b - a for a, b in pairwise(times)]
    assert pauses[0] >= 0.1
    assert pauses[2] > pauses[0]


def test_a_server_in_trouble_is_told_and_loses_nothing(front: tuple[str, Front], client: Any, stream: str) -> None:
    url, rules = front
    kit.put(client, stream, [("a", b"x"), ("a", b"y")])
    reader = opened(declare(url, stream, RAW))
    rules.rule = lambda *_: refused("InternalFailure", 500)
    with pytest.raises(TransientError, match=f"stream '{stream}' in {url} can't answer"):
        poll_often(reader)
    rules.rule = lambda *_: None
    blocks: list[Block] = []
    read_until(reader, 2, blocks)
    rules.rule = lambda *_: refused("AccessDeniedException", 400)
    with pytest.raises(TerminalError, match="refuses us"):
        poll_often(reader)
    reader.close()
    assert values(blocks) == ["x", "y"]


# records of the producer library


def test_records_in_one_are_taken_apart(endpoint: str, client: Any, stream: str) -> None:
    rows = [(f"k{i % 3}", f"v{i}".encode()) for i in range(10)]
    broken = kit.aggregated(rows)[:-1] + b"\x00"
    client.put_record(StreamName=stream, PartitionKey="a", Data=kit.aggregated(rows))
    client.put_record(StreamName=stream, PartitionKey="a", Data=b"plain")
    given = [("k", STRING, "partition-key"), ("sub", BIGINT, "sub-sequence-number")]
    metadata = [MetadataColumn(name, type_, key, virtual=True) for name, type_, key in given]
    of = declare(endpoint, stream, RAW, metadata=metadata, scan__bounded="true")
    blocks = [b for b in read_all(of) if len(b)]
    assert values(blocks) == [*(d.decode() for _, d in rows), "plain"]
    told = [
        row
        for b in blocks
        if b.metadata is not None
        for row in b.metadata.select("partition-key", "sub-sequence-number").rows()
    ]
    assert told == [*((k, i) for i, (k, _) in enumerate(rows)), ("a", 0)]
    assert parts(broken) is None
    assert parts(kit.aggregated([])) == []
    assert parts(b"\xf3\x89\x9a\xc2 no message, and sixteen more bytes") is None


@pytest.mark.slow
def test_it_goes_on_within_records_that_came_as_one(endpoint: str, client: Any, stream: str) -> None:
    client.put_record(
        StreamName=stream, PartitionKey="a", Data=kit.aggregated([("a", f"{i}".encode()) for i in range(6)])
    )
    client.put_record(StreamName=stream, PartitionKey="a", Data=b"last")
    for count in range(1, 7):
        reader = opened(bounded(endpoint, stream))
        got: list[Block] = []
        deadline = time.monotonic() + 30
        while sum(map(len, got)) < count:
            assert time.monotonic() < deadline
            got += reader.poll(Limit(rows=count - sum(map(len, got)), wait_seconds=0.05))
        reader.close()
        rest = read_all(bounded(endpoint, stream), {got[-1].partition: got[-1].position})
        assert values(got) + values(rest) == ["0", "1", "2", "3", "4", "5", "last"]


def test_records_in_the_wrong_shard_are_left_to_the_right_one(endpoint: str, client: Any) -> None:
    """The producer library sends them again, when it has heard of a split."""
    stream = kit.make(client, f"s-{uuid.uuid4().hex[:8]}", 2)
    low, high = 0, (1 << 128) - 1
    rows = [("a", b"low"), ("a", b"high"), ("a", b"low too")]
    data = kit.aggregated(rows, {0: low, 1: high, 2: low})
    for key in (low, high):
        client.put_record(StreamName=stream, PartitionKey="a", ExplicitHashKey=str(key), Data=data)
    blocks = read_all(bounded(endpoint, stream))
    found = {b.partition: values([b]) for b in blocks if len(b)}
    assert found == {"shardId-000000000000": ["low", "low too"], "shardId-000000000001": ["high"]}


# what is written


def test_partition_keys(endpoint: str, client: Any) -> None:

    def fresh() -> str:
        return kit.make(client, f"s-{uuid.uuid4().hex[:8]}", 2)

    rows = pl.DataFrame({"id": [1, 2, 3], "name": ["a", None, "x" * 300]})
    of = declare(endpoint, fresh(), partitioned_by=("id", "name"))
    target = written(of, rows)
    assert target.guarantee is Guarantee.AT_LEAST_ONCE
    stream = of.options["stream"].value
    assert sorted(by_key(kit.records(client, stream))) == sorted(["1|a", "2|null", f"3|{'x' * 254}"])
    column = (MetadataColumn("k", STRING, "partition-key", virtual=False),)
    of = declare(endpoint, stream := fresh(), metadata=column)
    written(of, rows.with_columns(k=pl.Series(["p", "q", ""])))
    assert by_key(kit.records(client, stream)) == {"p": [1], "q": [2], "null": [3]}
    of = declare(endpoint, stream := fresh(), sink__partitioner="fixed")
    written(of, rows)
    assert by_key(kit.records(client, stream)) == {"tailrace-job": [1, 2, 3]}
    of = declare(endpoint, stream := fresh(), key__format="raw", key__fields="name")
    written(of, rows.head(1))
    assert by_key(kit.records(client, stream)) == {"a": [1]}
    of = declare(endpoint, stream := fresh(), sink__partitioner="random")
    written(of, frame(range(100)))
    assert len(by_key(kit.records(client, stream))) == 100


@pytest.mark.slow
def test_what_kinesis_does_not_take_is_sent_again_in_order(front: tuple[str, Front], client: Any, stream: str) -> None:
    """Of each request some records are refused, as by a shard that is too busy; rows of a key stay in order, each once."""
    url, rules = front
    rng = random.Random(3)  # noqa: S311  a test that can be repeated
    failed: list[int] = []

    def rule(action: str, body: dict[str, Any]) -> Said | None:
        if action != "PutRecords":
            return None
        wrong = {i for i in range(len(body["Records"])) if rng.random() < 0.3}
        failed.append(len(wrong))
        return part(rules, body, wrong)

    rules.rule = rule
    of = declare(url, stream, partitioned_by=("name",), sink__batch__max_size="25")
    target = target_of(of)
    target.write(frame(range(200), [f"k{i % 23}" for i in range(200)]))
    for _ in range(100):
        with suppress(ThrottledError):
            target.prepare(1)
            break
    assert target.throttled > 0
    target.close()
    assert sum(failed) > 25
    assert by_key(kit.records(client, stream)) == {f"k{k}": list(range(k, 200, 23)) for k in range(23)}


def part(rules: Front, body: dict[str, Any], wrong: set[int]) -> Said:
    """Have Kinesis take the other records of a request, and answer for all."""
    code = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "too much"}
    kept = [r for i, r in enumerate(body["Records"]) if i not in wrong]
    if kept:
        said = rules.hand_on("PutRecords", json.dumps(body | {"Records": kept}).encode())
        assert said.status == 200, said
        taken = iter(json.loads(said.body or b"")["Records"])
    answers = [code if i in wrong else next(taken) for i in range(len(body["Records"]))]
    return Said(200, json.dumps({"FailedRecordCount": len(wrong), "Records": answers}).encode())


def test_a_stream_that_takes_nothing_is_told_and_tried_again(
    front: tuple[str, Front], client: Any, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailrace.connectors.kinesis.sink._PATIENCE", 2)
    url, rules = front
    target = target_of(declare(url, stream))
    target.write(frame(range(5)))
    for code, status, text in [
        ("ProvisionedThroughputExceededException", 400, "takes not all records"),
        ("InternalFailure", 500, "can't answer"),
    ]:
        rules.rule = lambda action, _, c=code, s=status: refused(c, s) if action == "PutRecords" else None  # type: ignore[misc]
        with pytest.raises(TransientError, match=text):
            target.prepare(1)
    rules.rule = lambda *_: None
    target.prepare(1)
    target.close()
    assert sorted(i for ids in by_key(kit.records(client, stream)).values() for i in ids) == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_limits_of_requests_and_records(front: tuple[str, Front], client: Any, stream: str) -> None:
    url, rules = front
    asked: list[tuple[int, int]] = []

    def rule(action: str, body: dict[str, Any]) -> None:
        if action == "PutRecords":
            given = body["Records"]
            sizes = [len(b64decode(r["Data"])) + len(r["PartitionKey"]) for r in given]
            asked.append((len(given), sum(sizes)))

    rules.rule = rule
    noted = Noted()
    large = "x" * 300_000
    rows = frame(range(1100), [large if 100 <= i < 107 else "y" * (1 << 20) if i == 50 else "n" for i in range(1100)])
    written(declare(url, stream, sink__flush_buffer__size="1 mb"), rows, noted)
    assert [r[0] for r in noted.rows] == [50]
    assert noted.reasons[0].startswith("too-large: a record of 1048")
    assert max(count for count, _ in asked) == 500
    assert 600_000 < max(size for _, size in asked) <= 1 << 20
    found = [i for ids in by_key(kit.records(client, stream)).values() for i in ids]
    assert sorted(found) == [i for i in range(1100) if i != 50]
    with pytest.raises(DataError, match=r"more than the 1048576 of 'sink\.record\.max-size'"):
        written(declare(url, stream), rows[50:51])


def test_changes_are_for_formats_that_tell_of_them(endpoint: str, client: Any, stream: str) -> None:
    of = declare(endpoint, stream, format="debezium-json", partitioned_by=("id",))
    rows = frame(range(2)).with_columns(pl.Series(KIND, [RowKind.INSERT, RowKind.DELETE], pl.Int8))
    written(of, rows)
    found = sorted(json.loads(r["Data"])["op"] for r in kit.records(client, stream))
    assert found == ["c", "d"]


# what is said


def test_what_is_wrong_is_said_at_once(endpoint: str) -> None:
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    for of, text in [
        (declare(endpoint, "s", source__init__position="AT_TIMESTAMP"), "needs a time"),
        (declare(endpoint, "s", source__init__timestamp="1"), "is not for 'TRIM_HORIZON'"),
        (declare(endpoint, "s", stream__arn=arn), "both name a stream"),
    ]:
        with pytest.raises(ConfigError, match=text) as caught:
            source(of)
        assert caught.value.location is not None
    for of, text in [
        (
            declare(endpoint, "s", partitioned_by=("id",), sink__partitioner="fixed"),
            "PARTITIONED BY and 'sink.partitioner' both",
        ),
        (declare(endpoint, "s", sink__batch__max_size="501"), "expected a number from 1 to 500"),
        (declare(endpoint, "s", {"a": array(BIGINT)}, partitioned_by=("a",)), "has no place in a partition key"),
    ]:
        with pytest.raises(ConfigError, match=text):
            sink(of)


def test_check_tells_apart_what_is_wrong(front: tuple[str, Front], endpoint: str, stream: str) -> None:
    url, rules = front
    report = source(declare(endpoint, stream)).check()
    assert (report.ok, report.message) == (
        True,
        f"Kinesis stream '{stream}' in {endpoint}: ACTIVE, 1 open shard, keeps 24 h",
    )
    assert sink(declare(endpoint, stream)).check().ok
    missing = source(declare(endpoint, "nowhere")).check()
    assert not missing.ok
    assert "stream 'nowhere'" in missing.message
    assert "is not there" in missing.message
    away = sink(declare("http://127.0.0.1:1", stream)).check()
    assert "can't be reached" in away.message
    rules.rule = lambda *_: refused("UnrecognizedClientException")
    denied = source(declare(url, stream)).check()
    assert "refuses us" in denied.message
    assert "aws.credentials" in denied.message
    rules.rule = lambda *_: None


def test_a_stream_by_its_arn(endpoint: str, client: Any, stream: str) -> None:
    arn = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    of = declare(endpoint, stream, scan__bounded="true", stream__arn=arn)
    options = {k: v for k, v in of.options.items() if k != "stream"}
    of = replace(of, options=options)
    written(of, frame(range(3)))
    assert len(values(read_all(of))) == 3
