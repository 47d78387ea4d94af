"""Functions that other databases have under names which Flink does not know, with what says the same here."""

from __future__ import annotations

_DIFFERENCE = "TIMESTAMPDIFF(DAY, begun, ended)"
_FORMAT, _PARSE = "DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm')", "TO_TIMESTAMP(a, 'yyyy-MM-dd HH:mm')"
_NUMBER = "TRY_CAST(a AS DECIMAL(10, 2))"
_JSON = "JSON_VALUE(a, '$.name')"

INSTEAD = {
    "ARRAY_LENGTH": "CARDINALITY(items)",
    "ARRAY_SIZE": "CARDINALITY(items)",
    "CHARINDEX": "LOCATE(b, a)",
    "COLLECT_LIST": "ARRAY_AGG(a)",
    "DATEADD": "ts + INTERVAL '1' DAY",
    "DATEDIFF": _DIFFERENCE,
    "DATE_ADD": "ts + INTERVAL '1' DAY",
    "DATE_DIFF": _DIFFERENCE,
    "DATE_PART": "EXTRACT(HOUR FROM ts)",
    "DATE_SUB": "ts - INTERVAL '1' DAY",
    "DATE_TRUNC": "FLOOR(ts TO MINUTE)",
    "ENDS_WITH": "ENDSWITH(a, b)",
    "GETDATE": "CURRENT_TIMESTAMP",
    "GET_JSON_OBJECT": _JSON,
    "GROUP_CONCAT": "LISTAGG(a, ',')",
    "IFF": "IF(a = b, 1, 2)",
    "ISNULL": "a IS NULL",
    "JSON_EXTRACT": _JSON,
    "JSON_EXTRACT_SCALAR": _JSON,
    "LEN": "CHAR_LENGTH(a)",
    "LENGTH": "CHAR_LENGTH(a)",
    "NVL": "COALESCE(a, b)",
    "REGEXP_MATCHES": "REGEXP(a, b)",
    "STARTS_WITH": "STARTSWITH(a, b)",
    "STRFTIME": _FORMAT,
    "STRING_AGG": "LISTAGG(a, ',')",
    "STRPOS": "LOCATE(b, a)",
    "STRPTIME": _PARSE,
    "SYSDATE": "CURRENT_TIMESTAMP",
    "TO_CHAR": _FORMAT,
    "TO_NUMBER": _NUMBER,
    "TRY_TO_NUMBER": _NUMBER,
}
"""An expression that says it, over the texts a and b, the times ts, begun and ended, and the array items."""


def instead_of(name: str) -> str:
    """
    Give a hint that tells what to write instead of a function; empty if it is known from nowhere.

    >>> instead_of("string_agg")
    "write LISTAGG(a, ',')"
    """
    found = INSTEAD.get(name.upper())
    return f"write {found}" if found else ""
