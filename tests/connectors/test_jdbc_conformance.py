"""PostgreSQL through the conformance suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

pytest.importorskip("pg8000", reason="PostgreSQL: the extra tailrace[jdbc] is not installed")

import pg8000.native
from server_kit import ByRecipe, free_ports, running

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System

STORED = {"BYTES": "bytea", "DOUBLE": "double precision", "FLOAT": "real", "TINYINT": "smallint", "STRING": "text"}


def stored(type_: str) -> str:
    """Give PostgreSQL's name of a type."""
    if type_.startswith("TIMESTAMP_LTZ"):
        return "timestamptz"
    return STORED.get(type_, type_.replace("DECIMAL", "numeric"))


class Postgres(ByRecipe, System):
    """A server of the module's own, with a password."""

    connector = "jdbc"
    title = "PostgreSQL"
    refused_types = ("ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<a INT, b STRING>")
    remote = True
    place: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        given = {"POSTGRES_PORT": str(free_ports(1)), "POSTGRES_PASSWORD": "right"}
        with running("postgres", tmp_path_factory.mktemp("postgres"), given) as (cls.recipe, said):
            cls.place = said.rpartition("@")[2].partition("/")[0]
            yield

    def address(self) -> str:
        return self.place

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"jdbc:postgresql://{at or self.place}/postgres"
        given = {"connector": "jdbc", "url": url, "username": "postgres", "password": "right", "table-name": table}
        return given | {"connection.max-retry-timeout": "3 s"}

    def client(self) -> pg8000.native.Connection:
        host, _, port = self.place.partition(":")
        return pg8000.native.Connection("postgres", host, "postgres", int(port), "right")

    def run(self, statement: str, **values: Any) -> list[Any]:
        with self.client() as client:
            return client.run(statement, **values) or []

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        declared = [f'"{n}" {stored(t)}' for n, t in columns.items()]
        if key:
            declared.append("PRIMARY KEY ({})".format(", ".join(f'"{n}"' for n in key)))
        self.run(f'CREATE TABLE "{table}" ({", ".join(declared)})')

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.client() as client:
            client.run("BEGIN")
            marks = ", ".join(f"CAST(:v{i} AS {stored(t)})" for i, t in enumerate(columns.values()))
            for row in rows:
                client.run(
                    f'INSERT INTO "{table}" VALUES ({marks})', **{f"v{i}": row[n] for i, n in enumerate(columns)}
                )
            client.run("COMMIT")

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = ", ".join(f'"{n}"' for n in columns)
        return [dict(zip(columns, row, strict=True)) for row in self.run(f'SELECT {names} FROM "{table}"')]

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return str(self.run("SHOW server_version")[0][0]).partition(" ")[0]


class TestPostgresSource(Postgres, SourceConformance):
    """A table is read in the order of its key."""

    endless = True
    small: ClassVar = {"scan.fetch-size": "100"}
    many = 5000

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        more = {"scan.poll.column": "id", "scan.poll.interval": "50 ms"} if endless else {}
        return self.options(table, at) | more

    def read_plainly(self, table: str, count: int) -> None:
        assert len(self.run(f'SELECT id, name FROM "{table}" LIMIT {count}')) == count


class TestPostgresSink(Postgres, SinkConformance):
    """Rows and the number of their epoch are one transaction."""

    guarantee = "exactly-once"
    timed = 500_000
    upserts = True
    keeps_epochs = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.run(f'CREATE TABLE "{table}" (id bigint, name text CHECK (length(name) < 100))')
        return {"name": "x" * 200}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with self.client() as client:
            for row in rows:
                client.run(f'INSERT INTO "{table}" VALUES (:id, :name)', **row)


class TestPostgresLookup(Postgres, LookupConformance):
    """Keys are asked for by a join with a temporary table."""

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ())
        return columns, ()

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with self.client() as client:
            for i in ids:
                assert client.run(f'SELECT name FROM "{table}" WHERE id = :id', id=i)
