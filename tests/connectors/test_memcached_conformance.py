"""Tables in Memcached through the conformance suites, on a server that asks for a login."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("pymemcache", reason="Memcached: the extra tailrace[memcached] is not installed")

from json_values import from_json, to_json
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient
from server_kit import Recipe, free_ports, running

from tailrace.connectors import memory
from tailrace.testing.connectors import LookupConformance, SinkConformance, System
from tailrace.testing.connectors.sinks import COLUMNS
from tailrace.testing.connectors.system import gone
from tailrace.testing.connectors.trials import Trial, run

pytestmark = pytest.mark.integration

LOGIN = ("tailrace", "open-sesame")
QUICK = {
    "test_sink_carries_every_type",
    "test_sink_updates_and_deletes",
    "test_sink_refuses_a_row",
    "test_sink_check_of_a_wrong_login",
    "test_a_server_that_is_killed_forgets_what_was_written",
    "test_rows_live_as_long_as_told",
    "test_lookup_finds_rows",
    "test_lookup_gives_every_type",
}
"""What is tested in every run; the rest takes half a minute more."""


class LoggedIn(Client):  # type: ignore[misc]  # the library has no types
    """The plain client, which does not know of logins."""

    def _connect(self) -> None:
        super()._connect()
        text = " ".join(LOGIN)
        self.sock.sendall(f"set login 0 0 {len(text)}\r\n{text}\r\n".encode())
        assert self.sock.recv(100) == b"STORED\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own and its address."""
    given = {"MEMCACHED_PORT": str(free_ports(1)), "MEMCACHED_LOGIN": ":".join(LOGIN)}
    with running("memcached", tmp_path_factory.mktemp("memcached"), given) as (recipe, line):
        yield recipe, line.partition("=")[2]


class Tables(System):
    """The keys that begin with the name of a table."""

    connector = "memcached"
    title = "Memcached"
    remote = keyed = True
    many = 5000

    @pytest.fixture(autouse=True)
    def _server(self, request: pytest.FixtureRequest, server: tuple[Recipe, str]) -> Iterator[None]:
        if request.node.name not in QUICK and not os.environ.get("TAILRACE_TEST_ALL") and not self.recording:
            pytest.skip("takes long: scripts/test --all runs it")
        self.recipe, self.at = server
        host, _, port = self.at.partition(":")
        self.client = LoggedIn((host, int(port)), timeout=30, default_noreply=False)
        yield
        self.client.close()

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "memcached", "servers": at or self.at, "format": "json", "key-prefix": f"{table}:"}
        return given | {"username": LOGIN[0], "password": LOGIN[1], "timeout": "2 s"}

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        assert not self.client.set_many({f"{table}:{r['id']}": to_json(columns, r).encode() for r in rows})

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        names = [n for n in self._names() if n.startswith(f"{table}:")]
        return [from_json(columns, value) for value in self.client.get_many(names).values()]

    def _names(self) -> list[str]:
        """Give all keys, as the server's crawler lists them."""
        host, _, port = self.at.partition(":")
        text = " ".join(LOGIN)
        with socket.create_connection((host, int(port)), 30) as connection:
            lines = connection.makefile("rb")
            connection.sendall(f"set login 0 0 {len(text)}\r\n{text}\r\n".encode())
            assert lines.readline() == b"STORED\r\n"
            found: list[str] = []
            connection.sendall(b"lru_crawler metadump all\r\n")
            while (line := lines.readline()) != b"END\r\n":
                if line.startswith(b"BUSY"):
                    time.sleep(0.05)
                    connection.sendall(b"lru_crawler metadump all\r\n")
                    continue
                assert line.startswith(b"key="), line
                found.append(unquote(line.split()[0].removeprefix(b"key=").decode()))
        return found

    def address(self) -> str:
        return self.at

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"password": "wrong-secret"}

    def version(self) -> str:
        return str(self.client.version().decode())


