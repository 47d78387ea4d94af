"""Topics whose messages say what stands at their key, on a real broker: read, written, exactly once, and what is refused."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from script_kit import Running, options, run

from tailrace.errors import ConfigError, DataError

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

COLUMNS = "id BIGINT, name STRING, n BIGINT, PRIMARY KEY (id) NOT ENFORCED"
JSON = {"key.format": "json", "value.format": "json"}
Standing = dict[str, Any]


def upserts(kafka: str, topic: str, name: str, columns: str = COLUMNS, **more: str) -> str:
    """Declare a table of the connector."""
    given = {"connector": "upsert-kafka", "topic": topic, "properties.bootstrap.servers": kafka, **JSON}
    return f"CREATE TABLE {name} ({columns}) WITH ({options(**(given | {k.replace('__', '.').replace('_', '-'): v for k, v in more.items()}))});\n"


def sqlite(folder: Path, columns: str = COLUMNS) -> str:
    """Declare a table of a database."""
    given = {"connector": "sqlite", "path": str(folder / "out.db"), "tailrace.create-table": "true"}
    return f"CREATE TABLE kept ({columns}) WITH ({options(**given)});\n"


def kept(folder: Path) -> list[tuple[Any, ...]]:
    """Give the rows of the database."""
    with sqlite3.connect(folder / "out.db") as connection:
        return sorted(connection.execute("SELECT * FROM kept"))


def changes(folder: Path, rows: list[tuple[Standing | None, Standing | None]]) -> str:
    """Write changes into a file, and declare its table."""
    kinds = {(True, False): "d", (False, True): "c", (True, True): "u"}
    texts = [json.dumps({"before": b, "after": a, "op": kinds[b is not None, a is not None]}) for b, a in rows]
    (folder / "changes.json").write_text("".join(t + "\n" for t in texts))
    given = {"connector": "filesystem", "path": str(folder / "changes.json"), "format": "debezium-json"}
    return f"CREATE TABLE changes ({COLUMNS}) WITH ({options(**given)});\n"


def message(key: Any, value: Any, partition: int = 0) -> dict[str, Any]:
    """Give a message; `value` None is a tombstone."""
    return {"key": json.dumps(key), "value": None if value is None else json.dumps(value), "partition": partition}


def standing(kafka: str, topic: str) -> dict[str, Any]:
    """Give what stands in a topic at last, by key, as a compacted topic would keep it."""
    found: dict[str, Any] = {}
    for m in kafka_kit.consume(kafka, topic):
        found[m.key().decode()] = None if m.value() is None else json.loads(m.value())
    return {k: v for k, v in found.items() if v is not None}


def row(number: int, name: str | None, n: int | None) -> Standing:
    """Give a row."""
    return {"id": number, "name": name, "n": n}


def put_through(text: str, state: Path, count: int) -> None:
    """Run a script until it has read so many messages, and stop it."""
    running = Running(text, state)
    running.until(lambda: running.read >= count)
    running.stop()


BOUNDED = {"scan.bounded.mode": "latest-offset"}


def test_the_last_message_of_a_key_is_its_row(kafka: str, tmp_path: Path) -> None:
    topic = kafka_kit.new_topic(kafka, 2)
    sent = [
        message({"id": 1}, row(1, "a", 1)),
        message({"id": 2}, row(2, "b", 2), 1),
        message({"id": 3}, None),
        message({"id": 1}, row(1, "c", None)),
        message({"id": 2}, None, 1),
        message({"id": 4}, row(4, None, 4), 1),
    ]
    kafka_kit.produce(kafka, topic, sent)
    text = upserts(kafka, topic, "t", **BOUNDED) + sqlite(tmp_path) + "INSERT INTO kept SELECT * FROM t;"
    run(text)
    assert kept(tmp_path) == [(1, "c", None), (4, None, 4)]


def test_aggregates_take_back_what_was_replaced(kafka: str) -> None:
    topic = kafka_kit.new_topic(kafka, 1)
    sent = [message({"id": i % 5}, row(i % 5, "x" if i % 2 else "y", i)) for i in range(100)]
    kafka_kit.produce(kafka, topic, [*sent, message({"id": 0}, None), message({"id": 9}, None)])
    rows, _ = run(
        upserts(kafka, topic, "t", **BOUNDED) + "SELECT name, SUM(n) AS s, COUNT(*) AS c FROM t GROUP BY name;"
    )
    last: dict[tuple[Any, ...], int] = {}
    for r in rows.iter_rows(named=True):
        last[r["name"], r["s"], r["c"]] = last.get((r["name"], r["s"], r["c"]), 0) + (1 if r["$kind"] in (0, 2) else -1)
    # of the keys 1 to 4 the numbers 96 to 99 stand
    assert {k for k, n in last.items() if n} == {("y", 96 + 98, 2), ("x", 97 + 99, 2)}


def test_a_key_apart_from_the_value(kafka: str, tmp_path: Path) -> None:
    """With a prefix and EXCEPT_KEY the key's columns are in the key alone, read and written."""
    columns = "k_id BIGINT, name STRING, k_sub STRING, PRIMARY KEY (k_id, k_sub) NOT ENFORCED"
    apart = {"key.fields-prefix": "k_", "value.fields-include": "EXCEPT_KEY"} | BOUNDED
    topic = kafka_kit.new_topic(kafka, 1)
    written = upserts(kafka, topic, "t", columns, **apart)
    run(written + "INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y'), (1, 'c', 'x');")
    messages = [(m.key(), m.value()) for m in kafka_kit.consume(kafka, topic)]
    assert messages[0] == (b'{"id":1,"sub":"x"}', b'{"name":"a"}')
    kafka_kit.produce(kafka, topic, [message({"id": 2, "sub": "y"}, None)])
    run(written + sqlite(tmp_path, columns) + "INSERT INTO kept SELECT * FROM t;")
    assert kept(tmp_path) == [(1, "c", "x")]


