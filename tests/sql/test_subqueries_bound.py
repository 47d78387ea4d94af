"""Queries inside of expressions as they are bound: which joins they become, what is filtered where, and what is refused."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Outer, walk
from tailrace.plan.explain import explain
from tailrace.plan.nodes import Aggregate, Calc, Join, JoinKind, OuterRows, Sink
from tailrace.plan.nodes import walk as nodes_of
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE t (k INT, v INT, s STRING, n INT NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
CREATE TABLE u (k INT, w INT, s STRING, n INT NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
CREATE TABLE p (k INT, w INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'x');
"""


def plan(text: str) -> Sink:
    """Bind a query and give its plan."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    query = session.bind(text, "q.sql")[-1]
    assert isinstance(query, Query)
    return query.plan


def joins(text: str) -> list[JoinKind]:
    """Give the kinds of the joins of a query, the first to run first."""
    return [n.kind for n in nodes_of(plan(text)) if isinstance(n, Join)]


def drawn(text: str) -> str:
    """Give the drawing of a query's plan."""
    return explain([plan(text)])


def columns(text: str) -> dict[str, str]:
    """Give names and types of a query's columns."""
    return {f.name: str(f.type) for f in plan(text).schema}


def test_conditions_that_must_be_true_are_semi_and_anti_joins() -> None:
    """IN and EXISTS as parts of WHERE are one join each, and have no columns of their own."""
    text = "SELECT * FROM t WHERE k IN (SELECT k FROM u) AND NOT EXISTS (SELECT 1 FROM u WHERE u.s = t.s)"
    assert joins(text) == [JoinKind.SEMI, JoinKind.ANTI]
    assert list(columns(text)) == ["k", "v", "s", "n", "ts"]
    assert joins("SELECT * FROM t WHERE NOT (n IN (SELECT n FROM u) OR v > 3)") == [JoinKind.ANTI]
    assert joins("SELECT * FROM t WHERE n <> ALL (SELECT n FROM u) AND k = ANY (SELECT k FROM u)") == [
        JoinKind.ANTI,
        JoinKind.SEMI,
    ]


def test_not_in_drops_what_is_not_known_by_joins_with_keys() -> None:
    """NOT IN of columns that may be NULL has an anti join for NULLs of each side; none compares all rows with all."""
    found = drawn("SELECT k FROM t WHERE k NOT IN (SELECT w FROM u)")
    assert found.count("Join ANTI") == 3
    assert "Join ANTI on k = __q" in found
    assert "where IS NULL(w)" in found
    assert joins("SELECT n FROM t WHERE n NOT IN (SELECT n FROM u)") == [JoinKind.ANTI]


def test_filters_go_into_both_sides() -> None:
    """What is about one side only is looked at before the join."""
    found = drawn("SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.w > 3) AND v > 5")
    assert "where (v > 5)" in found
    assert "where (w > 3)" in found
    assert "Join SEMI on k = __q0:" in found


def test_an_aggregate_of_equal_rows_is_grouped_by_what_is_compared() -> None:
    """A query that stands for a value is one aggregation by key, and a join; COUNT of nothing is 0."""
    text = "SELECT k, (SELECT COUNT(*) FROM u WHERE u.k = t.k) AS c FROM t"
    (aggregate,) = [n for n in nodes_of(plan(text)) if isinstance(n, Aggregate)]
    assert len(aggregate.keys) == 1
    assert "COALESCE" in drawn(text)
    assert joins(text) == [JoinKind.LEFT]
    assert columns(text) == {"k": "INT", "c": "BIGINT NOT NULL"}
    assert joins("SELECT k FROM t WHERE v > (SELECT MAX(w) FROM u WHERE u.k = t.k)") == [JoinKind.INNER]


