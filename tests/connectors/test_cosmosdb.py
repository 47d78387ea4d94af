"""The connector `cosmosdb` against a stub that throttles, checks keys and ETags, and has a change feed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("azure.cosmos", reason="Cosmos DB: the extra tailrace[cosmosdb] is not installed")

from connector_kit import context, drain, source, table
from connector_kit import sink as any_sink
from cosmosdb_stub import KEY, Answer, Stub, stub

from tailrace.clock import SystemClock
from tailrace.connectors.base import Block, Ended, Limit, Reader, Refusals
from tailrace.connectors.cosmosdb.sink import CosmosSink
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, DOUBLE, INT, STRING, DataType, decimal, timestamp
from tailrace.testing.connectors.trials import Got, Trial, run

COLUMNS: dict[str, DataType] = {"id": STRING, "name": STRING}
TENANTS: dict[str, DataType] = {"tenant": STRING, "n": BIGINT, "name": STRING}


@pytest.fixture
def server() -> Iterator[Stub]:
    """Run a stub."""
    with stub() as running:
        yield running


class Refused(Refusals):
    """Keeps what was refused."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[dict[str, Any], str, str]] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self.rows += [(row, code, reason) for row in rows.to_dicts()]


def sink(to: Table) -> CosmosSink:
    """Make the sink of a table."""
    made = any_sink(to)
    assert isinstance(made, CosmosSink)
    return made


def of(
    server: Stub,
    name: str = "t",
    columns: Mapping[str, DataType] = COLUMNS,
    key: tuple[str, ...] = ("id",),
    **more: str,
) -> Table:
    """Declare a table of a container; `more` are options, `_` for `-` and `__` for `.`."""
    given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
    return table("cosmosdb", dict(columns), server.options(name) | given, name=name, primary_key=key)


def written(to: Table, *batches: pl.DataFrame) -> Refused:
    """Write batches, and give what was refused."""
    made, refused = sink(to), Refused()
    made.refusals = refused
    made.open()
    try:
        for batch in batches:
            made.write(batch)
            made.flush()
    finally:
        made.close()
    return refused


