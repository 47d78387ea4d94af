"""PARSE_JSON and TRY_PARSE_JSON: JSON texts as values of VARIANT."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.batches import by_value, by_value_or_fail
from tailrace.expressions.json import NotJsonError, variant
from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import TEXT, Context, define, fixed, takes, values
from tailrace.schema import VARIANT, Kind


def _parsed(ctx: Context, e: Call) -> pl.Expr:
    message = "the text is no JSON, or one of its objects has a key twice"
    return by_value_or_fail(ctx, e, variant, *values(ctx, e), message=message)


def _tried(ctx: Context, e: Call) -> pl.Expr:
    return by_value(_variant_or_null, e.type.polars, *values(ctx, e))


def _variant_or_null(text: str, duplicates: bool = False) -> str | None:
    try:
        return variant(text, duplicates)
    except NotJsonError:
        return None


_DOC = "A JSON text as a VARIANT; of a key that comes twice the last value counts, if the second argument is TRUE,"
_TAKES = takes(TEXT, (Kind.BOOLEAN,))
define(
    "PARSE_JSON",
    "json",
    "PARSE_JSON(a[, duplicates])",
    f"{_DOC} else the row fails, as for a text that is no JSON.",
    fixed(VARIANT),
    _parsed,
    1,
    2,
    _TAKES,
)
define(
    "TRY_PARSE_JSON",
    "json",
    "TRY_PARSE_JSON(a[, duplicates])",
    f"{_DOC} else the result is NULL, as for a text that is no JSON.",
    fixed(VARIANT, always=True),
    _tried,
    1,
    2,
    _TAKES,
)
