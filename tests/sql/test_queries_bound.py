"""Queries: names, types, windows, aggregates, and what is refused."""

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.nodes import (
    Calc,
    Limit,
    Node,
    Scan,
    Sink,
    Union,
    Unnest,
    WindowAggregate,
    WindowKind,
    WindowTable,
    walk,
)
from tailrace.schema import TimeAttribute
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = """
CREATE TABLE pay (card STRING, amount DECIMAL(10, 2), n INT NOT NULL, r ROW<a ROW<b INT>, c STRING>, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'x');
CREATE TABLE ltz (a INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
"""
TUMBLE = "FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"


def plan(text: str) -> Sink:
    """Bind a script and give the plan of its last query."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    query = session.bind(text, "q.sql")[-1]
    assert isinstance(query, Query)
    return query.plan


def columns(text: str) -> dict[str, str]:
    """Give names and types of a query's columns."""
    return {f.name: str(f.type) for f in plan(text).schema}


def refused(text: str) -> ConfigError:
    """Give the error of a query that must be refused."""
    with pytest.raises(ConfigError) as caught:
        plan(text)
    assert caught.value.location is not None
    return caught.value


def only(node: Node, cls: type[Node]) -> Node:
    """Give the one node of a class."""
    (found,) = [n for n in walk(node) if isinstance(n, cls)]
    return found


def test_columns_names_and_types() -> None:
    """Aliases, qualified names, fields in rows, and Flink's names for what has none."""
    text = "SELECT n AS m, p.card, p.r.a.b, r.c, n + 1, 'x', amount FROM pay AS p"
    assert list(columns(text)) == ["m", "card", "b", "c", "EXPR$4", "EXPR$5", "amount"]
    assert columns(text)["m"] == "INT NOT NULL"
    assert columns(text)["b"] == "INT"
    assert columns(text)["EXPR$5"] == "CHAR(1) NOT NULL"


def test_stars() -> None:
    """`*` gives all columns in order, `t.*` those of t, `row.*` its fields."""
    every = ["card", "amount", "n", "r", "ts", "pt"]
    assert list(columns("SELECT * FROM pay")) == every
    assert list(columns("SELECT p.* FROM pay p")) == every
    assert list(columns("SELECT r.* FROM pay")) == ["a", "c"]


def test_a_name_twice_gets_a_number() -> None:
    """Equal names of a result are told apart as Flink does."""
    assert list(columns("SELECT card, card, n AS card FROM pay")) == ["card", "card0", "card1"]


def test_names_are_case_sensitive_and_functions_are_not() -> None:
    """`CARD` is no column where `card` is; `upper` and `UPPER` are one function."""
    error = refused("SELECT CARD FROM pay")
    assert (error.message, error.hint) == ("there is no column 'CARD' in 'pay'", "did you mean 'card'?")
    assert plan("SELECT upper(card) FROM pay").input == plan("SELECT UPPER(card) FROM pay").input


def test_subqueries_views_and_with() -> None:
    """Each may read the ones before it; names of columns can be given anew."""
    text = """CREATE VIEW v (a, b) AS SELECT card, n FROM pay WHERE n > 1;
      WITH w (x) AS (SELECT a FROM v), z AS (SELECT x AS y FROM w) SELECT q.s FROM (SELECT y FROM z) AS q (s)"""
    assert columns(text) == {"s": "STRING"}


def test_a_with_query_hides_a_table() -> None:
    """The name of WITH counts before that of a table."""
    assert columns("WITH pay AS (SELECT 1 AS o) SELECT * FROM pay") == {"o": "INT NOT NULL"}


def test_union_all_has_common_types() -> None:
    """The members are brought to one type for each column, under the first one's names."""
    node = only(plan("SELECT n AS a FROM pay UNION ALL SELECT amount FROM pay UNION ALL VALUES (1.5)"), Union)
    assert node.schema.names == ("a",)
    assert str(node.schema["a"].type) == "DECIMAL(12, 2)"
    assert all(m.schema == node.schema for m in node.inputs)
    assert len(node.inputs) == 3


def test_union_all_must_fit() -> None:
    """Other numbers of columns and types without a common one are refused."""
    assert "same number of columns" in refused("SELECT n, card FROM pay UNION ALL SELECT n FROM pay").message
    assert "'n' is INT on one side" in refused("SELECT n FROM pay UNION ALL SELECT r FROM pay").message


