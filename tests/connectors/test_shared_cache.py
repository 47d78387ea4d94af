"""A cache in front of a lookup that processes share: what it keeps, whom it asks, and what happens when it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from connector_kit import table

pytest.importorskip("pymemcache", reason="Memcached: the extra tailrace[memcached] is not installed")
pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")

from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.cache_store import CacheStore
from tailrace.connectors.shared_cache import CachedLookup, in_front_of
from tailrace.connectors.shared_cache.lookup import Rules
from tailrace.connectors.shared_cache.values import Values, cache_keys
from tailrace.connectors.table_options import resolve
from tailrace.errors import ConfigError, TransientError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, STRING, Field, Schema
from tailrace.testing import FaultProxy
from tailrace.testing.connectors.values import TYPES, columns_of, frame_of, rows_of, schema_of

SCHEMA = Schema((Field("k", BIGINT), Field("v", STRING)))
KEYS = (Field("k", BIGINT),)
MARK = b"m" * 16


class Rows(Lookup):
    """A table that has a row for each even key; counts what it is asked."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.questions: list[list[int]] = []
        self.error: Exception | None = None
        self.opened = 0

    async def open(self) -> None:
        self.opened += 1

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        self.questions.append(keys["k"].to_list())
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return keys.filter(pl.col("k") % 2 == 0).with_columns(v=pl.col("k").cast(pl.String))

    def check(self) -> Report:
        return Report(True, "rows")


class Kept(CacheStore):
    """A cache in memory."""

    shown = "a cache of the test"

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.lives: dict[str, int] = {}
        self.away = False
        self.calls = 0
        self.seconds = 0.0

    def _call(self) -> None:
        self.calls += 1
        time.sleep(self.seconds)
        if self.away:
            raise TransientError("the cache is away")

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        self._call()
        return {k: self.values[k] for k in keys if k in self.values}

    def put(self, values: Mapping[str, bytes], milliseconds: int) -> None:
        self._call()
        self.values |= values
        self.lives |= dict.fromkeys(values, milliseconds)

    def claim(self, keys: Sequence[str], value: bytes, milliseconds: int) -> set[str]:
        self._call()
        mine = {k for k in keys if k not in self.values}
        self.values |= dict.fromkeys(mine, value)
        return mine

    def drop(self, keys: Sequence[str]) -> None:
        self._call()
        for k in keys:
            self.values.pop(k, None)

    def close(self) -> None:
        """There is nothing to let go of."""


def cached(inner: Lookup, store: CacheStore, mark: bytes = MARK, **rules: Any) -> CachedLookup:
    """Put a cache in front of a table."""
    given = {"ttl_ms": 60_000, "negative_ms": 5000, "wait_seconds": 0.5, "timeout": 1.0} | rules
    return CachedLookup(inner, store, Rules(**given), Values(SCHEMA, mark), KEYS, f"p{mark.hex()}", SystemClock())


def keys(*values: int) -> pl.DataFrame:
    return pl.DataFrame({"k": list(values)}, schema={"k": pl.Int64})


def got(lookup: Lookup, *values: int) -> list[tuple[Any, ...]]:
    """Ask, and give the rows in order."""
    return sorted(asyncio.run(lookup.get(keys(*values))).rows())


def test_only_what_the_cache_does_not_know_is_asked_for() -> None:
    """With rows and without; each for its own time."""
    rows, store = Rows(), Kept()
    first = cached(rows, store)
    assert got(first, 1, 2, 4) == [(2, "2"), (4, "4")]
    second = cached(rows, store)
    assert got(second, 1, 2, 3, 4, 6) == [(2, "2"), (4, "4"), (6, "6")]
    assert rows.questions == [[1, 2, 4], [3, 6]]
    tally = second.tally
    assert (tally.hits, tally.negative_hits, tally.misses, tally.errors) == (2, 1, 2, 0)
    assert sorted(store.lives.values()) == [5000, 5000, 60_000, 60_000, 60_000]


