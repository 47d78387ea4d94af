"""Webhooks out and lookups through the conformance suites, against a server of this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_kit import Api, Asked, Said
from json_values import from_json, to_json

from tailrace.testing import FaultProxy
from tailrace.testing.connectors import LookupConformance, SinkConformance, System, Trial, assert_delivered, needs
from tailrace.testing.connectors.sinks import sent

pytestmark = pytest.mark.slow

COLUMNS = {"id": "BIGINT", "name": "STRING"}
BULK = {"sink.bulk-flush.max-actions": "1000"}


class Http(System):
    """A server that keeps the rows of each path, and refuses those whose name is `refused`."""

    connector = "http"
    title = "HTTP"
    stand_in = "Python's http.server"
    remote = True

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        self.tables: dict[str, list[bytes]] = {}
        self.keys: set[str] = set()
        self.api = Api(self._answer, options=True)
        with self.api:
            yield

    def _answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") == "Bearer wrong-secret":
            return Said(401)
        table, _, key = asked.path[1:].partition("/")
        if table == "nowhere":
            return Said(404)
        if asked.method == "OPTIONS":
            return Said(204)
        if asked.method == "GET":
            found = [row for row in self.tables.get(table, ()) if from_json({"id": "BIGINT"}, row)["id"] == int(key)]
            return Said(200, b"[" + b",".join(found) + b"]")
        if b'"refused"' in asked.body:
            return Said(422)
        self.tables.setdefault(table, []).extend(asked.body.splitlines())
        return Said(202)

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"http://{at or self.address()}/{table}"
        return {"connector": "http", "url": url, "format": "json", "body": "lines", "timeout": "2 s"} | BULK

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.tables.setdefault(table, []).extend(to_json(columns, row).encode() for row in rows)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return [from_json(columns, row) for row in self.tables.get(table, ())]

    def address(self) -> str:
        return f"127.0.0.1:{self.api.port}"

    def kill(self) -> None:
        self.api.__exit__()

    def start(self) -> None:
        self.api.__enter__()

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.options(table) | {"header.Authorization": "Bearer wrong-secret"}

    def version(self) -> str:
        return "1.1"


class TestWebhook(Http, SinkConformance):
    """Rows that go out."""

    guarantee = "at-least-once"

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def make_refusing(self, table: str) -> dict[str, Any]:
        return {"name": "refused"}

    @needs("read", "address")
    def test_sink_that_is_slow(self, tmp_path: Path) -> None:
        """As the suite's, with more rows: a few thousand are one batch of its source, for which nothing has to wait."""
        table, count = self.new_table(COLUMNS), 100_000
        with FaultProxy(self.address()) as proxy:
            proxy.slow(0.02)
            trial = Trial(self.script(table, count, at=proxy.address), tmp_path)
            trial.finish()
            delayed = proxy.counts.delayed
        status = trial.status
        assert delayed
        assert status is not None
        assert sum(s.waited for s in status.sinks), "the engine never waited for the sink"
        assert_delivered(self.read(table, COLUMNS), sent(count), "at-least-once")

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        with httpx.Client() as client:
            for row in rows:
                body = to_json({"id": "BIGINT", "name": "STRING"}, row)
                client.post(f"{self.api.url}/{table}", content=body).raise_for_status()


class TestLookups(Http, LookupConformance):
    """Keys in URLs."""

    many = 500

    def lookup_options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = self.options(table, at)
        return given | {"url": given["url"] + "/{id}"}

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.lookup_options(table) | {"header.Authorization": "Bearer wrong-secret"}

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with httpx.Client() as client:
            for number in ids:
                client.get(f"{self.api.url}/{table}/{number}").raise_for_status()