def frame(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(columns).with_columns(pl.col(pl.Null).cast(pl.String))


# -- ids and partition keys


def test_ids_are_made_of_the_key(server: Stub) -> None:
    """Values of the key are joined; what an id can't have, and the delimiter in a value, is escaped, so that no two keys meet."""
    items = server.make("t", "/tenant").items
    rows = frame(tenant=["a_b", "a", "x/y?", "p%"], n=[1, 2, 3, 4], name=["one", "two", "three", "four"])
    written(of(server, columns=TENANTS, key=("tenant", "n")), rows)
    found = {item["id"]: item["n"] for item in items.values()}
    assert found == {"a%5Fb_1": 1, "a_2": 2, "x%2Fy%3F_3": 3, "p%25_4": 4}


def test_a_partition_key_of_several_levels(server: Stub) -> None:
    """Items of a hierarchy are written and deleted by all its values."""
    items = server.make("t", "/tenant", "/n").items
    to = of(server, columns=TENANTS, key=("tenant", "n"), partition_key="/tenant;/n")
    gone = frame(tenant=["a"], n=[1], name=[None]).with_columns(pl.lit(int(RowKind.DELETE), pl.Int8).alias(KIND))
    written(to, frame(tenant=["a", "a"], n=[1, 2], name=["x", "y"]), gone)
    assert list(items) == [('["a", 2]', "a_2")]


@pytest.mark.parametrize(
    ("paths", "columns", "key", "more", "said"),
    [
        (("/tenant",), COLUMNS, ("id",), {}, "has no column 'tenant'"),
        (("/name",), COLUMNS, ("id",), {}, "column 'name' is not in the PRIMARY KEY"),
        (("/tenant",), TENANTS, ("tenant",), {"partition_key": "/name"}, "has the partition key /tenant, not /name"),
        (("/id",), COLUMNS, ("id", "name"), {}, "neither the id nor of the partition key"),
        (("/id",), COLUMNS, ("id",), {"sink__ttl": "1 d"}, "lets no items expire"),
    ],
    ids=["missing", "not in key", "other path", "id and more", "ttl"],
)
def test_the_partition_key_is_checked(
    server: Stub,
    paths: tuple[str, ...],
    columns: dict[str, DataType],
    key: tuple[str, ...],
    more: dict[str, str],
    said: str,
) -> None:
    """A table whose key does not tell the partition key of the container is refused, by `check` and at the start."""
    server.make("t", *paths, expires=False)
    made = sink(of(server, columns=columns, key=key, **more))
    report = made.check()
    assert not report.ok
    assert said in report.message
    with pytest.raises(ConfigError):
        made.open()
    made.close()


def test_check_tells_what_is_wrong(server: Stub) -> None:
    """Away, a wrong key, no database and no container are told apart; no secret is shown."""
    server.make("t")
    secret = "d3Jvbmctc2VjcmV0"  # noqa: S105  of the test
    for given, said in (
        ({"endpoint": "http://127.0.0.1:1/"}, "Cosmos DB at 127.0.0.1:1 is away"),
        ({"key": secret}, "refuses the login"),
        ({"database": "other"}, "no container 'other/t'"),
        ({"container": "nowhere"}, "no container 'db/nowhere'"),
    ):
        to = table("cosmosdb", COLUMNS, server.options("t") | given, name="t", primary_key=("id",))
        for report in (sink(to).check(), source(to).check()):
            assert not report.ok
            assert said in report.message
            assert secret not in report.message
    text = f"AccountEndpoint=http://{server.address}/;AccountKey={KEY};"
    more = {k: v for k, v in server.options("t").items() if k not in ("endpoint", "key", "connector")}
    assert sink(table("cosmosdb", COLUMNS, more | {"connection-string": text}, primary_key=("id",))).check().ok


# -- what is written


def test_rows_are_upserted_and_deleted(server: Stub) -> None:
    """The last row of a key stands; deleting what is not there is no error."""
    items = server.make("t").items
    kinds = pl.Series(KIND, [RowKind.INSERT, RowKind.UPDATE_AFTER, RowKind.DELETE, RowKind.DELETE], dtype=pl.Int8)
    rows = frame(id=["a", "a", "b", "c"], name=["1", "2", None, None]).with_columns(kinds)
    written(of(server), frame(id=["b"], name=["0"]), rows)
    assert [(i["id"], i["name"]) for i in items.values()] == [("a", "2")]


def test_numbers_that_a_double_cannot_hold(server: Stub) -> None:
    """They are written as texts, and read back as they were."""
    server.make("t")
    columns = {"id": STRING, "n": BIGINT, "d": decimal(38, 10), "x": DOUBLE, "at": timestamp(3)}
    rows = frame(id=["a", "b"], n=[2**60, 7], x=[0.1, 1e300]).with_columns(
        pl.Series("d", ["1234567890123456789.0123456789", "12.5"]).cast(pl.Decimal(38, 10)),
        pl.Series("at", ["2026-01-02T03:04:05.678"] * 2).str.to_datetime(time_unit="ms"),
    )
    rows = rows.select(list(columns))
    written(of(server, columns=columns), rows)
    stored = {i["id"]: (i["n"], i["d"]) for i in server.containers["t"].items.values()}
    assert stored == {"a": (str(2**60), "1234567890123456789.0123456789"), "b": (7, 12.5)}
    reader = source(of(server, columns=columns, key=(), scan__bounded="true"), where=context(clock=SystemClock())).open(
        {}
    )
    read = pl.concat([columns_of(b) for b in drain(reader)])
    reader.close()
    assert read.sort("id").rows() == rows.rows()


def test_items_live_as_long_as_the_option_says(server: Stub) -> None:
    items = server.make("t").items
    written(of(server, sink__ttl="2 h"), frame(id=["a"], name=["x"]))
    assert [i["ttl"] for i in items.values()] == [7200]


def test_a_patch_leaves_other_properties_alone(server: Stub) -> None:
    """Declared columns are set; an item that is not there is made."""
    container = server.make("t")
    container.write({"id": "a", "name": "old", "other": 1}, "create")
    written(of(server, sink__mode="patch"), frame(id=["a", "b"], name=["new", "made"]))
    assert {i["id"]: (i["name"], i.get("other")) for i in container.items.values()} == {
        "a": ("new", 1),
        "b": ("made", None),
    }


def test_rows_that_no_item_can_be_are_refused_alone(server: Stub) -> None:
    """An item over 2 MB and an id with a slash go to the refusals; their neighbours are written."""
    items = server.make("t").items
    rows = frame(id=["a", "big", "x/y", "b"], name=["1", "x" * (2 << 20), "2", "3"])
    refused = written(of(server), rows)
    assert [(r["id"], code) for r, code, _ in refused.rows] == [("big", "too-large"), ("x/y", "id")]
    assert sorted(i["id"] for i in items.values()) == ["a", "b"]


def test_what_the_service_refuses_is_refused_alone(server: Stub) -> None:
    """A state 400 of one item is that row's."""
    items = server.make("t").items

    def fault(verb: str, _: str, headers: Mapping[str, str]) -> Answer | None:
        if verb == "POST" and headers.get("x-ms-documentdb-partitionkey") == '["bad"]':
            return 400, {}, {"code": "BadRequest", "message": "One of the specified inputs is invalid"}
        return None

    server.fault = fault
    refused = written(of(server), frame(id=["a", "bad", "b"], name=["1", "2", "3"]))
    assert [(r["id"], code, "inputs is invalid" in why) for r, code, why in refused.rows] == [("bad", "refused", True)]
    assert len(items) == 2


def test_throttled_rows_come_again_after_the_time_that_was_asked_for(server: Stub) -> None:
    """429: rows that were taken are not sent again, the others wait as `x-ms-retry-after-ms` says."""
    items = server.make("t").items
    server.throttled(3, 1500)
    made = sink(of(server))
    made.open()
    made.write(frame(id=[str(i) for i in range(10)], name=["x"] * 10))
    with pytest.raises(TransientError, match="throttles") as told:
        made.flush()
    assert told.value.after == 1.5
    assert len(items) == 7
    before = len(server.seen)
    made.flush()
    assert (len(items), len(server.seen) - before) == (10, 3)
    made.close()


def test_a_job_waits_as_it_is_asked_to(server: Stub, tmp_path: Path) -> None:
    """A whole job over a container that throttles: each row is there, and the wait was kept."""
    server.make("t")
    server.throttled(5, 300)
    given = ", ".join(f"'{k}' = '{v}'" for k, v in server.options("t").items())
    began = time.monotonic()
    summary = run(
        "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '50', 'fields.id.kind' = 'sequence',"
        " 'fields.id.start' = '1', 'fields.id.end' = '50', 'rows-per-second' = '1000000');\n"
        f"CREATE TABLE t (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ({given});\nINSERT INTO t SELECT id FROM n;",
        tmp_path,
    )
    assert time.monotonic() - began >= 0.3
    assert (summary.rows_out, len(server.containers["t"].items)) == (50, 50)


def test_so_many_items_are_written_at_a_time(server: Stub) -> None:
    """No more requests are under way than `sink.concurrency` allows, and more than one."""
    server.make("t")
    now, most = [0], [0]

    def fault(verb: str, path: str, _: Mapping[str, str]) -> Answer | None:
        if verb == "POST" and path.rstrip("/").endswith("/docs"):
            with server.lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with server.lock:
                now[0] -= 1
        return None

    server.fault = fault
    written(of(server, sink__concurrency="4"), frame(id=[str(i) for i in range(60)], name=["x"] * 60))
    assert 1 < most[0] <= 4
    assert len(server.containers["t"].items) == 60


# -- batches


def _batches(server: Stub) -> list[str]:
    return [h["x-ms-documentdb-partitionkey"] for _, _, h in server.seen if "x-ms-cosmos-is-batch-request" in h]


def test_rows_of_one_partition_key_go_as_batches(server: Stub) -> None:
    """A hundred at most by one request; where one can't be taken, each alone."""
    container = server.make("t", "/tenant")
    to = of(server, columns=TENANTS, key=("tenant", "n"), sink__transactional_batch="true")
    rows = frame(tenant=["a"] * 150 + ["b"] * 2, n=[*range(150), 1, 2], name=["x"] * 152)
    written(to, rows)
    assert sorted(_batches(server)) == ['["a"]', '["a"]', '["b"]']
    assert len(container.items) == 152
    kinds = pl.Series(KIND, [RowKind.DELETE, RowKind.DELETE, RowKind.UPDATE_AFTER], dtype=pl.Int8)
    written(to, frame(tenant=["b"] * 3, n=[1, 99, 3], name=[None, None, "y"]).with_columns(kinds))
    assert sorted(i["n"] for i in container.items.values() if i["tenant"] == "b") == [2, 3]


def test_a_throttled_batch_comes_again(server: Stub) -> None:
    container = server.make("t", "/tenant")
    server.throttled(1, 20)
    made = sink(of(server, columns=TENANTS, key=("tenant", "n"), sink__transactional_batch="true"))
    made.open()
    made.write(frame(tenant=["a"] * 3, n=[1, 2, 3], name=["x"] * 3))
    with pytest.raises(TransientError) as told:
        made.flush()
    assert (told.value.after, len(container.items)) == (0.02, 0)
    made.flush()
    assert len(container.items) == 3
    made.close()


# -- ETags

GUARDED: dict[str, DataType] = {"id": STRING, "name": STRING, "_etag": STRING}


def _guarded(server: Stub, policy: str = "refuse") -> tuple[Refused, dict[str, Any]]:
    """Write four rows: one as it is, one that another has changed, one that is new, and one that another has made."""
    container = server.make("t")
    etags = {i: container.write({"id": i, "name": "old"}, "create")["_etag"] for i in ("same", "changed")}
    container.write({"id": "changed", "name": "by another"}, "replace")
    container.write({"id": "made", "name": "by another"}, "create")
    rows = frame(id=[*etags, "new", "made"], name=["mine"] * 4, _etag=[*etags.values(), None, None])
    refused = written(of(server, columns=GUARDED, sink__etag=policy), rows)
    return refused, {i["id"]: i["name"] for i in container.items.values()}


def test_an_item_that_another_has_changed_is_left_alone(server: Stub) -> None:
    refused, found = _guarded(server)
    assert [(r["id"], code) for r, code, _ in refused.rows] == [("changed", "conflict"), ("made", "conflict")]
    assert found == {"same": "mine", "changed": "by another", "new": "mine", "made": "by another"}


def test_an_item_that_another_has_changed_is_overwritten(server: Stub) -> None:
    refused, found = _guarded(server, "overwrite")
    assert refused.rows == []
    assert set(found.values()) == {"mine"}


def test_a_write_that_was_ours_is_no_conflict(server: Stub) -> None:
    """After a crash a row comes again with its old ETag: what it says stands already."""
    etag = server.make("t").write({"id": "a", "name": "old"}, "create")["_etag"]
    rows = frame(id=["a", "b"], name=["mine", "mine"], _etag=[etag, None])
    assert written(of(server, columns=GUARDED), rows, rows).rows == []


# -- the change feed


def feed(server: Stub, key: tuple[str, ...] = (), columns: Mapping[str, DataType] = COLUMNS, **more: str) -> Table:
    return of(server, columns=columns, key=key, scan__poll_interval="10 ms", **more)


def names_of(blocks: list[Block]) -> list[str]:
    return sorted(str(name) for b in blocks for name in columns_of(b)["name"].to_list())


def columns_of(block: Block) -> pl.DataFrame:
    assert isinstance(block.values, pl.DataFrame)
    return block.values


def polled(reader: Reader, rows: int, seconds: float = 10.0) -> list[Block]:
    """Poll until so many rows came, and a little longer."""
    found: list[Block] = []
    end = time.monotonic() + seconds
    while sum(map(len, found)) < rows and time.monotonic() < end:
        found += reader.poll(Limit())
    return found + reader.poll(Limit()) + reader.poll(Limit())


def test_the_feed_goes_on_exactly_where_it_was(server: Stub) -> None:
    """Each block's position resumes behind its last row, in each range of the feed."""
    container = server.make("t")
    for i in range(40):
        container.write({"id": str(i), "name": f"n{i}"}, "create")
    where = context(clock=SystemClock())
    reader = source(feed(server, scan__fetch_size="3"), where=where).open({})
    first = reader.poll(Limit()) + reader.poll(Limit())
    reader.close()
    positions = {b.partition: b.position for b in first}
    assert len(positions) == 2
    for i in range(40, 50):
        container.write({"id": str(i), "name": f"n{i}"}, "create")
    reader = source(feed(server, scan__bounded="true"), where=where).open(positions)
    rest = drain(reader)
    reader.close()
    assert len(names_of(first)) == 12
    assert sorted(names_of(first) + names_of(rest)) == sorted(f"n{i}" for i in range(50))
    assert [int(o) for b in first if b.offsets is not None for o in b.offsets] == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]


