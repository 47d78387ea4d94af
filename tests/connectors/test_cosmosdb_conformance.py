"""Containers of Cosmos DB through the conformance suites: on an emulator, and the change feed on a stub of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

pytest.importorskip("azure.cosmos", reason="Cosmos DB: the extra tailrace[cosmosdb] is not installed")

from azure.cosmos import ContainerProxy, CosmosClient, PartitionKey
from cosmosdb_stub import KEY, Stub, stub
from json_values import read_value, to_json
from server_kit import Recipe, free_ports, running

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.filterwarnings("ignore:Unverified HTTPS")]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give an emulator of the module's own, and its URL."""
    port = str(free_ports(1))
    with running("cosmosdb", tmp_path_factory.mktemp("cosmosdb"), {"COSMOSDB_PORT": port}) as (recipe, said):
        yield recipe, said.partition("=")[2]


class Containers(System):
    """A container for each table, with the id as the partition key."""

    connector = "cosmosdb"
    title = "Azure Cosmos DB"
    stand_in = "@vercel/cosmosdb-server, an emulator in memory"
    remote = True
    many = 1000

    @pytest.fixture(autouse=True)
    def _server(self, emulator: tuple[Recipe, str]) -> Iterator[None]:
        self.recipe, self.url = emulator
        self.client = CosmosClient(self.url, KEY, connection_verify=False, enable_endpoint_discovery=False)
        with self.client:
            self.database = self.client.create_database_if_not_exists("db")
            yield

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "cosmosdb", "endpoint": f"https://{at}" if at else self.url, "key": KEY}
        given |= {"database": "db", "container": table, "endpoint-discovery": "false", "ssl.verify": "false"}
        return given | {"request-timeout": "5 s"}

    def container(self, table: str) -> ContainerProxy:
        """Give the plain client of a container."""
        return self.database.get_container_client(table)

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        self.database.create_container(table, partition_key=PartitionKey("/id"))

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def address(self) -> str:
        return self.url.removeprefix("https://")

    def version(self) -> str:
        return "1.0.1"


class TestSink(Containers, SinkConformance):
    """Items are replaced and deleted by the id that the key gives; what the emulator has is gone when it is killed."""

    guarantee = "effectively-once"
    keyed = upserts = True
    crash_rows: ClassVar[int] = 3000

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        items = self.container(table).query_items("SELECT * FROM c", enable_cross_partition_query=True)
        return [{n: _read(item.get(n), t) for n, t in columns.items()} for item in items]

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {}, ())
        return {"name": "x" * (2 << 20)}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        container = self.container(table)
        for row in rows:
            container.upsert_item({"id": str(row["id"]), "name": row["name"]})


def _read(value: Any, type_: str) -> Any:
    return int(value) if value is not None and type_ == "BIGINT" else read_value(value, type_)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the client leaves sockets of TLS to the collector
class TestLookup(Containers, LookupConformance):
    """Items by their id, or by a column."""

    keyed = True

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        container = self.container(table)
        for row in rows:
            container.upsert_item(_item(columns, row))

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ("id",))
        return columns, ("id",)

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        container = self.container(table)
        for i in ids:
            assert container.read_item(str(i), str(i))


def _item(columns: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row as another program would: numbers that JavaScript can't hold as texts."""
    found = json.loads(
        to_json(columns, row, "T"), parse_float=lambda t: t if len(t) > 15 and "e" not in t else float(t)
    )
    return {n: str(v) if n == "id" or (isinstance(v, int) and abs(v) > 2**53) else v for n, v in found.items()}


class TestChangeFeed(SourceConformance):
    """The feed of a container of two ranges: each range goes on from its continuation."""

    part = "change feed"
    connector = "cosmosdb"
    title = "Azure Cosmos DB"
    stand_in = "a stub of the tests that has a change feed"
    remote = True
    many = 2000
    endless = True

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with stub() as server:
            self.stub: Stub = server
            yield

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = self.stub.options(table) | {"scan.poll-interval": "50 ms", "scan.fetch-size": "100"}
        return given | ({"endpoint": f"http://{at}/"} if at else {})

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        return self.options(table, at) | ({} if endless else {"scan.bounded": "true"})

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        self.stub.make(table)

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.stub.containers[table].write(_item(columns, row), "create")

    def read_plainly(self, table: str, count: int) -> None:
        with CosmosClient(f"http://{self.stub.address}/", KEY, enable_endpoint_discovery=False) as client:
            container = client.get_database_client("db").get_container_client(table)
            feed = container.query_items_change_feed(start_time="Beginning")
            assert sum(1 for _, _ in zip(range(count), feed, strict=False)) == count

    def put_unreadable(self, table: str) -> None:
        self.stub.containers[table].write({"id": "no number", "name": "x"}, "create")

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"key": "d3Jvbmctc2VjcmV0"}  # wrong-secret

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def address(self) -> str:
        return self.stub.address

    def kill(self) -> None:
        self.stub.kill()

    def start(self) -> None:
        self.stub.start()
