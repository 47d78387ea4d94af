"""Tables in a real Redis: what is written by us is read by its own client, and the reverse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")

import redis
from connector_kit import context, drain, sink, source, table

from tailrace.connectors import registry
from tailrace.connectors.base import AtLeastOnceSink, Guarantee, Limit, Report
from tailrace.connectors.metadata import parse_type
from tailrace.connectors.redis.lookup import RedisLookup
from tailrace.connectors.redis.sink import KeyedSink
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.runtime.script import Script
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    STRING,
    DataType,
    array,
    decimal,
    time_type,
    timestamp,
    timestamp_ltz,
)
from tailrace.sql.session import Session

NOT_NULL = BIGINT.with_nullable(False)
TYPES: dict[str, DataType] = {
    "id": NOT_NULL,
    "flag": BOOLEAN,
    "price": decimal(20, 4),
    "x": DOUBLE,
    "name": STRING,
    "data": BYTES,
    "day": DATE,
    "at": time_type(3),
    "stamp": timestamp(6),
    "moment": timestamp_ltz(3),
}
ROWS: list[tuple[Any, ...]] = [
    (
        1,
        True,
        Decimal("12345678901234.5678"),
        1e300,
        "Zoë ☃ : \\",
        b"\x00\xff",
        date(2024, 2, 29),
        clock(1, 2, 3, 4000),
        datetime(1969, 12, 31, 23, 59, 59, 999999),
        datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=UTC),
    ),
    (2, None, None, None, None, None, None, None, None, None),
    (
        -3,
        False,
        Decimal("-0.0001"),
        -0.5,
        "",
        b"",
        date(1, 1, 1),
        clock(0),
        datetime(2024, 1, 1),
        datetime(1970, 1, 1, tzinfo=UTC),
    ),
]


@pytest.fixture(scope="module")
def url(service: Callable[[str, dict[str, str]], str]) -> str:
    """Give the address of a Redis of this module's own."""
    return service("redis", {}).partition("=")[2]


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    """Give its own client, on a server without keys."""
    made = redis.Redis.from_url(url, protocol=2)
    made.flushall()
    yield made
    made.close()


def declare(url: str, columns: dict[str, DataType], key: tuple[str, ...] = ("id",), **options: str) -> Table:
    """Declare a table; `_` in an option's name stands for `-`, `__` for `.`."""
    named = {k.replace("__", ".").replace("_", "-"): v for k, v in options.items()}
    return table("redis", columns, {"url": url} | named, name="rows", primary_key=key)


def written(of: Table, frame: pl.DataFrame) -> None:
    """Write a batch as the runtime does."""
    target = sink(of)
    target.open()  # type: ignore[attr-defined]
    try:
        target.write(frame)
        target.prepare(1)  # type: ignore[attr-defined]
    finally:
        target.close()


async def _asked(of: Table, keys: pl.DataFrame, columns: tuple[str, ...] | None) -> pl.DataFrame:
    schema = of.schema if columns is None else of.schema.select(columns)
    lookup = registry.lookup(of, schema, tuple(keys.columns), context())
    assert isinstance(lookup, RedisLookup)
    await lookup.open()
    try:
        return await lookup.get(keys)
    finally:
        await lookup.close()


