"""The drawing of a plan: mode and state of each node, shared parts once, warnings with their line."""

from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.plan.explain import explain
from tailrace.plan.nodes import walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Explain

TABLES = """
CREATE TABLE pay (card STRING, n INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH ('connector' = 'kafka');
CREATE TABLE alerts (card STRING, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE strict (n INT NOT NULL) WITH ('connector' = 'print');
"""


def drawn(text: str) -> str:
    """Give the drawing of an EXPLAIN."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    (statement,) = session.bind(text, "q.sql")
    assert isinstance(statement, Explain)
    assert set(changelog_modes(statement.sinks).values()) == {INSERT_ONLY}
    assert len(changelog_modes(statement.sinks)) == len({id(n) for s in statement.sinks for n in walk(s)})
    return explain(statement.sinks)


def test_a_window_aggregate() -> None:
    """The whole drawing of a windowed INSERT."""
    text = """EXPLAIN INSERT INTO alerts SELECT card, COUNT(DISTINCT n) FROM
      TABLE(TUMBLE(TABLE pay, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY card, window_start, window_end"""
    assert drawn(text).splitlines() == [
        "Sink alerts: card, n [I]",
        "└─ Calc card, n = __r0 [I]",
        "   └─ WindowAggregate TUMBLE(__ts, INTERVAL '1' MINUTE) by (card): COUNT(DISTINCT n) [I]",
        "      │    state: open windows by (card) with the distinct values of n, dropped when the watermark passes",
        "      └─ Calc card, n, __ts = ts [I]",
        "         └─ Watermark of ts: (ts - INTERVAL '5' SECOND) [I]",
        "            │    state: one watermark for each partition",
        "            └─ Scan pay (kafka): card, n, ts [I]",
        "                    state: the position of each partition",
    ]


def test_a_shared_part_is_drawn_once() -> None:
    """The second reader refers to the first drawing."""
    text = """EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO alerts (card) SELECT card FROM pay;
      INSERT INTO alerts (n) SELECT n FROM pay; END"""
    found = drawn(text)
    assert found.count("Scan pay") == 1
    assert "#1 (as above)" in found


def test_warnings_have_their_line() -> None:
    """A window by the wall clock, and NULLs into a NOT NULL column, are pointed out."""
    found = drawn(
        "EXPLAIN\nSELECT * FROM TABLE(HOP(TABLE pay, DESCRIPTOR(pt), INTERVAL '1' SECOND, INTERVAL '1' HOUR))"
    )
    assert "warning: q.sql:2:21: HOP by the wall clock gives other rows when the input is replayed" in found
    assert "warning: q.sql:2:21: each row is copied into 3600 windows" in found
    found = drawn("EXPLAIN INSERT INTO strict SELECT n FROM pay")
    assert "'n' of 'strict' is NOT NULL, but the query may give NULL" in found