def test_updates_and_tombstones(kafka: str, tmp_path: Path) -> None:
    """No message for the row before an update; a deletion is a message without a value, with its key."""
    topic = kafka_kit.new_topic(kafka, 1)
    one, two, other = row(1, "a", 1), row(1, "b", None), row(2, None, 2)
    given = changes(tmp_path, [(None, one), (one, two), (None, other), (other, None)])
    run(given + upserts(kafka, topic, "t") + "INSERT INTO t SELECT * FROM changes;")
    found = [(m.key(), m.value()) for m in kafka_kit.consume(kafka, topic)]
    assert found == [
        (b'{"id":1}', b'{"id":1,"name":"a","n":1}'),
        (b'{"id":1}', b'{"id":1,"name":"b","n":null}'),
        (b'{"id":2}', b'{"id":2,"name":null,"n":2}'),
        (b'{"id":2}', None),
    ]


def test_a_buffer_writes_the_last_of_each_key(kafka: str, tmp_path: Path) -> None:
    topic = kafka_kit.new_topic(kafka, 1)
    rows = [row(i % 3, "a", i) for i in range(60)]
    given = changes(tmp_path, [(None, r) for r in rows])
    buffered = {"sink.buffer-flush.max-rows": "1000", "sink.buffer-flush.interval": "1 min"}
    run(given + upserts(kafka, topic, "t", **buffered) + "INSERT INTO t SELECT * FROM changes;")
    assert [json.loads(m.value())["n"] for m in kafka_kit.consume(kafka, topic)] == [57, 58, 59]


