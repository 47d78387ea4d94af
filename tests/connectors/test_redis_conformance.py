"""Tables in Redis through the conformance suites, on a server that asks for a password and syncs each write."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")

import redis
from json_values import from_json, read_value, to_json
from server_kit import Recipe, free_ports, running

from tailrace.errors import TerminalError
from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, System
from tailrace.testing.connectors.trials import run

pytestmark = pytest.mark.integration

PASSWORD = "open-sesame"  # noqa: S105  of this test's server
QUICK = {
    "test_sink_carries_every_type",
    "test_sink_refuses_a_row",
    "test_sink_check_of_a_wrong_login",
    "test_lookup_gives_every_type",
    "test_a_key_of_another_kind_ends_the_job",
    "test_source_with_a_row_that_cannot_be_read",
}
"""What is tested in every run; the rest takes some minutes more."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own, which keeps what it has confirmed over a kill, and its address."""
    given = {"REDIS_PORT": str(free_ports(1)), "REDIS_PASSWORD": PASSWORD, "REDIS_APPEND": "yes"}
    with running("redis", tmp_path_factory.mktemp("redis"), given) as (recipe, line):
        yield recipe, line.rpartition("//")[2].removesuffix("/0")


class Keys(System):
    """The keys that begin with the name of a table."""

    connector = "redis"
    title = "Redis"
    remote = keyed = True
    many = 5000

    @pytest.fixture(autouse=True)
    def _server(self, request: pytest.FixtureRequest, server: tuple[Recipe, str]) -> Iterator[None]:
        if request.node.name not in QUICK and not os.environ.get("TAILRACE_TEST_ALL") and not self.recording:
            pytest.skip("takes long: scripts/test --all runs it")
        self.recipe, self.at = server
        self.client: Any = redis.Redis.from_url(f"redis://{self.at}/0", password=PASSWORD, protocol=2)
        yield
        self.client.close()

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "redis", "url": f"redis://{at or self.at}/0", "password": PASSWORD, "timeout": "2 s"}
        return given | self.layout(table)

    def layout(self, table: str) -> dict[str, str]:
        """Give the options that say what a row is."""
        return {"data-type": "string", "format": "json", "key-prefix": f"{table}:"}

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for row in rows:
            pipeline.set(f"{table}:{row['id']}", to_json(columns, row))
        pipeline.execute()

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = self.client.keys(f"{table}:*")
        return [from_json(columns, value) for value in self.client.mget(names)] if names else []

    def address(self) -> str:
        return self.at

    def kill(self) -> None:
        self.recipe.kill()

    def start(self) -> None:
        self.recipe.start()
        end = time.monotonic() + 30
        while True:  # it answers while it still loads
            try:
                self.client.dbsize()
            except redis.exceptions.RedisError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def version(self) -> str:
        return str(self.client.info("server")["redis_version"])


class Hashes(Keys):
    """A hash with the texts of its columns."""

    refused_types = ("ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<a INT, b STRING>")

    def layout(self, table: str) -> dict[str, str]:
        return {"data-type": "hash", "key-prefix": f"{table}:"}

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for row in rows:
            fields = {
                n: _text(v) for n, v in json.loads(to_json(columns, row), parse_float=str).items() if v is not None
            }
            fields |= {n: row[n] for n, t in columns.items() if t == "BYTES" and row[n] is not None}
            pipeline.hset(f"{table}:{row['id']}", mapping=fields)
        pipeline.execute()

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = [n for n in self.client.keys(f"{table}:*") if self.client.type(n) in (b"hash", "hash")]
        found = [self.client.hgetall(n) for n in names]
        return [{n: _value(h.get(n.encode()), t) for n, t in columns.items()} for h in found]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(given: bytes | None, type_: str) -> Any:
    if given is None or type_ == "BYTES":
        return given
    text = given.decode()
    if type_ == "BOOLEAN":
        return {"true": True, "false": False}[text]
    return int(text) if type_.endswith("INT") else read_value(text, type_)


class Streams(Keys):
    """Entries of a stream."""

    keyed = False

    def layout(self, table: str) -> dict[str, str]:
        return {"data-type": "stream", "stream": table, "format": "json"}

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for row in rows:
            pipeline.xadd(table, {"value": to_json(columns, row)})
        pipeline.execute()

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return [from_json(columns, fields[b"value"]) for _, fields in self.client.xrange(table)]


@pytest.mark.slow
class TestStringSink(Keys, SinkConformance):
    """Values by key, in a format."""

    part = "strings"
    guarantee = "effectively-once"
    upserts = True

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.client.set(f"{table}:{row['id']}", json.dumps(row))


class TestHashSink(Hashes, SinkConformance):
    """Hashes by key; where something else stands at a key, its row is refused."""

    part = "hashes"
    guarantee = "effectively-once"
    upserts = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.client.set(f"{table}:7", "no hash")
        return {"name": "refused"}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.client.hset(f"{table}:{row['id']}", mapping=dict(row))


class TestStreamSink(Streams, SinkConformance):
    """Entries are added; after a crash some come again."""

    part = "streams"
    guarantee = "at-least-once"

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.client.xadd(table, {"value": json.dumps(row)})


class TestStreamSource(Streams, SourceConformance):
    """The id of an entry is the position."""

    part = "streams"
    endless = True

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        return self.options(table, at) | ({} if endless else {"scan.bounded": "true"})

    def put_unreadable(self, table: str) -> None:
        self.client.xadd(table, {"value": "no json"})

    def read_plainly(self, table: str, count: int) -> None:
        last, read = b"0-0", 0
        while read < count:
            ((_, entries),) = self.client.xread({table: last}, count=1)
            for number, fields in entries:
                json.loads(fields[b"value"])
                last, read = number, read + 1


@pytest.mark.slow
class TestStringLookup(Keys, LookupConformance):
    """Values by key."""

    part = "strings"
    many = 100_000

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        for i in ids:
            assert self.client.get(f"{table}:{i}")


class TestHashLookup(Hashes, LookupConformance):
    """Hashes by key."""

    part = "hashes"
    many = 100_000

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        for i in ids:
            assert self.client.hgetall(f"{table}:{i}")

    def test_a_key_of_another_kind_ends_the_job(self, tmp_path: Path) -> None:
        """As an error that does not go away, and says what is wrong."""
        table = self.filled([1])
        self.client.set(f"{table}:2", "no hash")
        self.ask(table, [1, 2])
        with pytest.raises(TerminalError, match="WRONGTYPE"):
            run(self.joining(table, tmp_path), tmp_path)


@pytest.mark.slow
class TestSetLookup(Keys, LookupConformance):
    """Elements of sets: a key has several rows."""

    part = "sets"
    keyed = False

    def layout(self, table: str) -> dict[str, str]:
        column = "k" if table.startswith("several") else "id"
        return {"data-type": "set", "format": "json", "key-prefix": f"{table}:", "key-columns": column}

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        return {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}, ()

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for row in rows:
            key = row["k"] if table.startswith("several") else row["id"]
            pipeline.sadd(f"{table}:{key}", to_json(columns, row))
        pipeline.execute()
