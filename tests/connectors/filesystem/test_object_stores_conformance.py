"""Files in object stores through the conformance suites: MinIO, a real server that speaks S3, and stand-ins for S3, Azure and Google."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import objects_kit as kit
import obstore
import pytest
from json_values import from_json, to_json
from server_kit import Recipe, free_ports, running

from tailrace.testing.connectors import SinkConformance, SourceConformance, System, needs

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Start = Callable[[str, dict[str, str]], str]


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, kit.Bucket]]:
    """Give MinIO, and a bucket of it."""
    given = {"MINIO_PORT": str(free_ports(1))}
    with running("minio", tmp_path_factory.mktemp("minio"), given) as (recipe, said):
        yield recipe, kit.s3_bucket(said.split()[0].partition("=")[2], "suite")


@pytest.fixture(scope="module")
def moto(service: Start) -> tuple[None, kit.Bucket]:
    """Give a bucket of a stand-in for S3."""
    return None, kit.s3_bucket(service("moto", {}).partition("=")[2], "suite")


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, kit.Bucket]]:
    """Give a container of a stand-in for Azure."""
    given = {"AZURITE_PORT": str(free_ports(1))}
    with running("azurite", tmp_path_factory.mktemp("azurite"), given) as (recipe, said):
        yield recipe, kit.azure_container(said.partition("=")[2], "suite")


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[Recipe, kit.GoogleXml], kit.Bucket]]:
    """Give a bucket of a stand-in for Google."""
    given = {"GCS_PORT": str(free_ports(1))}
    with running("gcs", tmp_path_factory.mktemp("gcs"), given) as (recipe, said):
        endpoint = said.partition("=")[2]
        with kit.GoogleXml(endpoint, kit.cut_while_away) as proxy:
            yield (recipe, proxy), kit.google_bucket(endpoint, "suite", proxy.endpoint)


class Objects(System):
    """A folder of a bucket for each table, with objects of JSON lines."""

    connector = "filesystem"
    remote = True
    many = 20_000
    timed = 500_000
    server: ClassVar[str]
    endpoint = "s3.endpoint"

    @pytest.fixture(autouse=True)
    def _server(self, request: pytest.FixtureRequest) -> None:
        self.recipe, self.bucket = request.getfixturevalue(self.server)
        self.numbers = itertools.count()

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "filesystem", "path": f"{self.bucket.uri}/{table}", "format": "json"}
        given |= self.bucket.options | {"tailrace.object.timeout": "2 s", "tailrace.object.retry-timeout": "300 ms"}
        return given | {self.endpoint: given[self.endpoint].replace(self.address(), at or self.address())}

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        for first in range(0, len(rows), 1000):
            lines = "".join(f"{to_json(columns, row)}\n" for row in rows[first : first + 1000])
            self.bucket.put(f"{table}/{time.monotonic_ns():020}.json", lines.encode())

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        objects = [self.bucket.get(key) for key in self.bucket.listed(table)]
        return [from_json(columns, line) for data in objects for line in data.splitlines()]

    def address(self) -> str:
        return str(self.bucket.options[self.endpoint]).removeprefix("http://").partition("/")[0]

    def missing(self, table: str) -> dict[str, str]:
        given = self.options(table)
        return given | {"path": f"{self.bucket.uri.partition('://')[0]}://nowhere/rows"}


class Source(Objects, SourceConformance):
    """All objects of a folder, to the last one or for those that come."""

    endless = True
    keeps_connections: ClassVar[bool] = False
    """Whether the server keeps connections open, so that they can be cut between requests."""

    @needs("keeps_connections", "address")
    def test_source_whose_connection_is_cut(self, tmp_path: Path) -> None:
        """As the suite's."""
        SourceConformance.needing["test_source_whose_connection_is_cut"](self, tmp_path)

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        self.bucket.put(f"{table}/0.json", b"")  # a folder is there when it has an object

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        return self.options(table, at) | ({"source.monitor-interval": "200 ms"} if endless else {})

    def put_unreadable(self, table: str) -> None:
        self.bucket.put(f"{table}/{time.monotonic_ns():020}.json", b'{"id": "no number"}\n')

    def read_plainly(self, table: str, count: int) -> None:
        found = 0
        for key in self.bucket.listed(table):
            for line in self.bucket.get(key).splitlines():
                found += "id" in json.loads(line)
            if found >= count:
                return
        raise AssertionError(f"{found} rows instead of {count}")


