"""VARIANT: a value that is read from JSON, carried, and asked for by JSON_VALUE and JSON_QUERY."""

from __future__ import annotations

from pathlib import Path

import pytest

from tailrace.errors import ConfigError, TailraceError
from tailrace.expressions.json import NotJsonError, variant
from tailrace.runtime.job import Job
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"b": 1, "a": {"d": [], "c": {}}}', '{"a":{"c":{},"d":[]},"b":1}'),
        ("-0", "0"),
        ("-0.00", "0"),
        ("-1.50", "-1.5"),
        ("1" * 38, "1" * 38),
        ("-" + "1" * 38, "-" + "1" * 38),
        ("9" * 39, "1.0E39"),
        ("1." + "0" * 38, "1.0"),
        ("0." + "0" * 37 + "1", "0." + "0" * 37 + "1"),
        ("0." + "0" * 38 + "1", "1.0E-39"),
        ("1E2", "100.0"),
        ('"\\u001f/"', '"\\u001F/"'),
    ],
)
def test_a_value_has_one_text(text: str, expected: str) -> None:
    """Numbers with up to 38 digits keep their value; others are doubles, as Java writes them."""
    assert variant(text) == expected


@pytest.mark.parametrize("text", ["", " ", "NaN", "-Infinity", "01", "{'a':1}", "[1,]", "nul", "1x", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    """So are the words that Python's reader takes beyond JSON."""
    with pytest.raises(NotJsonError):
        variant(text)


def test_a_key_that_comes_twice() -> None:
    """It is refused, also inside, or the last value counts."""
    with pytest.raises(NotJsonError, match="twice"):
        variant('[{"a": 1, "a": 2}]')
    assert variant('[{"a": 1, "a": 2}]', duplicates=True) == '[{"a":2}]'


def job(script: str, state: Path) -> Job:
    """Make the job of a script's INSERT."""
    session = Session()
    inserts = [s for s in session.bind(script, "q.sql") if isinstance(s, Insert)]
    return Job("j", [plan for i in inserts for plan in i.sinks], session.settings, state=state, tables=session.tables)


@pytest.mark.parametrize(
    ("columns", "query", "options"),
    [
        ("v VARIANT", "PARSE_JSON(s)", "'connector' = 'filesystem', 'path' = '{}', 'format' = 'json'"),
        ("a ARRAY<VARIANT>", "ARRAY[PARSE_JSON(s)]", "'connector' = 'filesystem', 'path' = '{}', 'format' = 'parquet'"),
        ("v VARIANT", "PARSE_JSON(s)", "'connector' = 'sqlite', 'path' = '{}', 'table-name' = 't'"),
    ],
)
def test_tables_that_can_not_carry_it_are_refused(columns: str, query: str, options: str, tmp_path: Path) -> None:
    """No format and no database has the type."""
    script = f"""
    CREATE TABLE t (s STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
    CREATE TABLE o ({columns}) WITH ({options.format(tmp_path / "out")});
    INSERT INTO o SELECT {query} FROM t;
    """
    with pytest.raises(TailraceError, match="VARIANT"):
        job(script, tmp_path / "state").run()


def test_made_up_rows_have_none(tmp_path: Path) -> None:
    """The reason names the column."""
    script = """
    CREATE TABLE t (v VARIANT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
    CREATE TABLE o (v VARIANT) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT v FROM t;
    """
    with pytest.raises(ConfigError, match="'v'"):
        job(script, tmp_path / "state").run()
