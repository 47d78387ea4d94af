"""Parameters of a script, and places in its original text."""

import pytest

from tailrace.errors import ConfigError
from tailrace.sql.source import Source


def test_parameters_are_replaced() -> None:
    """`${NAME}` gives its value, in and out of strings, and nothing else changes."""
    source = Source("SELECT ${N}, 'a-${S}' FROM `${T}`", "q.sql", {"N": "1 + 2", "S": "x", "T": "t"})
    assert source.text == "SELECT 1 + 2, 'a-x' FROM `t`"


def test_a_value_stays_inside_its_quotes() -> None:
    """A quote in a value can't end the string or name that it stands in."""
    source = Source("SELECT '${A}', `${B}`", "q.sql", {"A": "x'; DROP TABLE t; --", "B": "a`b"})
    assert source.text == "SELECT 'x''; DROP TABLE t; --', `a``b`"


def test_comments_are_left_alone() -> None:
    """A parameter in a comment needs no value."""
    text = "SELECT 1 -- ${A}\n/* ${B} */, '--${C}'"
    assert Source(text, "q.sql", {"C": "c"}).text == "SELECT 1 -- ${A}\n/* ${B} */, '--c'"


def test_environment_variables_of_the_prefix_only() -> None:
    """`${env:...}` reads names that begin with TAILRACE_ and no others."""
    environ = {"TAILRACE_X": "1", "HOME": "/secret"}
    assert Source("${env:TAILRACE_X}", "q.sql", {}, environ).text == "1"
    with pytest.raises(ConfigError, match="can't be read from a script"):
        Source("${env:HOME}", "q.sql", {}, environ)
    with pytest.raises(ConfigError, match="is not set"):
        Source("${env:TAILRACE_Y}", "q.sql", {}, environ)


def test_an_unknown_parameter_is_pointed_at() -> None:
    """The error of an unknown parameter has the place and the closest known one."""
    with pytest.raises(ConfigError) as caught:
        Source("SELECT 1;\n  SELECT ${TOPIK}", "q.sql", {"TOPIC": "t"})
    assert caught.value.location is not None
    assert (caught.value.location.line, caught.value.location.column) == (2, 10)
    assert caught.value.hint == "did you mean 'TOPIC'?"


def test_places_are_those_of_the_original_text() -> None:
    """After a parameter of another length a place still is where the reader sees it."""
    source = Source("a ${LONG} b\n${E}c", "q.sql", {"LONG": "x" * 30 + "\n" + "y", "E": ""})
    at = source.text.index("b")
    assert str(source.location(at, at + 1)) == "q.sql:1:11"
    at = source.text.index("c")
    assert str(source.location(at, at + 1)) == "q.sql:2:5"
    at = source.text.index("y")
    assert str(source.location(at, at + 1)) == "q.sql:1:3"


@pytest.mark.parametrize(("text", "what"), [("SELECT 'abc", "string"), ("SELECT `a", "name"), ("/* x", "comment")])
def test_what_is_not_closed_is_pointed_at(text: str, what: str) -> None:
    """A string, name or comment without an end is an error at its beginning."""
    with pytest.raises(ConfigError, match=f"the {what} that begins here has no end"):
        Source(text, "q.sql")
