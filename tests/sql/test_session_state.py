"""What a session keeps: settings, tables, views; and what SHOW and DESCRIBE say of it."""

import re

import pytest

from tailrace.errors import ConfigError
from tailrace.sql.session import Session
from tailrace.sql.statements import Done, Explain, Insert, Query, Show

TABLE = """CREATE TABLE t (id INT, m INT METADATA FROM 'offset' VIRTUAL, c AS id + 1, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'x', 'properties.sasl.jaas.config' = 'user pw', 'password' = 'hush');"""


def shown(session: Session, text: str) -> list[tuple[object, ...]]:
    """Give the rows that a statement shows."""
    (statement,) = session.bind(text, "q.sql")
    assert isinstance(statement, Show)
    return statement.frame.rows()


def test_settings() -> None:
    """SET changes, SET without a key lists, RESET gives back what the session began with."""
    session = Session(settings={"pipeline.name": "1", "parallelism.default": "2"})
    session.bind(
        "SET 'pipeline.name' = '3'; SET table.exec.source.idle-timeout = 10 min; SET s3.secret-key = x", "q.sql"
    )
    assert shown(session, "SET") == [
        ("parallelism.default", "2"),
        ("pipeline.name", "3"),
        ("s3.secret-key", "******"),
        ("table.exec.source.idle-timeout", "10 min"),
    ]
    session.bind("RESET 'pipeline.name'", "q.sql")
    assert session.settings["pipeline.name"] == "1"
    session.bind("RESET", "q.sql")
    assert session.settings == {"pipeline.name": "1", "parallelism.default": "2"}


def test_fixed_settings_go_before_set() -> None:
    """What the command line fixed stays, whatever SET and RESET say."""
    session = Session(fixed={"pipeline.name": "mine"})
    (done,) = session.bind("SET pipeline.name = other", "q.sql")
    assert done == Done("pipeline.name = other (but mine goes before it)")
    session.bind("RESET", "q.sql")
    assert session.settings == {"pipeline.name": "mine"}


def test_a_setting_without_effect_is_said_to_have_none() -> None:
    """A script for Flink may set what means nothing here."""
    (done,) = Session().bind("SET 'parallelism.default' = '4'", "q.sql")
    assert done == Done("parallelism.default = 4 (has no effect here)")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("SET 'pipeline.nam' = 'x'", "q.sql:1:5", "did you mean 'pipeline.name'?"),
        ("SET tailrace.tick.row = 5", "q.sql:1:5", "did you mean 'tailrace.tick.rows'?"),
        ("SET 'no.such.thing' = '1'", "q.sql:1:5", "there is no setting"),
        ("SET 'pipeline.auto-watermark-interval' = 'x'", "q.sql:1:42", "expected a number with a unit"),
        ("SET 'table.local-time-zone' = 'Mars'", "q.sql:1:31", "expected a time zone"),
        ("SET 'tailrace.tick.rows' = '0'", "q.sql:1:28", "from 1"),
        ("SET 'execution.runtime-mode' = 'batch'", "q.sql:1:32", "only 'streaming'"),
    ],
)
def test_a_wrong_setting_is_pointed_to(text: str, place: str, words: str) -> None:
    """A mistyped key and a value that can't be read are errors where they stand."""
    with pytest.raises(ConfigError) as caught:
        Session().bind(text, "q.sql")
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


def test_each_statement_has_the_settings_before_it() -> None:
    """SET and RESET behind a statement do not reach it."""
    text = "SET pipeline.name = a; SELECT 1; RESET; SELECT 2; SET pipeline.name = b; SELECT 3"
    found = [s.settings for s in Session().bind(text, "q.sql") if isinstance(s, Query)]
    assert found == [{"pipeline.name": "a"}, {}, {"pipeline.name": "b"}]


def test_what_statements_become() -> None:
    """Each kind of statement has its own result, in the order of the text."""
    session = Session()
    text = (
        TABLE
        + "INSERT INTO t (id) SELECT 1; SELECT * FROM t; EXPLAIN SELECT * FROM t; SHOW TABLES; SET 'pipeline.name' = 'b'"
    )
    kinds = [type(s) for s in session.bind(text, "q.sql")]
    assert kinds == [Done, Insert, Query, Explain, Show, Done]


def test_show() -> None:
    """SHOW lists names in order; CREATE TABLE is shown without secrets and can be read again."""
    session = Session()
    session.bind(TABLE + "CREATE VIEW a AS SELECT id FROM t", "q.sql")
    assert shown(session, "SHOW TABLES") == [("a",), ("t",)]
    assert shown(session, "SHOW VIEWS") == [("a",)]
    ((text,),) = shown(session, "SHOW CREATE TABLE t")
    assert "user pw" not in str(text)
    assert "hush" not in str(text)
    again = Session()
    again.bind(str(text), "again.sql")
    assert again.tables["t"].schema == session.tables["t"].schema
    ((view,),) = shown(session, "SHOW CREATE VIEW a")
    assert view == "CREATE VIEW `default_catalog`.`default_database`.`a` AS\nSELECT `id` FROM `t`"


