"""JSON functions whose words are wrong say so where they stand."""

import pytest

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.sql.session import Session
from tailrace.testing import Drive

WRONG = [
    ("SELECT JSON_VALUE('{}', '$' EMPTY ARRAY ON EMPTY)", 29, "EMPTY ARRAY ON EMPTY can't stand in JSON_VALUE"),
    ("SELECT JSON_VALUE('{}', '$' RETURNING DATE)", 29, "JSON_VALUE can't return DATE"),
    ("SELECT JSON_VALUE('{}', '$' DEFAULT 1.5 ON EMPTY NULL ON NULL)", 50, "NULL ON NULL can't stand"),
    ("SELECT JSON_QUERY('{}', '$' NULL ON EMPTY WITH WRAPPER)", 43, "WITH WRAPPER can't stand behind"),
    ("SELECT JSON_EXISTS('{}', '$' NULL ON ERROR)", 30, "NULL ON ERROR can't stand in JSON_EXISTS"),
    ("SELECT JSON_EXISTS('{}')", 8, "JSON_EXISTS takes a text and a path"),
    ("SELECT JSON('{}')", 8, "JSON can't stand here"),
]


@pytest.mark.parametrize(("sql", "column", "message"), WRONG)
def test_wrong_words_are_named(sql: str, column: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Session().bind(sql, "a.sql")
    assert caught.value.location is not None
    assert caught.value.location.column == column


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.a.min()", "the function 'min'"),
        ("$..[0]", r"'..' before \[\]"),
        ("$.a[?(@.q)]", "the filter '@.q'"),
    ],
)
def test_paths_that_are_not_searched_are_named(path: str, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message) as caught:
        Session().bind(f"SELECT JSON_VALUE('[]', '{path}')", "a.sql")
    assert caught.value.location is not None
    assert caught.value.location.column == 25


@pytest.mark.parametrize("call", ["JSON_VALUE(s, p)", "JSON_QUERY(s, p)", "JSON_EXISTS(s, p)"])
def test_a_path_of_a_row_that_is_not_searched_fails_that_row(call: str) -> None:
    """The others go on, and a path that is none is an error for the clauses, as a constant one."""
    table = "CREATE TABLE t (s STRING, p STRING) WITH ('connector' = 'datagen');"
    drive = Drive(f"{table} SELECT p, {call} IS NULL AS x FROM t")
    paths = ["$.a", "$..[0]", "$.a.min()", "$[?(@.q)]", "$[", None]
    passed = drive.push("t", [{"s": '{"a": 1}', "p": p} for p in paths])
    assert [c.row["p"] for c in passed] == ["$.a", "$[", None]
    refused = [row["p"] for r in drive.refused for row in r.rows]
    assert refused == ["$..[0]", "$.a.min()", "$[?(@.q)]"]
    assert all("the path is not supported" in r.reason for r in drive.refused)
