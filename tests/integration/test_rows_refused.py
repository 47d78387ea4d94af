"""Rows that real systems refuse go the way of their table's policy, and their neighbours are written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import kafka_kit
import pytest
import script_kit as kit

from tailrace.errors import DataError
from tailrace.runtime.summary import Summary

BIG = (17, 1000, 2999)
NULLS = (3, 4, 2001)
TWICE = {55: 54, 1555: 54}
COUNT = 3000


def rows() -> list[dict[str, Any]]:
    """Give rows of which a few are too large, without a name, or of a name that is there already."""
    made = [{"id": i, "name": f"n{i}"} for i in range(COUNT)]
    for i in BIG:
        made[i]["name"] = "x" * 5000
    for i in NULLS:
        made[i]["name"] = None
    for i, other in TWICE.items():
        made[i]["name"] = f"n{other}"
    return made


def pipeline(folder: Path, sink: dict[str, str], policy: str, columns: str = "id BIGINT, name STRING") -> Summary:
    """Run a file of rows into a table with a policy."""
    (folder / "rows.json").write_text("".join(json.dumps(r) + "\n" for r in rows()))
    given = {
        **sink,
        "tailrace.on-error": policy,
        **({"tailrace.dead-letter.table": "dead"} if policy == "dead-letter" else {}),
    }
    options = ", ".join(f"'{k}' = '{v}'" for k, v in given.items())
    _, summary = kit.run(
        f"""CREATE TABLE r (id BIGINT, name STRING) WITH ('connector' = 'filesystem', 'path' = '{folder}/rows.json', 'format' = 'json');
        CREATE TABLE dead (`source` STRING, stage STRING, operator STRING, code STRING, reason STRING, payload STRING)
        WITH ('connector' = 'sqlite', 'path' = '{folder}/dead.db');
        CREATE TABLE t ({columns}) WITH ({options});
        INSERT INTO t SELECT id, name FROM r;""",
        folder / "state",
    )
    return summary


def letters(folder: Path) -> dict[int, tuple[str, ...]]:
    """Give the dead letters by the id in their payload."""
    with closing(sqlite3.connect(folder / "dead.db")) as database:
        found = database.execute("SELECT payload, source, stage, code, reason FROM dead").fetchall()
    assert len({json.loads(p)["id"] for p, *_ in found}) == len(found)
    return {json.loads(payload)["id"]: tuple(more) for payload, *more in found}


CONSTRAINED = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (length(name) < 100))"


@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (id) NOT ENFORCED"], ids=["inserts", "upserts"])
def test_constraints_of_a_database(tmp_path: Path, key: str) -> None:
    """N16: NOT NULL, CHECK and UNIQUE of a SQLite table refuse their rows alone, each with the database's own words."""
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute(CONSTRAINED)
    sink = {"connector": "sqlite", "path": f"{tmp_path}/t.db"}
    summary = pipeline(tmp_path, sink, "dead-letter", "id BIGINT, name STRING" + key)

    found = letters(tmp_path)
    assert set(found) == {*BIG, *NULLS, *TWICE}
    assert found[BIG[0]][:3] == ("t", "sink", "constraint")
    assert "CHECK constraint failed" in found[BIG[0]][3]
    assert "NOT NULL constraint failed: t.name" in found[NULLS[0]][3]
    assert "UNIQUE constraint failed: t.name" in found[55][3]
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        got = dict(database.execute("SELECT id, name FROM t").fetchall())
    assert got == {r["id"]: r["name"] for r in rows() if r["id"] not in found}
    assert {s.table: s.rows for s in summary.sinks}["t"] == COUNT - len(found)


def test_the_first_refused_row_stops_a_job_by_default(tmp_path: Path) -> None:
    """Nothing of the epoch is written then, and the error says what the database said."""
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute(CONSTRAINED)
    with pytest.raises(Exception, match="constraint failed"):
        pipeline(tmp_path, {"connector": "sqlite", "path": f"{tmp_path}/t.db"}, "fail")
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_format_that_cannot_write_a_row(tmp_path: Path) -> None:
    """CSV without quotes has no way to write a line end: such a row alone is refused."""
    sink = {"connector": "filesystem", "path": f"{tmp_path}/out", "format": "csv"}
    sink |= {"csv.disable-quote-character": "true"}
    (tmp_path / "rows.json").write_text("")
    made = rows()
    made[77]["name"] = made[78]["name"] = "two\nlines"
    original = rows

    def odd() -> list[dict[str, Any]]:
        return made

    globals()["rows"] = odd
    try:
        summary = pipeline(tmp_path, sink, "dead-letter")
        assert {s.table: s.rows for s in summary.sinks}["t"] == COUNT - 2
        found = letters(tmp_path)
        assert set(found) == {77, 78}
        assert found[77][:3] == ("t", "sink", "encode")
        lines = [line for p in (tmp_path / "out").glob("part-*") for line in p.read_text().splitlines()]
        assert len(lines) == COUNT - 2
        with pytest.raises(DataError, match="quote character is disabled"):
            pipeline(tmp_path, sink | {"path": f"{tmp_path}/other"}, "fail")
    finally:
        globals()["rows"] = original


@pytest.mark.integration
@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
@pytest.mark.parametrize("limit", ["topic", "client"])
@pytest.mark.parametrize("policy", ["drop", "dead-letter"])
def test_messages_that_are_too_large(kafka: str, tmp_path: Path, guarantee: str, limit: str, policy: str) -> None:
    """D7, N16: a message beyond the limit of the topic or the client is refused alone; the error names the limit."""
    config: dict[str, Any] = {"max.message.bytes": "2000"} if limit == "topic" else {}
    topic = kafka_kit.new_topic(kafka, **config)
    sink = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": kafka, "format": "json"}
    sink |= {"sink.delivery-guarantee": guarantee}
    sink |= {"properties.max.request.size": "2000"} if limit == "client" else {}
    summary = pipeline(tmp_path, sink, policy)

    (t,) = (s for s in summary.sinks if s.table == "t")
    assert t.rows == COUNT - len(BIG)
    got = [json.loads(m.value()) for m in kafka_kit.consume(kafka, topic)]
    assert got == [r for r in rows() if r["id"] not in BIG]
    if policy == "drop":
        assert t.dropped == {"sink: too-large": len(BIG)}
        return
    found = letters(tmp_path)
    assert set(found) == set(BIG)
    most = "1,900" if limit == "topic" else "2,000"
    assert found[17] == (
        "t",
        "sink",
        "too-large",
        f"a message of 5,019 bytes is more than the {most} that topic '{topic}' takes",
    )


def test_not_null_of_a_table(tmp_path: Path) -> None:
    """The policy of the table that is written decides about rows with NULL where it must not be."""
    sink = {"connector": "filesystem", "path": f"{tmp_path}/out", "format": "json"}
    summary = pipeline(tmp_path, sink, "dead-letter", "id BIGINT, name STRING NOT NULL")
    found = letters(tmp_path)
    assert {i: f[2] for i, f in found.items()} == dict.fromkeys(NULLS, "not-null")
    assert {s.table: s.rows for s in summary.sinks}["t"] == COUNT - len(NULLS)


@pytest.mark.integration
def test_small_messages_of_a_small_topic(kafka: str, tmp_path: Path) -> None:
    """A topic that takes small messages only gets small batches, whatever the policy."""
    config: dict[str, Any] = {"max.message.bytes": "8000"}
    topic = kafka_kit.new_topic(kafka, **config)
    sink = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": kafka, "format": "json"}
    assert pipeline(tmp_path, sink, "fail").finished
    assert len(kafka_kit.consume(kafka, topic)) == COUNT
