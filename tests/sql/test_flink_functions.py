"""The functions of Flink, as it lists them: each is here, or the page of functions says why it is not."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tailrace.errors import ConfigError
from tailrace.expressions.absent import ABSENT
from tailrace.expressions.aggregates import AGGREGATES
from tailrace.expressions.catalogue import functions
from tailrace.sql.session import Session

HERE = Path(__file__).resolve().parent
RECORDED = json.loads((HERE / "flink_functions.json").read_text())["functions"]

WORDS = {
    "currentDatabase": "CURRENT_DATABASE",
    "divide": "/", "equals": "=", "greaterThan": ">", "greaterThanOrEqual": ">=", "lessThan": "<", "lessThanOrEqual": "<=",
    "minus": "-", "minusPrefix": "NEGATE", "mod": "MOD", "notEquals": "<>", "plus": "+", "times": "*",
    "between": "BETWEEN", "notBetween": "BETWEEN", "ifThenElse": "CASE", "isFalse": "IS FALSE", "isNotFalse": "IS NOT FALSE",
    "isNotNull": "IS NOT NULL", "isNotTrue": "IS NOT TRUE", "isNull": "IS NULL", "isTrue": "IS TRUE", "similar": "SIMILAR TO",
    "at": "ITEM", "get": "GET", "localTime": "LOCALTIME", "localTimestamp": "LOCALTIMESTAMP", "lowerCase": "LOWER",
    "upperCase": "UPPER", "initCap": "INITCAP", "listAgg": "LISTAGG", "temporalOverlaps": "OVERLAPS",
    "timestampDiff": "TIMESTAMPDIFF", "sum0": "SUM", "IS_JSON": "IS JSON", "TRANSLATE3": "TRANSLATE", "cast": "CAST",
    "JSON_ARRAYAGG_ABSENT_ON_NULL": "JSON_ARRAYAGG", "JSON_ARRAYAGG_NULL_ON_NULL": "JSON_ARRAYAGG",
    "JSON_OBJECTAGG_ABSENT_ON_NULL": "JSON_OBJECTAGG", "JSON_OBJECTAGG_NULL_ON_NULL": "JSON_OBJECTAGG",
}  # fmt: skip
"""What a name in Flink's list is called in SQL, where that can't be told from the name."""

NOT_SQL = {
    "AGG_DECIMAL_MINUS", "AGG_DECIMAL_PLUS", "HIVE_AGG_DECIMAL_PLUS", "reinterpretCast",
    "ASSIGNMENT", "DEFAULT", "as", "asc", "desc", "distinct", "over", "start", "end", "rowtime", "proctime", "flatten", "rangeTo",
    "streamRecordTimestamp", "withColumns", "withoutColumns",
}  # fmt: skip
"""What the list has for Flink's planner and its Table API; SQL can't call it, or has a word of its grammar for it."""

OPERATORS = (
    "GROUPING", "GROUPING_ID", "GROUP_ID", "STDDEV", "VARIANCE", "APPROX_COUNT_DISTINCT", "NULLIF", "OVERLAPS", "TIMESTAMPADD",
    "YEAR", "QUARTER", "MONTH", "WEEK", "HOUR", "MINUTE", "SECOND", "DAYOFYEAR", "DAYOFMONTH", "DAYOFWEEK", "CHARACTER_LENGTH",
    "IS UNKNOWN", "IS NOT UNKNOWN", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "||", "IS JSON VALUE", "IS JSON OBJECT",
    "IS JSON ARRAY", "IS JSON SCALAR", "RANK", "DENSE_RANK", "ROW_NUMBER", "CUME_DIST", "PERCENT_RANK", "NTILE", "LEAD", "LAG",
    "E", "RAND_INTEGER", "SUBSTR", "CEILING", "TUMBLE", "HOP", "CUMULATE", "SESSION", "NOW", "PROCTIME", "MAP", "ROW",
)  # fmt: skip
"""What SHOW FUNCTIONS leaves out, as the documentation has it."""

GRAMMAR = {
    "BETWEEN", "CAST", "TRY_CAST", "GROUPING", "GROUPING_ID", "GROUP_ID", "RANK", "DENSE_RANK", "ROW_NUMBER", "LAG",
    "TUMBLE", "HOP", "CUMULATE", "SESSION",
}  # fmt: skip
"""What the binder knows without the catalogue; conformance cases show each."""

HERE_NOW = {f.name for f in functions()} | {"MOD"} | set(AGGREGATES) | GRAMMAR


def in_sql(name: str) -> str:
    """Give the name that SQL has for one of Flink's list."""
    return WORDS.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def test_each_is_here_or_known_to_be_absent() -> None:
    asked = {in_sql(n) for n in RECORDED if n not in NOT_SQL} | set(OPERATORS)
    assert asked - HERE_NOW - ABSENT.keys() == set()


def test_what_is_called_absent_is_absent_and_one_of_flink() -> None:
    assert ABSENT.keys() & HERE_NOW == set()
    assert ABSENT.keys() - {in_sql(n) for n in RECORDED} - set(OPERATORS) == set()


def test_words_and_exceptions_are_in_the_list() -> None:
    assert (WORDS.keys() | NOT_SQL) - set(RECORDED) == set()


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_a_call_says_why(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Session().bind(f"SELECT {name}('x')", "a.sql")
    assert ABSENT[name] in str(caught.value)


@pytest.mark.skipif("TAILRACE_TEST_FLINK" not in os.environ, reason="Flink: TAILRACE_TEST_FLINK names no SQL Gateway")
def test_flink_lists_what_was_recorded() -> None:
    sys.path.append(str(HERE.parent / "conformance"))
    from flink_gateway import Gateway  # noqa: PLC0415  beside the cases

    with Gateway(os.environ["TAILRACE_TEST_FLINK"], {}) as gateway:
        listed = {str(fields[0]) for _, fields in gateway.run("SHOW FUNCTIONS").rows}
    assert sorted(listed) == RECORDED
