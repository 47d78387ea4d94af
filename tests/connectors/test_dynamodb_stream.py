"""Streams of DynamoDB: changes and upserts, exact resumption, shards that are split, and a scan before."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("botocore", reason="DynamoDB: the extra tailrace[dynamodb] is not installed")

import connector_kit as kit
import polars as pl
from botocore.exceptions import ClientError
from dynamodb_kit import LOGIN, ApiProxy, Request, Table, error, served

from tailrace.clock import ManualClock
from tailrace.connectors.aws.access import Access
from tailrace.connectors.aws.shard_reader import Pace
from tailrace.connectors.aws.shards import Shard, Start
from tailrace.connectors.base import Limit, Positions, Reader
from tailrace.connectors.decoding import BlockDecoder
from tailrace.connectors.dynamodb.client import Place
from tailrace.connectors.dynamodb.scan import Scanning
from tailrace.connectors.dynamodb.stream import Streaming, StreamReader, TableStream
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import TerminalError
from tailrace.plan.catalog import MetadataColumn
from tailrace.schema import BIGINT, STRING, DataType, Field, Schema, timestamp_ltz
from tailrace.testing.connectors.delivery import assert_delivered
from tailrace.testing.connectors.system import ddl
from tailrace.testing.connectors.trials import Got, Trial, Victim

pytestmark = pytest.mark.integration

COLUMNS = {"id": "BIGINT", "name": "STRING"}
NEW, UB, UA, D = "+I", "-U", "+U", "-D"
WORDS = {RowKind.INSERT: NEW, RowKind.UPDATE_BEFORE: UB, RowKind.UPDATE_AFTER: UA, RowKind.DELETE: D}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server of the module's own, in memory."""
    with served(tmp_path_factory.mktemp("dynamodb")) as (_, address):
        yield address


@pytest.fixture
def make(at: str) -> Callable[..., Table]:
    """Make tables with streams, of names that were never used."""

    def made(images: str = "NEW_AND_OLD_IMAGES") -> Table:
        table = Table(at, f"t{uuid.uuid4().hex[:10]}", dict(COLUMNS))
        table.create(images)
        return table

    return made


def options(table: Table, mode: str, at: str | None = None) -> dict[str, str]:
    place = {"connector": "dynamodb", "table-name": table.name, "aws.endpoint": f"http://{at or table.at}"}
    return place | LOGIN | {"timeout": "5 s", "scan.mode": mode}


