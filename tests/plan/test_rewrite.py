"""Each rewrite gives a plan with the same rows that does less."""

from tailrace.plan.describe import describe
from tailrace.plan.explain import explain
from tailrace.plan.nodes import AssignWatermark, Calc, Node, Scan, Sink, Union, WindowAggregate, WindowTable, walk
from tailrace.plan.rewrite import optimize
from tailrace.plan.texts import expression
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query

TABLES = """
CREATE TABLE pay (card STRING, amount DECIMAL(10, 2), n INT, flag BOOLEAN, wide STRING, up AS UPPER(wide), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'x');
CREATE TABLE plain (card STRING, n INT, flag BOOLEAN, r ROW<a INT>) WITH ('connector' = 'x');
CREATE TABLE `one` (card STRING) WITH ('connector' = 'x');
CREATE TABLE two (n INT) WITH ('connector' = 'x');
"""
TUMBLE = "FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"


def sinks(text: str) -> tuple[Sink, ...]:
    """Bind a script and give the optimized sinks of its last statement."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    statement = session.bind(text, "q.sql")[-1]
    assert isinstance(statement, Insert | Query)
    return statement.sinks if isinstance(statement, Insert) else (statement.plan,)


def nodes(text: str) -> list[Node]:
    """Give the nodes of a query, the last one first."""
    (sink,) = sinks(text)
    return walk(sink)[::-1]


def kinds(text: str) -> list[type[Node]]:
    """Give the kinds of the nodes of a query."""
    return [type(n) for n in nodes(text)]


def scanned(text: str) -> list[tuple[str, ...]]:
    """Give the columns of each scan."""
    return [n.schema.names for n in nodes(text) if isinstance(n, Scan)]


def test_a_scan_reads_what_is_used() -> None:
    """Unused columns are not read; those of the watermark and of used computed columns are."""
    assert scanned("SELECT n FROM plain WHERE flag") == [("n", "flag")]
    assert scanned("SELECT card FROM pay") == [("card", "ts")]
    assert scanned("SELECT up FROM pay") == [("wide", "ts")]
    assert scanned(f"SELECT COUNT(*) {TUMBLE} GROUP BY window_start, window_end") == [("ts",)]


def test_a_scan_reads_the_fields_that_are_used() -> None:
    """A ROW is read without the fields that nobody asks for, also through views, watermarks and windows."""
    rows = """
    CREATE TABLE deep (r ROW<a INT, b STRING, c ROW<x INT, y INT>, ts TIMESTAMP(3)>, s ROW<a INT, b INT>, ts AS r.ts,
      WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'x');
    CREATE VIEW v AS SELECT r, s, ts FROM deep WHERE s.b > 1;
    """
    window = "FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) AS v"

    def fields(text: str) -> dict[str, tuple[str, ...]]:
        (scan,) = (n for n in nodes(rows + text) if isinstance(n, Scan))
        return {f.name: f.type.names for f in scan.schema}

    assert fields("SELECT v.r.a FROM v") == {"r": ("a", "ts"), "s": ("b",)}
    assert fields(f"SELECT v.r.c.x, v.s.a {window}") == {"r": ("c", "ts"), "s": ("a", "b")}
    assert fields("SELECT r FROM v") == {"r": ("a", "b", "c", "ts"), "s": ("b",)}
    assert fields("SELECT s IS NULL FROM v") == {"r": ("ts",), "s": ("a", "b")}
    assert "deep (x): r (a, ts), s (b)" in explain(sinks(rows + "SELECT v.r.a FROM v"))


def test_a_scan_without_columns_keeps_the_cheapest() -> None:
    """Rows are counted by a column that costs least, never by a nested or long one."""
    assert scanned("SELECT 1 FROM plain") == [("flag",)]


def test_rows_without_columns_keep_one() -> None:
    """COUNT(*) of what an operator puts out counts its rows by a column."""
    found = nodes("SELECT COUNT(*) FROM (SELECT card, COUNT(*) AS n FROM plain GROUP BY card HAVING COUNT(*) > 1)")
    assert all(n.schema.names for n in found)


def test_calcs_are_merged() -> None:
    """Filters and projections over each other become one calc."""
    text = "SELECT b + 1 AS c FROM (SELECT n * 2 AS b, flag FROM plain WHERE n > 1) WHERE flag"
    assert kinds(text) == [Sink, Calc, Scan]
    calc = nodes(text)[1]
    assert isinstance(calc, Calc)
    assert expression(calc.exprs[0]) == "((n * 2) + 1)"
    assert calc.predicate is not None
    assert expression(calc.predicate) == "((n > 1) AND flag)"


def test_nothing_is_computed_twice_by_merging() -> None:
    """A calc whose expression is used twice above stays by itself."""
    assert kinds("SELECT b + b AS c FROM (SELECT n * 2 AS b FROM plain)") == [Sink, Calc, Calc, Scan]
    assert kinds("SELECT n + n AS c FROM (SELECT n FROM plain)") == [Sink, Calc, Scan]


def test_a_plain_select_needs_no_calc() -> None:
    """`SELECT *` of all columns is the scan itself."""
    assert kinds("SELECT * FROM plain") == [Sink, Scan]


def test_conditions_go_below_a_union() -> None:
    """Each member filters for itself."""
    (sink,) = sinks(
        "SELECT * FROM (SELECT card, n FROM plain UNION ALL SELECT 'x', m FROM (SELECT n AS m FROM two)) WHERE n > 5"
    )
    union = sink.input
    assert isinstance(union, Union)
    calcs = [m for m in union.members if isinstance(m, Calc)]
    assert [expression(c.predicate) for c in calcs if c.predicate] == ["(n > 5)", "(n > 5)"]
    assert [type(c.input) for c in calcs] == [Scan, Scan]


def test_conditions_go_below_a_window_unless_they_read_its_edges() -> None:
    """Rows are filtered before they are copied into windows; a condition on the window stays."""
    text = "SELECT card FROM TABLE(HOP(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) WHERE n > 1 AND window_start > ts"
    found = nodes(text)
    assert [type(n) for n in found] == [Sink, Calc, WindowTable, Calc, AssignWatermark, Scan]
    above, below = found[1], found[3]
    assert isinstance(above, Calc)
    assert isinstance(below, Calc)
    assert above.predicate is not None
    assert below.predicate is not None
    assert (expression(above.predicate), expression(below.predicate)) == ("(window_start > ts)", "(n > 1)")


def test_conditions_never_go_below_a_watermark() -> None:
    """Rows that are filtered away still move the watermark."""
    assert kinds("SELECT card FROM pay WHERE n > 1") == [Sink, Calc, AssignWatermark, Scan]


def test_having_on_keys_is_a_filter_before() -> None:
    """A condition on a key keeps groups out of the state; one on an aggregate stays above."""
    found = nodes(
        f"SELECT COUNT(*) {TUMBLE} GROUP BY card, window_start, window_end HAVING card = 'x' AND COUNT(*) > 1"
    )
    above, aggregate, below = found[1:4]
    assert isinstance(above, Calc)
    assert isinstance(aggregate, WindowAggregate)
    assert isinstance(below, Calc)
    assert above.predicate is not None
    assert below.predicate is not None
    assert "card" in expression(below.predicate)
    assert "card" not in expression(above.predicate)


def test_where_between_window_and_aggregate() -> None:
    """Conditions on rows go below the aggregate, those on the window's edges above it."""
    found = nodes(
        f"""SELECT window_end, SUM(n) {TUMBLE} WHERE n > 1 AND window_start > TIMESTAMP '2024-01-01 00:00:00'
        GROUP BY window_start, window_end"""
    )
    above, aggregate, below = found[1:4]
    assert isinstance(above, Calc)
    assert isinstance(aggregate, WindowAggregate)
    assert isinstance(below, Calc)
    assert above.predicate is not None
    assert below.predicate is not None
    assert expression(above.predicate) == "(__window_start > TIMESTAMP '2024-01-01 00:00:00')"
    assert expression(below.predicate) == "(n > 1)"