def test_a_table_that_is_away_is_not_reached_while_the_cache_knows_all() -> None:
    """It is only connected to when it is needed."""
    store = Kept()
    got(cached(Rows(), store), 2)
    away = Rows()
    away.error = TransientError("away")
    lookup = cached(away, store)
    assert got(lookup, 2) == [(2, "2")]
    assert away.opened == 0
    with pytest.raises(TransientError, match="away"):
        got(lookup, 2, 8)
    assert not any(value.endswith(b"P") for value in store.values.values()), "the claim of what failed stays"


def test_absence_is_not_kept_where_it_must_not_be() -> None:
    """As by `cache.negative-ttl` = 0, and where keys without rows are asked for again."""
    rows, store = Rows(), Kept()
    lookup = cached(rows, store, negative_ms=0)
    assert got(lookup, 1, 2) == got(lookup, 1, 2) == [(2, "2")]
    assert rows.questions == [[1, 2], [1]]
    got(cached(rows, store), 1)
    got(lookup, 1)
    assert rows.questions[2:] == [[1], [1]]


def test_rows_of_another_table_or_query_are_not_read() -> None:
    """Nor damaged ones: each has a key of its own, and a mark that is compared."""
    rows, store = Rows(), Kept()
    got(cached(rows, store), 2)
    (name,) = store.values
    other = cached(rows, store, b"n" * 16)
    store.values[name.replace(MARK.hex(), (b"n" * 16).hex())] = store.values[name]
    assert got(other, 2) == [(2, "2")]
    assert len(rows.questions) == 2
    store.values[name] = store.values[name][:-1] + b"?"
    assert got(cached(rows, store), 2) == [(2, "2")]
    assert len(rows.questions) == 3


def test_misses_of_one_process_join_one_question() -> None:
    """Whatever the cache does: here it is away."""
    rows, store = Rows(0.2), Kept()
    store.away = True
    lookups = [cached(rows, store, timeout=0.05) for _ in range(5)]

    async def all_at_once() -> list[pl.DataFrame]:
        return await asyncio.gather(*(x.get(keys(1, 2, n)) for n, x in zip(range(10, 60, 10), lookups, strict=True)))

    answers = asyncio.run(all_at_once())
    assert [sorted(a["k"].to_list()) for a in answers] == [[2, n] for n in range(10, 60, 10)]
    asked = [k for q in rows.questions for k in q]
    assert sorted(asked) == [1, 2, 10, 20, 30, 40, 50]


def test_who_waits_asks_itself_when_the_question_of_another_fails() -> None:
    """The failure is that of the one who asked."""
    bad, good, store = Rows(0.2), Rows(), Kept()
    bad.error = TransientError("away")

    async def both() -> list[Any]:
        first = asyncio.create_task(cached(bad, store).get(keys(2)))
        await asyncio.sleep(0.1)
        return list(await asyncio.gather(first, cached(good, store).get(keys(2)), return_exceptions=True))

    failed, answer = asyncio.run(both())
    assert isinstance(failed, TransientError)
    assert answer.rows() == [(2, "2")]


def test_a_key_that_another_process_asks_for_is_waited_for() -> None:
    """Until it is there; or for the bound, if the other never answers."""
    rows, store = Rows(), Kept()
    lookup = cached(rows, store)
    (name,) = cache_keys(keys(2), KEYS, f"p{MARK.hex()}")
    values = Values(SCHEMA, MARK)
    store.values[name] = values.pending

    async def answered() -> pl.DataFrame:
        asked = asyncio.create_task(lookup.get(keys(2, 4)))
        await asyncio.sleep(0.1)
        store.values |= values.write(pl.DataFrame({"k": [2], "v": ["of the other"]}), [name], [name])
        return await asked

    assert sorted(asyncio.run(answered()).rows()) == [(2, "of the other"), (4, "4")]
    assert rows.questions == [[4]]
    store.values[name] = values.pending
    began = time.monotonic()
    assert got(lookup, 2) == [(2, "2")]
    assert 0.4 < time.monotonic() - began < 5


def test_a_cache_that_is_away_is_passed_by() -> None:
    """The first call that fails keeps others from it for a while; then it is tried again."""
    rows, store = Rows(), Kept()
    store.away = True
    lookup = cached(rows, store)
    for _ in range(20):
        assert got(lookup, 1, 2) == [(2, "2")]
    assert store.calls < 5
    assert lookup.tally.errors == store.calls
    assert not lookup.tally.up
    store.away = False
    end = time.monotonic() + 20
    while not lookup.tally.up:
        assert time.monotonic() < end
        got(lookup, 2)
        time.sleep(0.05)
    assert lookup.tally.errors < 5


