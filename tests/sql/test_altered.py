"""ALTER TABLE and ALTER VIEW, CREATE TABLE ... AS, and hints, as they are seen in a session."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.nodes import Aggregate, Join, Node, Scan, walk
from tailrace.sql.session import Session
from tailrace.sql.statements import Done, Insert, Query, Show

TABLES = """
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'rows-per-second' = '5');
CREATE TABLE u (a INT, d STRING) WITH ('connector' = 'datagen');
CREATE TABLE o (a INT) WITH ('connector' = 'blackhole');
CREATE VIEW v AS SELECT b, a FROM t;
"""


@pytest.fixture
def session() -> Session:
    made = Session()
    made.bind(TABLES, "tables.sql")
    return made


def shown(session: Session, text: str) -> list[tuple[object, ...]]:
    (statement,) = session.bind(text, "q.sql")
    assert isinstance(statement, Show)
    return statement.frame.rows()


def plan(session: Session, text: str) -> list[Node]:
    (statement,) = session.bind(text, "q.sql")
    assert isinstance(statement, Query)
    return list(walk(statement.plan))


def test_a_change_is_seen_in_the_definition(session: Session) -> None:
    session.bind("ALTER TABLE t SET ('number-of-rows' = '7'); ALTER TABLE t RESET ('rows-per-second')", "a.sql")
    session.bind("ALTER TABLE t ADD (c INT COMMENT 'new' FIRST, d AS a + 1)", "b.sql")
    session.bind("ALTER TABLE t MODIFY b BIGINT AFTER a; ALTER TABLE t RENAME b TO e; ALTER TABLE t DROP d", "c.sql")
    (definition,) = shown(session, "SHOW CREATE TABLE t")[0]
    text = str(definition)
    assert "'number-of-rows' = '7'" in text
    assert "rows-per-second" not in text
    assert [row[0] for row in shown(session, "DESCRIBE t")] == ["c", "a", "e", "ts"]


def test_a_view_follows_its_tables_and_says_when_it_can_not(session: Session) -> None:
    session.bind("ALTER TABLE t SET ('number-of-rows' = '7')", "a.sql")
    (scan,) = [n for n in plan(session, "SELECT * FROM v") if isinstance(n, Scan)]
    assert scan.table.option("number-of-rows") is not None
    session.bind("ALTER TABLE t DROP b", "b.sql")
    with pytest.raises(ConfigError, match="the view 'v' can't be read any more: there is no column 'b'") as caught:
        session.bind("SELECT * FROM v", "c.sql")
    assert str(caught.value.location) == "c.sql:1:15"
    session.bind("ALTER TABLE t ADD b STRING", "d.sql")
    assert plan(session, "SELECT * FROM v")


def test_names_change(session: Session) -> None:
    said = session.bind("ALTER TABLE u RENAME TO w; ALTER VIEW v RENAME TO x", "a.sql")
    assert said == [Done("table 'u' is now 'w'"), Done("view 'v' is now 'x'")]
    assert shown(session, "SHOW TABLES") == [("o",), ("t",), ("w",), ("x",)]
    assert "VIEW `default_catalog`.`default_database`.`x`" in str(shown(session, "SHOW CREATE VIEW x")[0][0])


def test_an_error_in_an_old_definition_points_to_where_it_was_written(session: Session) -> None:
    with pytest.raises(ConfigError, match="the row time must be") as caught:
        session.bind("ALTER TABLE t MODIFY ts STRING", "a.sql")
    assert str(caught.value.location).startswith("tables.sql:2:")
    assert [row[1] for row in shown(session, "DESCRIBE t")][2] == "TIMESTAMP(3) *ROWTIME*"


def test_a_table_of_a_query_is_made_and_filled(session: Session) -> None:
    text = "CREATE TABLE made (extra INT, a BIGINT) WITH ('connector' = 'blackhole') AS SELECT a, b FROM t"
    (statement,) = session.bind(text, "a.sql")
    assert isinstance(statement, Insert)
    assert statement.sinks[0].schema.names == ("extra", "a", "b")
    assert [row[:2] for row in shown(session, "DESCRIBE made")] == [("extra", "INT"), ("a", "BIGINT"), ("b", "STRING")]


def test_a_table_that_can_not_be_filled_is_not_made(session: Session) -> None:
    with pytest.raises(ConfigError, match="is INT, but the query gives STRING"):
        session.bind("CREATE TABLE made (b INT) WITH ('connector' = 'blackhole') AS SELECT b FROM t", "a.sql")
    assert ("made",) not in shown(session, "SHOW TABLES")


def test_a_table_whose_query_is_nested_too_deeply_is_not_made(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_deep(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("tailrace.sql.session.optimize", too_deep)
    with pytest.raises(ConfigError, match="nested too deeply"):
        session.bind("CREATE TABLE made (a INT) WITH ('connector' = 'blackhole') AS SELECT a FROM t", "a.sql")
    assert ("made",) not in shown(session, "SHOW TABLES")


def test_times_of_hints_reach_the_state(session: Session) -> None:
    nodes = plan(
        session, "SELECT /*+ STATE_TTL('x' = '2 s', 'y' = '1 min') */ x.b FROM t AS x JOIN u AS y ON x.b = y.d"
    )
    assert [n.ttl for n in nodes if isinstance(n, Join)] == [(2000, 60_000)]
    nodes = plan(session, "SELECT /*+ STATE_TTL('t' = '3 s') */ b, COUNT(*) FROM t GROUP BY b")
    assert [n.ttl for n in nodes if isinstance(n, Aggregate)] == [3000]
    nodes = plan(session, "SELECT b, COUNT(*) FROM t GROUP BY b")
    assert [n.ttl for n in nodes if isinstance(n, Aggregate)] == [None]


def test_options_of_a_hint_are_for_one_place(session: Session) -> None:
    text = "INSERT INTO o /*+ OPTIONS('connector' = 'print') */ SELECT a FROM t /*+ OPTIONS('rows-per-second' = '9') */"
    (statement,) = session.bind(text, "a.sql")
    assert isinstance(statement, Insert)
    (sink,) = statement.sinks
    assert sink.table is not None
    assert sink.table.connector == "print"
    assert session.tables["o"].connector == "blackhole"
    options = [n.table.options["rows-per-second"].value for n in walk(sink) if isinstance(n, Scan)]
    assert options == ["9"]
    assert session.tables["t"].options["rows-per-second"].value == "5"


def test_options_of_what_is_not_there(session: Session) -> None:
    with pytest.raises(ConfigError, match="there is no table or view 'tt'") as caught:
        session.bind("SELECT a FROM tt /*+ OPTIONS('a' = 'b') */", "a.sql")
    assert caught.value.hint == "did you mean 't'?"
    for query in ("SELECT a FROM v", "WITH t AS (SELECT a FROM u) SELECT a FROM t"):
        with pytest.raises(ConfigError, match="is a view or query, and has no options"):
            session.bind(f"{query} /*+ OPTIONS('a' = 'b') */", "a.sql")


def test_parameters_are_replaced_in_hints() -> None:
    session = Session(parameters={"RATE": "3"})
    session.bind(TABLES, "tables.sql")
    nodes = plan(session, "SELECT a FROM t /*+ OPTIONS('rows-per-second' = '${RATE}') */ -- ${NOT_A_PARAMETER}")
    assert [n.table.options["rows-per-second"].value for n in nodes if isinstance(n, Scan)] == ["3"]


NEW_T = "CREATE TABLE t (a INT, b STRING, c INT) WITH ('connector' = 'datagen', 'rows-per-second' = '9')"


def rates(session: Session, text: str) -> list[str]:
    """Give how fast the tables are that a query reads."""
    return [n.table.options["rows-per-second"].value for n in plan(session, text) if isinstance(n, Scan)]


def test_a_view_reads_the_table_that_is_created_in_place_of_a_dropped_one(session: Session) -> None:
    session.bind("DROP TABLE t", "a.sql")
    with pytest.raises(ConfigError, match="the view 'v' can't be read any more"):
        session.bind("SELECT * FROM v", "b.sql")
    session.bind(NEW_T, "c.sql")
    assert rates(session, "SELECT * FROM v") == ["9"]


def test_a_view_reads_the_view_that_is_created_in_place_of_a_dropped_one(session: Session) -> None:
    session.bind("CREATE VIEW w AS SELECT a FROM v; DROP VIEW v; CREATE VIEW v AS SELECT d AS a FROM u", "a.sql")
    (scan,) = [n for n in plan(session, "SELECT * FROM w") if isinstance(n, Scan)]
    assert scan.table.name == "u"


def test_a_view_reads_the_table_that_replaces_its_own(session: Session) -> None:
    session.bind("CREATE TABLE o2 (a INT) WITH ('connector' = 'blackhole'); CREATE VIEW r AS SELECT a FROM o2", "a.sql")
    session.bind("CREATE OR REPLACE TABLE o2 WITH ('connector' = 'blackhole') AS SELECT b AS a FROM t", "b.sql")
    assert [row[:2] for row in shown(session, "DESCRIBE r")] == [("a", "STRING")]


def test_views_follow_in_the_order_of_what_they_read(session: Session) -> None:
    """A view that was created first may read one that was created, or took its name, behind it."""
    session.bind(
        "CREATE VIEW v2 AS SELECT a FROM t; CREATE VIEW v1 AS SELECT a FROM v2; CREATE VIEW v0 AS SELECT a FROM v1",
        "a.sql",
    )
    session.bind("DROP VIEW v2; CREATE VIEW v2 AS SELECT a FROM t", "b.sql")
    session.bind("ALTER TABLE t SET ('rows-per-second' = '8')", "c.sql")
    assert rates(session, "SELECT * FROM v0") == rates(session, "SELECT * FROM v1") == ["8"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM v",
        "SELECT * FROM default_database.v",
        "SELECT b, a FROM w",
        "SELECT a FROM t WHERE a IN (SELECT a FROM v)",
        "WITH x AS (SELECT * FROM v) SELECT * FROM x",
        "WITH v AS (SELECT * FROM v) SELECT * FROM v",
        "SELECT * FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
    ],
)
def test_a_view_can_not_read_itself(session: Session, query: str) -> None:
    session.bind("ALTER VIEW v AS SELECT b, a, ts FROM t; CREATE VIEW w AS SELECT * FROM v", "a.sql")
    with pytest.raises(ConfigError, match="the view 'v' would read itself") as caught:
        session.bind(f"ALTER VIEW v AS {query}", "b.sql")
    assert str(caught.value.location) == "b.sql:1:12"
    assert [row[0] for row in shown(session, "DESCRIBE v")] == ["b", "a", "ts"]


def test_a_name_of_with_is_not_the_view(session: Session) -> None:
    session.bind("ALTER VIEW v AS WITH v AS (SELECT a FROM t) SELECT * FROM v", "a.sql")
    assert [row[0] for row in shown(session, "DESCRIBE v")] == ["a"]
