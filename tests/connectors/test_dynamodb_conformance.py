"""Tables of DynamoDB Local through the conformance suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("botocore", reason="DynamoDB: the extra tailrace[dynamodb] is not installed")

from dynamodb_kit import LOGIN, Table, client, served
from server_kit import ByRecipe

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Give a server of the module's own, which keeps its tables in files, and its address."""
    with served(tmp_path_factory.mktemp("dynamodb"), disk=True) as found:
        yield found


class Tables(ByRecipe, System):
    """A table for each."""

    connector = "dynamodb"
    title = "AWS DynamoDB"
    stand_in = "DynamoDB Local 2.6.1"
    remote = keyed = True
    many = 1000
    crash_rows = 4000
    images = ""
    other_values = {"DOUBLE": (1e120, -0.1)}  # noqa: RUF012  as in the base

    @pytest.fixture(autouse=True)
    def _server(self, server: tuple[Any, str]) -> None:
        self.recipe, self.at = server
        self.tables: dict[str, Table] = {}

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "dynamodb", "table-name": table, "aws.endpoint": f"http://{at or self.at}"}
        return given | LOGIN | {"timeout": "5 s"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        self.plain(table, columns, key).create(self.images)

    def plain(self, table: str, columns: Mapping[str, str], key: Sequence[str] = ("id",)) -> Table:
        return self.tables.setdefault(table, Table(self.at, table, dict(columns), tuple(key)))

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.plain(table, columns).put(rows)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return self.plain(table, columns).rows()

    def address(self) -> str:
        return self.at

    def wrong_login(self, table: str) -> dict[str, str]:
        wrong = {"aws.credentials.basic.accesskeyid": "wrong_key", "aws.credentials.basic.secretkey": "wrong-secret"}
        return self.options(table) | wrong

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return "Local 2.6.1"


class TestSink(Tables, SinkConformance):
    """Items by batches."""

    part = "batches"
    guarantee = "effectively-once"
    upserts = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {"id": "BIGINT", "name": "STRING"}, ("id",))
        return {"name": "x" * 410_000}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        plain = self.plain(table, {"id": "BIGINT", "name": "STRING"})
        for i in range(0, len(rows), 25):
            plain.put(rows[i : i + 25])


class TestTransactions(Tables, SinkConformance):
    """Items with their checkpoint."""

    part = "transactions"
    guarantee = "effectively-once"
    upserts = keeps_epochs = True

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        return super().options(table, at) | {"sink.mode": "transactions"}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        plain = self.plain(table, {"id": "BIGINT", "name": "STRING"})
        for i in range(0, len(rows), 25):
            plain.put(rows[i : i + 25])

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {"id": "BIGINT", "name": "STRING"}, ("id",))
        return {"name": "x" * 410_000}


class TestLookup(Tables, LookupConformance):
    """Items by key, or by the hash key alone."""

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ("k", "id"))
        return columns, ("k", "id")

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        plain = self.plain(table, {"id": "BIGINT", "name": "STRING"})
        for i in ids:
            assert plain.client.get_item(TableName=table, Key={"id": {"N": str(i)}})["Item"]


class TestScan(Tables, SourceConformance):
    """All items, once."""

    part = "scan"

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        return self.options(table, at) | {"scan.segments": "3"}

    def put_unreadable(self, table: str) -> None:
        item = {"id": {"N": "1000"}, "name": {"N": "7"}}
        self.plain(table, {}).client.put_item(TableName=table, Item=item)

    def read_plainly(self, table: str, count: int) -> None:
        plain = self.plain(table, {"id": "BIGINT", "name": "STRING"})
        assert len(plain.items()) >= count


class TestStream(Tables, SourceConformance):
    """What happens to items, for ever; the target keeps them by key."""

    part = "stream"
    ends = False
    endless = True
    got_key = ("id",)
    images = "NEW_AND_OLD_IMAGES"

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        return self.options(table, at) | {"scan.mode": "stream"}

    def put_unreadable(self, table: str) -> None:
        item = {"id": {"N": "1000"}, "name": {"N": "7"}}
        self.plain(table, {}).client.put_item(TableName=table, Item=item)

    def read_plainly(self, table: str, count: int) -> None:
        streams = client(self.at, "dynamodbstreams")
        arn = self.plain(table, {}).client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        given = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**given)["ShardIterator"]
        while count > 0:
            told = streams.get_records(ShardIterator=iterator)
            count -= len(told["Records"])
            iterator = told["NextShardIterator"]