def test_a_slow_cache_costs_its_time_out_once() -> None:
    """And not at each request."""
    rows, store = Rows(), Kept()
    store.seconds = 0.3
    lookup = cached(rows, store, timeout=0.05)
    began = time.monotonic()
    for _ in range(20):
        got(lookup, 2)
    assert time.monotonic() - began < 2
    assert store.calls < 5


def test_every_type_comes_back_exactly() -> None:
    """As do NULLs, several rows of a key, NaN, and the last digits of decimals and timestamps."""
    columns = columns_of(list(TYPES))
    frame = frame_of(columns, rows_of(list(TYPES)))
    values = Values(schema_of(columns), MARK)
    written = values.write(frame, ["a"] * len(frame), ["a", "b"])
    assert values.read([written["a"], written["b"]]).equals(frame)
    odd = pl.DataFrame({"k": [1], "v": [float("nan")]})
    of_floats = Values(schema_of({"k": "BIGINT", "v": "DOUBLE"}), MARK)
    assert of_floats.read(of_floats.write(odd, ["a"], ["a"]).values())["v"].is_nan().all()


def test_long_and_odd_keys_are_hashed() -> None:
    """So that each is one of Memcached: short, without blanks and control characters; and different ones stay different."""
    field = Field("k", STRING)
    texts = ["a", "雪", "x" * 300, "x" * 301, "a b", "a\nb", "a\u2003b", "\x7f", "#", ""]
    found = cache_keys(pl.DataFrame({"k": texts}), [field], "p:")
    assert found[:2] == ["p:=a", "p:=雪"]
    assert len(set(found)) == len(texts)
    assert all(len(k.encode()) <= 250 and k.split() == [k] and (k.isprintable()) for k in found)


MEMCACHED = {"cache": "memcached", "cache.servers": "localhost"}


def looked_up(options: Mapping[str, str], **columns: Any) -> Table:
    return table("memory", columns or {"k": BIGINT, "v": STRING}, dict(options), name="dim")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cache": "memcached"}, "needs 'cache.servers'"),
        ({"cache": "redis"}, "needs 'cache.url'"),
        ({"cache.ttl": "1 s"}, "'cache.ttl' says nothing without a 'cache'"),
        (MEMCACHED | {"cache.url": "redis://x"}, "'cache.url' is not for 'cache' = 'memcached'"),
        (MEMCACHED | {"lookup.cache": "FULL"}, "read as a whole"),
        (MEMCACHED | {"cache.servers": "a:b"}, "is no address of a server"),
        ({"cache": "redis", "cache.url": "http://x"}, "'cache.url' is no address of a Redis server"),
        (MEMCACHED | {"cache.ttl": "31 d"}, "at most '30 d'"),
        (MEMCACHED | {"cache.prefix": "a b"}, "without blanks"),
        ({"cache": "memcachd"}, "expected one of 'memcached', 'redis', 'none'"),
    ],
    ids=lambda x: "" if isinstance(x, dict) else x.replace(" ", "_"),
)
def test_what_is_wrong_is_said_at_once(options: dict[str, str], said: str) -> None:
    of = looked_up(options)
    with pytest.raises(ConfigError, match=said):
        in_front_of(Rows(), of, of.schema, ("k",), SystemClock())


def test_no_cache_is_none() -> None:
    of = looked_up({"cache": "none"})
    assert in_front_of(Rows(), of, of.schema, ("k",), SystemClock()) is None


def prefix_of(options: Mapping[str, str], asked: tuple[str, ...] = ("k", "v"), **columns: Any) -> str:
    of = looked_up(options, **columns)
    made = in_front_of(Rows(), of, of.schema.select(asked), ("k",), SystemClock())
    assert made is not None
    return made._prefix


