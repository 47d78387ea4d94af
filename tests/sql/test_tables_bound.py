"""CREATE TABLE: columns, time attributes, watermarks, keys and LIKE."""

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.catalog import ComputedColumn, MetadataColumn, PhysicalColumn
from tailrace.schema import TimeAttribute
from tailrace.sql.session import Session

TABLE = """CREATE TABLE t (
  id BIGINT, name STRING COMMENT 'who', ts TIMESTAMP(3), rec TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', part INT METADATA VIRTUAL,
  doubled AS id * 2, now AS PROCTIME(),
  PRIMARY KEY (id) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) COMMENT 'all of it' PARTITIONED BY (name) WITH ('connector' = 'kafka', 'topic' = 'a')"""


def refused(text: str) -> ConfigError:
    """Give the error of a script that must be refused."""
    with pytest.raises(ConfigError) as caught:
        Session().bind(text, "q.sql")
    assert caught.value.location is not None
    return caught.value


def test_columns_keep_their_order_kinds_and_types() -> None:
    """Physical, metadata and computed columns come in the order of the text, with what was said of each."""
    session = Session()
    session.bind(TABLE, "q.sql")
    table = session.tables["t"]
    assert table.schema.names == ("id", "name", "ts", "rec", "part", "doubled", "now")
    assert [type(c) for c in table.columns] == [
        *[PhysicalColumn] * 3,
        *[MetadataColumn] * 2,
        *[ComputedColumn] * 2,
    ]
    assert [(m.key, m.virtual) for m in table.metadata] == [("timestamp", False), ("part", True)]
    assert table.written.names == ("id", "name", "ts", "rec")
    assert str(table.schema["id"].type) == "BIGINT NOT NULL"  # a key is never NULL
    assert str(table.schema["rec"].type) == "TIMESTAMP_LTZ(3)"
    assert (table.primary_key, table.partitioned_by, table.comment) == (("id",), ("name",), "all of it")
    assert (table.connector, table.options["topic"].value) == ("kafka", "a")


def test_time_attributes() -> None:
    """The column of the watermark is a row time, PROCTIME() a processing time, all others are plain."""
    session = Session()
    session.bind(TABLE, "q.sql")
    times = {f.name: f.time for f in session.tables["t"].schema if f.time}
    assert times == {"ts": TimeAttribute.ROWTIME, "now": TimeAttribute.PROCTIME}


def test_options_know_where_they_were_written() -> None:
    """Key and value of an option have their places, for the errors of connectors."""
    session = Session()
    session.bind(TABLE, "q.sql")
    text = session.tables["t"].options["topic"]
    assert text.location is not None
    assert text.key_location is not None
    assert text.location.text[text.location.column - 1 :].startswith("'a'")
    assert text.key_location.text[text.key_location.column - 1 :].startswith("'topic'")


def test_a_row_time_may_be_computed() -> None:
    """A watermark may stand on a computed column."""
    session = Session()
    session.bind("CREATE TABLE t (a TIMESTAMP(3), ts AS a + INTERVAL '1' SECOND, WATERMARK FOR ts AS ts)", "q.sql")
    assert session.tables["t"].schema["ts"].time is TimeAttribute.ROWTIME


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ("a INT, a INT", "defined twice", ""),
        ("a TIMESTAMP(6), WATERMARK FOR a AS a", "must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)", "CAST"),
        ("a STRING, WATERMARK FOR a AS a", "'a' is STRING", "CAST"),
        ("ts TIMESTAMP(3), WATERMARK FOR tss AS ts", "there is no column 'tss'", "did you mean 'ts'?"),
        ("ts TIMESTAMP(3), a INT, WATERMARK FOR ts AS a", "the watermark must be TIMESTAMP(3)", ""),
        ("p AS PROCTIME(), WATERMARK FOR p AS p", "'p' is PROCTIME()", ""),
        ("ts TIMESTAMP(3), b TIMESTAMP_LTZ(3), WATERMARK FOR ts AS b", "the watermark is TIMESTAMP_LTZ(3)", ""),
        ("a INT, PRIMARY KEY (b) NOT ENFORCED", "there is no column 'b'", ""),
        ("a INT, PRIMARY KEY (a) NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED", "one primary key only", ""),
        ("a AS c + 1, b INT", "there is no column 'c'", ""),
        ("a AS b + 1, b AS d + 1, d INT", "there is no column 'b'", "can't read another one"),
        ("a DECIMAL(39, 2)", "the precision of DECIMAL is from 1 to 38", ""),
        ("a DECIMAL(3, 4)", "the scale of DECIMAL(3, s) is from 0 to 3", ""),
        ("a TIMESTAMP(10)", "out of bounds", ""),
        ("a ROW<x INT, x INT>", "'x' is given 2 times", ""),
    ],
)
def test_wrong_columns_are_refused(body: str, message: str, hint: str) -> None:
    """Each mistake in a definition is named, with its place."""
    error = refused(f"CREATE TABLE t ({body}) WITH ('connector' = 'x')")
    assert message in error.message
    assert hint in error.hint


def test_other_mistakes_of_create_table() -> None:
    """An option twice, a partition column that is none, and a name that is taken."""
    assert "given twice" in refused("CREATE TABLE t (a INT) WITH ('k' = '1', 'k' = '2')").message
    assert "no column 'b'" in refused("CREATE TABLE t (a INT) PARTITIONED BY (b) WITH ('k' = '1')").message
    assert "there is a table 't' already" in refused("CREATE TABLE t (a INT); CREATE VIEW t AS SELECT 1").message


