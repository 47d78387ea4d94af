"""Indices of OpenSearch through the conformance suites."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("opensearchpy", reason="Elasticsearch: the extra tailrace[elasticsearch] is not installed")

from json_values import read_value, to_json
from opensearchpy import OpenSearch
from server_kit import ByRecipe, Recipe, free_ports, running

from tailrace.testing.connectors import LookupConformance, SinkConformance, System

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own, and its URL."""
    port = str(free_ports(2))
    with running("opensearch", tmp_path_factory.mktemp("opensearch"), {"OPENSEARCH_PORT": port}) as given:
        yield given


class Indices(ByRecipe, System):
    """An index for each table."""

    connector = "elasticsearch"
    title = "Elasticsearch, OpenSearch"
    remote = True
    many = 20_000
    refused_types = ()

    @pytest.fixture(autouse=True)
    def _server(self, opensearch: tuple[Recipe, str]) -> Iterator[None]:
        self.recipe, self.url = opensearch
        self.client = OpenSearch(self.url, timeout=60)
        yield
        self.client.close()

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        hosts = f"http://{at}" if at else self.url
        return {"connector": "opensearch", "hosts": hosts, "index": table, "connection.request-timeout": "5 s"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Indices make themselves, but for lookups in those that were never written."""

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        self.client.indices.refresh(index=table)
        found: list[dict[str, Any]] = []
        text = _raw(f"{self.url}/{table}/_search?scroll=1m", {"size": 10_000, "query": {"match_all": {}}})
        while hits := (answer := json.loads(text, parse_float=Decimal))["hits"]["hits"]:
            found += [{n: read_value(h["_source"].get(n), t) for n, t in columns.items()} for h in hits]
            text = _raw(f"{self.url}/_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
        return found

    def address(self) -> str:
        return self.url.removeprefix("http://")

    def version(self) -> str:
        return str(self.client.info()["version"]["number"])


def _raw(url: str, body: Mapping[str, Any]) -> str:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310  ours
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  ours
        return str(answer.read().decode())


class TestSink(Indices, SinkConformance):
    """Documents without a key of their own are added."""

    part = "added"
    guarantee = "at-least-once"

    def make_refusing(self, table: str) -> dict[str, Any]:
        fields = {"id": {"type": "long"}, "name": {"type": "keyword"}}
        self.client.indices.create(index=table, body={"mappings": {"properties": fields}})
        return {"name": "x" * 40_000}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table) | {"tailrace.create-index": "false"}

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.client.index(index=table, body=dict(row))


class TestKeyedSink(TestSink):
    """Documents are replaced and deleted by the id that the key gives."""

    part = "by id"
    guarantee = "effectively-once"
    keyed = upserts = True


class TestLookup(Indices, LookupConformance):
    """Documents by their id, or by a column."""

    keyed = True

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        types = {"BIGINT": "long", "STRING": "keyword"}
        fields = {n: {"type": types[t]} for n, t in columns.items() if n in ("id", "k")}
        self.client.indices.create(index=table, body={"mappings": {"dynamic": False, "properties": fields}})

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        lines = [f'{{"index":{{"_id":"{r["id"]}"}}}}\n{to_json(columns, r, "T")}\n' for r in rows]
        answer = self.client.bulk(index=table, body="".join(lines), params={"refresh": "true"})
        assert not answer["errors"], answer

    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        columns = {"id": "BIGINT", "k": "BIGINT", "name": "STRING"}
        self.make(table, columns, ("id",))
        return columns, ("id",)

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        for i in ids:
            assert self.client.get(index=table, id=str(i))["found"]
