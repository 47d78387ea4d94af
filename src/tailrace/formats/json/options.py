"""The options of the format `json`, under Flink's names."""

from __future__ import annotations

import json
from typing import Any

from tailrace.formats.confluent.access import OPTIONS as ACCESS
from tailrace.formats.confluent.places import OPTIONS as PLACES
from tailrace.options import Option, OptionSet, boolean, choice, string


def _schema(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("a JSON Schema is an object")  # noqa: TRY004  as of all that can't be read
    return found


SHARED = (
    Option("fail-on-missing-field", boolean, False, "a row without one of the columns is an error; else it is NULL"),
    Option(
        "ignore-parse-errors",
        boolean,
        False,
        "a value that can't be read is NULL, and a row that is no JSON object is left out; else the row is an error",
    ),
    Option(
        "timestamp-format.standard",
        choice("SQL", "ISO-8601"),
        "SQL",
        "`SQL`: `2026-01-31 12:00:00.123`; `ISO-8601`: `2026-01-31T12:00:00.123`; TIMESTAMP_LTZ ends with `Z`",
    ),
    Option(
        "map-null-key.mode",
        choice("FAIL", "DROP", "LITERAL"),
        "FAIL",
        "what is written for a NULL key of a map: `FAIL`, `DROP` the entry, or a `LITERAL`",
    ),
    Option("map-null-key.literal", string, "null", "the key that `LITERAL` writes"),
    Option(
        "encode.decimal-as-plain-number",
        boolean,
        False,
        "write `0.000000027` and not `2.7E-8`; other decimals are the same with both",
    ),
    Option("encode.ignore-null-fields", boolean, False, "leave fields without a value out"),
    Option("decode.json-parser.enabled", boolean, True, "taken as in Flink; there is one parser here"),
)
"""What every format of plain JSON objects takes."""

OPTIONS = OptionSet(
    "format 'json'",
    (
        *SHARED,
        Option(
            "tailrace.schema-file",
            string,
            doc="a file with a JSON Schema: a row that it refuses is an error, read or written",
        ),
    ),
)

OF_REGISTRY = OptionSet(
    "format 'json-confluent'",
    (
        *ACCESS,
        *PLACES,
        Option("schema", _schema, doc="the JSON Schema of the table as text; by default one that the columns make"),
        Option(
            "tailrace.validate",
            boolean,
            True,
            "whether each row is checked against its JSON Schema; one that is refused is an error",
        ),
        *SHARED,
    ),
)