@pytest.mark.parametrize("mode", ["earliest-offset", "latest-offset", "timestamp"])
def test_where_the_feed_begins(server: Stub, mode: str) -> None:
    container = server.make("t")
    old = container.write({"id": "old", "name": "old"}, "create")
    to = feed(server, scan__startup__mode=mode)
    if mode == "timestamp":
        millis = str(int(old["_ts"]) * 1000 + 1000)
        to = feed(server, scan__startup__mode=mode, scan__startup__timestamp_millis=millis)
    reader = source(to).open({})
    early = polled(reader, 1, 0.3)
    container.write({"id": "new", "name": "new"}, "create")["_ts"] += 5
    late = polled(reader, 1)
    reader.close()
    assert names_of(early) == (["old"] if mode == "earliest-offset" else [])
    assert names_of(late) == ["new"]


def test_a_bounded_feed_ends_where_it_ends_now(server: Stub) -> None:
    container = server.make("t")
    for i in range(10):
        container.write({"id": str(i), "name": f"n{i}"}, "create")
    reader = source(feed(server, scan__bounded="true"), where=context(clock=SystemClock())).open({})
    assert len(names_of(drain(reader))) == 10
    assert not reader.behind()
    reader.close()


def test_a_range_that_was_split_is_not_read_twice(server: Stub) -> None:
    """A position of the whole feed covers both ranges that the container has by now."""
    server.make("t").write({"id": "a", "name": "x"}, "create")
    made = source(feed(server, scan__bounded="true"), where=context(clock=SystemClock()))
    reader = made.open({})
    (block,) = drain(reader)
    reader.close()
    reader = made.open({"..FF": block.position})
    changes = reader.changes()
    reader.close()
    assert [c.partition for c in changes] == ["..FF"]