class Sink(Objects, SinkConformance):
    """Part files that are put when their checkpoint is complete, each if there is none of its name."""

    guarantee = "exactly-once"
    keeps_epochs = True
    puts_at_once: ClassVar[bool] = False
    """Part files go to the store when they are closed: faults in the middle meet nobody. `test_object_stores.py` breaks each put instead."""

    @needs("puts_at_once")
    def test_sink_whose_server_is_away_at_the_start(self, tmp_path: Path) -> None:
        """As the suite's."""
        SinkConformance.needing["test_sink_whose_server_is_away_at_the_start"](self, tmp_path)

    @needs("puts_at_once")
    def test_sink_whose_connection_is_cut(self, tmp_path: Path) -> None:
        """As the suite's."""
        SinkConformance.needing["test_sink_whose_connection_is_cut"](self, tmp_path)

    @needs("puts_at_once")
    def test_sink_whose_server_answers_nothing(self, tmp_path: Path) -> None:
        """As the suite's."""
        SinkConformance.needing["test_sink_whose_server_answers_nothing"](self, tmp_path)

    def test_a_name_is_given_once(self) -> None:
        """What the sink rests on: the second put of a name is refused, and changes nothing."""
        obstore.put(self.bucket.store, "once", b"1", mode="create")
        with pytest.raises(obstore.exceptions.AlreadyExistsError):
            obstore.put(self.bucket.store, "once", b"2", mode="create")
        assert self.bucket.get("once") == b"1"

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            data = to_json({"id": "BIGINT", "name": "STRING"}, row).encode()
            obstore.put(self.bucket.store, f"{table}/{row['id']}.json", data, mode="create")


class MinIO(Objects):
    """A server that keeps what it has confirmed, and looks at the login."""

    title = "S3 (MinIO)"
    server = "minio"

    def kill(self) -> None:
        self.recipe.kill()

    def start(self) -> None:
        self.recipe.start()

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"s3.secret-key": "wrong-secret"}

    def version(self) -> str:
        return "2026-02-12"


class Moto(Objects):
    """The stand-in for S3, which keeps all in memory and looks at no login."""

    title = "S3"
    server = "moto"
    stand_in = "moto"

    def version(self) -> str:
        return "5.2.5"


class Azurite(Objects):
    """The stand-in for Azure, which writes its index every few seconds and at its end: so it is ended in good order."""

    title = "Azure Blob Storage"
    server = "azurite"
    stand_in = "Azurite 3.37.0"
    endpoint = "azure.endpoint"

    def kill(self) -> None:
        self.recipe.stop()

    def start(self) -> None:
        self.recipe.start()

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"azure.account-key": "d3Jvbmctc2VjcmV0"}  # wrong-secret

    def version(self) -> str:
        return "3.37.0"


class Google(Objects):
    """The stand-in for Google, which keeps objects in files and looks at no login."""

    title = "Google Cloud Storage"
    server = "google"
    stand_in = "fake-gcs-server 1.56.1"
    endpoint = "gs.endpoint"

    def kill(self) -> None:
        server, proxy = self.recipe
        server.kill()
        proxy.__exit__()

    def start(self) -> None:
        server, proxy = self.recipe
        server.start()
        proxy.__enter__()

    def version(self) -> str:
        return "1.56.1"


class TestMinIOSource(MinIO, Source):
    """The real server."""

    keeps_connections = True


class TestMinIOSink(MinIO, Sink):
    """The real server."""


class TestMotoSource(Moto, Source):
    """A stand-in."""


class TestMotoSink(Moto, Sink):
    """A stand-in."""


class TestAzuriteSource(Azurite, Source):
    """A stand-in."""

    keeps_connections = True


class TestAzuriteSink(Azurite, Sink):
    """A stand-in."""


class TestGoogleSource(Google, Source):
    """A stand-in."""

    keeps_connections = True


class TestGoogleSink(Google, Sink):
    """A stand-in."""
