"""Constants and their types, as Flink has them."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Literal
from tailrace.plan.nodes import Calc
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1", "INT", 1),
        ("-2147483648", "INT", -2147483648),
        ("2147483648", "BIGINT", 2147483648),
        ("-9223372036854775808", "BIGINT", -(2**63)),
        ("1.50", "DECIMAL(3, 2)", Decimal("1.50")),
        ("0.001", "DECIMAL(4, 3)", Decimal("0.001")),
        (".5", "DECIMAL(1, 1)", Decimal("0.5")),
        ("1e3", "DOUBLE", 1000.0),
        ("'it''s'", "CHAR(4)", "it's"),
        ("U&'\\00e4'", "CHAR(1)", "ä"),
        ("X'0aFF'", "BINARY(2)", b"\n\xff"),
        ("TRUE", "BOOLEAN", True),
        ("DATE '2024-05-31'", "DATE", date(2024, 5, 31)),
        ("TIME '12:30:05'", "TIME(0)", time(12, 30, 5)),
        ("TIMESTAMP '2024-05-31 01:02:03'", "TIMESTAMP(0)", datetime(2024, 5, 31, 1, 2, 3)),
        ("TIMESTAMP '2024-05-31 01:02:03.250'", "TIMESTAMP(3)", datetime(2024, 5, 31, 1, 2, 3, 250_000)),
        ("INTERVAL '5' SECOND", "INTERVAL DAY TO SECOND", 5000),
        ("INTERVAL '1.5' SECOND", "INTERVAL DAY TO SECOND", 1500),
        ("INTERVAL '2' WEEKS", "INTERVAL DAY TO SECOND", 14 * DAY),
        ("INTERVAL -'1' DAY", "INTERVAL DAY TO SECOND", -DAY),
        ("INTERVAL '-1' DAY", "INTERVAL DAY TO SECOND", -DAY),
        ("INTERVAL '10:30' MINUTE TO SECOND", "INTERVAL DAY TO SECOND", 630_000),
        ("INTERVAL '1 02:03:04.005' DAY TO SECOND", "INTERVAL DAY TO SECOND", DAY + 7_384_005),
        ("INTERVAL '1 02' DAY TO HOUR", "INTERVAL DAY TO SECOND", DAY + 7_200_000),
        ("INTERVAL '1-6' YEAR TO MONTH", "INTERVAL YEAR TO MONTH", 18),
        ("INTERVAL '2' QUARTER", "INTERVAL YEAR TO MONTH", 6),
    ],
)
def test_literals(text: str, kind: str, value: Any) -> None:
    """The type and the value of each constant; none but NULL can be NULL."""
    (query,) = Session().bind(f"SELECT {text}", "q.sql")
    assert isinstance(query, Query)
    assert isinstance(query.plan.input, Calc)
    (literal,) = query.plan.input.exprs
    assert isinstance(literal, Literal)
    assert (literal.type.sql(), literal.type.nullable, literal.value) == (kind, False, value)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "0.1234567890123456789012"])
def test_numbers_out_of_range(text: str) -> None:
    """A number is refused that does not fit into 64 bits without its point, with a word on how to write it."""
    with pytest.raises(ConfigError, match="CAST"):
        Session().bind(f"SELECT {text}", "q.sql")
