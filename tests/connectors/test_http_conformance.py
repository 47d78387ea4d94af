"""Webhooks out, polling and lookups through the conformance suites, against a server of this process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_kit import Api, Asked, Said
from json_values import from_json, to_json

from tailrace.testing import FaultProxy
from tailrace.testing.connectors import (
    Got,
    LookupConformance,
    SinkConformance,
    SourceConformance,
    System,
    Trial,
    assert_delivered,
    needs,
)
from tailrace.testing.connectors.sinks import sent

pytestmark = pytest.mark.slow

COLUMNS = {"id": "BIGINT", "name": "STRING"}
BULK = {"sink.bulk-flush.max-actions": "1000"}
PAGE = 1000


class Http(System):
    """A server that keeps the rows of each path, and refuses those whose name is `refused`."""

    connector = "http"
    title = "HTTP"
    stand_in = "Python's http.server"
    remote = True

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        self.tables: dict[str, list[bytes]] = {}
        self.by_key: dict[tuple[str, int], list[bytes]] = {}
        self.later: Said | None = None
        self.api = Api(self._answer, options=True)
        with self.api:
            yield

    def _answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") == "Bearer wrong-secret":
            return Said(401)
        url = httpx.URL(asked.path)
        table, _, key = url.path[1:].partition("/")
        if table == "nowhere":
            return Said(404)
        if asked.method == "OPTIONS":
            return Said(204)
        if self.later is not None:
            said, self.later = self.later, None
            return said
        if asked.method == "GET":
            return self._found(table, [int(key)]) if key else self._page(table, int(url.params.get("cursor", "0")))
        if key:
            return self._found(table, [next(iter(row.values())) for row in asked.rows])
        if b'"refused"' in asked.body:
            return Said(422)
        self.tables.setdefault(table, []).extend(asked.body.splitlines())
        return Said(202)

    def _found(self, table: str, keys: Sequence[int]) -> Said:
        found = [row for key in keys for row in self.by_key.get((table, key), ())]
        return Said(200, b"[" + b",".join(found) + b"]")

    def _page(self, table: str, first: int) -> Said:
        rows = self.tables.get(table, [])[first : first + PAGE]
        following = str(first + PAGE) if len(rows) == PAGE else "null"
        return Said(200, b'{"items":[' + b",".join(rows) + f'],"next":{following}}}'.encode())

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"http://{at or self.address()}/{table}"
        return {"connector": "http", "url": url, "format": "json", "body": "lines", "timeout": "2 s"} | BULK

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        key = "k" if "k" in columns else "id"
        for row in rows:
            text = to_json(columns, row).encode()
            self.tables.setdefault(table, []).append(text)
            self.by_key.setdefault((table, row[key]), []).append(text)

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

    part = "webhook out"
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


class TestPolling(Http, SourceConformance):
    """Pages of rows that are only added to, each by its cursor."""

    part = "polling"
    endless = True
    timed = 200_000

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        pages = {"body": "array", "poll.items": "items", "poll.cursor-field": "next", "poll.interval": "50 ms"}
        return self.options(table, at) | pages | ({} if endless else {"scan.bounded": "true"})

    def missing(self, table: str) -> dict[str, str]:
        return self.source_options(table)

    def put_unreadable(self, table: str) -> None:
        self.tables.setdefault(table, []).append(b'{"id": "no number"}')

    def read_plainly(self, table: str, count: int) -> None:
        cursor, found = 0, 0
        with httpx.Client() as client:
            while found < count:
                page = client.get(f"{self.api.url}/{table}", params={"cursor": cursor}).raise_for_status().json()
                cursor, found = page["next"], found + len(page["items"])

    def test_source_that_is_asked_to_come_later(self, tmp_path: Path) -> None:
        """Retry-After is heeded: no request in between, and each row once."""
        table, got = self.new_table(COLUMNS), Got(tmp_path)
        self.fill(1, 10, table)
        trial = Trial(self.reading(table, tmp_path), tmp_path)
        trial.until(lambda: len(got) == 10, "the first rows")
        self.later = Said(429, headers={"Retry-After": "1"})
        trial.until(lambda: self.later is None, "the answer")
        self.fill(11, 20, table)
        before = len(self.api.asked)
        time.sleep(0.7)
        assert len(self.api.asked) == before, "it was asked again too early"
        trial.until(lambda: len(got) >= 20, "the other rows")
        trial.halt()
        assert_delivered(got.rows(), sent(20), "exactly-once")

    def test_source_whose_server_is_slow(self, tmp_path: Path) -> None:
        """Answers that take longer than the time-out are asked for again; slow ones are waited for."""
        table, got = self.new_table(COLUMNS), Got(tmp_path)
        self.fill(1, 3000, table)
        with FaultProxy(self.address()) as proxy:
            proxy.slow(0.1)
            trial = Trial(self.reading(table, tmp_path, proxy.address), tmp_path)
            trial.until(lambda: len(got) >= 3000, "all rows")
            assert proxy.counts.delayed, "nothing was slowed"
            proxy.slow(3.0)
            trial.until(lambda: trial.status and any(s.waiting for s in trial.status.sources), "a time-out")
            self.fill(3001, 3100, table)
            proxy.heal()
            trial.until(lambda: len(got) >= 3100, "the rows behind it")
            trial.halt()
        assert_delivered(got.rows(), sent(3100), "exactly-once")


class TestLookups(Http, LookupConformance):
    """Keys in URLs."""

    part = "by GET"
    many = 5000

    @pytest.fixture(autouse=True)
    def _columns(self) -> None:
        self.several: set[str] = set()

    def lookup_options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = self.options(table, at)
        return given | {"url": given["url"] + ("/{k}" if table in self.several else "/{id}")}

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        self.several.add(table)
        return {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}, ()

    def wrong_login(self, table: str) -> dict[str, str]:
        return self.lookup_options(table) | {"header.Authorization": "Bearer wrong-secret"}

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with httpx.Client() as client:
            for number in ids:
                client.get(f"{self.api.url}/{table}/{number}").raise_for_status()


class TestLookupsOfMany(TestLookups):
    """Many keys in the body of each request."""

    part = "by POST"
    many = 5000

    def lookup_options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = self.options(table, at)
        return given | {"url": given["url"] + "/find", "method": "POST"}

    def missing(self, table: str) -> dict[str, str]:
        return self.lookup_options(table)

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        with httpx.Client() as client:
            for number in ids:
                client.post(f"{self.api.url}/{table}/find", content=json.dumps([{"id": number}])).raise_for_status()