def test_the_row_of_a_key_that_is_not_the_querys_own(kafka: str, tmp_path: Path) -> None:
    """By name several rows stand at one key; when the last one goes, the one before it comes back."""
    topic = kafka_kit.new_topic(kafka, 1)
    one, two = row(1, "a", 1), row(2, "a", 2)
    given = changes(tmp_path, [(None, one), (None, two), (two, row(2, "b", 2))])
    columns = "id BIGINT, name STRING, n BIGINT, PRIMARY KEY (name) NOT ENFORCED"
    run(given + upserts(kafka, topic, "t", columns) + "INSERT INTO t SELECT * FROM changes;")
    assert standing(kafka, topic) == {'{"name":"a"}': one, '{"name":"b"}': row(2, "b", 2)}


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
@pytest.mark.parametrize("policy", ["drop", "dead-letter"])
def test_a_row_that_is_too_large_is_refused_alone(kafka: str, tmp_path: Path, guarantee: str, policy: str) -> None:
    """It is that row, also where rows before it are not sent; the deletion of a large row is a small message."""
    config: dict[str, Any] = {"max.message.bytes": "2000"}
    topic = kafka_kit.new_topic(kafka, 1, **config)
    one, two, large, stood = row(1, "a", 1), row(1, "b", 2), row(2, "x" * 5000, 3), row(3, "y" * 5000, 4)
    given = changes(tmp_path, [(None, one), (one, two), (None, large), (two, one), (stood, None)])
    more = {"sink.delivery-guarantee": guarantee, "tailrace.on-error": policy, "tailrace.max-error-share": "1"}
    if policy == "dead-letter":
        more["tailrace.dead-letter.table"] = "dead"
        given += "CREATE TABLE dead (code STRING, payload STRING) WITH "
        given += f"('connector' = 'sqlite', 'path' = '{tmp_path}/dead.db', 'tailrace.create-table' = 'true');\n"
    _, summary = run(given + upserts(kafka, topic, "t", **more) + "INSERT INTO t SELECT * FROM changes;")
    found = [(m.key(), None if m.value() is None else json.loads(m.value())) for m in kafka_kit.consume(kafka, topic)]
    assert found == [(b'{"id":1}', one), (b'{"id":1}', two), (b'{"id":1}', one), (b'{"id":3}', None)]
    if policy == "drop":
        assert [dict(s.dropped) for s in summary.sinks] == [{"sink: too-large": 1}]
        return
    with sqlite3.connect(tmp_path / "dead.db") as connection:
        ((code, payload),) = connection.execute("SELECT code, payload FROM dead")
    assert (code, json.loads(payload)["id"]) == ("too-large", 2)


def test_exactly_once_over_restarts(kafka: str, tmp_path: Path) -> None:
    """From topic to topic, stopped and started again: each change is written once, in one transaction a checkpoint."""
    source, sink = kafka_kit.new_topic(kafka, 2), kafka_kit.new_topic(kafka, 2)
    text = "SET 'execution.checkpointing.interval' = '200 ms';\n" + upserts(kafka, source, "s")
    text += upserts(kafka, sink, "t", **{"sink.delivery-guarantee": "exactly-once"})
    text += "INSERT INTO t SELECT id, name, n + 1 FROM s;"
    total = 0
    for part in range(3):
        sent = [message({"id": i}, None if (i + part) % 4 == 0 else row(i, "x", part), i % 2) for i in range(200)]
        kafka_kit.produce(kafka, source, sent)
        total += len(sent)
        put_through(text, tmp_path, len(sent))
    want = {f'{{"id":{i}}}': row(i, "x", 3) for i in range(200) if (i + 2) % 4}
    assert standing(kafka, sink) == want
    written = kafka_kit.consume(kafka, sink)
    # a deletion where nothing stands gives nothing
    nothing = 50
    assert len(written) == total - nothing


def test_a_message_without_a_key(kafka: str) -> None:
    topic = kafka_kit.new_topic(kafka, 1)
    kafka_kit.produce(kafka, topic, [{"value": b'{"id": 1}'}, message({"id": 2}, row(2, "a", 1))])
    with pytest.raises(DataError, match="the row has no key"):
        run(upserts(kafka, topic, "t", **BOUNDED) + "SELECT id FROM t;")
    dropped = upserts(kafka, topic, "t", **BOUNDED, **{"tailrace.on-error": "drop"})
    rows, summary = run(dropped + "SELECT id FROM t;")
    assert rows["id"].to_list() == [2]
    assert [dict(s.dropped) for s in summary.sources] == [{"decode: missing": 1}]


