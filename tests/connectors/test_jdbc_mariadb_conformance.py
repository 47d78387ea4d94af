"""MariaDB, as MySQL speaks, through the conformance suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

pytest.importorskip("pymysql", reason="MariaDB: the extra tailrace[jdbc] is not installed")

import pymysql
from server_kit import ByRecipe, free_ports, running

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System

STORED = {"BYTES": "blob", "FLOAT": "double", "TINYINT": "smallint", "STRING": "text", "TIME(3)": "time(6)"}


def stored(type_: str, *, key: bool = False) -> str:
    """Give MariaDB's name of a type."""
    if type_.startswith("TIMESTAMP"):
        return "datetime(6)"
    return "varchar(255)" if key and type_ == "STRING" else STORED.get(type_, type_)


class MariaDb(ByRecipe, System):
    """A server of the module's own, with a password."""

    connector = "jdbc"
    title = "MariaDB (MySQL)"
    refused_types = ("ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<a INT, b STRING>")
    remote = True
    many = 5000
    place: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        given = {"MARIADB_PORT": str(free_ports(1)), "MARIADB_PASSWORD": "right"}
        with running("mariadb", tmp_path_factory.mktemp("mariadb"), given) as (cls.recipe, said):
            cls.place = said.rpartition("@")[2].partition("/")[0]
            yield

    def address(self) -> str:
        return self.place

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"jdbc:mysql://{at or self.place}/test"
        given = {"connector": "jdbc", "url": url, "username": "tailrace", "password": "right", "table-name": table}
        return given | {"connection.max-retry-timeout": "3 s"}

    def client(self) -> pymysql.Connection[Any]:
        """Connect by the plain client."""
        host, _, port = self.place.partition(":")
        login = {"user": "tailrace", "password": "right"}
        return pymysql.connect(host=host, port=int(port), database="test", **login)

    def run(self, statement: str, rows: Sequence[Sequence[Any]] = ()) -> list[Any]:
        with self.client() as client, client.cursor() as cursor:
            if rows:
                cursor.executemany(statement, rows)
            else:
                cursor.execute(statement)
            client.commit()
            return list(cursor.fetchall())

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        declared = [f"`{n}` {stored(t, key=n in key)}" for n, t in columns.items()]
        if key:
            declared.append("PRIMARY KEY ({})".format(", ".join(f"`{n}`" for n in key)))
        self.run(f"CREATE TABLE `{table}` ({', '.join(declared)})")

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        marks = ", ".join(["%s"] * len(columns))
        values = [[_given(row[n]) for n in columns] for row in rows]
        self.run(f"INSERT INTO `{table}` VALUES ({marks})", values)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = ", ".join(f"`{n}`" for n in columns)
        found = self.run(f"SELECT {names} FROM `{table}`")
        return [{n: _read(v, t) for (n, t), v in zip(columns.items(), row, strict=True)} for row in found]

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return str(self.run("SELECT version()")[0][0]).partition("-")[0]


def _given(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _read(value: Any, type_: str) -> Any:
    """Give a value as the suite has it; the client gives times as the span since midnight."""
    if value is None:
        return None
    if type_ == "BOOLEAN":
        return bool(value)
    if isinstance(value, timedelta):
        return (datetime.min + value).time()  # noqa: DTZ901  a time of day has no zone
    return value.replace(tzinfo=UTC) if type_.startswith("TIMESTAMP_LTZ") else value


@pytest.mark.slow
class TestMariaDbSource(MariaDb, SourceConformance):
    """A table is read in the order of its key."""

    endless = True
    small: ClassVar = {"scan.fetch-size": "100"}

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        more = {"scan.poll.column": "id", "scan.poll.interval": "50 ms"} if endless else {}
        return self.options(table, at) | more

    def read_plainly(self, table: str, count: int) -> None:
        assert len(self.run(f"SELECT id, name FROM `{table}` LIMIT {count}")) == count


@pytest.mark.slow
class TestMariaDbSink(MariaDb, SinkConformance):
    """Rows and the number of their epoch are one transaction."""

    guarantee = "exactly-once"
    timed = 500_000
    upserts = True
    keeps_epochs = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.run(f"CREATE TABLE `{table}` (id bigint, name text CHECK (length(name) < 100))")
        return {"name": "x" * 200}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with self.client() as client, client.cursor() as cursor:
            for row in rows:
                cursor.execute(f"INSERT INTO `{table}` VALUES (%s, %s)", (row["id"], row["name"]))
                client.commit()


@pytest.mark.slow
class TestMariaDbLookup(MariaDb, LookupConformance):
    """Keys are asked for by what they are equal to."""

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ())
        return columns, ()

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with self.client() as client, client.cursor() as cursor:
            for i in ids:
                assert cursor.execute(f"SELECT name FROM `{table}` WHERE id = %s", (i,))