def test_projections_between_window_and_aggregate() -> None:
    """A subquery that renames the window's columns does not hide the window."""
    text = f"""SELECT s, e, SUM(m) FROM (SELECT window_start AS s, window_end AS e, n * 2 AS m, card {TUMBLE})
      GROUP BY s, e, UPPER(card)"""
    assert kinds(text) == [Sink, Calc, WindowAggregate, Calc, AssignWatermark, Scan]


def test_edges_that_nobody_reads_are_left_out() -> None:
    """The window's start and end are given only if they are read."""
    aggregate = nodes(f"SELECT COUNT(*) {TUMBLE} GROUP BY window_start, window_end")[2]
    assert isinstance(aggregate, WindowAggregate)
    assert aggregate.properties == ()


def test_equal_sub_plans_are_shared() -> None:
    """Two INSERTs from one table read it once, with the columns of both."""
    first, second = sinks(
        """EXECUTE STATEMENT SET BEGIN
        INSERT INTO `one` SELECT card FROM plain; INSERT INTO two SELECT n FROM plain WHERE n > 1; END"""
    )
    scans = {id(n): n for s in (first, second) for n in walk(s) if isinstance(n, Scan)}
    assert [n.schema.names for n in scans.values()] == [("card", "n")]


def test_sinks_stay_apart() -> None:
    """The same INSERT twice writes twice."""
    first, second = sinks(
        "EXECUTE STATEMENT SET BEGIN INSERT INTO two SELECT n FROM plain; INSERT INTO two SELECT n FROM plain; END"
    )
    assert first is not second
    assert first.input is second.input


def test_optimizing_twice_changes_nothing() -> None:
    """What is optimized stays as it is, and columns keep their names and types."""
    text = f"SELECT card, window_end, COUNT(*) {TUMBLE} WHERE n > 1 GROUP BY card, window_start, window_end HAVING COUNT(*) > 1"
    (sink,) = sinks(text)
    (again,) = optimize((sink,))
    assert again == sink
    assert [describe(n) for n in walk(again)] == [describe(n) for n in walk(sink)]