def test_values() -> None:
    """Rows of constants have one type for each column."""
    assert columns("SELECT a, b FROM (VALUES (1, 'x'), (2, 'yy'), (CAST(NULL AS INT), 'z')) AS t (a, b)") == {
        "a": "INT",
        "b": "VARCHAR(2) NOT NULL",
    }
    assert "has 1 columns, the first has 2" in refused("VALUES (1, 2), (3)").message


def test_limit() -> None:
    """LIMIT, OFFSET and FETCH bound a query."""
    node = only(plan("SELECT * FROM pay LIMIT 5 OFFSET 2"), Limit)
    assert isinstance(node, Limit)
    assert (node.count, node.offset) == (5, 2)
    node = only(plan("SELECT * FROM pay FETCH NEXT 1 ROW ONLY"), Limit)
    assert isinstance(node, Limit)
    assert node.count == 1


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("SELECT carrd FROM pay", "there is no column 'carrd' in 'pay'", "did you mean 'card'?"),
        ("SELECT q.card FROM pay p", "there is no table or column 'q'", "columns: "),
        ("SELECT r.d FROM pay", "d", ""),
        ("SELECT 1 FROM pai", "there is no table or view 'pai'", "did you mean 'pay'?"),
        ("SELECT 1 FROM other.db.pay", "another catalog or database", ""),
        ("SELECT UPER(card) FROM pay", "UPER", "UPPER"),
        ("SELECT n FROM pay WHERE n", "WHERE needs a BOOLEAN, but this is INT", ""),
        ("SELECT n FROM pay WHERE COUNT(*) > 1", "an aggregate can't stand in WHERE", "HAVING"),
        ("SELECT *", "* needs a FROM", ""),
        ("SELECT UPPER(DISTINCT card) FROM pay", "DISTINCT is for aggregates", ""),
        ("SELECT card.x FROM pay", "", ""),
        ("SELECT DATE '2024-02-30'", "no date", ""),
        ("SELECT TIMESTAMP '2024-02-01'", "no TIMESTAMP", ""),
        ("SELECT INTERVAL '1-2' DAY", "no INTERVAL DAY", ""),
        ("SELECT INTERVAL '10:61' MINUTE TO SECOND", "less than 60", ""),
        ("WITH a (x, y) AS (SELECT 1) SELECT * FROM a", "2 names are given for 1 columns", ""),
    ],
)
def test_wrong_queries_are_refused(text: str, message: str, hint: str) -> None:
    """Each mistake is named, with its place and what was likely meant."""
    error = refused(text)
    assert message in error.message
    assert hint in error.hint


def test_tumble_becomes_a_window_aggregate() -> None:
    """GROUP BY of a window's start and end is one operator; its result has the window's columns."""
    text = f"SELECT card, window_end, COUNT(*) AS c, SUM(amount) AS s {TUMBLE} GROUP BY card, window_start, window_end"
    sink = plan(text)
    node = only(sink, WindowAggregate)
    assert isinstance(node, WindowAggregate)
    assert (node.keys, [str(a) for a in node.aggregates]) == (("card",), ["COUNT(*)", "SUM(amount)"])
    assert (node.window.kind, node.window.size, node.window.offset) == (WindowKind.TUMBLE, 60_000, 0)
    assert {f.name: str(f.type) for f in sink.schema} == {
        "card": "STRING",
        "window_end": "TIMESTAMP(3) NOT NULL",
        "c": "BIGINT NOT NULL",
        "s": "DECIMAL(38, 2)",
    }


