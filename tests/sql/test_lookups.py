"""FOR SYSTEM_TIME AS OF a processing time: which joins are lookups, by what, and what is refused."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.describe import describe
from tailrace.plan.explain import explain
from tailrace.plan.nodes import LookupJoin, LookupRetry, Sink, walk
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE o (id BIGINT, k INT, s STRING, p AS PROCTIME()) WITH ('connector' = 'memory');
CREATE TABLE dim (k INT, n BIGINT, s STRING, up AS UPPER(s), PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'memory');
CREATE TABLE files (k INT, name STRING METADATA FROM 'file.name') WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');
CREATE VIEW sums AS SELECT k, SUM(n) AS n FROM dim GROUP BY k;
CREATE VIEW kept AS SELECT k AS key, n + 1 AS more FROM dim WHERE n > 5;
"""


def lookup(query: str) -> LookupJoin:
    """Give the lookup of a query."""
    found = [s for s in Session().bind(TABLES + query, "q.sql") if isinstance(s, Query)]
    (node,) = (n for n in walk(optimize((found[0].plan,))[0]) if isinstance(n, LookupJoin))
    return node


@pytest.mark.parametrize(
    ("table", "on", "keys", "rest"),
    [
        ("dim", "o.k = d.k", ["k = k"], False),
        ("dim", "d.k = o.k AND d.s = o.s", ["k = k", "s = s"], False),
        ("dim", "d.k = o.k + 1", ["k = __j0"], False),
        ("dim", "d.k = o.k AND d.s = 'x'", ["k = k", "s = CAST('x'"], False),
        ("dim", "d.k = 5", ["k = 5"], False),
        ("dim", "d.k = o.k AND d.n > o.id", ["k = k"], True),
        ("dim", "d.k = o.k AND d.up = o.s", ["k = k"], True),
        ("dim", "d.k = o.id", ["k = TRY_CAST(id AS INT)"], True),
        ("dim", "d.k = o.k AND d.s IS NOT DISTINCT FROM o.s", ["k = k"], True),
        ("kept", "d.key = o.k", ["k = k"], False),
    ],
)
def test_what_is_looked_up(table: str, on: str, keys: list[str], *, rest: bool) -> None:
    """Equalities with columns of the table are keys, also with constants; all else is asked of what was found."""
    node = lookup(f"SELECT o.id FROM o JOIN {table} FOR SYSTEM_TIME AS OF o.p AS d ON {on};")
    shown = describe(node)
    assert [k for k in keys if k not in shown] == []
    assert len(node.keys) == len(keys)
    assert (node.condition is not None) is rest
    assert (node.predicate is not None) is (table == "kept")


def test_only_what_is_read_is_asked_for() -> None:
    """Columns that nobody reads are not asked for, and conditions of the left go below."""
    node = lookup("SELECT o.id, d.n FROM o LEFT JOIN dim FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k WHERE o.id > 3;")
    assert node.asked.names == ("k", "n")
    assert node.schema.names == ("id", "n")
    assert "where (id > CAST(3" in explain([Sink(schema=node.schema, input=node, table=None)])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM o JOIN dim FOR SYSTEM_TIME AS OF o.p AS d ON o.k > d.k", "needs an equality"),
        ("SELECT * FROM o JOIN dim FOR SYSTEM_TIME AS OF o.p AS d ON UPPER(d.s) = o.s", "needs an equality"),
        ("SELECT * FROM o JOIN sums FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k", "reads a table"),
        ("SELECT * FROM o JOIN dim FOR SYSTEM_TIME AS OF PROCTIME() AS d ON o.k = d.k", "time attribute of the left"),
        ("SELECT * FROM o JOIN files FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k", "metadata column 'name'"),
        ("SELECT * FROM o RIGHT JOIN dim FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k", "RIGHT JOIN can't"),
        ("SELECT * FROM o, dim FOR SYSTEM_TIME AS OF o.p AS d WHERE o.k = d.k", "a comma"),
        ("SELECT * FROM dim FOR SYSTEM_TIME AS OF PROCTIME()", "right of a join"),
    ],
)
def test_what_is_refused(query: str, words: str) -> None:
    """The message says what is wrong, and points at the place."""
    with pytest.raises(ConfigError, match=words) as caught:
        Session().bind(TABLES + query + ";", "q.sql")
    assert caught.value.location is not None
    assert caught.value.hint


RETRY = (
    "'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', 'fixed-delay' = '2 s', 'max-attempts' = '3'"
)
JOINED = "o.id FROM o JOIN dim FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k;"


def test_a_hint_says_how_to_ask_again() -> None:
    """It is about the table that it names, by its alias, and the plan shows it."""
    node = lookup(f"SELECT /*+ LOOKUP('table' = 'd', {RETRY}, 'async' = 'true', 'output-mode' = 'ordered') */ {JOINED}")
    assert node.retry == LookupRetry(3, 2000)
    assert "asked up to 3 times more after 2000 ms" in describe(node)
    assert lookup(f"SELECT /*+ LOOKUP('table' = 'o', {RETRY}) */ {JOINED}").retry is None
    assert lookup(f"SELECT /*+ LOOKUP('table' = 'd', 'async' = 'false', 'any' = 'x') */ {JOINED}").retry is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RETRY, "needs the option 'table'"),
        (f"'table' = 'e', {RETRY}", "no 'e' in FROM"),
        ("'table' = 'd', 'max-attempts' = '3'", "but not 'retry-predicate', 'retry-strategy', 'fixed-delay'"),
        ("'table' = 'd', 'fixed-delay' = 'soon'", "'fixed-delay' of LOOKUP can't be 'soon'"),
        ("'table' = 'd', 'timeout' = 'x'", "'timeout' of LOOKUP can't be 'x'"),
    ],
)
def test_wrong_hints(options: str, words: str) -> None:
    """The message says what is wrong or not there, and points at the place."""
    with pytest.raises(ConfigError, match=words) as caught:
        Session().bind(f"{TABLES}SELECT /*+ LOOKUP({options}) */ {JOINED}", "q.sql")
    assert caught.value.location is not None
    assert caught.value.hint