def change(table: Table) -> None:
    """Insert three items, update one, delete one."""
    table.put([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    table.put([{"id": 1, "name": "A"}])
    table.client.delete_item(TableName=table.name, Key={"id": {"N": "2"}})
    table.put([{"id": 3, "name": "c"}])


class Read:
    """A reader of the stream of a table, and what it gave."""

    def __init__(
        self,
        table: Table,
        mode: str,
        positions: Positions | None = None,
        columns: Mapping[str, DataType] | None = None,
        metadata: tuple[MetadataColumn, ...] = (),
        **more: str,
    ) -> None:
        given = dict(columns or {"id": BIGINT, "name": STRING})
        of = options(table, mode) | {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
        declared = kit.table("dynamodb", given, of, primary_key=("id",), metadata=metadata)
        where = kit.context(clock=ManualClock(int(time.time() * 1000)))
        self._decoder = BlockDecoder(declared.schema, declared)
        self.reader: Reader = kit.source(declared, where=where).open(positions or {})
        self.positions: Positions = dict(positions or {})
        self.rows: list[tuple[Any, ...]] = []
        self.rejects: list[str] = []

    def until(self, count: int, rows: int = 1000) -> list[tuple[Any, ...]]:
        """Read until there are so many rows (and bad ones); give the rows, each behind its kind."""
        end = time.monotonic() + 60
        while len(self.rows) + len(self.rejects) < count:
            assert time.monotonic() < end, self.rows
            self.reader.changes()
            for block in self.reader.poll(Limit(rows=rows, wait_seconds=0.05)):
                decoded = self._decoder.decode(block)
                self.positions[block.partition] = block.position
                self.rejects += [r.reason for r in decoded.rejects]
                kinds = decoded.frame[KIND].to_list() if KIND in decoded.frame.columns else []
                self.rows += [(WORDS[k], *r) for k, r in zip(kinds, decoded.frame.drop(KIND).rows(), strict=True)]
        return self.rows

    def close(self) -> Positions:
        self.reader.close()
        return self.positions


def test_changes_with_what_was_before(make: Callable[..., Table]) -> None:
    table = make()
    change(table)
    read = Read(table, "stream")
    found = read.until(6)
    read.close()
    assert found == [(NEW, 1, "a"), (NEW, 2, "b"), (UB, 1, "a"), (UA, 1, "A"), (D, 2, "b"), (NEW, 3, "c")]


@pytest.mark.parametrize("images", ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_what_stands_at_a_key(make: Callable[..., Table], images: str) -> None:
    table = make(images)
    change(table)
    read = Read(table, "upsert-stream")
    found = read.until(5)
    read.close()
    assert found == [(UA, 1, "a"), (UA, 2, "b"), (UA, 1, "A"), (D, 2, None), (UA, 3, "c")]


def test_keys_alone(make: Callable[..., Table]) -> None:
    table = make("KEYS_ONLY")
    change(table)
    read = Read(table, "upsert-stream", columns={"id": BIGINT})
    found = read.until(5)
    read.close()
    assert found == [(UA, 1), (UA, 2), (UA, 1), (D, 2), (UA, 3)]


def test_it_goes_on_exactly_where_it_was(make: Callable[..., Table]) -> None:
    """After any record, also with few rows at a time; what came while nobody read is not lost."""
    table = make()
    table.put([{"id": i, "name": f"n{i}"} for i in range(40)])
    wanted = [(NEW, i, f"n{i}") for i in range(40)]
    positions: Positions = {}
    found: list[tuple[Any, ...]] = []
    while len(found) < 40:
        read = Read(table, "stream", positions)
        found += read.until(1, rows=7)
        positions = read.close()
    assert found == wanted
    table.put([{"id": 1, "name": "new"}])
    read = Read(table, "stream", positions)
    assert read.until(2) == [(UB, 1, "n1"), (UA, 1, "new")]
    read.close()


def test_from_its_end(make: Callable[..., Table]) -> None:
    """Nothing of what was there before; a restart before the first record begins at the same place, or a minute earlier."""
    table = make()
    table.put([{"id": 1, "name": "before"}])
    read = Read(table, "stream", scan__startup__mode="latest-offset")
    for _ in range(5):
        read.reader.changes()
        for block in read.reader.poll(Limit(wait_seconds=0.1)):
            assert not len(block)
            read.positions[block.partition] = block.position
    positions = read.close()
    assert positions
    table.put([{"id": 2, "name": "after"}])
    again = Read(table, "stream", positions, scan__startup__mode="latest-offset")
    while (NEW, 2, "after") not in again.until(len(again.rows) + 1):
        assert again.rows == [(NEW, 1, "before")]
    again.close()


def test_metadata_and_values_that_do_not_fit(make: Callable[..., Table]) -> None:
    """A row that can't be read is told alone, in each of its images."""
    table = make()
    table.put([{"id": 1, "name": "a"}, {"id": 2, "name": 7}])
    metadata = (
        MetadataColumn("at", timestamp_ltz(3), "timestamp"),
        MetadataColumn("n", STRING, "sequence-number"),
        MetadataColumn("s", STRING, "shard"),
    )
    read = Read(table, "stream", metadata=metadata)
    ((kind, *row, at, number, shard),) = read.until(2)
    read.close()
    assert (kind, *row) == (NEW, 1, "a")
    assert -1 < time.time() - at.timestamp() < 120  # the server gives the whole minute
    assert int(number) > 0
    assert shard.startswith("shardId-")
    assert read.rejects == ["the value of attribute 'name' is no STRING"]


def test_a_scan_and_then_the_stream(make: Callable[..., Table]) -> None:
    """All items, and what happens to them while and after they are scanned; a restart in either goes on there."""
    table = make()
    table.put([{"id": i, "name": f"n{i}"} for i in range(60)])
    read = Read(table, "scan-then-stream", scan__segments="2")
    read.until(20, rows=10)
    table.put([{"id": 3, "name": "new"}, {"id": 100, "name": "added"}])
    table.client.delete_item(TableName=table.name, Key={"id": {"N": "5"}})
    positions, rows = read.close(), list(read.rows)
    read = Read(table, "scan-then-stream", positions, scan__segments="2")
    end = time.monotonic() + 60
    while (D, 5, None) not in read.rows:
        assert time.monotonic() < end
        read.until(len(read.rows) + 1, rows=10)
    positions = read.close()
    stands = {}
    for kind, key, name in [*rows, *read.rows]:
        stands[key] = None if kind == D else name
    assert stands == {i: f"n{i}" for i in range(60)} | {3: "new", 100: "added", 5: None}
    table.put([{"id": 7, "name": "later"}])
    read = Read(table, "scan-then-stream", positions, scan__segments="2")
    assert read.until(1) == [(UA, 7, "later")]
    read.close()


def counting(table: Table, folder: Path, mode: str, at: str | None = None) -> str:
    """Write the script that counts names, and keeps them by key."""
    source = ddl("given", COLUMNS, options(table, mode, at), ("id",))
    into = ddl("got", COLUMNS, Got(folder).options, ("id",))
    total = ddl("total", {"one": "INT", "n": "BIGINT"}, Got(folder, "total").options, ("one",))
    begin = "SET 'execution.checkpointing.interval' = '50 ms';\nSET 'tailrace.tick.rows' = '20';\n"
    return (
        f"{begin}{source}\n{into}\n{total}\nINSERT INTO got SELECT id, name FROM given;"
        "INSERT INTO total SELECT 1, COUNT(*) FROM given;"
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["stream", "upsert-stream", "scan-then-stream"])
def test_a_job_that_is_killed_counts_each_change_once(make: Callable[..., Table], mode: str, tmp_path: Path) -> None:
    """P1: what stands there at last, and a count that every change moves, are those of the table."""
    table, got, total = make(), Got(tmp_path), Got(tmp_path, "total")
    table.put([{"id": i, "name": f"n{i}"} for i in range(200)])
    script = counting(table, tmp_path, mode)
    victim = Victim(script, tmp_path)
    victim.until(lambda: victim.epoch >= 2 and len(got), "checkpoints")
    table.put([{"id": i, "name": f"new{i}"} for i in range(100, 250)])
    victim.kill()
    for i in range(50):
        table.client.delete_item(TableName=table.name, Key={"id": {"N": str(i)}})
    wanted = table.rows()
    trial = Trial(script, tmp_path)
    trial.until(lambda: [r["n"] for r in total.rows()] == [200] and len(got) == 200, "all changes")
    trial.until(lambda: {r["name"] for r in got.rows()} == {r["name"] for r in wanted}, "the last change")
    trial.halt()
    assert_delivered(got.rows(), wanted, "exactly-once")


def test_throttled_and_expired(make: Callable[..., Table], at: str, tmp_path: Path) -> None:
    """Requests that are throttled wait, an iterator that has expired is asked for again, and nothing is lost."""
    table, got = make(), Got(tmp_path)
    table.put([{"id": i, "name": f"n{i}"} for i in range(30)])
    codes = ["ProvisionedThroughputExceededException", "ExpiredIteratorException", "LimitExceededException"]
    with ApiProxy(at) as proxy:

        def fail(request: Request) -> Any:
            return error(codes.pop()) if codes and request.operation == "GetRecords" else None

        proxy.rule = fail
        trial = Trial(counting(table, tmp_path, "stream", proxy.address), tmp_path)
        trial.until(lambda: len(got) == 30, "all rows")
        table.put([{"id": 30, "name": "n30"}])
        trial.until(lambda: len(got) == 31, "one more")
        trial.halt()
    assert not codes
    assert_delivered(got.rows(), table.rows(), "exactly-once")


class Recorded:
    """A client that answers as DynamoDB Streams does for a shard that was split: 0 into 1 and 2, listed in two pages."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.trimmed = False

    def describe_stream(self, **given: Any) -> dict[str, Any]:
        if "ExclusiveStartShardId" not in given:
            closed = {"StartingSequenceNumber": "1", "EndingSequenceNumber": "5"}
            shards = [{"ShardId": "s0", "SequenceNumberRange": closed}]
            return {"StreamDescription": {"Shards": shards, "LastEvaluatedShardId": "s0"}}
        assert given["ExclusiveStartShardId"] == "s0"
        open_ = {"StartingSequenceNumber": "6"}
        shards = [{"ShardId": n, "ParentShardId": "s0", "SequenceNumberRange": open_} for n in ("s1", "s2")]
        return {"StreamDescription": {"Shards": shards}}

    def get_shard_iterator(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        if self.trimmed:
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException"}}, "GetShardIterator")
        return {"ShardIterator": given["ShardId"]}


def test_shards_of_a_split() -> None:
    """All pages are listed, with the parents of each and whether it is closed."""
    stream = TableStream(Recorded(), "arn", "table 't'")
    assert stream.shards() == [Shard("s0", (), True), Shard("s1", ("s0",)), Shard("s2", ("s0",))]


def test_iterators_and_records_that_are_gone() -> None:
    """A time is the oldest record there; a position whose records are gone ends the job, and says so."""
    client = Recorded()
    stream = TableStream(client, "arn", "table 't'")
    stream.iterator("s1", Start("AT_TIMESTAMP", time=5))
    stream.iterator("s1", Start("AFTER_SEQUENCE_NUMBER", sequence="17"))
    assert [(a["ShardIteratorType"], a.get("SequenceNumber")) for a in client.asked] == [
        ("TRIM_HORIZON", None),
        ("AFTER_SEQUENCE_NUMBER", "17"),
    ]
    client.trimmed = True
    with pytest.raises(TerminalError, match="there no more"):
        stream.iterator("s1", Start("AFTER_SEQUENCE_NUMBER", sequence="17"))


class Split(Recorded):
    """The same, with five records in the shard that was split and two in each of those that came of it."""

    NUMBERS = {"s0": range(1, 6), "s1": (6, 8), "s2": (7, 9)}  # noqa: RUF012  never written

    def get_shard_iterator(self, **given: Any) -> dict[str, Any]:
        shard, after = given["ShardId"], int(given.get("SequenceNumber", "0"))
        self.asked.append(given)
        return {"ShardIterator": f"{shard}/{after}"}

    def get_records(self, **given: Any) -> dict[str, Any]:
        shard, after = given["ShardIterator"].split("/")
        left = [n for n in self.NUMBERS[shard] if n > int(after)]
        numbers = left[:2]
        over = shard == "s0" and numbers == left
        return {
            "Records": list(map(self._record, numbers)),
            **({} if over else {"NextShardIterator": f"{shard}/{max([int(after), *numbers])}"}),
        }

    @staticmethod
    def _record(number: int) -> dict[str, Any]:
        item = {"id": {"N": str(number)}}
        change = {"Keys": item, "NewImage": item, "SequenceNumber": str(number), "SizeBytes": 10}
        return {"eventName": "INSERT", "dynamodb": change}

    def close(self) -> None:
        """Do nothing."""


class Nowhere(Place):
    """A place whose streams are recorded."""

    client_ = Split()

    def streams(self) -> Any:
        return self.client_


@pytest.mark.parametrize("stop_after", [0, 1, 3, 5, 6, 8])
def test_shards_that_were_split(stop_after: int) -> None:
    """All of the parent comes before any of its children, each record once, wherever a restart falls."""
    access = Access("us-east-1", None, 1.0, "AUTO")
    scanning = Scanning(Nowhere(access, "t"), Schema((Field("id", BIGINT),)), {}, 1, consistent=False)
    streaming = Streaming(scanning, ("id",), Pace(Start("TRIM_HORIZON"), 0, discovery_seconds=0.05), upserts=False)
    positions: Positions = {}
    found: list[int] = []
    for stop in (stop_after, 9):
        reader = StreamReader(streaming, "arn", dict(positions))
        end = time.monotonic() + 30
        while len(found) < stop:
            assert time.monotonic() < end, found
            reader.changes()
            for block in reader.poll(Limit(rows=1, wait_seconds=0.05)):
                positions[block.partition] = block.position
                assert isinstance(block.values, pl.DataFrame)
                found += block.values["id"].to_list()
        reader.close()
    assert found[:5] == [1, 2, 3, 4, 5]
    assert sorted(found[5:]) == [6, 7, 8, 9]