def test_show_create_table_is_flinks() -> None:
    """The text is the one of Flink's SHOW CREATE TABLE, but for STRING, which it writes as VARCHAR(2147483647)."""
    session = Session()
    session.bind("CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED) WITH ('k'='v''v', 'connector'='x')", "q.sql")
    ((text,),) = shown(session, "SHOW CREATE TABLE t")
    assert text == (
        "CREATE TABLE `default_catalog`.`default_database`.`t` (\n  `a` INT NOT NULL,\n"
        "  CONSTRAINT `PK_a` PRIMARY KEY (`a`) NOT ENFORCED\n)\nWITH (\n  'connector' = 'x',\n  'k' = 'v''v'\n)"
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SHOW TABLES LIKE 't%'", ["t", "t_1"]),
        ("SHOW TABLES LIKE 'T%'", []),
        ("SHOW TABLES ILIKE 'T_1'", ["t_1"]),
        ("SHOW TABLES NOT LIKE 't\\_%'", ["a.b", "t"]),
        ("SHOW TABLES LIKE '_._'", ["a.b"]),
        ("SHOW VIEWS IN default_database LIKE '%'", ["a.b"]),
        ("SHOW FUNCTIONS LIKE 'ab_'", ["abs"]),
        ("SHOW USER FUNCTIONS", []),
        ("SHOW COLUMNS FROM t LIKE 'i%'", ["id"]),
        ("SHOW COLUMNS IN t NOT LIKE 'i%'", ["m", "c", "ts"]),
    ],
)
def test_show_what_matches(text: str, names: list[str]) -> None:
    """SHOW takes LIKE and ILIKE with the wildcards of LIKE."""
    session = Session()
    session.bind(TABLE + "CREATE TABLE t_1 (a INT); CREATE VIEW `a.b` AS SELECT 1", "q.sql")
    assert [row[0] for row in shown(session, text)] == names


def test_show_of_another_database() -> None:
    """There is one database only."""
    with pytest.raises(ConfigError, match="there is no database 'other'"):
        Session().bind("SHOW TABLES FROM other", "q.sql")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DROP TABLE a", "there is no table 'a'\n.*'a' is a view"),
        ("DROP VIEW t", "there is no view 't'\n.*'t' is a table"),
        ("SHOW CREATE TABLE a", "'a' is a view"),
        ("SHOW CREATE VIEW t", "'t' is a table"),
        ("INSERT INTO a SELECT 1", "'a' is a view"),
        ("CREATE TABLE b LIKE a", "'a' is a view"),
        ("DROP TABLE tt", "did you mean 't'?"),
        ("SELECT * FROM aa", "did you mean 'a'?"),
    ],
)
def test_a_view_is_no_table(text: str, message: str) -> None:
    """Whoever takes one for the other is told so."""
    session = Session()
    session.bind(TABLE + "CREATE VIEW a AS SELECT id FROM t", "q.sql")
    with pytest.raises(ConfigError) as caught:
        session.bind(text, "q.sql")
    assert re.search(message, str(caught.value), re.DOTALL)


def test_describe() -> None:
    """DESCRIBE has Flink's columns: name, type, null, key, extras, watermark."""
    session = Session()
    session.bind(TABLE, "q.sql")
    assert shown(session, "DESC t") == [
        ("id", "INT", "FALSE", "PRI(id)", None, None),
        ("m", "INT", "TRUE", None, "METADATA FROM 'offset' VIRTUAL", None),
        ("c", "INT", "FALSE", None, "AS `id` + 1", None),
        ("ts", "TIMESTAMP(3) *ROWTIME*", "TRUE", None, None, "`ts` - INTERVAL '5' SECOND"),
    ]
    assert shown(session, "DESCRIBE EXTENDED t") == shown(session, "SHOW COLUMNS FROM t") == shown(session, "DESC t")
    session.bind("CREATE TABLE u (a INT, b INT COMMENT 'it''s')", "q.sql")
    assert [row[-1] for row in shown(session, "DESCRIBE u")] == [None, "it's"]


def test_scripts_see_what_came_before() -> None:
    """A second script of the session sees the tables of the first; parameters hold for both."""
    session = Session(parameters={"X": "t"}, environ={"TAILRACE_N": "7"})
    session.bind("CREATE TABLE ${X} (a INT)", "one.sql")
    (query,) = session.bind("SELECT a FROM `${X}` WHERE a > ${env:TAILRACE_N}", "two.sql")
    assert isinstance(query, Query)


def test_a_wrong_statement_names_its_own_place() -> None:
    """The first wrong statement of a script is the one that is reported."""
    session = Session()
    with pytest.raises(ConfigError) as caught:
        session.bind("CREATE TABLE t (a INT);\nSELECT b FROM t;\nSELECT c FROM t", "q.sql")
    assert str(caught.value).startswith("q.sql:2:8: there is no column 'b' in 't'\n  SELECT b FROM t;\n         ^")
