"""INSERT INTO: columns by place or name, implicit casts, and what does not fit."""

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.nodes import Calc, Sink
from tailrace.plan.texts import expression
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert

TABLES = """
CREATE TABLE src (i INT, b BIGINT NOT NULL, s STRING, d DECIMAL(10, 2), f DOUBLE, ts TIMESTAMP(3)) WITH ('connector' = 'x');
CREATE TABLE dst (a BIGINT, c VARCHAR(3), d DECIMAL(12, 4), double_a AS a * 2, m STRING METADATA VIRTUAL, w INT METADATA)
  WITH ('connector' = 'x');
CREATE TABLE strict (a BIGINT NOT NULL, c STRING) WITH ('connector' = 'x');
CREATE TABLE parts (a INT, day STRING, hour_ INT) PARTITIONED BY (day, hour_) WITH ('connector' = 'x');
CREATE VIEW v AS SELECT i FROM src;
""".replace(" day ", " `day` ").replace("(day,", "(`day`,")


def sinks(text: str) -> tuple[Sink, ...]:
    """Bind one INSERT, or one statement set."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    (statement,) = session.bind(text, "q.sql")
    assert isinstance(statement, Insert)
    return statement.sinks


def written(text: str) -> dict[str, str]:
    """Give what is written into each column."""
    (sink,) = sinks(text)
    assert sink.table is not None
    assert sink.schema == sink.table.written
    assert isinstance(sink.input, Calc)
    assert [(f.name, f.type.with_nullable(True)) for f in sink.input.schema] == [
        (f.name, f.type.with_nullable(True)) for f in sink.schema
    ]
    return dict(zip(sink.input.schema.names, map(expression, sink.input.exprs), strict=True))


def refused(text: str) -> ConfigError:
    """Give the error of an INSERT that must be refused."""
    with pytest.raises(ConfigError) as caught:
        sinks(text)
    assert caught.value.location is not None
    return caught.value


def test_columns_by_place_with_implicit_casts() -> None:
    """Columns go by their place, not their name; a number grows, a string is neither cut nor padded."""
    assert written("INSERT INTO dst SELECT i, s, d, i FROM src") == {
        "a": "CAST(i AS BIGINT)",
        "c": "s",
        "d": "CAST(d AS DECIMAL(12, 4))",
        "w": "i",
    }


def test_a_list_of_columns() -> None:
    """Named columns may come in any order; the others are NULL."""
    assert written("INSERT INTO dst (d, a) SELECT d, b FROM src") == {
        "a": "b",
        "c": "NULL",
        "d": "CAST(d AS DECIMAL(12, 4))",
        "w": "NULL",
    }


def test_partition_constants() -> None:
    """Columns of PARTITION get their constant; the query gives the others in order."""
    found = written("INSERT INTO parts PARTITION (`day` = 'mon') SELECT i, i FROM src")
    assert list(found) == ["a", "day", "hour_"]
    assert "'mon'" in found["day"]
    assert (found["a"], found["hour_"]) == ("i", "i")


def test_a_statement_set_has_all_its_sinks() -> None:
    """The INSERTs of a set are one statement, and what they read in common is one object."""
    first, second = sinks(
        "EXECUTE STATEMENT SET BEGIN INSERT INTO strict SELECT b, s FROM src; INSERT INTO strict SELECT b, 'x' FROM src; END"
    )
    assert isinstance(first.input, Calc | type(second.input.inputs[0]))
    scan = second.input.inputs[0]
    assert scan is first.input or scan in first.input.inputs


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "INSERT INTO dst SELECT s, s, d, i FROM src",
            "'a' of 'dst' is BIGINT, but the query gives STRING",
            "CAST(s AS",
        ),
        ("INSERT INTO dst SELECT f, s, d, i FROM src", "'a' of 'dst' is BIGINT, but the query gives DOUBLE", ""),
        ("INSERT INTO dst SELECT b, s, s, i FROM src", "'d' of 'dst' is DECIMAL(12, 4)", ""),
        ("INSERT INTO parts SELECT b, s, i FROM src", "'a' of 'parts' is INT, but the query gives BIGINT", ""),
        ("INSERT INTO dst SELECT b FROM src", "'dst' takes 4 columns here, but the query has 1", "c VARCHAR(3)"),
        ("INSERT INTO strict (c) SELECT s FROM src", "'a' of 'strict' is NOT NULL and not among those given", ""),
        ("INSERT INTO dst (x) SELECT i FROM src", "'dst' has no column 'x'", "columns: a, c, d, w"),
        ("INSERT INTO dst (double_a) SELECT b FROM src", "is computed or virtual", ""),
        ("INSERT INTO dst (m) SELECT s FROM src", "is computed or virtual", ""),
        ("INSERT INTO dst (a, a) SELECT b, b FROM src", "named twice", ""),
        ("INSERT INTO dts SELECT i FROM src", "there is no table 'dts'", "did you mean 'dst'?"),
        ("INSERT INTO v SELECT i FROM src", "'v' is a view", ""),
        ("INSERT INTO parts PARTITION (a = 1) SELECT s, i FROM src", "'parts' is not partitioned by 'a'", ""),
    ],
)
def test_what_does_not_fit_is_refused(text: str, message: str, hint: str) -> None:
    """A wrong column, count or type is named with both types and the way out."""
    error = refused(text)
    assert message in error.message
    assert hint in error.hint