def test_an_expired_position_ends_the_job(server: Stub) -> None:
    server.make("t").write({"id": "a", "name": "x"}, "create")
    made = source(feed(server, scan__bounded="true"), where=context(clock=SystemClock()))
    reader = made.open({})
    (block,) = drain(reader)
    reader.close()
    server.fault = lambda _, path, headers: (
        (400, {}, {"message": "continuation token expired"}) if "a-im" in headers and "/docs" in path else None
    )
    reader = made.open({block.partition: block.position})
    with pytest.raises(TerminalError, match="can't go on"):
        polled(reader, 1)
    reader.close()


def test_a_feed_that_throttles_is_asked_again(server: Stub) -> None:
    container = server.make("t")
    container.write({"id": "a", "name": "x"}, "create")
    reader = source(feed(server)).open({})
    server.fault = lambda _, path, __: (
        (429, {"x-ms-retry-after-ms": "250"}, {"message": "rate"}) if path.rstrip("/").endswith("/docs") else None
    )
    with pytest.raises(TransientError) as told:
        reader.poll(Limit())
    assert told.value.after == 0.25
    server.fault = None
    assert names_of(polled(reader, 1)) == ["x"]
    reader.close()


def test_with_a_key_the_feed_says_what_stands_there(server: Stub, tmp_path: Path) -> None:
    """Changelog mode upsert: an item that changed takes the place of what it was; a count by name follows."""
    container = server.make("t")
    for i in range(6):
        container.write({"id": str(i), "name": "old"}, "create")
    given = server.options("t") | {"scan.poll-interval": "10 ms"}
    got = Got(tmp_path)
    into = ", ".join(f"'{k}' = '{v}'" for k, v in got.options.items())
    options = ", ".join(f"'{k}' = '{v}'" for k, v in given.items())
    trial = Trial(
        "SET 'execution.checkpointing.interval' = '50 ms';\n"
        f"CREATE TABLE t (id STRING, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ({options});\n"
        f"CREATE TABLE got (name STRING, n BIGINT, PRIMARY KEY (name) NOT ENFORCED) WITH ({into});\n"
        "INSERT INTO got SELECT name, COUNT(*) FROM t GROUP BY name;",
        tmp_path,
    )
    trial.until(lambda: got.rows() == [{"name": "old", "n": 6}], "the first count")
    for i in range(2):
        container.write({"id": str(i), "name": "new"}, "replace")
    trial.until(lambda: sorted(r["n"] for r in got.rows()) == [2, 4], "the count after the changes")
    trial.halt()