def asked(of: Table, keys: pl.DataFrame, columns: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Look keys up in a table."""
    return asyncio.run(_asked(of, keys, columns))


def frame(of: Table, rows: list[tuple[Any, ...]], kinds: list[RowKind] | None = None) -> pl.DataFrame:
    made = pl.DataFrame(rows, schema=of.schema.polars, orient="row")
    return made if kinds is None else made.with_columns(pl.Series(KIND, [int(k) for k in kinds], pl.Int8))


def ids(*numbers: int) -> pl.DataFrame:
    return pl.DataFrame({"id": numbers}, schema={"id": pl.Int64})


def test_every_type_of_a_hash_comes_back(url: str, client: redis.Redis) -> None:
    of = declare(url, TYPES)
    written(of, frame(of, ROWS))
    assert client.hgetall("rows:1")[b"price"] == b"12345678901234.5678"
    assert client.hgetall("rows:1")[b"moment"] == b"2024-01-02 03:04:05.006Z"
    assert client.hgetall("rows:2") == {b"id": b"2"}
    assert asked(of, ids(1, 2, 99, -3)).rows() == ROWS


def test_a_key_that_is_no_hash_is_named_and_leaves_no_answers_behind(url: str, client: redis.Redis) -> None:
    """The answers that came behind the error are not taken for those of the next request."""
    of = declare(url, {"id": NOT_NULL, "name": STRING})
    written(of, frame(of, [(i, f"name {i}") for i in range(5000)]))
    client.set("rows:-1", "no hash")
    lookup = registry.lookup(of, of.schema, ("id",), context())

    async def both() -> pl.DataFrame:
        await lookup.open()
        with pytest.raises(TerminalError, match=r"WRONGTYPE.*\(key 'rows:-1'\)"):
            await lookup.get(ids(*range(1000), -1, *range(1000, 2000)))
        return await lookup.get(ids(4000, 6000, 3000))

    assert asyncio.run(both()).rows() == [(4000, "name 4000"), (3000, "name 3000")]
    asyncio.run(lookup.close())


@pytest.mark.parametrize("kind", ["string", "hash"])
def test_rows_are_replaced_and_deleted_by_key(url: str, client: redis.Redis, kind: str) -> None:
    columns: dict[str, DataType] = {"id": NOT_NULL, "name": STRING, "n": INT}
    given = {"data-type": kind} | ({"format": "json"} if kind == "string" else {})
    of = table("redis", columns, {"url": url} | given, name="rows", primary_key=("id",))
    written(of, frame(of, [(1, "a", 1), (2, "b", 2), (3, "c", 3)]))
    changes = [(1, "a", 1), (1, "z", None), (2, "b", 2), (4, "d", 4)]
    written(of, frame(of, changes, [RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER, RowKind.DELETE, RowKind.INSERT]))
    assert asked(of, ids(1, 2, 3, 4)).rows() == [(1, "z", None), (3, "c", 3), (4, "d", 4)]
    assert sorted(client.keys()) == [b"rows:1", b"rows:3", b"rows:4"]
    assert sink(of).guarantee is Guarantee.EFFECTIVELY_ONCE


def test_a_string_is_in_the_tables_format(url: str, client: redis.Redis) -> None:
    of = declare(url, {"id": NOT_NULL, "tags": array(STRING)}, data_type="string", format="json", key_prefix="p/")
    written(of, frame(of, [(7, ["x", "y"])]))
    assert json.loads(client.get("p/7") or "") == {"id": 7, "tags": ["x", "y"]}
    client.set("p/8", b'{"tags": null}')  # by another program, which does not repeat the key
    assert asked(of, ids(8, 7)).rows() == [(8, None), (7, ["x", "y"])]


def test_raw_values_and_a_key_of_two_columns(url: str, client: redis.Redis) -> None:
    columns = {"a": STRING.with_nullable(False), "b": NOT_NULL, "v": STRING}
    of = declare(url, columns, ("a", "b"), data_type="string", format="raw")
    written(of, frame(of, [("x:y", 1, "one"), ("x", 2, "two")]))
    assert client.get("rows:x\\:y:1") == b"one"
    keys = pl.DataFrame({"b": [2, 1], "a": ["x", "x:y"]})
    assert asked(of, keys, ("v", "a")).rows() == [("two", "x"), ("one", "x:y")]


def test_a_set_has_several_rows_for_a_key(url: str, client: redis.Redis) -> None:
    columns = {"user": STRING.with_nullable(False), "item": STRING}
    of = declare(url, columns, (), data_type="set", format="json", key_columns="user")
    written(of, frame(of, [("u", "a"), ("u", "b"), ("v", "c"), ("u", "a")]))
    written(of, frame(of, [("u", "b")], [RowKind.DELETE]))
    written(of, frame(of, [("u", "d")]))
    assert client.scard("rows:u") == 2
    keys = pl.DataFrame({"user": ["u", "w", "v"]})
    assert sorted(asked(of, keys).rows()) == [("u", "a"), ("u", "d"), ("v", "c")]


def test_keys_live_for_a_while(url: str, client: redis.Redis) -> None:
    of = declare(url, {"id": NOT_NULL, "name": STRING}, ttl="1 min")
    written(of, frame(of, [(1, "a")]))
    assert 0 < client.pttl("rows:1") <= 60_000
    other = declare(url, {"id": NOT_NULL, "name": STRING}, ttl="1 min", data_type="string", format="json")
    written(other, frame(other, [(2, "a")]))
    assert 0 < client.pttl("rows:2") <= 60_000


def test_a_server_without_memory_is_tried_again(url: str, client: redis.Redis) -> None:
    of = declare(url, {"id": NOT_NULL, "name": STRING})
    target = sink(of)
    assert isinstance(target, KeyedSink)
    target.open()
    client.set("filler", b"x" * 1_000_000)
    client.config_set("maxmemory", "1mb")
    try:
        target.write(frame(of, [(1, "a"), (2, "b")]))
        with pytest.raises(TransientError, match="maxmemory"):
            target.prepare(1)
    finally:
        client.config_set("maxmemory", "256mb")
    target.prepare(1)
    target.close()
    assert client.exists("rows:1", "rows:2") == 2


def test_a_wrong_value_is_named(url: str, client: redis.Redis) -> None:
    client.hset("rows:1", mapping={"n": "many"})
    of = declare(url, {"id": NOT_NULL, "n": INT})
    with pytest.raises(TerminalError, match=r"key 'rows:1': the text of column 'n' is no INT"):
        asked(of, ids(1))


def test_what_is_published_is_heard(url: str, client: redis.Redis) -> None:
    with client.pubsub() as listener:  # type: ignore[no-untyped-call]
        listener.subscribe("news")
        listener.get_message(timeout=5)
        of = declare(url, {"id": BIGINT}, (), data_type="channel", stream="news", format="json")
        written(of, frame(of, [(1,), (2,)]))
        heard = [listener.get_message(timeout=5) for _ in range(2)]
    assert [json.loads(m["data"]) for m in heard if m] == [{"id": 1}, {"id": 2}]


STREAM: dict[str, DataType] = {"id": BIGINT, "name": STRING}


def stream(url: str, columns: dict[str, DataType] = STREAM, **options: str) -> Table:
    return declare(url, columns, (), data_type="stream", stream="s", format="json", **options)


def payloads(blocks: list[Any]) -> list[Any]:
    return [json.loads(b.values.row(i)) for b in blocks for i in range(len(b))]


@pytest.mark.usefixtures("client")
def test_a_stream_is_read_behind_its_position(url: str) -> None:
    of = stream(url, scan__bounded="true")
    written(of, frame(of, [(i, "a") for i in range(10)]))
    reader = source(of).open({})
    (first,) = reader.poll(Limit(rows=4))
    reader.close()
    assert [r["id"] for r in payloads([first])] == [0, 1, 2, 3]
    rest = drain(source(of).open({"s": first.position}))
    assert [r["id"] for r in payloads(rest)] == [4, 5, 6, 7, 8, 9]
    assert sink(of).guarantee is Guarantee.AT_LEAST_ONCE


def test_headers_and_metadata_of_a_stream(url: str, client: redis.Redis) -> None:
    client.xadd("s", {"value": b'{"id": 1}', "header:trace": b"abc", "key": b"k"}, id="1700000000123-4")
    columns = {"id": BIGINT}
    extra = [
        MetadataColumn("number", STRING, "id", virtual=True),
        MetadataColumn("headers", parse_type("MAP<STRING, BYTES>"), "headers"),
    ]
    given = {"url": url, "data-type": "stream", "stream": "s", "format": "json", "scan.bounded": "true"}
    of = table("redis", columns, given, metadata=extra)
    (block,) = drain(source(of).open({}))
    assert block.metadata is not None
    assert block.metadata["id"].to_list() == ["1700000000123-4"]
    assert block.metadata["headers"].to_list() == [[{"key": "trace", "value": b"abc"}]]
    assert block.keys is not None
    assert block.keys.row(0) == b"k"


def text(number: bytes | str) -> str:
    return number.decode() if isinstance(number, bytes) else number


def test_entries_that_were_dropped_unread_are_told(url: str, client: redis.Redis) -> None:
    numbers = [client.xadd("s", {"value": b"1"}) for _ in range(10)]
    of = stream(url)
    client.xtrim("s", maxlen=3, approximate=False)
    with pytest.raises(TerminalError, match="dropped entries"):
        source(of).open({"s": text(numbers[2])})
    source(of).open({"s": text(numbers[7])}).close()


def test_a_stream_from_its_end_waits_for_new_entries(url: str, client: redis.Redis) -> None:
    client.xadd("s", {"value": b'{"id": 1}'})
    reader = source(stream(url, scan__startup__mode="latest-offset")).open({})
    assert reader.poll(Limit(wait_seconds=0.01)) == []
    client.xadd("s", {"value": b'{"id": 2}'})
    assert payloads(reader.poll(Limit(wait_seconds=2))) == [{"id": 2}]
    reader.close()


def test_a_stream_keeps_only_so_many(url: str, client: redis.Redis) -> None:
    of = stream(url, stream__max_length="100")
    written(of, frame(of, [(i, "a") for i in range(1000)]))
    assert client.xlen("s") < 300


def test_what_is_wrong_is_said_at_once(url: str) -> None:
    for of, text in [
        (declare(url, {"id": NOT_NULL}, ()), "needs a PRIMARY KEY"),
        (declare(url, {"id": NOT_NULL}, data_type="string"), "needs a format"),
        (declare(url, {"id": NOT_NULL, "a": array(INT)}), "has no place in a hash of Redis"),
        (declare("http://x", {"id": NOT_NULL}), "no address of a Redis server"),
        (declare(url, {"id": NOT_NULL}, data_type="stream"), "needs the option 'format'"),
        (declare(url, {"id": NOT_NULL}, key_columns="ix"), "names no column 'ix'"),
    ]:
        with pytest.raises(ConfigError, match=text):
            sink(of)


def run(sql: str) -> list[tuple[Any, ...]]:
    """Run a script to its end; give the rows of its SELECT."""
    session = Session()
    statements = session.bind(sql, "job.sql")
    kept = Kept()
    Script("job", statements, session.tables, session.settings, query_sink=lambda _: kept).run()
    return [row for batch in kept.batches for row in batch.rows()]


class Kept(AtLeastOnceSink):
    """Keeps the rows of a SELECT."""

    def __init__(self) -> None:
        self.batches: list[pl.DataFrame] = []

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        self.batches.append(batch)

    def prepare(self, epoch: int) -> None:
        """All is kept already."""

    def check(self) -> Report:
        return Report(True, "")

    def close(self) -> None:
        """There is nothing to let go of."""


def test_rows_by_sql_into_a_cache_that_another_pipeline_looks_up(url: str, client: redis.Redis) -> None:
    """One pipeline writes counts by key, another enriches a stream of Redis with them, restarted in between."""
    for i in range(6):
        client.xadd("s", {"value": json.dumps({"id": i % 3, "name": "abc"[i % 3]})})
    tables = f"""
    CREATE TABLE s (id BIGINT, name STRING, p AS PROCTIME()) WITH ('connector' = 'redis', 'url' = '{url}',
      'data-type' = 'stream', 'format' = 'json', 'scan.bounded' = 'true');
    CREATE TABLE counts (id BIGINT NOT NULL, n BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'redis', 'url' = '{url}');
    """
    run(tables + "INSERT INTO counts SELECT id, COUNT(*) FROM s WHERE id < 2 GROUP BY id;")
    assert client.hgetall("counts:1") == {b"id": b"1", b"n": b"2"}
    rows = run(tables + "SELECT s.name, c.n FROM s LEFT JOIN counts FOR SYSTEM_TIME AS OF s.p AS c ON s.id = c.id;")
    assert sorted(rows, key=str) == [("a", 2), ("a", 2), ("b", 2), ("b", 2), ("c", None), ("c", None)]