def test_if_not_exists_and_drop() -> None:
    """IF NOT EXISTS keeps the first one; DROP forgets it; IF EXISTS forgives."""
    session = Session()
    session.bind("CREATE TABLE t (a INT); CREATE TABLE IF NOT EXISTS t (b INT)", "q.sql")
    assert session.tables["t"].schema.names == ("a",)
    session.bind("DROP TABLE t; DROP TABLE IF EXISTS t; CREATE TABLE t (b INT)", "q.sql")
    assert session.tables["t"].schema.names == ("b",)
    assert refused("DROP VIEW v").message == "there is no view 'v'"


BASE = """CREATE TABLE base (a INT, m INT METADATA, c AS a + 1, ts TIMESTAMP(3), WATERMARK FOR ts AS ts,
  PRIMARY KEY (a) NOT ENFORCED) PARTITIONED BY (a) WITH ('connector' = 'x', 'k' = '1');"""


def like(rest: str) -> Session:
    """Give a session with the table `t` made by LIKE."""
    session = Session()
    session.bind(BASE + rest, "q.sql")
    return session


def test_like_takes_everything_by_default() -> None:
    """Without options LIKE includes all, own columns come behind, and own options overwrite."""
    table = like("CREATE TABLE t (z STRING) WITH ('k' = '2', 'l' = '3') LIKE base").tables["t"]
    assert table.schema.names == ("a", "m", "c", "ts", "z")
    assert {k: o.value for k, o in table.options.items()} == {"connector": "x", "k": "2", "l": "3"}
    assert table.watermark is not None
    assert (table.primary_key, table.partitioned_by) == (("a",), ("a",))


def test_like_excluding_keeps_physical_columns() -> None:
    """EXCLUDING ALL leaves the physical columns; INCLUDING of one feature brings that back."""
    table = like("CREATE TABLE t WITH ('l' = '3') LIKE base (EXCLUDING ALL INCLUDING GENERATED)").tables["t"]
    assert table.schema.names == ("a", "c", "ts")
    assert (list(table.options), table.watermark, table.primary_key, table.partitioned_by) == (["l"], None, (), ())


def test_like_overwriting() -> None:
    """OVERWRITING lets the new computed column, watermark and options count."""
    text = """CREATE TABLE t (c AS a * 5, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('k' = '2')
      LIKE base (OVERWRITING GENERATED OVERWRITING WATERMARKS OVERWRITING OPTIONS)"""
    table = like(text).tables["t"]
    assert str(table.computed[0].expr).startswith("(a * 5")
    assert table.watermark is not None
    assert table.options["k"].value == "2"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("CREATE TABLE t (a INT) LIKE base", "the column 'a' is in the table of LIKE too"),
        ("CREATE TABLE t (c AS 1) LIKE base (INCLUDING ALL)", "the column 'c' is in the table of LIKE too"),
        ("CREATE TABLE t WITH ('k' = '2') LIKE base (INCLUDING OPTIONS)", "the option 'k' is in the table of LIKE too"),
        ("CREATE TABLE t (WATERMARK FOR ts AS ts) LIKE base (INCLUDING WATERMARKS)", "defines this already"),
        ("CREATE TABLE t LIKE bas", "there is no table 'bas'"),
        ("CREATE TABLE t LIKE base (EXCLUDING OPTIONS OVERWRITING OPTIONS)", "OPTIONS of LIKE is given twice"),
    ],
)
def test_like_refuses_what_is_there_twice(rest: str, message: str) -> None:
    """What both tables define is an error unless it is overwritten."""
    assert message in refused(BASE + rest).message


def test_an_error_in_an_inherited_column_names_the_first_file() -> None:
    """What came by LIKE from an earlier script is located in that script."""
    session = Session()
    session.bind("CREATE TABLE base (a INT, c AS a + 1) WITH ('k' = '1')", "first.sql")
    with pytest.raises(ConfigError) as caught:
        session.bind("\n\nCREATE TABLE t (WATERMARK FOR c AS c) LIKE base", "second.sql")
    assert caught.value.location is not None
    assert caught.value.location.file == "second.sql"
    session.bind("CREATE TABLE u LIKE base", "second.sql")
    assert session.tables["u"].options["k"].location is not None
    assert session.tables["u"].options["k"].location.file == "first.sql"


def test_what_like_overwrites_keeps_its_place() -> None:
    """An overwritten column stays where the base has it, as in Flink."""
    session = Session()
    session.bind("CREATE TABLE base (a INT, b AS a * 2, c STRING)", "q.sql")
    session.bind("CREATE TABLE t (b AS a * 3, z INT) LIKE base (OVERWRITING GENERATED)", "q.sql")
    assert session.tables["t"].schema.names == ("a", "b", "c", "z")


def test_a_key_left_behind_by_like_stays_not_null() -> None:
    """A column that is NOT NULL by the key of the base is so without the key too, as in Flink."""
    session = Session()
    session.bind("CREATE TABLE base (a INT, PRIMARY KEY (a) NOT ENFORCED)", "q.sql")
    session.bind("CREATE TABLE t LIKE base (EXCLUDING CONSTRAINTS)", "q.sql")
    table = session.tables["t"]
    assert (table.primary_key, str(table.schema["a"].type)) == ((), "INT NOT NULL")


@pytest.mark.parametrize("temporary", ["", "TEMPORARY "])
def test_many_columns(temporary: str) -> None:
    """A table of very many columns takes time in proportion."""
    columns = ", ".join(f"c{i} INT" for i in range(3000))
    session = Session()
    session.bind(f"CREATE {temporary}TABLE t ({columns}); SELECT * FROM t", "q.sql")
    assert len(session.tables["t"].schema) == 3000
