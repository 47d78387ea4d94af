"""D1 to D8 through the whole job: each hostile message is a row or one dead letter, and costs its neighbours nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import script_kit as kit

kafka_kit = pytest.importorskip("kafka_kit")
pytestmark = pytest.mark.integration

GOOD = "good"
MESSAGES: list[tuple[str, bytes | None, str]] = [
    ("D1 no bytes", None, "tombstone"),
    ("D1 empty", b"", "empty"),
    ("D2 truncated", b'{"id": 1, "name": "a', "syntax"),
    ("D2 trailing", b'{"id": 1} x', "syntax"),
    ("D2 another format", bytes([0, 0, 0, 0, 7, 2, 8]), "syntax"),
    ("D2 no object", b"42", "shape"),
    ("D3 invalid UTF-8", b'{"id": 1, "name": "\xff\xfe"}', "utf-8"),
    ("D3 byte order mark", b'\xef\xbb\xbf{"id": 1}', GOOD),
    ("D3 lone surrogate", b'{"id": 1, "name": "\\ud800"}', "any"),
    ("D3 NUL and bidi", '{"id": 1, "name": "a\\u0000\u202eb"}'.encode(), GOOD),
    ("D4 NaN", b'{"id": 1, "x": NaN}', "any"),
    ("D4 1e400", b'{"id": 1, "x": 1e400}', "range"),
    ("D4 minus zero", b'{"id": 1, "x": -0.0}', GOOD),
    ("D4 2^63", b'{"id": 9223372036854775808}', "range"),
    ("D4 2^63-1", b'{"id": 9223372036854775807}', GOOD),
    ("D4 5,000 digits", b'{"id": ' + b"1" * 5000 + b"}", "any"),
    ("D4 40 digits", b'{"id": 1, "d": 1234567890123456789012345678901234567890.12}', "any"),
    ("D5 duplicate keys", b'{"id": 1, "id": 2}', GOOD),
    ("D5 another case", b'{"ID": 1}', GOOD),
    ("D5 odd names", b'{"id": 1, "a.b": 1, "select": 2, "": 3, "\\"": 4}', GOOD),
    ("D6 deep", b'{"id": 1, "z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "depth"),
    ("D6 many elements", b'{"id": 1, "z": [' + b"1," * 400_000 + b"1]}", GOOD),
    ("D7 large", b'{"id": 1, "name": "' + b"x" * 900_000 + b'"}', GOOD),
    ("D8 another type", b'{"id": "one"}', "type"),
    ("D8 an object", b'{"id": {"a": 1}}', "type"),
    ("D8 a missing field", b'{"name": "a"}', GOOD),
    ("D8 more and reordered", b'{"new": true, "name": "a", "id": 1}', GOOD),
]


@pytest.mark.parametrize("native", ["true", "false"])
def test_hostile_messages(kafka: str, tmp_path: Path, native: str) -> None:
    """Good rows stand before and behind each; all come, in order, and each bad one is a letter with its bytes and offset."""
    topic = kafka_kit.new_topic(kafka)
    messages = []
    for number, (_, payload, _) in enumerate(MESSAGES):
        messages += [{"value": b'{"id": %d, "name": "n"}' % (-number - 1)}, {"value": payload}]
    kafka_kit.produce(kafka, topic, messages)
    source = kit.options(connector="kafka", topic=topic, properties__bootstrap__servers=kafka, format="json")
    source += ", 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
    source += f", 'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead', 'tailrace.kafka.native' = '{native}'"
    dead = kit.options(connector="sqlite", path=str(tmp_path / "dead.db"))
    rows, summary = kit.run(
        f"""CREATE TABLE t (id BIGINT, name STRING, x DOUBLE, d DECIMAL(10, 2), `at` BIGINT METADATA FROM 'offset' VIRTUAL)
        WITH ({source});
        CREATE TABLE dead (`offset` BIGINT, code STRING, reason STRING, payload BYTES) WITH ({dead});
        SELECT * FROM t;""",
        tmp_path / "state",
    )
    with closing(sqlite3.connect(tmp_path / "dead.db")) as database:
        letters = {o: (code, reason, payload) for o, code, reason, payload in database.execute("SELECT * FROM dead")}

    expected = {2 * number + 1: (name, payload, code) for number, (name, payload, code) in enumerate(MESSAGES)}
    told = {name: letters.get(offset, (GOOD,))[0] for offset, (name, _, _) in expected.items()}
    wanted = {name: told[name] if code == "any" else code for name, _, code in expected.values()}
    assert told == wanted
    assert all(told[name] != GOOD for name, _, code in expected.values() if code == "any")
    assert rows["at"].to_list() == [o for o in range(2 * len(MESSAGES)) if o not in letters]
    for offset, (_, _, payload) in letters.items():
        assert payload == expected[offset][1]
    (t,) = summary.sources
    assert (t.rows, t.dead_letters) == (2 * len(MESSAGES), len(letters))
    assert json.dumps(sorted(reason for _, reason, _ in letters.values())).isascii(), "reasons show nothing of a row"