@pytest.mark.parametrize(
    ("window", "kind", "size", "slide", "offset"),
    [
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '5' MINUTE)", "TUMBLE", 60, 60, 5),
        ("HOP(TABLE pay, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE)", "HOP", 10, 5, 0),
        ("CUMULATE(TABLE pay, DESCRIPTOR(ts), INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)", "CUMULATE", 10, 2, 0),
        (
            "HOP(SIZE => INTERVAL '10' MINUTE, TIMECOL => DESCRIPTOR(ts), DATA => TABLE pay, SLIDE => INTERVAL '5' MINUTE)",
            "HOP",
            10,
            5,
            0,
        ),
        (
            "TUMBLE((SELECT * FROM pay WHERE n > 1), DESCRIPTOR(ts), INTERVAL '120' SECOND, -INTERVAL '1' MINUTE)",
            "TUMBLE",
            2,
            2,
            -1,
        ),
    ],
)
def test_windows(window: str, kind: str, size: int, slide: int, offset: int) -> None:
    """Positional and named arguments; HOP has the slide first, CUMULATE the step (minutes in this table)."""
    node = only(plan(f"SELECT * FROM TABLE({window.replace('-INTERVAL ', 'INTERVAL -')})"), WindowTable)
    assert isinstance(node, WindowTable)
    found = node.window
    assert (found.kind.value, found.size, found.slide, found.offset) == (
        kind,
        size * 60_000,
        slide * 60_000,
        offset * 60_000,
    )
    assert node.schema.names[-3:] == ("window_start", "window_end", "window_time")
    assert node.schema["window_time"].time is TimeAttribute.ROWTIME


def test_processing_time_and_local_time_windows() -> None:
    """A PROCTIME() column makes a window of the wall clock; TIMESTAMP_LTZ keeps its type in window_time."""
    text = "SELECT * FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(pt), INTERVAL '1' MINUTE))"
    node = only(plan(text), WindowTable)
    assert isinstance(node, WindowTable)
    assert node.window.processing_time
    assert node.schema["window_time"].time is TimeAttribute.PROCTIME
    found = columns("SELECT * FROM TABLE(TUMBLE(TABLE ltz, DESCRIPTOR(ts), INTERVAL '1' MINUTE))")
    assert found["window_start"] == "TIMESTAMP(3) NOT NULL"
    assert found["window_time"] == "TIMESTAMP_LTZ(3) NOT NULL"


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("TUMBLE(TABLE pay, DESCRIPTOR(n), INTERVAL '1' MINUTE)", "needs a time attribute, but 'n' is a plain INT"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(tz), INTERVAL '1' MINUTE)", "there is no column 'tz'"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '0' MINUTE)", "must be longer than zero"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' DAY, INTERVAL '1' DAY)", "offset of TUMBLE must be shorter"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), 60)", "must be an interval"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts))", "needs the argument SIZE"),
        ("TUMBLE(pay, DESCRIPTOR(ts), INTERVAL '1' MINUTE)", "needs TABLE t as its argument DATA"),
        ("TUMBLE(TABLE pay, ts, INTERVAL '1' MINUTE)", "needs DESCRIPTOR(column)"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), SIZ => INTERVAL '1' MINUTE)", "TUMBLE has no argument SIZ"),
        ("TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' MONTH)", "a window in months or years"),
        ("CUMULATE(TABLE pay, DESCRIPTOR(ts), INTERVAL '3' MINUTE, INTERVAL '10' MINUTE)", "multiple of its step"),
    ],
)
def test_wrong_windows_are_refused(window: str, message: str) -> None:
    """Each wrong argument of a window is named."""
    assert message in refused(f"SELECT * FROM TABLE({window})").message


def test_hop_is_aggregated_over_whole_slides_only() -> None:
    """As in Flink, a HOP whose size is no multiple of its slide can be read but not aggregated."""
    source = "FROM TABLE(HOP(TABLE pay, DESCRIPTOR(ts), INTERVAL '3' MINUTE, INTERVAL '10' MINUTE))"
    assert columns(f"SELECT window_end {source}")
    error = refused(f"SELECT COUNT(*) {source} GROUP BY window_start, window_end")
    assert "must be a multiple of its slide" in error.message


def test_the_time_of_a_window_cascades() -> None:
    """`window_time` of a result is a row time again, under any name; other keys are not."""
    text = f"""CREATE VIEW v AS SELECT window_time AS rt, ts AS other, SUM(n) AS s {TUMBLE}
        GROUP BY window_start, window_end, window_time, ts;
      SELECT window_end, SUM(s) FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR({{}}), INTERVAL '1' HOUR)) GROUP BY window_start, window_end"""
    assert len([n for n in walk(plan(text.format("rt"))) if isinstance(n, WindowAggregate)]) == 2
    assert "needs a time attribute" in refused(text.format("other")).message


