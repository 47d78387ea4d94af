"""PRINTF."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.batches import by_value
from tailrace.expressions.java_format import FormatError, java_format
from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import (
    BINARY,
    NESTED,
    TEXT,
    Context,
    define,
    fixed,
    takes,
    values,
)
from tailrace.schema import STRING, TIMESTAMPS, DataType, Kind


def _printf(ctx: Context, e: Call) -> pl.Expr:
    pattern, *args = values(ctx, e)
    kinds = [a.type.kind for a in e.args[1:]]
    shown = [_as_flink_keeps(value, a.type) for value, a in zip(args, e.args[1:], strict=True)]

    def printed(form: str | None, *found: object) -> str | None:
        try:
            return None if form is None else java_format(form, found, kinds)
        except FormatError:
            return None

    return by_value(printed, pl.String, pattern, *shown, nulls=True)


def _as_flink_keeps(value: pl.Expr, t: DataType) -> pl.Expr:
    """Give days for a DATE and milliseconds for a TIME, which is what PRINTF shows of them."""
    if t.kind is Kind.DATE:
        return value.to_physical()
    if t.kind is Kind.TIME:
        return value.to_physical() // 1_000_000
    if t.kind in TIMESTAMPS:
        return value.dt.replace_time_zone(None).map_batches(_iso, return_dtype=pl.String)
    return value


def _iso(stamps: pl.Series) -> pl.Series:
    """Write times as Java does: without seconds if there are none, with 3, 6 or 9 digits of a fraction."""
    text = stamps.dt.to_string("%Y-%m-%dT%H:%M:%S%.9f")
    shorter = text.str.replace(r"(\.\d{3}|\.\d{6})(?:000|000000)$", "$1").str.replace(r"\.000$", "")
    return shorter.str.replace(r"(T\d\d:\d\d):00$", "$1")


define(
    "PRINTF",
    "string",
    "PRINTF(format, a, ...)",
    "The values written by a format of Java; NULL if it does not fit them.",
    fixed(STRING, always=True),
    _printf,
    1,
    100,
    takes(TEXT, tuple(k for k in Kind if k not in (*BINARY, *NESTED))),
)
