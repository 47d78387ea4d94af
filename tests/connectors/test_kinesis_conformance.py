"""Streams of Kinesis through the conformance suites, on the stand-in kinesis-mock."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("botocore", reason="AWS: the extra tailrace[kinesis] is not installed")

import kinesis_kit as kit
from http_kit import Api
from json_values import from_json, to_json
from kinesis_kit import Front, refused
from server_kit import Recipe, free_ports, running

from tailrace.testing.connectors import SinkConformance, SourceConformance, System, Victim, assert_delivered, needs
from tailrace.testing.connectors.sinks import COLUMNS, sent
from tailrace.testing.connectors.trials import run
from tailrace.testing.fault_link import reset
from tailrace.testing.fault_proxy import endpoint

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="class")
def kinesis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the class's own, and its address; it saves what it has, which is slow, only where it is killed."""
    given = {"KINESIS_PORT": str(free_ports(2)), "KINESIS_PERSIST": str(request.cls is TestSource).lower()}
    with running("kinesis", tmp_path_factory.mktemp("kinesis"), given) as (recipe, said):
        yield recipe, said.partition("=")[2]


@pytest.fixture(scope="class")
def guarded(kinesis: tuple[Recipe, str]) -> Iterator[str]:
    """Give the address of a server before it that refuses logins, which the stand-in never does."""
    api = Api(Front(kinesis[1], lambda *_: refused("UnrecognizedClientException")))
    with api:
        yield api.url


class Streams(System):
    """A stream of two shards for each table."""

    connector = "kinesis"
    title = "Amazon Kinesis Data Streams"
    stand_in = "kinesis-mock"
    remote = True
    many = 2000

    @pytest.fixture(autouse=True)
    def _server(self, kinesis: tuple[Recipe, str], guarded: str) -> None:
        self.recipe, self.endpoint = kinesis
        self.guarded = guarded
        self.client = kit.client_of(self.endpoint)

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        endpoint = f"http://{at}" if at else self.endpoint
        given = {"connector": "kinesis", "stream": table, "aws.endpoint": endpoint, "format": "json"}
        return given | {"source.init.position": "TRIM_HORIZON", "timeout": "5 s"} | kit.LOGIN

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        kit.make(self.client, table, 2)

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        made = [(str(i), to_json(columns, row).encode()) for i, row in enumerate(rows)]
        kit.put_many(self.client, table, made)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return [from_json(columns, r["Data"]) for r in kit.records(self.client, table)]

    def address(self) -> str:
        return self.endpoint.removeprefix("http://")

    def kill(self) -> None:
        time.sleep(2.5)  # what it has is saved every second
        self.recipe.kill()

    def start(self) -> None:
        self.recipe.start()

    def wrong_login(self, table: str) -> dict[str, str]:
        given = self.options(table) | {"aws.endpoint": self.guarded}
        return given | {"aws.credentials.basic.secretkey": "wrong-secret"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return "0.6.2"


class TestSource(Streams, SourceConformance):
    """Streams that are read."""

    endless = True
    small: ClassVar = {"source.shard.get-records.max-record-count": "100"}

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        given = self.options(table, at) | {"source.reader.empty-records-fetch-interval": "50 ms"}
        return given if endless else given | {"scan.bounded": "true"}

    def put_unreadable(self, table: str) -> None:
        kit.put(self.client, table, [("a", b'{"id": "many"}')])

    def read_plainly(self, table: str, count: int) -> None:
        assert len(kit.records(self.client, table)) >= count


class TestSink(Streams, SinkConformance):
    """Streams that are written."""

    guarantee = "at-least-once"
    # a killed stand-in has lost what it confirmed in the last second
    kill = System.kill

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        # a stand-in that is asked too much answers too late, and gets it again
        few = {"sink.batch.max-size": "50", "sink.requests.max-inflight": "2", "timeout": "20 s"}
        return super().options(table, at) | few

    @needs("read")
    def test_sink_after_kill_9(self, tmp_path: Path) -> None:
        """As the suite's, with as many rows as the stand-in takes in that time."""
        table, count = self.new_table(COLUMNS), 3000
        victim = Victim(self.script(table, count, 200), tmp_path)
        victim.until(lambda: victim.epoch >= 2, "two checkpoints")
        victim.kill()
        assert run(self.script(table, count), tmp_path).restored_epoch
        assert_delivered(self.read(table, COLUMNS), sent(count), "at-least-once")

    def test_a_connection_that_is_reset_before_it_is_accepted(self) -> None:
        """The stand-in, which would end as a whole, goes on."""
        table = self.new_table(COLUMNS)
        with self.recipe.standing_still():
            reset(socket.create_connection(endpoint(self.address())))
        assert len(kit.shards(self.client, table)) == 2

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {}, ())
        return {"name": "x" * (1 << 20)}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            data = to_json({"id": "BIGINT", "name": "STRING"}, row).encode()
            self.client.put_record(StreamName=table, PartitionKey=str(row["id"]), Data=data)