def test_an_altered_table_has_other_keys() -> None:
    """Another column, type, option or query has; how it is cached and what is secret have not."""
    base = prefix_of(MEMCACHED)
    assert base.startswith("tailrace:")
    assert base == prefix_of(MEMCACHED | {"cache.ttl": "1 s", "lookup.cache": "PARTIAL", "cache.password": "x"})
    others = [
        prefix_of(MEMCACHED, k=BIGINT, v=BIGINT),
        prefix_of(MEMCACHED, k=BIGINT, v=STRING, w=STRING),
        prefix_of(MEMCACHED | {"name": "other"}),
        prefix_of(MEMCACHED, ("k",)),
    ]
    assert len({base, *others}) == 5


# -- real servers


@pytest.fixture(scope="module")
def servers(service: Callable[[str, dict[str, str]], str]) -> dict[str, str]:
    """Give the addresses of both kinds of cache."""
    return dict(service(name, {}).split("=", 1) for name in ("memcached", "redis"))


def options_of(servers: Mapping[str, str], kind: str, at: str | None = None) -> dict[str, str]:
    if kind == "memcached":
        return {"cache": kind, "cache.servers": at or servers[kind], "cache.timeout": "2 s"}
    return {"cache": kind, "cache.url": f"redis://{at}/0" if at else servers[kind], "cache.timeout": "2 s"}


@pytest.fixture(params=["memcached", "redis"])
def store(request: pytest.FixtureRequest, servers: dict[str, str]) -> Iterator[CacheStore]:
    of = looked_up(options_of(servers, request.param))
    made = registry.get(request.param).cache_store(resolve(of, registry.connector_of(of)).common)
    yield made
    made.close()


@pytest.mark.integration
def test_a_store_keeps_claims_and_drops(store: CacheStore) -> None:
    big = {f"store:{i}": bytes([i % 256]) * 1000 for i in range(3000)}
    store.put(big, 60_000)
    assert store.get([*big, "store:none"]) == big
    assert store.claim(["store:1", "store:new"], b"mine\r\n", 60_000) == {"store:new"}
    assert store.get(["store:1", "store:new"]) == {"store:1": big["store:1"], "store:new": b"mine\r\n"}
    store.drop([*big, "store:new", "store:none"])
    assert store.get(["store:1", "store:new"]) == {}
    store.drop([])
    assert store.get([]) == {}
    assert store.claim([], b"", 1) == set()
    store.put({}, 1)
    store.put({"store:short": b"x"}, 1000)
    end = time.monotonic() + 10
    while store.get(["store:short"]):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.integration
def test_a_value_that_is_too_large_for_memcached_is_not_kept(servers: dict[str, str]) -> None:
    of = looked_up(options_of(servers, "memcached"))
    store = registry.get("memcached").cache_store(resolve(of, registry.connector_of(of)).common)
    store.put({"large": b"x" * 2_000_000, "small": b"y"}, 60_000)
    assert store.get(["large", "small"]) == {"small": b"y"}
    store.close()


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["memcached", "redis"])
def test_a_cache_that_comes_and_goes(servers: dict[str, str], kind: str) -> None:
    """Answers are right with it, without it, and after it is back."""
    rows = Rows()
    with FaultProxy(servers[kind].removeprefix("redis://").removesuffix("/0")) as proxy:
        of = looked_up(options_of(servers, kind, proxy.address) | {"cache.timeout": "300 ms"})
        lookup = in_front_of(rows, of, of.schema, ("k",), SystemClock())
        assert lookup is not None
        assert "as its cache" in lookup.check().message
        wanted = [(n, str(n)) for n in range(0, 100, 2)]
        assert got(lookup, *range(100)) == got(lookup, *range(100)) == wanted
        assert len(rows.questions) == 1
        proxy.black_hole()
        began = time.monotonic()
        for _ in range(5):
            assert got(lookup, *range(100)) == wanted
        assert time.monotonic() - began < 5
        assert len(rows.questions) == 6
        assert lookup.tally.errors
        proxy.heal()
        end = time.monotonic() + 30
        while not lookup.tally.up:
            assert time.monotonic() < end
            assert got(lookup, *range(100)) == wanted
            time.sleep(0.1)
        asked = len(rows.questions)
        assert got(lookup, *range(100)) == wanted
        assert len(rows.questions) == asked, "it is not used again"
        asyncio.run(lookup.close())
    assert "can't be used" in lookup.check().message
