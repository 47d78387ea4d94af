"""What becomes of numbered rows: top-N, deduplication, their kin by window, or a count."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.changelog import changelog_modes, shown
from tailrace.plan.describe import describe
from tailrace.plan.explain import explain
from tailrace.plan.keys import unique_keys
from tailrace.plan.nodes import Deduplicate, Limit, Node, OverAggregate, Rank, Scan, Sink, Sort, WindowRank, walk
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLE = """CREATE TABLE t (id BIGINT, k STRING, v INT, xs ARRAY<INT>, wide STRING, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
"""
WINDOW = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
GROUPS = "(SELECT k, COUNT(*) AS v FROM t GROUP BY k)"


def sink(text: str) -> Sink:
    """Bind a query."""
    session = Session()
    session.bind(TABLE, "t.sql")
    statement = session.bind(text, "q.sql")[-1]
    assert isinstance(statement, Query)
    return statement.plan


def numbered(order: str, where: str, items: str = "*", by: str = "k", source: str = "t") -> str:
    """Write a query over numbered rows."""
    number = f"ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {order}) AS rn"
    return f"SELECT {items} FROM (SELECT *, {number} FROM {source}) WHERE {where}"


def found(text: str) -> Node:
    """Give the node that knows the order."""
    kinds = (Rank, Deduplicate, Sort, OverAggregate, Limit)
    return next(n for n in walk(sink(text)) if isinstance(n, kinds))


def rank(text: str) -> Rank:
    """Give the rank of a query."""
    node = found(text)
    assert isinstance(node, Rank)
    return node


@pytest.mark.parametrize(
    ("where", "places"),
    [
        ("rn <= 3", (1, 3)),
        ("rn < 3", (1, 2)),
        ("3 >= rn", (1, 3)),
        ("3 > rn", (1, 2)),
        ("rn = 2", (2, 2)),
        ("2 = rn", (2, 2)),
        ("rn BETWEEN 2 AND 5", (2, 5)),
        ("rn > 1 AND rn <= 5 AND rn < 4", (2, 3)),
        ("rn <= 1 + 2", (1, 3)),
        ("rn <= CAST(3 AS BIGINT)", (1, 3)),
        ("rn <= 3 AND v > 1", (1, 3)),
        ("rn <= 3 OR rn = 5", (1, None)),
        ("rn <= v", (1, None)),
        ("rn <= 2.5", (1, None)),
        ("rn <= NULL", (1, None)),
    ],
)
def test_conditions_on_the_place(where: str, places: tuple[int, int | None]) -> None:
    """Comparisons with whole constants bound the places; what else stands beside them is a filter."""
    node = rank(numbered("v", where, "id, rn"))
    assert (node.start, node.end) == places


def test_conditions_are_found_through_projections() -> None:
    """Renaming and computing between the number and its condition do not hide it."""
    text = "SELECT b + b, place FROM (SELECT v * 2 AS b, n AS place FROM (SELECT v, n FROM (SELECT v, {} AS n FROM t))) WHERE place < 4"
    node = rank(text.format("ROW_NUMBER() OVER (ORDER BY v DESC)"))
    assert (node.start, node.end, node.partition) == (1, 3, ())


def test_a_place_that_nobody_reads_is_left_out() -> None:
    """Also one that is always the same: then it is a constant."""
    assert rank(numbered("v DESC", "rn <= 3")).number == "rn"
    assert rank(numbered("v DESC", "rn <= 3", "id")).number is None
    assert rank(numbered("v DESC", "rn = 2", "id, rn")).number is None
    (scan,) = (n for n in walk(sink(numbered("v DESC", "rn <= 3", "id"))) if isinstance(n, Scan))
    assert "wide" not in scan.schema.names


def test_conditions_on_the_partition_go_below() -> None:
    """Those on other columns stay above, as they would change the places."""
    top, node = walk(sink(numbered("v DESC", "rn <= 3 AND k = 'a' AND v > 1", "id")))[-2:-5:-2]
    lines = [describe(n) for n in (top, node)]
    assert "v > 1" in lines[0]
    assert "k = " in lines[1]


def test_by_time_it_is_a_deduplication() -> None:
    """One row of each key, the first or last by a time attribute alone."""
    for order, last, clock in (
        ("ts", False, False),
        ("ts DESC", True, False),
        ("pt", False, True),
        ("pt DESC", True, True),
    ):
        node = found(numbered(order, "rn = 1", "id, rn"))
        assert isinstance(node, Deduplicate)
        assert (node.keys, node.last, node.processing_time) == (("k",), last, clock)
    assert isinstance(found(numbered("ts, v", "rn = 1", "id")), Rank)
    assert isinstance(found(numbered("ts", "rn <= 2", "id")), Rank)
    assert isinstance(found(numbered("v", "rn = 1", "id")), Rank)


def test_by_time_over_inserts_that_come_of_updates() -> None:
    """What updates further below does not count: a temporal join with rows by key gives inserts all the same."""
    prices = """CREATE TABLE prices (k STRING, p INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (k) NOT ENFORCED)
      WITH ('connector' = 'upsert-kafka', 'topic' = 'p', 'properties.bootstrap.servers' = 'x:1', 'key.format' = 'raw', 'value.format' = 'json');
    """
    priced = "(SELECT t.id, t.k, t.ts, p.p FROM t JOIN prices FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k)"
    session = Session()
    session.bind(TABLE + prices, "t.sql")
    statement = session.bind(numbered("ts DESC", "rn = 1", "id, p", source=priced), "q.sql")[-1]
    assert isinstance(statement, Query)
    assert any(isinstance(n, Deduplicate) for n in walk(statement.plan))


def test_by_window_rows_come_once() -> None:
    """Both edges of a window must be among the partition, whatever they are called."""
    both = numbered("v", "rn <= 2", "id", "window_start, window_end, k", WINDOW)
    node = found(both)
    assert isinstance(node, WindowRank)
    assert (node.edge, node.latest) == ("window_end", False)
    latest = found(numbered("ts DESC", "rn = 1", "id", "k, window_end, window_start", WINDOW))
    assert isinstance(latest, WindowRank)
    assert latest.latest
    renamed = f"(SELECT id, v, window_start AS a, window_end AS b FROM {WINDOW})"
    assert isinstance(found(numbered("v", "rn <= 2", "id", "a, b", renamed)), WindowRank)
    assert not isinstance(found(numbered("v", "rn <= 2", "id", "window_end", WINDOW)), WindowRank)


def test_numbers_of_all_rows() -> None:
    """By time they are counts; by one ascending column they are kept right; else they are refused, as in Flink."""
    assert isinstance(found("SELECT id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) FROM t"), OverAggregate)
    assert rank("SELECT id, ROW_NUMBER() OVER (ORDER BY v) FROM t").end is None
    for order in ("v DESC", "v, id", "ts DESC"):
        with pytest.raises(ConfigError, match="needs one column"):
            sink(f"SELECT id, ROW_NUMBER() OVER (ORDER BY {order}) FROM t")
    with pytest.raises(ConfigError, match="have no end"):
        sink(numbered("v", "rn > 2"))
    with pytest.raises(ConfigError, match="no row has a place"):
        sink(numbered("v", "rn < 1"))
    with pytest.raises(UnsupportedError, match="RANK of all rows"):
        sink("SELECT id, RANK() OVER (ORDER BY ts) FROM t")


def test_a_number_that_nobody_reads_is_not_counted() -> None:
    """Numbering all rows for nothing is no node at all."""
    text = "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v) AS rn FROM t)"
    assert not any(isinstance(n, Rank) for n in walk(sink(text)))


def test_limits() -> None:
    """With an order a LIMIT is a rank; without one only of rows that are taken back."""
    node = rank("SELECT id FROM t ORDER BY v DESC LIMIT 3 OFFSET 2")
    assert (node.start, node.end, node.number, node.partition) == (3, 5, None, ())
    assert isinstance(found("SELECT id FROM t LIMIT 3"), Limit)
    assert isinstance(found("SELECT id FROM t ORDER BY v LIMIT 0"), Limit)
    assert rank("SELECT k, COUNT(*) FROM t GROUP BY k LIMIT 3").order == ()


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (numbered("v", "rn <= 3"), "[I,UB,UA]"),
        (numbered("v", "rn <= 3", "id"), "[I,D]"),
        (numbered("v", "rn = 1", "id"), "[I,UB,UA]"),
        (numbered("v", "rn <= 3", "k", source=GROUPS), "[I,UB,UA,D]"),
        (numbered("ts DESC", "rn = 1", "id"), "[I,UB,UA]"),
        (numbered("ts", "rn = 1", "id"), "[I]"),
        (numbered("pt", "rn = 1", "id"), "[I]"),
        (numbered("v", "rn <= 2", "id", "window_start, window_end", WINDOW), "[I]"),
        ("SELECT id FROM t ORDER BY ts, v", "[I]"),
    ],
)
def test_changes(text: str, mode: str) -> None:
    """The plan knows what changes come out, and says what is kept."""
    plan = sink(text)
    assert shown(changelog_modes([plan])[id(plan)]) == mode
    assert "state: " in explain([plan])


def test_keys() -> None:
    """A place is known by its partition and number, and rows of a deduplication by their key."""
    assert frozenset(("k", "rn")) in unique_keys(rank(numbered("v", "rn <= 3")))
    assert frozenset(("k",)) in unique_keys(rank(numbered("v", "rn = 2", "k, id")))
    assert frozenset(("k",)) in unique_keys(found(numbered("ts", "rn = 1", "k, id")))


def test_optimizing_twice_changes_nothing() -> None:
    """What is optimized stays as it is."""
    for text in (
        numbered("ts", "rn = 1", "id, rn"),
        numbered("v", "rn <= 3 AND k = 'a'"),
        "SELECT id FROM t ORDER BY ts",
    ):
        plan = sink(text)
        assert optimize((plan,)) == (plan,)
