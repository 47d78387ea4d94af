"""What each JSON value is in each type: the policy, value by value, the same in a block and row by row."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from both_ways import one, outcome, read_json

from tailrace.formats.buffers import fixed_column
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    array,
    decimal,
    map_type,
    row,
    time_type,
    timestamp,
    timestamp_ltz,
)

TYPE, RANGE, SYNTAX = "reject: type", "reject: range", "reject: syntax"

VALUES: list[tuple[DataType, str, Any]] = [
    (TINYINT, "127", 127),
    (TINYINT, "-128", -128),
    (TINYINT, "128", RANGE),
    (SMALLINT, "-32769", RANGE),
    (INT, "2147483647", 2147483647),
    (INT, "2147483648", RANGE),
    (INT, "1.0", 1),
    (INT, "1.5", TYPE),
    (INT, "1e3", 1000),
    (INT, '"42"', 42),
    (INT, '" 42 "', 42),
    (INT, '""', TYPE),
    (INT, '"x"', TYPE),
    (INT, "true", TYPE),
    (INT, "null", None),
    (INT, "{}", TYPE),
    (INT, "[]", TYPE),
    (INT, "01", SYNTAX),
    (INT, "+1", SYNTAX),
    (INT, "-", SYNTAX),
    (BIGINT, "9223372036854775807", 2**63 - 1),
    (BIGINT, "-9223372036854775808", -(2**63)),
    (BIGINT, "9223372036854775808", RANGE),
    (BIGINT, "18446744073709551616", RANGE),
    (BIGINT, "1e400", RANGE),
    (BIGINT, "9" * 5000, RANGE),
    (BIGINT, "-0", 0),
    (DOUBLE, "1e400", RANGE),
    (DOUBLE, "1e-400", 0.0),
    (DOUBLE, "0.1", 0.1),
    (DOUBLE, "9007199254740993", 9007199254740992.0),
    (DOUBLE, "2.2250738585072011e-308", 2.2250738585072011e-308),
    (DOUBLE, "NaN", SYNTAX),
    (DOUBLE, "Infinity", SYNTAX),
    (DOUBLE, '"NaN"', math.nan),
    (DOUBLE, '"-Infinity"', -math.inf),
    (DOUBLE, "9" * 5000, RANGE),
    (FLOAT, "16777217", 16777216.0),
    (FLOAT, "1e39", RANGE),
    (decimal(5, 2), "1.005", Decimal("1.01")),
    (decimal(5, 2), "-1.005", Decimal("-1.01")),
    (decimal(5, 2), "999.99", Decimal("999.99")),
    (decimal(5, 2), "999.995", RANGE),
    (decimal(5, 2), '"12.3"', Decimal("12.30")),
    (decimal(38, 0), "1" * 38, Decimal("1" * 38)),
    (decimal(38, 0), "1" * 40, RANGE),
    (decimal(38, 10), "12345678901234567890.0123456789", Decimal("12345678901234567890.0123456789")),
    (decimal(10, 2), "1e-1000", Decimal("0.00")),
    (decimal(10, 2), "1e1000", RANGE),
    (BOOLEAN, "true", True),
    (BOOLEAN, '"FALSE"', False),
    (BOOLEAN, "1", TYPE),
    (BOOLEAN, "tru", SYNTAX),
    (STRING, '""', ""),
    (STRING, "12.50", "12.50"),
    (STRING, "true", "true"),
    (STRING, '{"a": [1, null]}', '{"a":[1,null]}'),
    (STRING, r'"\u00e9\n\"\\\/"', 'é\n"\\/'),
    (STRING, r'"\ud83d\ude00"', "\U0001f600"),
    (STRING, r'"\ud800"', "reject: utf-8"),
    (STRING, r'"\ud800\u0041"', "reject: utf-8"),
    (STRING, r'"\x"', SYNTAX),
    (STRING, '"a\x00b"', "a\x00b"),
    (STRING, '"\u202e"', "\u202e"),
    (DATE, '"2024-02-29"', dt.date(2024, 2, 29)),
    (DATE, '"2023-02-29"', TYPE),
    (DATE, '"2024-2-9"', TYPE),
    (DATE, "20240229", TYPE),
    (time_type(0), '"23:59:59"', dt.time(23, 59, 59)),
    (time_type(0), '"24:00:00"', TYPE),
    (timestamp(3), '"2024-01-02 03:04:05.678"', dt.datetime(2024, 1, 2, 3, 4, 5, 678000)),
    (timestamp(3), '"2024-01-02 03:04:05"', dt.datetime(2024, 1, 2, 3, 4, 5)),
    (timestamp(3), '"2024-01-02 03:04:05.678999"', dt.datetime(2024, 1, 2, 3, 4, 5, 678000)),
    (timestamp(0), '"2024-01-02 03:04:05.999"', dt.datetime(2024, 1, 2, 3, 4, 5)),
    (timestamp(3), '"2024-01-02T03:04:05"', TYPE),
    (timestamp(3), '"2024-01-02 03:04:05Z"', TYPE),
    (timestamp(3), '"2024-01-02 25:04:05"', TYPE),
    (timestamp(3), '"1969-12-31 23:59:59.999"', dt.datetime(1969, 12, 31, 23, 59, 59, 999000)),
    (timestamp(9), '"2263-01-01 00:00:00"', RANGE),
    (timestamp(3), "1704164645678", TYPE),
    (timestamp_ltz(3), '"2024-01-02 03:04:05Z"', dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
    (timestamp_ltz(3), '"2024-01-02 03:04:05"', TYPE),
    (BYTES, '"aGk="', b"hi"),
    (BYTES, '"a"', TYPE),
    (array(INT), "[1, null, 3]", [1, None, 3]),
    (array(INT), '["x"]', TYPE),
    (array(INT), "1", TYPE),
    (map_type(STRING, INT), '{"a": 1}', [{"key": "a", "value": 1}]),
    (row({"a": INT, "b": STRING}), '{"a": 1}', {"a": 1, "b": None}),
    (array(timestamp(3)), '["2024-01-02 03:04:05"]', [dt.datetime(2024, 1, 2, 3, 4, 5)]),
]


@pytest.mark.parametrize(("kind", "text", "expected"), VALUES, ids=lambda v: repr(v)[:40])
def test_value(kind: DataType, text: str, expected: Any) -> None:
    found = outcome(read_json(one(kind), [f'{{"v": {text}}}'.encode()]))
    if isinstance(expected, float) and math.isnan(expected):
        assert math.isnan(found)
    else:
        assert found == expected
        assert type(found) is type(expected)


@pytest.mark.parametrize(("kind", "text"), [v[:2] for v in VALUES if v[2] in (TYPE, RANGE)], ids=lambda v: repr(v)[:40])
def test_ignored_errors_are_null(kind: DataType, text: str) -> None:
    found = outcome(read_json(one(kind), [f'{{"v": {text}}}'.encode()], ignore_parse_errors="true"))
    assert found is None or found == [None]


def test_negative_zero_keeps_its_sign() -> None:
    assert math.copysign(1, outcome(read_json(one(DOUBLE), [b'{"v": -0.0}']))) == -1.0


def test_iso_timestamps() -> None:
    standard = {"timestamp_format.standard": "ISO-8601"}
    found = outcome(read_json(one(timestamp(3)), [b'{"v": "2024-01-02T03:04:05.6"}'], **standard))
    assert found == dt.datetime(2024, 1, 2, 3, 4, 5, 600000)
    assert outcome(read_json(one(timestamp(3)), [b'{"v": "2024-01-02T03:04"}'], **standard)) == dt.datetime(
        2024, 1, 2, 3, 4
    )
    assert outcome(read_json(one(timestamp(3)), [b'{"v": "2024-01-02 03:04:05"}'], **standard)) == TYPE


def test_the_bits_behind_a_missing_value_mean_nothing() -> None:
    """Whatever the memory of a row without a value holds, it neither warns nor shows."""
    words = np.array([1e300, 1.5, np.nan]).view(np.int64).reshape(1, 3)
    got = fixed_column(FLOAT, words, np.array([0, 1, 0], dtype=np.uint8))
    assert got.to_list() == [None, 1.5, None]
