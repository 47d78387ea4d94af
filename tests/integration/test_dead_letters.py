"""Bad rows of a topic by each policy, in each stage, and as envelopes in tables of every kind."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import script_kit as kit

from tailrace.errors import DataError, TerminalError

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

GOOD = b'{"id":1,"a":"5","ts":"2026-01-01 00:00:10"}'
SYNTAX = b"not json"
UTF8 = b'{"id":"\xff"}'
CAST = b'{"id":2,"a":"zz","ts":"2026-01-01 00:00:11"}'
NO_TIME = b'{"id":3,"a":"7"}'
FUTURE = b'{"id":4,"a":"7","ts":"9999-12-31 00:00:00"}'
NEXT = b'{"id":5,"a":"7","ts":"2026-01-01 00:01:00"}'
LATE = b'{"id":6,"a":"7","ts":"2026-01-01 00:00:01"}'

MESSAGES: list[dict[str, Any]] = [
    {"value": GOOD, "key": b"k0"},
    {"value": SYNTAX, "key": b"k1", "headers": [("h", b"\xff\x00"), ("none", None)]},
    {"value": None, "key": b"k2"},
    {"value": b""},
    {"value": CAST, "headers": [("h", "ünï".encode())]},
    {"value": NO_TIME},
    {"value": FUTURE},
    {"value": NEXT},
    {"value": LATE, "key": b"late", "headers": [("late", b"1")]},
    {"value": UTF8},
]
LETTERS = {
    (1, "decode", "syntax", "scan-events", SYNTAX, b"k1"),
    (2, "decode", "tombstone", "scan-events", None, b"k2"),
    (3, "decode", "empty", "scan-events", b"", None),
    (9, "decode", "utf-8", "scan-events", UTF8, None),
    (4, "cast", "TR220", "calc", CAST, None),
    (5, "time", "TR230", "assign-watermark", NO_TIME, None),
    (6, "future", "TR231", "assign-watermark", FUTURE, None),
    (8, "late", "TR210", "window-aggregate", LATE, b"late"),
}
COLUMNS = """job STRING, `source` STRING, `partition` STRING, `offset` BIGINT, stage STRING, operator STRING, code STRING,
  reason STRING, payload BYTES, `key` BYTES, headers {headers}, pipeline_version STRING, `time` TIMESTAMP_LTZ(3)"""
SCRIPT = """SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE dead ({columns}) WITH ({dead});
CREATE TABLE events (id BIGINT, a STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ({events});
SELECT window_end, COUNT(*) AS n, SUM(CAST(a AS INT)) AS s
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
"""


@pytest.fixture(scope="module")
def topic(kafka: str) -> str:
    """A topic with a bad row of every kind between good ones."""
    name: str = kafka_kit.new_topic(kafka)
    kafka_kit.produce(kafka, name, MESSAGES)
    return name


def script(kafka: str, topic: str, dead: str, headers: str = "MAP<STRING, BYTES>", **more: str) -> str:
    """Count the topic's rows by windows, with a table for dead letters."""
    given = {"connector": "kafka", "topic": topic, "properties__bootstrap__servers": kafka, "format": "json"}
    given |= {"scan__startup__mode": "earliest-offset", "scan__bounded__mode": "latest-offset"}
    events = kit.options(**given, tailrace__watermark__max_future="1 h", **more)
    return SCRIPT.format(columns=COLUMNS.format(headers=headers), dead=dead, events=events)


def read(kind: str, folder: Path, kafka: str, dead: str) -> list[dict[str, Any]]:
    """Read the table of dead letters by other means than our own."""
    if kind == "sqlite":
        connection = sqlite3.connect(folder / "dead.db")
        connection.row_factory = sqlite3.Row
        rows = [dict(r) for r in connection.execute("SELECT * FROM dead")]
        connection.close()
        return rows
    if kind == "parquet":
        return pl.read_parquet(folder / "dead" / "part-*.parquet").to_dicts()
    texts = [m.value() for m in kafka_kit.consume(kafka, dead)] if kind.startswith("kafka") else []
    for part in sorted((folder / "dead").glob("part-*")):
        texts += part.read_bytes().splitlines()
    rows = [json.loads(t) for t in texts]
    binary = {"payload", "key"}
    return [{k: kafka_kit.unbase64(v) if k in binary else v for k, v in row.items()} for row in rows]


@pytest.mark.parametrize("kind", ["json", "parquet", "sqlite", "kafka", "kafka in transactions"])
def test_envelopes_are_whole_in_any_table(kafka: str, topic: str, tmp_path: Path, kind: str) -> None:
    """Bytes, key, headers, position, stage, operator, code, text, job and time; and the good rows go on."""
    dead = kafka_kit.new_topic(kafka) if kind.startswith("kafka") else ""
    targets = {
        "sqlite": kit.options(connector="sqlite", path=str(tmp_path / "dead.db")),
        "json": kit.options(connector="filesystem", path=str(tmp_path / "dead"), format="json"),
        "parquet": kit.options(connector="filesystem", path=str(tmp_path / "dead"), format="parquet"),
        "kafka": kit.options(connector="kafka", topic=dead, properties__bootstrap__servers=kafka, format="json"),
    }
    target = targets[kind.split(maxsplit=1)[0]]
    if kind == "kafka in transactions":
        target += ", 'sink.delivery-guarantee' = 'exactly-once'"
    text = kind in ("sqlite", "parquet")
    policy = {"tailrace__on_error": "dead-letter", "tailrace__on_late": "dead-letter"}
    sql = script(
        kafka, topic, target, "STRING" if text else "MAP<STRING, BYTES>", **policy, tailrace__dead_letter__table="dead"
    )
    rows, summary = kit.run(sql, tmp_path / "state")
    letters = read(kind, tmp_path, kafka, dead)

    assert rows.drop("window_end").rows() == [(1, 5), (1, 7)]
    assert summary.sources[0].dead_letters == len(LETTERS) == len(letters)
    keys = ("offset", "stage", "code", "operator", "payload", "key")
    assert {tuple(x[k] for k in keys) for x in letters} == LETTERS
    assert {(x["source"], x["partition"], x["job"]) for x in letters} == {("events", f"{topic}-0", "job")}
    assert all(x["reason"] and x["pipeline_version"] and x["time"] for x in letters)
    headers = {x["offset"]: x["headers"] for x in letters}
    assert headers[8] == ("late=1" if text else {"late": "MQ=="})
    assert headers[4] == ("h=ünï" if text else {"h": "w7xuw68="})
    assert headers[1] == ("h=\ufffd\x00, none=" if text else {"h": "/wA=", "none": None})


def test_late_rows_alone_keep_their_headers_and_key(kafka: str, topic: str, tmp_path: Path) -> None:
    """`tailrace.on-late` is apart from `tailrace.on-error`; its letters are as whole."""
    dead = kit.options(connector="filesystem", path=str(tmp_path / "dead"), format="json")
    policy = {"tailrace__on_error": "drop", "tailrace__on_late": "dead-letter", "tailrace__dead_letter__table": "dead"}
    _, summary = kit.run(script(kafka, topic, dead, **policy), tmp_path / "state")
    (letter,) = read("json", tmp_path, kafka, "")

    assert (letter["stage"], letter["key"], letter["headers"]) == ("late", b"late", {"late": "MQ=="})
    counted = {"decode: syntax", "decode: tombstone", "decode: empty", "decode: utf-8", "cast: TR220"}
    assert summary.sources[0].dropped == dict.fromkeys([*counted, "time: TR230", "future: TR231"], 1)


def test_the_first_bad_row_stops_a_job_by_default(kafka: str, topic: str, tmp_path: Path) -> None:
    """The error has table, partition, offset, stage and reason, and what to do."""
    dead = kit.options(connector="filesystem", path=str(tmp_path / "dead"), format="json")
    with pytest.raises(
        DataError, match=rf"source 'events', partition '{topic}-0', offset 1: not JSON.*stage decode"
    ) as e:
        kit.run(script(kafka, topic, dead), tmp_path / "state")

    assert "'tailrace.on-error' = 'drop' or 'dead-letter'" in e.value.hint


def test_a_table_of_dead_letters_that_fails_stops_the_job(kafka: str, topic: str, tmp_path: Path) -> None:
    """D12: a letter that can't be delivered is never dropped; the job stops, and says which table it was."""
    (tmp_path / "dead").write_text("in the way")
    target = kit.options(connector="sqlite", path=str(tmp_path / "dead"))
    policy = {"tailrace__on_error": "dead-letter", "tailrace__dead_letter__table": "dead"}
    with pytest.raises(TerminalError, match="dead"):
        kit.run(script(kafka, topic, target, "STRING", **policy), tmp_path / "state")
