"""How an error shows its place."""

from __future__ import annotations

from tailrace.errors import ConfigError, Location


def test_a_caret_stands_under_what_is_meant() -> None:
    """Also behind wide characters, which take two columns, and tabs."""
    assert Location("a.sql", 1, 3, "ab cd", 2).caret() == "  ab cd\n    ^^"
    assert Location("a.sql", 1, 4, "'\u6f22'x", 1).caret() == "  '\u6f22'x\n      ^"
    assert Location("a.sql", 1, 2, "'\u6f22'", 1).caret() == "  '\u6f22'\n   ^^"
    assert Location("a.sql", 1, 2, "\tx", 1).caret() == "  \tx\n  \t^"


def test_of_a_long_line_only_what_is_around_is_shown() -> None:
    """A line may be a whole file."""
    line, caret = Location("a.sql", 1, 5001, "x" * 5000 + "HERE" + "y" * 5000, 4).caret().splitlines()
    assert line.startswith("  … xxx")
    assert line.endswith("yyy …")
    assert len(line) < 220
    assert line[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_a_long_mark_is_cut() -> None:
    """What is marked may be longer than what is shown."""
    line, caret = Location("a.sql", 1, 1, "x" * 5000, 5000).caret().splitlines()
    assert len(line) < 220
    assert len(caret) <= len(line)


def test_a_report_has_place_message_line_and_hint() -> None:
    """Each on a line of its own."""
    error = ConfigError("no", hint="yes", location=Location("a.sql", 2, 1, "abc", 3))
    assert str(error) == "a.sql:2:1: no\n  abc\n  ^^^\nhint: yes"