class TestSink(Tables, SinkConformance):
    """Values by key. What `kill` leads to is shown below: the server keeps nothing over its end."""

    guarantee = "effectively-once"
    upserts = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        return {"name": "x" * 1_200_000}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.client.set(f"{table}:{row['id']}", json.dumps(row).encode())

    def test_a_server_that_is_killed_forgets_what_was_written(self, tmp_path: Path) -> None:
        """The job waits and goes on by itself; what was written before is gone, all that comes later is there."""
        table, count = self.new_table(COLUMNS), 2000
        trial = Trial(self.script(table, count, 500), tmp_path)
        trial.until(lambda: trial.epoch and self.client.get(f"{table}:1"), "a checkpoint, and a row on the server")
        self.recipe.kill()
        assert gone(self.address()), "the server was not killed"
        assert not trial.over
        self.recipe.start()
        self.client.close()
        trial.finish()
        ids = sorted(row["id"] for row in self.read(table, COLUMNS))
        assert ids, "nothing was written after the kill"
        assert ids == list(range(ids[0], count + 1)), "rows of after the kill are missing"
        assert ids[0] > 1, "the server forgot nothing: this test shows nothing"

    def test_rows_live_as_long_as_told(self, tmp_path: Path) -> None:
        """A time to live goes with each row."""
        table = self.new_table(COLUMNS)
        run(self.from_memory(table, COLUMNS, [{"id": 1, "name": "a"}], ttl="1 s"), tmp_path)
        end = time.monotonic() + 20
        while self.client.get(f"{table}:1"):
            assert time.monotonic() < end
            time.sleep(0.1)
        memory.drop(f"given-{table}")


class TestLookup(Tables, LookupConformance):
    """Values by key."""

    many = 100_000

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        for i in ids:
            assert self.client.get(f"{table}:{i}")


def test_several_servers_share_the_keys_as_the_plain_client_does(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each key is where `HashClient` looks for it; and found again."""
    port = free_ports(2)
    folders = [tmp_path_factory.mktemp("memcached") for _ in range(2)]
    with (
        running("memcached", folders[0], {"MEMCACHED_PORT": str(port)}) as (_, one),
        running("memcached", folders[1], {"MEMCACHED_PORT": str(port + 1)}) as (_, two),
    ):
        servers = ";".join(line.partition("=")[2] for line in (one, two))
        target = f"""'connector' = 'memcached', 'servers' = '{servers}', 'format' = 'json', 'key-prefix' = 'n:'"""
        script = f"""
        CREATE TABLE numbers (id BIGINT, p AS PROCTIME()) WITH ('connector' = 'datagen', 'number-of-rows' = '500',
          'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '500');
        CREATE TABLE n (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ({target});
        CREATE TABLE got (id BIGINT, name STRING) WITH ('connector' = 'memory', 'name' = 'several-servers');
        """
        run(f"{script} INSERT INTO n SELECT id, CONCAT('name ', CAST(id AS STRING)) FROM numbers;", tmp_path / "a")
        hashed = HashClient([("127.0.0.1", port), ("127.0.0.1", port + 1)], timeout=10)
        found = hashed.get_many([f"n:{i}" for i in range(1, 501)])
        assert {json.loads(v)["id"] for v in found.values()} == set(range(1, 501))
        for i in range(2):
            plain = Client(("127.0.0.1", port + i), timeout=10)
            assert 0 < len(plain.get_many([f"n:{k}" for k in range(1, 501)])) < 500
            plain.close()
        hashed.close()
        join = "numbers AS l JOIN n FOR SYSTEM_TIME AS OF l.p AS r ON l.id = r.id"
        run(f"{script} INSERT INTO got SELECT l.id, r.name FROM {join};", tmp_path / "b")
    rows = [row for frame in memory.table("several-servers").frames() for row in frame.select("id", "name").rows()]
    memory.drop("several-servers")
    assert sorted(rows) == [(i, f"name {i}") for i in range(1, 501)]