def test_one_row_is_not_checked_where_a_key_tells() -> None:
    """A query by primary key gives one row at most; any other is checked when it runs."""
    assert "SINGLE" not in drawn("SELECT k, (SELECT w FROM p WHERE p.k = t.k) FROM t")
    assert "SINGLE VALUE" in drawn("SELECT k, (SELECT w FROM u WHERE u.k = t.k) FROM t")
    assert "SINGLE VALUE" in drawn("SELECT k, (SELECT w FROM u) FROM t")
    assert "SINGLE" not in drawn("SELECT k, (SELECT w FROM u ORDER BY w LIMIT 1) FROM t")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND EXISTS (SELECT 1 FROM p WHERE p.w = u.w AND p.k = t.v))",
        "SELECT k, (SELECT SUM(w) FROM u WHERE u.w < t.v) FROM t",
        "SELECT k, v IN (SELECT w + t.v FROM u WHERE u.k > t.k) FROM t",
        "SELECT k FROM t WHERE EXISTS (SELECT s FROM u WHERE u.w < t.v GROUP BY s HAVING COUNT(*) > t.n)",
        "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u LEFT JOIN (SELECT * FROM p WHERE p.w > t.v) AS q ON u.k = q.k)",
        "SELECT t.k, x.r FROM t LEFT JOIN LATERAL (SELECT w + t.v AS r FROM u WHERE u.k > t.k) AS x ON x.r > t.n",
        "SELECT k, (SELECT MAX(m) FROM (SELECT s, COUNT(*) + t.v AS m FROM u WHERE u.w > t.v GROUP BY s)) FROM t",
        "SELECT k FROM t WHERE v IN (SELECT ROW_NUMBER() OVER (PARTITION BY s ORDER BY w) FROM u WHERE u.k = t.k)",
    ],
)
def test_nothing_of_the_query_around_is_left_inside(text: str) -> None:
    """Whatever reads the query around, the plan that runs is joins only."""
    for node in nodes_of(plan(text)):
        assert not isinstance(node, OuterRows)
        exprs = [*node.exprs, node.predicate] if isinstance(node, Calc) else []
        exprs += [node.condition] if isinstance(node, Join) else []
        assert not [e for expr in exprs if expr is not None for e in walk(expr) if isinstance(e, Outer)]


@pytest.mark.parametrize("sides", ["u AS a RIGHT JOIN {b}", "{b} LEFT JOIN u AS a"])
def test_state_of_a_side_lives_as_long_as_its_hint_says(sides: str) -> None:
    """Also where an outer join has its sides changed, as the query around is joined to its left."""
    hint = "/*+ STATE_TTL('a' = '1 s', 'b' = '2 s') */"
    joined = sides.format(b="(SELECT * FROM p WHERE p.w = t.v) AS b")
    made = plan(f"SELECT k FROM t WHERE EXISTS (SELECT {hint} 1 FROM {joined} ON a.k = b.k)")
    (inner,) = [n for n in nodes_of(made) if isinstance(n, Join) and n.kind is JoinKind.LEFT]
    assert inner.ttl == (2000, 1000)


def test_names_are_looked_for_inside_first() -> None:
    """A name that both queries have is that of the query inside; one that none has is an error at its place."""
    assert "Join SEMI:" in drawn("SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE k = 3)")
    with pytest.raises(ConfigError, match="there is no column 'zz'") as caught:
        plan("SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = zz)")
    assert str(caught.value.location) == "q.sql:1:59"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("SELECT (SELECT k, w FROM u) FROM t", 8, "must have one column, not 2"),
        ("SELECT k FROM t WHERE k IN (SELECT k, w FROM u)", 23, "1 values are compared with the 2 columns"),
        ("SELECT (k, v) IN (SELECT k, w FROM u) FROM t", 8, "can't be a value, as in Flink"),
        ("SELECT ARRAY[(SELECT MAX(w) FROM u)] FROM t", 14, "can't be a value of ARRAY, as in Flink"),
        ("SELECT t.k FROM t JOIN p ON t.k IN (SELECT k FROM u)", 29, "can't stand in ON, as in Flink"),
        (
            "SELECT t.k FROM t JOIN p ON EXISTS (SELECT 1 FROM u WHERE u.k = t.k)",
            29,
            "can't read the columns of the join",
        ),
        ("SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u JOIN p ON u.k = p.k AND p.w = t.v)", 57, "can't be used in ON"),
        (
            "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k UNION ALL SELECT 2 FROM p)",
            31,
            "under a UNION",
        ),
        ("SELECT (SELECT w FROM u WHERE u.k = t.k LIMIT 1) FROM t", 9, "under a LIMIT"),
        (
            "SELECT 1 FROM t RIGHT JOIN LATERAL (SELECT w FROM u WHERE u.k = t.k) AS x ON TRUE",
            15,
            "RIGHT JOIN can't have",
        ),
        (
            "SELECT k, (SELECT MAX(w) FROM u WHERE u.s = t.s) FROM t GROUP BY k",
            45,
            "neither in GROUP BY nor in an aggregate",
        ),
        (
            "SELECT t.k FROM t, LATERAL (SELECT w, n FROM u WHERE u.k = t.k) AS x (a)",
            20,
            "1 names are given for 2 columns",
        ),
        (
            "SELECT t.k FROM t, LATERAL (SELECT w, n FROM u WHERE u.k = t.k) AS x (a, a)",
            71,
            "the name 'a' is given twice",
        ),
        ("SELECT 1 FROM t, LATERAL (SELECT w FROM u WHERE u.k = t.k) AS t", 18, "the name 't' stands twice in FROM"),
    ],
)
def test_what_flink_refuses_is_refused(text: str, column: int, message: str) -> None:
    """Each refusal points at its place and says what to write."""
    with pytest.raises(ConfigError, match=message) as caught:
        plan(text)
    assert str(caught.value.location) == f"q.sql:1:{column}"