def test_aggregates_share_and_combine() -> None:
    """Equal aggregates are computed once; expressions over them and over keys stand above."""
    text = f"""SELECT UPPER(card) AS u, SUM(n + 1) / COUNT(*) AS q, COUNT(*) FILTER (WHERE n > 2) AS f {TUMBLE}
      GROUP BY window_start, window_end, UPPER(card) HAVING COUNT(*) > 1 AND UPPER(card) <> 'X'"""
    node = only(plan(text), WindowAggregate)
    assert isinstance(node, WindowAggregate)
    assert [a.function for a in node.aggregates] == ["SUM", "COUNT", "COUNT"]
    assert len(node.keys) == 1


def test_select_distinct_over_a_window() -> None:
    """SELECT DISTINCT with the window's edges is a window aggregate without aggregates."""
    node = only(plan(f"SELECT DISTINCT card, window_start, window_end {TUMBLE}"), WindowAggregate)
    assert isinstance(node, WindowAggregate)
    assert (node.keys, node.aggregates) == (("card",), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"SELECT card, COUNT(*) {TUMBLE} GROUP BY window_start, window_end", "neither in GROUP BY nor"),
        (f"SELECT * {TUMBLE} GROUP BY window_start, window_end", "* can't stand beside GROUP BY"),
        (f"SELECT SUM(COUNT(*)) {TUMBLE} GROUP BY window_start, window_end", "inside another one"),
        (f"SELECT MAX(n, 1) {TUMBLE} GROUP BY window_start, window_end", "MAX takes one argument, not 2"),
        (f"SELECT 1 {TUMBLE} GROUP BY window_start, window_end, COUNT(*)", "can't stand in GROUP BY"),
        (f"SELECT COUNT(*) FILTER (WHERE n) {TUMBLE} GROUP BY window_start, window_end", "FILTER needs a BOOLEAN"),
        (f"SELECT 1 {TUMBLE} GROUP BY window_start, window_end HAVING n > 1", "neither in GROUP BY nor"),
    ],
)
def test_wrong_aggregates_are_refused(text: str, message: str) -> None:
    """Each mistake in an aggregation is named."""
    assert message in refused(text).message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM TABLE(SESSION(TABLE pay PARTITION BY card, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
        (
            "SELECT COUNT(*) FROM TABLE(SESSION(TABLE pay PARTITION BY card, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
            "GROUP BY n, window_start, window_end"
        ),
    ],
)
def test_rows_of_sessions_are_collected_until_they_are_over(text: str) -> None:
    """Rows that no window aggregate takes come out of their sessions one by one."""
    found = [type(node) for node in walk(plan(text)) if isinstance(node, WindowAggregate | WindowTable | Unnest)]
    assert found[:2] == [WindowAggregate, Unnest]


def test_only_sessions_are_partitioned() -> None:
    """PARTITION BY of a window that is not a session is refused at its place."""
    text = "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE pay PARTITION BY card, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
    assert "TUMBLE takes no PARTITION BY" in refused(text).message


def test_a_window_takes_no_updates() -> None:
    """A window over rows that are updated is refused, with what updates them."""
    text = (
        "SELECT COUNT(*) FROM TABLE(TUMBLE((SELECT MAX(n) AS n, pt FROM (SELECT card, n, PROCTIME() AS pt FROM pay) "
        "GROUP BY card, pt), DESCRIPTOR(pt), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"
    )
    assert refused(text).location is not None


def test_a_scan_has_no_computed_columns() -> None:
    """Computed columns are in a calc above the scan."""
    scan = only(plan("SELECT pt FROM pay"), Scan)
    assert "pt" not in scan.schema
    assert any(isinstance(n, Calc) and "pt" in n.schema for n in walk(plan("SELECT * FROM pay")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM pay", "TUMBLE_START belongs to a GROUP BY TUMBLE"),
        (
            "SELECT TUMBLE_END(ts, INTERVAL '2' MINUTE) FROM pay GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
            "of another window",
        ),
        (
            "SELECT COUNT(*) FROM pay GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), TUMBLE(ts, INTERVAL '2' MINUTE)",
            "one window only",
        ),
        ("SELECT COUNT(*) FROM pay GROUP BY UPPER(card), SESSION(ts, INTERVAL '1' MINUTE)", "only columns can be keys"),
        ("SELECT GROUPING(n) FROM pay GROUP BY ROLLUP (card)", "takes keys of GROUP BY"),
        ("SELECT n FROM pay GROUP BY CUBE (card)", "neither in GROUP BY nor"),
    ],
)
def test_wrong_groupings_are_refused(text: str, message: str) -> None:
    """Each mistake with a window of GROUP BY or with several groupings is named."""
    assert message in refused(text).message


