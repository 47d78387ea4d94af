"""Tables of Cassandra through the conformance suites."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cassandra", reason="Cassandra: the extra tailrace[cassandra] is not installed")

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable, Session
from server_kit import Recipe, free_ports, running

from tailrace.connectors import memory
from tailrace.testing.connectors import LookupConformance, SinkConformance, System
from tailrace.testing.connectors.sinks import COLUMNS
from tailrace.testing.connectors.trials import run

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LOGIN = "cassandra"
CQL = {"STRING": "text", "BYTES": "blob", "ARRAY<INT>": "list<int>", "ARRAY<STRING>": "list<text>"}
CQL |= {"MAP<STRING, INT>": "map<text, int>"}


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str, Session]]:
    """Give a server of the module's own that asks for a login, its address, and a session of the plain client."""
    given = {"CASSANDRA_PORT": str(free_ports(4)), "CASSANDRA_LOGIN": "true"}
    with running("cassandra", tmp_path_factory.mktemp("cassandra"), given) as (recipe, address):
        session = connected(address)
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        session.execute(f"CREATE KEYSPACE rows WITH replication = {replication}")
        yield recipe, address, session
        session.cluster.shutdown()


def connected(address: str) -> Session:
    """Connect, once the server has made its first user."""
    host, _, port = address.partition(":")
    end = time.monotonic() + 60
    while True:
        cluster = Cluster([host], int(port), auth_provider=PlainTextAuthProvider(LOGIN, LOGIN))
        try:
            return cluster.connect()
        except NoHostAvailable:
            cluster.shutdown()
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


class Tables(System):
    """A table of the keyspace for each table."""

    connector = "cassandra"
    title = "Apache Cassandra"
    remote = keyed = True
    many = 5000
    refused_types = ("TIMESTAMP(6)", "ROW<a INT, b STRING>")
    other_values = {"ARRAY<INT>": ([1, 2], [3]), "MAP<STRING, INT>": ({"a": 1, "b": 2},)}  # noqa: RUF012  as in the base

    @pytest.fixture(autouse=True)
    def _server(self, cassandra: tuple[Recipe, str, Session]) -> None:
        self.recipe, self.at, self.session = cassandra

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "cassandra", "contact-points": at or self.at, "keyspace": "rows", "table-name": table}
        return given | {"username": LOGIN, "password": LOGIN, "request-timeout": "2 s"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        declared = ", ".join(f"{n} {CQL.get(t, t.partition('(')[0].lower())}" for n, t in columns.items())
        declared = declared.replace("timestamp_ltz", "timestamp")
        self.session.execute(f"CREATE TABLE rows.{table} ({declared}, PRIMARY KEY ({', '.join(key)}))")

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        statement = self.session.prepare(f"INSERT INTO rows.{table} ({', '.join(columns)}) VALUES ({marks})")
        for future in [self.session.execute_async(statement, [r[n] for n in columns]) for r in rows]:
            future.result()

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = self.session.execute(f"SELECT {', '.join(columns)} FROM rows.{table}", timeout=60)
        return [{n: _value(v, t) for v, (n, t) in zip(r, columns.items(), strict=True)} for r in rows]

    def address(self) -> str:
        return self.at

    def kill(self) -> None:
        self.recipe.kill()

    def start(self) -> None:
        self.recipe.start()
        connected(self.at).cluster.shutdown()
        end = time.monotonic() + 60
        while not any(h.is_up for h in self.session.cluster.metadata.all_hosts()):
            assert time.monotonic() < end
            time.sleep(0.1)

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return str(self.session.execute("SELECT release_version FROM system.local").one()[0])


def _value(value: Any, type_: str) -> Any:
    if value is None:
        return None
    if type_ == "DATE":
        return value.date()
    if type_.startswith("TIME("):
        return value.time()
    if type_.startswith("TIMESTAMP_LTZ"):
        return value.replace(tzinfo=UTC)
    return dict(value) if type_.startswith("MAP") else value


class TestSink(Tables, SinkConformance):
    """Rows by key."""

    guarantee = "effectively-once"
    upserts = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {"id": "BIGINT", "name": "STRING"}, ("id",))
        self.session.execute(f"CREATE INDEX ON rows.{table} (name)")
        return {"name": "x" * 70_000}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        statement = self.session.prepare(f"INSERT INTO rows.{table} (id, name) VALUES (?, ?)")
        for row in rows:
            self.session.execute(statement, (row["id"], row["name"]))

    def test_older_rows_change_nothing(self, tmp_path: Path) -> None:
        """With the time of the event as that of the write, a replay and a second pipeline with older rows are harmless."""
        columns = {"id": "BIGINT", "name": "STRING", "seen": "TIMESTAMP(3)"}
        table = self.new_table(columns)
        for minute, name in ((5, "new"), (3, "old"), (5, "new")):
            row = {"id": 1, "name": name, "seen": datetime(2026, 1, 1, 0, minute)}
            given = self.from_memory(table, columns, [row], write_timestamp_column="seen")
            run(given, tmp_path / f"{name}{minute}")
            memory.drop(f"given-{table}")
        assert [r["name"] for r in self.read(table, columns)] == ["new"]

    def test_rows_live_as_long_as_told(self, tmp_path: Path) -> None:
        """The time to live is with each cell."""
        table = self.new_table(COLUMNS)
        run(self.from_memory(table, COLUMNS, [{"id": 1, "name": "a"}], ttl="1 h"), tmp_path)
        (left,) = self.session.execute(f"SELECT TTL(name) FROM rows.{table}").one()
        assert 3000 < left <= 3600

    def test_a_table_that_is_made(self, tmp_path: Path) -> None:
        """With types and key as declared."""
        table = f"made{time.monotonic_ns()}"
        run(self.from_memory(table, COLUMNS, [{"id": 1, "name": "a"}], tailrace__create_table="true"), tmp_path)
        assert self.read(table, COLUMNS) == [{"id": 1, "name": "a"}]

    def test_a_key_that_is_another(self, tmp_path: Path) -> None:
        """`check` says that the key is not that of the table."""
        table = self.new_table({"id": "BIGINT", "name": "STRING"}, ("name", "id"))
        report = self.check(table, self.options(table), tmp_path)
        assert not report.ok
        assert "primary key (name, id)" in report.message


class TestLookup(Tables, LookupConformance):
    """Rows by key, or by the partition key alone."""

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ("k", "id"))
        return columns, ("k", "id")

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        statement = self.session.prepare(f"SELECT name FROM rows.{table} WHERE id = ?")
        for i in ids:
            assert self.session.execute(statement, (i,)).one()
