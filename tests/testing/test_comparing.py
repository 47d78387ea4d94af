"""Rows against those expected: what counts as equal, and how a difference is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tailrace.testing import Change, assert_rows
from tailrace.testing.comparing import SHOWN, difference


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([], []),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}]),
        ([{"a": Decimal("1.50")}], [{"a": "1.5"}]),
        ([{"a": 1}], [{"a": 1.0}]),
        ([{"a": datetime(2026, 1, 1)}], [{"a": "2026-01-01"}]),
        ([{"a": datetime(2026, 1, 1, tzinfo=UTC)}], [{"a": "2026-01-01 00:00:00"}]),
        (
            [{"a": datetime(2026, 1, 1, tzinfo=UTC)}],
            [{"a": datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))}],
        ),
        ([{"a": date(2026, 1, 1)}], [{"a": "2026-01-01"}]),
        ([{"a": None}], [{"a": None}]),
        ([Change("+I", {"a": Decimal(1)}, "t")], [Change("+I", {"a": "1"}, "t")]),
    ],
)
def test_equal(got: list[Any], expected: list[Any]) -> None:
    """In any order, with texts for times and decimals."""
    assert_rows(got, expected)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([], [{"a": 1}]),
        ([{"a": 1}], []),
        ([{"a": 1}, {"a": 1}], [{"a": 1}]),
        ([{"a": 1}], [{"a": "1"}]),
        ([{"a": 1}], [{"a": True}]),
        ([{"a": None}], [{}]),
        ([{"a": Decimal("1.5")}], [{"a": "much"}]),
        ([{"a": datetime(2026, 1, 1)}], [{"a": "soon"}]),
        ([{"a": 1, "b": 2}], [{"a": 1}]),
        ([Change("+I", {"a": 1})], [Change("-D", {"a": 1})]),
    ],
)
def test_different(got: list[Any], expected: list[Any]) -> None:
    """Too few, too many, of another type, or with other columns."""
    with pytest.raises(AssertionError, match="the rows are not those expected"):
        assert_rows(got, expected)


def test_another_order() -> None:
    """It counts if asked for, and is told as such."""
    with pytest.raises(AssertionError, match="but in another order"):
        assert_rows([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], ordered=True)


def test_a_difference_is_told_by_the_rows_around_it() -> None:
    """Long stretches of equal rows are left out."""
    got = [{"n": i, "text": "x" if i != 50 else "y"} for i in range(100)]
    expected = [{"n": i, "text": "x"} for i in range(100)]

    assert difference(got, expected) == [
        "the rows are not those expected (- expected, + came out)",
        "    n   text",
        "    ...",
        "    48  'x'",
        "    49  'x'",
        "  - 50  'x'",
        "  + 50  'y'",
        "    51  'x'",
        "    52  'x'",
        "    ...",
    ]


def test_a_long_difference_is_cut() -> None:
    """It says how much is missing."""
    lines = difference([{"n": i} for i in range(500)], [])

    assert len(lines) == SHOWN + 3
    assert lines[-1] == f"    and {500 - SHOWN} more"


def test_long_values_are_cut() -> None:
    """A row stays on its line."""
    assert max(map(len, difference([{"n": "x" * 1000}], []))) < 100