NESTED = "CREATE TABLE n (id INT, r ROW<alpha INT, b ROW<c STRING>>, arr ARRAY<INT>, m MAP<STRING, INT>);"


@pytest.mark.parametrize(
    ("expression", "column", "message"),
    [
        ("r.alpa", 8, "the ROW has no field 'alpa'"),
        ("r.b.d", 8, "the ROW has no field 'd'"),
        ("r[3]", 10, "counted from 1"),
        ("id.a", 8, "INT has no field 'a'"),
        ("arr.x", 8, "ARRAY<INT> has no field 'x'"),
        ("id[1]", 8, "only ARRAY, MAP and ROW have elements"),
        ("arr['x']", 8, "an array is counted by INT"),
        ("arr[CAST(1 AS BIGINT)]", 8, "an array is counted by INT"),
        ("arr[0]", 8, "an array is counted from 1"),
        ("m[1]", 8, "the keys are STRING"),
        ("nn.id", 8, "there is no table or column 'nn'"),
    ],
)
def test_what_is_not_inside_a_value(expression: str, column: int, message: str) -> None:
    """A field, an element or a key that can't be there is refused, as in Flink, and pointed to."""
    session = Session()
    session.bind(NESTED, "n.sql")
    with pytest.raises(ConfigError) as caught:
        session.bind(f"SELECT {expression} FROM n", "q.sql")
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.column == column


def test_fields_are_named_with_what_was_meant() -> None:
    """A mistyped field gets a suggestion; a ROW's fields may be counted or named in brackets, as in Flink."""
    session = Session()
    session.bind(NESTED, "n.sql")
    with pytest.raises(ConfigError, match="alpa") as caught:
        session.bind("SELECT r.alpa FROM n", "q.sql")
    assert caught.value.hint == "did you mean 'alpha'?"
    (query,) = session.bind("SELECT r.alpha, r[1], r['alpha'], r.b.c, r[2].c, n.r.b.c, arr[1], m['k'] FROM n", "q.sql")
    assert isinstance(query, Query)
    assert [f.type.sql() for f in query.plan.schema] == ["INT"] * 3 + ["STRING"] * 3 + ["INT"] * 2


@pytest.mark.parametrize(
    ("script", "column", "message"),
    [
        ("CREATE VIEW v AS SELECT id, r AS id FROM n", 29, "view 'v' has two columns 'id'"),
        ("WITH q AS (SELECT id, r AS id FROM n) SELECT 1 FROM q", 23, "'q' has two columns 'id'"),
        ("SELECT id FROM (SELECT id, r AS id FROM n) t", 8, "the column 'id' of 't' may be one of two"),
        ("SELECT t.id FROM (SELECT id, r AS id FROM n) t", 8, "the column 'id' of 't' may be one of two"),
        ("SELECT * FROM (SELECT id, r AS id FROM n)", 8, "the column 'id' may be one of two"),
    ],
)
def test_columns_that_cannot_be_told_apart(script: str, column: int, message: str) -> None:
    """Two columns of one name are refused where they would have to be told apart, as in Flink."""
    session = Session()
    session.bind(NESTED, "n.sql")
    with pytest.raises(ConfigError) as caught:
        session.bind(script, "q.sql")
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.column == column


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, r AS id FROM n",
        "SELECT 1 FROM (SELECT id, r AS id FROM n) t",
        "SELECT b FROM (SELECT id, r AS id FROM n) t (a, b)",
        "WITH q (a, b) AS (SELECT id, r AS id FROM n) SELECT b FROM q",
        "SELECT id, ID FROM (SELECT id, r AS ID FROM n) t",
    ],
)
def test_columns_of_one_name_that_nobody_has_to_tell_apart(query: str) -> None:
    """A result may have two columns of one name, and so may a query whose columns are named anew."""
    session = Session()
    session.bind(NESTED, "n.sql")
    assert isinstance(session.bind(query, "q.sql")[0], Query)