def test_deleted_items_are_told_by_the_feed_of_all_versions(server: Stub) -> None:
    """A delete has the columns of the key, taken from the id and the partition key."""
    container = server.make("t", "/tenant")
    to = of(
        server,
        columns=TENANTS,
        key=("tenant", "n"),
        scan__change_feed__mode="all-versions-and-deletes",
        scan__startup__mode="latest-offset",
        scan__poll_interval="10 ms",
    )
    reader = source(to).open({})
    assert polled(reader, 1, 0.2) == []
    written(of(server, columns=TENANTS, key=("tenant", "n")), frame(tenant=["a_b"], n=[1], name=["x"]))
    container.delete(["a_b"], "a%5Fb_1")
    rows = pl.concat([columns_of(b) for b in polled(reader, 2)])
    reader.close()
    assert rows.select("tenant", "n", "name", KIND).rows() == [
        ("a_b", 1, "x", int(RowKind.UPDATE_AFTER)),
        ("a_b", 1, None, int(RowKind.DELETE)),
    ]


def test_an_item_that_cannot_be_read_is_a_reject(server: Stub) -> None:
    container = server.make("t")
    columns: dict[str, DataType] = {"id": STRING, "n": INT}
    for id_, n in (("a", 1), ("b", "no number"), ("c", 3)):
        container.write({"id": id_, "n": n}, "create")
    reader = source(feed(server, columns=columns, scan__bounded="true"), where=context(clock=SystemClock())).open({})
    blocks = drain(reader)
    reader.close()
    assert sorted(n for b in blocks for n in columns_of(b)["n"].drop_nulls().to_list()) == [1, 3]
    (reject,) = [r for b in blocks for r in b.rejects]
    assert "field 'n'" in reject.reason
    assert b"no number" in next(text for b in blocks for text in b.originals.values())


