"""Functions that choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tailrace.expressions.functions.comparison import equal, equals
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    NUMBER,
    TEXT,
    UNORDERED,
    Context,
    LowerCall,
    define,
    merged,
    never_null,
    takes,
    to_merged,
    values,
)
from tailrace.expressions.types import NUMERIC
from tailrace.schema import BOOLEAN, INTEGERS, Kind


def _case(ctx: Context, e: Call) -> pl.Expr:
    pairs = list(zip(e.args[:-1:2], e.args[1:-1:2], strict=True))
    before = pl.lit(value=True)
    chain: Any = pl
    for condition, value in pairs:
        c = ctx.under(before, condition).fill_null(value=False)
        v = ctx.under(before & c, value)
        before = before & ~c
        chain = chain.when(c).then(v)
    out: pl.Expr = chain.otherwise(ctx.under(before, e.args[-1]))
    return out


def _case_convert(args: list[Expr]) -> list[Expr]:
    found = to_merged([*args[1:-1:2], args[-1]])
    out = list(args)
    out[1:-1:2], out[-1] = found[:-1], found[-1]
    return out


define(
    "CASE",
    "conditional",
    "CASE WHEN c THEN a ... ELSE b END",
    "The value of the first condition that holds.",
    lambda args: merged([*args[1:-1:2], args[-1]]),
    _case,
    3,
    10_000,
    _case_convert,
)


def _coalesce(ctx: Context, e: Call) -> pl.Expr:
    out = [ctx.lower(e.args[0])]
    for a in e.args[1:]:
        out.append(ctx.under(pl.all_horizontal([o.is_null() for o in out]), a))
    return pl.coalesce(out)


define(
    "COALESCE",
    "conditional",
    "COALESCE(a, b, ...)",
    "The first that is not NULL.",
    lambda args: merged(args).with_nullable(all(a.type.nullable for a in args)),
    _coalesce,
    1,
    100,
    to_merged,
)
define(
    "IFNULL",
    "conditional",
    "IFNULL(a, b)",
    "b where a is NULL.",
    lambda args: merged(args).with_nullable(args[1].type.nullable),
    _coalesce,
    2,
    2,
    to_merged,
)


def _null_if(ctx: Context, e: Call) -> pl.Expr:
    a, b = equal(list(e.args))
    same = equals(ctx.lower(a), ctx.lower(b), a.type)
    return pl.when(same).then(None).otherwise(ctx.lower(e.args[0]))


def _null_if_convert(args: list[Expr]) -> list[Expr]:
    equal(args)  # refuses what can't be compared
    return args


define(
    "NULLIF",
    "conditional",
    "NULLIF(a, b)",
    "NULL where both are equal.",
    lambda args: args[0].type.with_nullable(True),
    _null_if,
    2,
    convert=_null_if_convert,
)


def _if_convert(args: list[Expr]) -> list[Expr]:
    if any(a.type.kind in UNORDERED for a in args[1:]):
        raise ValueError("IF takes no arrays, maps, rows and variants; write CASE")
    return _case_convert(args)


define(
    "IF",
    "conditional",
    "IF(c, a, b)",
    "a where c is TRUE, else b.",
    lambda args: merged(args[1:]),
    _case,
    3,
    3,
    _if_convert,
)


def _extreme(f: Callable[..., pl.Expr]) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        found = values(ctx, e)
        return pl.when(pl.any_horizontal([x.is_null() for x in found])).then(None).otherwise(f(found))

    return lower


for _name, _f in (("GREATEST", pl.max_horizontal), ("LEAST", pl.min_horizontal)):
    define(
        _name,
        "conditional",
        f"{_name}(a, b, ...)",
        f"The {_name.lower()}; NULL if one is NULL.",
        merged,
        _extreme(_f),
        1,
        100,
        to_merged,
    )


def _kind_of_text(regex: str, numbers: tuple[Kind, ...]) -> LowerCall:
    """Lower a test of a text; of what is a number it is known by its type."""

    def lower(ctx: Context, e: Call) -> pl.Expr:
        if e.args[0].type.kind not in TEXT:
            return pl.lit(value=e.args[0].type.kind in numbers)
        return ctx.lower(e.args[0]).str.contains(regex).fill_null(value=False)

    return lower


_DOUBLE = (
    r"(?:NaN|Infinity|(?:\p{Nd}+\.?\p{Nd}*|\.\p{Nd}+)(?:[eE][+-]?\d+)?[fFdD]?|0[xX][0-9a-fA-F]+\.?[0-9a-fA-F]*[pP]\d+)"
)
for _name, _regex, _numbers, _doc in (
    ("IS_ALPHA", r"^\p{L}+$", (), "Whether all characters are letters."),
    ("IS_DIGIT", r"^\p{Nd}+$", INTEGERS, "Whether all characters are digits."),
    ("IS_DECIMAL", rf"^[\x00-\x20]*[+-]?{_DOUBLE}[\x00-\x20]*$", NUMERIC, "Whether the text is a number."),
):
    define(
        _name,
        "conditional",
        f"{_name}(a)",
        f"{_doc} FALSE for NULL.",
        never_null(BOOLEAN),
        _kind_of_text(_regex, _numbers),
        1,
        convert=takes((*TEXT, *NUMBER)),
    )
