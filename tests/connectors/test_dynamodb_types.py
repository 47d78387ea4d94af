"""Attributes of DynamoDB as columns and back, where the suites do not look: sets, misfits, sizes and conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

pytest.importorskip("botocore", reason="DynamoDB: the extra tailrace[dynamodb] is not installed")

from tailrace.connectors.dynamodb.items import Layout, Write, refusal, size_of
from tailrace.connectors.dynamodb.requests import delete, put
from tailrace.connectors.dynamodb.types import attributes, frame_of, letters, refuse_others
from tailrace.errors import ConfigError
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INT,
    INTERVAL_SECOND,
    STRING,
    DataType,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    multiset,
    timestamp,
    timestamp_ltz,
)
from tailrace.user_functions.columns import column, python_values


@pytest.mark.parametrize(
    ("of", "values", "wanted"),
    [
        (multiset(STRING), [{"a": 1, "b": 3}, {}, None], [{"SS": ["a", "b"]}, {"NULL": True}, {"NULL": True}]),
        (multiset(BIGINT), [{7: 1}], [{"NS": ["7"]}]),
        (multiset(BYTES), [{b"x": 2}], [{"BS": [b"x"]}]),
        (array(multiset(INT)), [[{1: 1}]], [{"L": [{"NS": ["1"]}]}]),
        (map_type(STRING, decimal(38, 10)), [{"a": Decimal("1.5")}], [{"M": {"a": {"N": "1.5000000000"}}}]),
    ],
    ids=["texts", "numbers", "bytes", "inside", "decimals"],
)
def test_sets_and_what_is_inside(of: DataType, values: list[Any], wanted: list[Any]) -> None:
    assert attributes(column(values, of), of) == wanted


def test_sets_are_read() -> None:
    """As sets of elements that are there once, or as arrays."""
    schema = Schema((Field("a", multiset(STRING)), Field("b", array(INT))))
    frame, bad = frame_of([{"a": {"SS": ["x", "y"]}, "b": {"NS": ["1", "2"]}}, {}], schema)
    assert not bad
    assert python_values(frame["a"], schema["a"].type) == [{"x": 1, "y": 1}, None]
    assert frame["b"].to_list() == [[1, 2], None]


@pytest.mark.parametrize(
    ("of", "attribute"),
    [
        (STRING, {"N": "1"}),
        (BIGINT, {"S": "1"}),
        (BIGINT, {"N": "1.5"}),
        (INT, {"N": str(2**31)}),
        (BOOLEAN, {"N": "1"}),
        (decimal(4, 2), {"N": "1.234"}),
        (decimal(4, 2), {"N": "100"}),
        (decimal(4, 2), {"N": "1E+100"}),
        (timestamp(3), {"S": "2026-01-01T00:00:00Z"}),
        (timestamp_ltz(3), {"S": "2026-01-01T00:00:00"}),
        (timestamp(3), {"S": "yesterday"}),
        (timestamp(3), {"N": "1767225600"}),
        (array(INT), {"L": [{"S": "x"}]}),
        (map_type(STRING, INT), {"L": []}),
    ],
    ids=lambda v: str(v).replace(" ", ""),
)
def test_values_that_do_not_fit_are_told(of: DataType, attribute: dict[str, Any]) -> None:
    """The row alone, by the name of its attribute, and its neighbours are read."""
    frame, bad = frame_of([{}, {"v": attribute}], Schema((Field("v", of),)))
    assert frame["v"].to_list() == [None, None]
    assert [r.reason for r in bad.values()] == [f"the value of attribute 'v' is no {of.sql()}"]
    assert list(bad) == [1]


def test_an_attribute_that_is_missing() -> None:
    _, bad = frame_of([{"v": {"NULL": True}}, {}, {"v": {"N": "1"}}], Schema((Field("v", INT.with_nullable(False)),)))
    assert sorted((row, r.code) for row, r in bad.items()) == [(0, "missing"), (1, "missing")]


def test_numbers_keep_all_digits() -> None:
    """Also those that a double would round."""
    of = decimal(38, 10)
    given = pl.Series([Decimal("1234567890123456789012345678.0123456789"), Decimal("-0.0000000001")], dtype=of.polars)
    told = attributes(given, of)
    assert told[0] == {"N": "1234567890123456789012345678.0123456789"}
    frame, bad = frame_of([{"v": a} for a in told], Schema((Field("v", of),)))
    assert not bad
    assert frame["v"].to_list() == given.to_list()
    assert attributes(pl.Series([0.1, 1e100]), DOUBLE) == [{"N": "0.1"}, {"N": "1e+100"}]


@pytest.mark.parametrize(
    "of",
    [INTERVAL_SECOND, map_type(INT, INT), multiset(BOOLEAN), timestamp(9), array(INTERVAL_SECOND)],
    ids=lambda v: str(v).replace(" ", ""),
)
def test_types_without_a_place(of: DataType) -> None:
    assert letters(of) == ""
    with pytest.raises(ConfigError, match=r"column 'v' of type .* has no place in DynamoDB"):
        refuse_others(Schema((Field("v", of),)), None)


def test_sizes() -> None:
    """Names count, and lists and maps have some bytes of their own."""
    assert size_of({"id": {"N": "-12.5"}}) == 2 + 4
    assert size_of({"é": {"S": "é"}}) == 4
    assert size_of({"l": {"L": [{"BOOL": True}, {"NULL": True}]}}) == 1 + 3 + 4
    assert size_of({"m": {"M": {"k": {"B": b"123"}}}}) == 1 + 3 + 1 + 1 + 3
    assert size_of({"s": {"SS": ["a", "bc"]}}) == 1 + 3


def test_numbers_inside_are_looked_at() -> None:
    """NaN in a list or a set refuses the row."""
    for attribute in ({"L": [{"N": "nan"}]}, {"M": {"a": {"N": "1e130"}}}, {"NS": ["inf"]}):
        found = refusal(4, Write({"id": {"N": "1"}}, {"id": {"N": "1"}, "v": attribute}, gone=False))
        assert found is not None
        assert (found.row, found.code) == (4, "range")
    assert refusal(4, Write({"id": {"N": "1"}}, {"id": {"N": "1"}, "v": {"N": "1e125"}}, gone=False)) is None


def test_conditions() -> None:
    """Both kinds at once; without a guard none."""
    key: dict[str, Any] = {"id": {"N": "1"}}
    write = Write(key, key | {"t": {"S": "2026"}}, gone=False)
    guarded = Layout(Schema(()), ("id",), newer_by="t", epoch_attribute="e")
    wanted = (
        "(attribute_not_exists(#t) OR attribute_type(#t, :null) OR #t <= :t)"
        " AND (attribute_not_exists(#e) OR attribute_type(#e, :null) OR #e <= :e)"
    )
    assert put(write, guarded, 7)["ConditionExpression"] == wanted
    assert delete(write, guarded, 7)["ExpressionAttributeValues"] == {
        ":null": {"S": "NULL"},
        ":t": {"S": "2026"},
        ":e": {"N": "7"},
    }
    assert put(write, Layout(Schema(()), ("id",), guarded=False, epoch_attribute="e"), 7) == {"Item": write.item}