@pytest.mark.parametrize(
    ("columns", "more", "message"),
    [
        ("id BIGINT, n BIGINT", {}, "needs a PRIMARY KEY"),
        (COLUMNS, {"value.format": "debezium-json"}, "takes rows that are there or not"),
        (COLUMNS, {"scan.startup.mode": "latest-offset"}, "has no option 'scan.startup.mode'"),
        (COLUMNS, {"key.fields": "id"}, "has no option 'key.fields'"),
        (COLUMNS, {"format": "json"}, "has no option 'format'"),
        (COLUMNS, {"key.fields-prefix": "k_"}, "needs values without the key's columns"),
        (COLUMNS, {"sink.buffer-flush.max-rows": "10"}, "go together"),
    ],
)
def test_what_is_refused(columns: str, more: dict[str, str], message: str) -> None:
    text = upserts("localhost:1", "t", "t", columns, **more)
    statement = "INSERT INTO t VALUES (1, 'a', 2);" if "name" in columns else "SELECT * FROM t;"
    with pytest.raises(ConfigError, match=message):
        run(text + statement)


def test_changes_on_a_topic(kafka: str) -> None:
    """A topic of Debezium's, with the metadata of its envelopes and of the messages; tombstones are left out."""
    topic = kafka_kit.new_topic(kafka, 1)
    one, two = row(1, "a", 1), row(1, "b", 2)
    source = {"db": "shop", "table": "orders", "ts_ms": 1_500}
    sent: list[Any] = [
        {"before": None, "after": one, "op": "c", "source": source, "ts_ms": 2_000},
        {"before": one, "after": two, "op": "u", "source": source, "ts_ms": 2_001},
        None,
        {"before": two, "after": None, "op": "d", "source": source, "ts_ms": 2_002},
        {"before": None, "after": row(2, "c", 3), "op": "r", "source": source, "ts_ms": 2_003},
    ]
    kafka_kit.produce(kafka, topic, [message({"id": 1}, m) for m in sent])
    given = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": kafka, "format": "debezium-json"}
    given |= {"scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"}
    columns = """id BIGINT, name STRING, n BIGINT, place BIGINT METADATA FROM 'offset' VIRTUAL,
      shop STRING METADATA FROM 'value.source.database' VIRTUAL,
      at TIMESTAMP_LTZ(3) METADATA FROM 'value.ingestion-timestamp' VIRTUAL, PRIMARY KEY (id) NOT ENFORCED"""
    text = f"CREATE TABLE t ({columns.replace(' at ', ' `at` ')}) WITH ({options(**given)});\n"
    rows, _ = run(text + "SELECT id, name, place, shop, EXTRACT(SECOND FROM `at`) AS s FROM t;")
    assert rows.rows() == [
        (1, "a", 0, "shop", 2, 0),
        (1, "a", 1, "shop", 2, 1),
        (1, "b", 1, "shop", 2, 2),
        (1, "b", 3, "shop", 2, 3),
        (2, "c", 4, "shop", 2, 0),
    ]


def test_changes_into_a_topic(kafka: str, tmp_path: Path) -> None:
    """A result that updates goes into a topic of insertions and deletions, each with its key."""
    topic = kafka_kit.new_topic(kafka, 1)
    given = changes(tmp_path, [(None, row(1, "a", 1)), (None, row(2, "a", 2)), (row(1, "a", 1), None)])
    sink = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": kafka}
    sink |= {"key.format": "json", "key.fields": "name", "value.format": "debezium-json"}
    table = f"CREATE TABLE t (name STRING, s BIGINT, PRIMARY KEY (name) NOT ENFORCED) WITH ({options(**sink)});\n"
    run(
        "SET 'tailrace.tick.rows' = '1';\n"
        + given
        + table
        + "INSERT INTO t SELECT name, SUM(n) FROM changes GROUP BY name;"
    )
    found = kafka_kit.consume(kafka, topic)
    assert {m.key() for m in found} == {b'{"name":"a"}'}
    left: list[Any] = []
    for m in found:
        value = json.loads(m.value())
        if value["op"] == "c":
            left.append(value["after"])
        else:
            left.remove(value["before"])
    assert left == [{"name": "a", "s": 2}]


def test_a_key_tells_no_changes() -> None:
    given = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "localhost:1"}
    given |= {"key.format": "ogg-json", "key.fields": "id", "value.format": "json"}
    text = f"CREATE TABLE t (id BIGINT, n BIGINT) WITH ({options(**given)});\n"
    with pytest.raises(ConfigError, match="'ogg-json' tells what has changed, which a key does not"):
        run(text + "INSERT INTO t VALUES (1, 2);")
