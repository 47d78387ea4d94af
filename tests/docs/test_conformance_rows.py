"""The table of what was tested has a row for each role that a connector claims."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import doc_pages as docs
import pytest

from tailrace.cli.connectors import uses
from tailrace.connectors import registry

ROWS: list[dict[str, Any]] = list(json.loads((docs.DOCS / "connectors" / "conformance.json").read_text()).values())

SYSTEMS = [
    ("RabbitMQ", "rabbitmq"),
    ("Amazon Kinesis", "kinesis"),
    ("Azure Event Hubs", "eventhubs"),
    ("PostgreSQL", "jdbc"),
    ("Apache Cassandra", "cassandra"),
    ("Apache HBase", "hbase"),
    ("Apache Druid", "druid"),
    ("AWS DynamoDB", "dynamodb"),
    ("Azure Cosmos DB", "cosmosdb"),
    ("Redis", "redis"),
    ("Memcached", "memcached"),
    ("Elasticsearch", "elasticsearch"),
    ("S3", "filesystem"),
    ("Google Cloud Storage", "filesystem"),
    ("Azure Blob Storage", "filesystem"),
    ("HTTP", "http"),
]
"""The systems, by the beginning of their titles, and their connectors."""

_WHOLE = "a table is read whole, as its source reads it: no request is made for a key"
_HUBS = (
    "no server can be had: it is the connector of Kafka behind a login, which `kafka/test_eventhubs.py` tests both ways"
)
WITHOUT = {
    ("Azure Event Hubs", "source"): _HUBS,
    ("Azure Event Hubs", "sink"): _HUBS,
    ("S3", "lookup"): _WHOLE,
    ("Google Cloud Storage", "lookup"): _WHOLE,
    ("Azure Blob Storage", "lookup"): _WHOLE,
}
"""Roles that have no row, and why."""

ROLES = [(system, name, role) for system, name in SYSTEMS for role in uses(registry.get(name))]


@pytest.mark.parametrize(("system", "connector", "role"), ROLES, ids=["-".join(r) for r in ROLES])
def test_each_role_was_tested(system: str, connector: str, role: str) -> None:
    """A role that a connector claims has a row, with rates that were measured, or a reason to have none."""
    found = [r for r in ROWS if r["connector"] == connector and r["system"].startswith(system) and r["role"] == role]

    assert bool(found) != ((system, role) in WITHOUT), (
        "record it: TAILRACE_CONFORMANCE=docs/connectors/conformance.json"
    )
    assert all(r["rows_per_second"] > 0 and r["plain_rows_per_second"] > 0 for r in found)
    assert all(r["guarantee"] for r in found if role != "lookup")


def test_no_two_rows_look_alike() -> None:
    """Each row says what it is of."""
    names = Counter((r["system"], r["connector"], r["role"], r.get("part", ""), r["stand_in"]) for r in ROWS)

    assert [name for name, count in names.items() if count > 1] == []


def test_stand_ins_are_named_on_the_page() -> None:
    """What was tested on a stand-in says so on the page of its connector too."""
    for row in ROWS:
        pages = ["object-stores", row["connector"]] if row["connector"] == "filesystem" else [row["connector"]]
        text = "".join((docs.DOCS / "connectors" / f"{page}.md").read_text() for page in pages)
        assert row["stand_in"].partition(",")[0].removesuffix(" that has a change feed") in text, row
