"""Functions that cut, fill up and overlay texts."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.expressions.functions.strings import any_null, text_function
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    TEXT,
    WHOLE,
    Context,
    constant,
    define,
    fixed,
    nullable,
    takes,
    varying,
)
from tailrace.schema import MAX_LENGTH, STRING, DataType, varchar


def _without(side: str) -> Callable[..., pl.Expr]:
    method = {"BOTH": "strip_chars", "LEADING": "strip_chars_start", "TRAILING": "strip_chars_end"}[side]

    def strip(a: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
        if chars is None:
            out: pl.Expr = getattr(a.str, method)(" ")
            return out
        return pl.when(~any_null(a, chars)).then(pl.when(chars == "").then(a).otherwise(getattr(a.str, method)(chars)))

    return strip


def _trim(ctx: Context, e: Call) -> pl.Expr:
    args = [ctx.lower(a) for a in reversed(e.args[1:])]
    return _without(constant(e.args[0], "the side"))(*args)


define(
    "TRIM",
    "string",
    "TRIM([BOTH|LEADING|TRAILING] [c FROM] a)",
    "Without these characters (spaces) at its ends.",
    lambda args: varchar(args[-1].type.length or MAX_LENGTH).with_nullable(nullable(args)),
    _trim,
    2,
    3,
    takes(TEXT),
)
for _name, _side, _result in (
    ("LTRIM", "LEADING", varying()),
    ("RTRIM", "TRAILING", varying()),
    ("BTRIM", "BOTH", fixed(STRING)),
):
    text_function(
        _name,
        f"{_name}(a[, c])",
        "Without these characters (spaces) at its end.",
        _without(_side),
        1,
        2,
        result=_result,
    )


def _pad(left: bool) -> Callable[..., pl.Expr]:
    def pad(a: pl.Expr, n: pl.Expr, c: pl.Expr) -> pl.Expr:
        size = n.cast(pl.Int64)
        need = pl.max_horizontal(size - a.str.len_chars().cast(pl.Int64), pl.lit(0))
        filler = c.repeat_by(need.cast(pl.UInt32)).list.join("").str.slice(0, need.cast(pl.UInt64))
        full = pl.concat_str([filler, a] if left else [a, filler])
        cut = full.str.slice(0, pl.max_horizontal(size, pl.lit(0)).cast(pl.UInt64))
        return pl.when(~any_null(a, n, c) & (size >= 0) & (c != "")).then(cut)

    return pad


for _name, _left in (("LPAD", True), ("RPAD", False)):
    text_function(
        _name,
        f"{_name}(a, n, c)",
        f"Filled on the {'left' if _left else 'right'}, or cut, to n characters.",
        _pad(_left),
        3,
        convert=takes(TEXT, WHOLE, TEXT),
    )


def _overlay(a: pl.Expr, b: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    size, at = a.str.len_chars().cast(pl.Int64), start.cast(pl.Int64)
    count = (b.str.len_chars() if length is None else length).cast(pl.Int64)
    first = pl.max_horizontal(at - 1, pl.lit(0))
    after = pl.when(count > 0).then(pl.min_horizontal(first + count, size)).otherwise(size)
    out = pl.concat_str([a.str.slice(0, first.cast(pl.UInt64)), b, a.str.slice(after)])
    missing = any_null(a, b, start) if length is None else any_null(a, b, start, length)
    return pl.when(~missing).then(pl.when((at > 0) & (at <= size)).then(out).otherwise(a))


def _overlay_type(args: list[Expr]) -> DataType:
    return varchar(min(MAX_LENGTH, sum(a.type.length for a in args[:2]))).with_nullable(nullable(args))


text_function(
    "OVERLAY",
    "OVERLAY(a PLACING b FROM start [FOR length])",
    "With b in place of `length` characters (as many as b has) from `start`.",
    _overlay,
    3,
    4,
    result=_overlay_type,
    convert=takes(TEXT, TEXT, WHOLE),
)