def test_the_end_of_a_feed_is_told_once(server: Stub) -> None:
    server.make("t")
    reader = source(feed(server, scan__bounded="true"), where=context(clock=SystemClock())).open({})
    assert drain(reader) == []
    assert not [c for c in reader.changes() if isinstance(c, Ended)]
    reader.close()


# -- what does not go together


@pytest.mark.parametrize(
    ("columns", "key", "more", "said"),
    [
        (COLUMNS, (), {}, "needs a PRIMARY KEY"),
        (COLUMNS, ("name",), {}, "not in the PRIMARY KEY"),
        (COLUMNS | {"_ts": BIGINT}, ("id",), {}, "written by the service alone"),
        (GUARDED, ("id",), {"sink__transactional_batch": "true"}, "don't go together"),
        (COLUMNS, ("id",), {"sink__mode": "patch", "sink__transactional_batch": "true"}, "don't go together"),
        (COLUMNS | {"ttl": INT}, ("id",), {"sink__ttl": "1 h"}, "both say how long"),
        ({f"c{i}": INT for i in range(12)}, ("c0",), {"sink__mode": "patch"}, "sets 10 properties at most"),
        (COLUMNS, ("id",), {"connection_string": "AccountEndpoint=x"}, "give it alone"),
    ],
    ids=[
        "no key",
        "id not in key",
        "system",
        "etag and batch",
        "patch and batch",
        "ttl twice",
        "wide patch",
        "two logins",
    ],
)
def test_what_does_not_go_together_is_refused(
    server: Stub, columns: dict[str, DataType], key: tuple[str, ...], more: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        sink(of(server, columns=columns, key=key, **more))
