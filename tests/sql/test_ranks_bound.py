"""ORDER BY, OVER of numbers, QUALIFY and WINDOW: what they mean, and what is refused where."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.nodes import Calc, Rank, Sort, walk
from tailrace.schema import BIGINT
from tailrace.sql.session import Session
from tailrace.sql.statements import Query, Statement

TABLE = """CREATE TABLE t (id BIGINT, k STRING, v INT, xs ARRAY<INT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen');
CREATE TABLE o (id BIGINT) WITH ('connector' = 'blackhole');
"""
TOP = "ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC)"


def bind(text: str) -> Statement:
    """Bind a statement."""
    session = Session()
    session.bind(TABLE, "t.sql")
    return session.bind(text, "q.sql")[-1]


def query(text: str) -> Query:
    """Bind a query."""
    found = bind(text)
    assert isinstance(found, Query)
    return found


def rank(text: str) -> Rank:
    """Give the rank in a query."""
    return next(n for n in walk(query(text).plan) if isinstance(n, Rank))


REFUSED = [
    ("SELECT id FROM t ORDER BY v", 27, "sorts a stream by time only"),
    ("SELECT id FROM t ORDER BY ts DESC", 27, "sorts a stream by time only"),
    ("INSERT INTO o SELECT id FROM t ORDER BY id", 41, "sorts a stream by time only"),
    ("CREATE VIEW w AS SELECT id FROM t ORDER BY id", 44, "sorts a stream by time only"),
    ("(SELECT id FROM t ORDER BY id)", 28, "sorts a stream by time only"),
    ("SELECT id FROM t ORDER BY 2 LIMIT 3", 27, "ORDER BY 2: there are 1 columns"),
    ("SELECT id FROM t ORDER BY idd LIMIT 3", 27, "there is no column 'idd'"),
    ("SELECT DISTINCT id FROM t ORDER BY v LIMIT 3", 36, "there is no column 'v'"),
    ("SELECT id FROM t ORDER BY v OFFSET 3", 1, "OFFSET needs a LIMIT"),
    ("SELECT id FROM t QUALIFY v = 1", 26, "QUALIFY needs a window function"),
    (f"SELECT k, COUNT(*) FROM t GROUP BY k QUALIFY {TOP} = 1", 46, "can't stand beside GROUP BY"),
    (f"SELECT id FROM t WHERE {TOP} <= 2", 24, "ROW_NUMBER OVER can't stand here"),
    ("SELECT ROW_NUMBER() FROM t", 8, "ROW_NUMBER needs OVER"),
    ("SELECT ROW_NUMBER(id) OVER (ORDER BY v) FROM t", 8, "takes no arguments"),
    ("SELECT ROW_NUMBER() OVER (PARTITION BY k) FROM t", 8, "needs ORDER BY of a column"),
    ("SELECT ROW_NUMBER() OVER (ORDER BY 'x') FROM t", 8, "needs ORDER BY of a column"),
    ("SELECT ROW_NUMBER() OVER (ORDER BY v ROWS CURRENT ROW) FROM t", 38, "takes no ROWS or RANGE"),
    ("SELECT ROW_NUMBER() OVER w FROM t WINDOW x AS (ORDER BY v)", 26, "there is no window 'w'"),
    ("SELECT ROW_NUMBER() OVER (w PARTITION BY k) FROM t WINDOW w AS (ORDER BY v)", 27, "has its PARTITION BY"),
    (f"SELECT {TOP}, ROW_NUMBER() OVER (ORDER BY v) FROM t", 60, "must be the same"),
    (f"SELECT ROW_NUMBER() OVER (ORDER BY {TOP}) FROM t", 36, "can't stand inside another one"),
    ("SELECT * FROM (SELECT RANK() OVER (ORDER BY v) AS r FROM t) WHERE r < 3", 23, "as in Flink"),
    ("SELECT * FROM (SELECT DENSE_RANK() OVER (ORDER BY v) AS r FROM t) WHERE r < 3", 23, "as in Flink"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED)
def test_refused(text: str, column: int, message: str) -> None:
    """What Flink refuses is refused where it stands."""
    with pytest.raises(ConfigError) as caught:
        bind(text)
    assert message in caught.value.message
    assert str(caught.value.location) == f"q.sql:1:{column}"
    assert not isinstance(caught.value, UnsupportedError)


def test_what_is_not_there_yet() -> None:
    """It is said where, and what helps."""
    for text, message in (
        ("SELECT id FROM t ORDER BY xs LIMIT 3", "ORDER BY of ARRAY"),
        ("SELECT SUM(v) OVER w, ROW_NUMBER() OVER w FROM t WINDOW w AS (ORDER BY ts)", "beside an aggregate"),
    ):
        with pytest.raises(UnsupportedError, match=message) as caught:
            bind(text)
        assert caught.value.location
        assert caught.value.hint


def test_the_number_is_a_bigint_without_null() -> None:
    """As ROW_NUMBER gives it in Flink."""
    assert query(f"SELECT {TOP} AS rn FROM t QUALIFY rn <= 3").plan.schema["rn"].type == BIGINT.with_nullable(False)


def test_keys_of_order_by() -> None:
    """A key is a name or place of the output, or an expression over both; nothing is computed twice."""
    node = rank("SELECT id, v + 1 AS x FROM t ORDER BY x DESC, 1, k NULLS LAST, v + 1 LIMIT 3")
    assert [str(k) for k in node.order] == ["x DESC", "id", "k NULLS LAST"]
    assert [str(k) for k in rank("SELECT * FROM t ORDER BY t.v LIMIT 3").order] == ["v"]
    assert query("SELECT id FROM t ORDER BY v LIMIT 3").plan.schema.names == ("id",)
    assert rank("SELECT k, SUM(v) FROM t GROUP BY k ORDER BY COUNT(*) DESC LIMIT 1").order[0].descending
    assert [str(k) for k in rank("SELECT DISTINCT k FROM t ORDER BY UPPER(k) LIMIT 1").order] == ["__k0"]


def test_an_order_below_means_nothing() -> None:
    """In a query below, in WITH and beside UNION, unless there is a LIMIT."""
    for text in (
        "SELECT id FROM (SELECT * FROM t ORDER BY v)",
        "WITH w AS (SELECT * FROM t ORDER BY v) SELECT id FROM w",
        "(SELECT id FROM t ORDER BY v) UNION ALL SELECT id FROM t",
    ):
        assert not any(isinstance(n, (Rank, Sort)) for n in walk(query(text).plan))
    assert rank("SELECT id FROM (SELECT * FROM t ORDER BY v LIMIT 3)").end == 3


def test_qualify_knows_the_columns_of_the_select() -> None:
    """A name in QUALIFY is a column of the SELECT before it is one of the table."""
    plan = query(f"SELECT id, v + 1 AS v, {TOP} AS rn FROM t QUALIFY rn <= 3 AND v = 8").plan
    node = next(n for n in walk(plan) if isinstance(n, Rank))
    assert node.end == 3
    assert isinstance(node.input, Calc)
    assert any("(v + 1) = " in str(e) for e in node.input.exprs)


def test_named_windows_build_on_each_other() -> None:
    """A window may add an order to one that has none."""
    node = rank(
        "SELECT id, ROW_NUMBER() OVER (w ORDER BY v) AS rn FROM t WINDOW p AS (PARTITION BY k), w AS (p) QUALIFY rn = 3"
    )
    assert (node.partition, [str(k) for k in node.order], node.start) == (("k",), ["v"], 3)


def test_numbers_over_groups() -> None:
    """OVER may order by aggregates, also over several groupings."""
    text = (
        "SELECT * FROM (SELECT k, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, k) AS rn FROM t GROUP BY {}) WHERE rn <= 2"
    )
    for keys in ("k", "ROLLUP(k, v)"):
        assert len(rank(text.format(keys)).order) == 2
