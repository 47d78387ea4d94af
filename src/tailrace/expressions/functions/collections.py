"""Functions of arrays, maps and rows."""

from __future__ import annotations

from typing import Any

import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import Context, constant, define, fixed, merged, simple, to_merged, values
from tailrace.expressions.types import common_type
from tailrace.schema import BOOLEAN, INT, DataType, Kind


def _element(args: list[Expr]) -> DataType:
    return args[0].type.children[-1].with_nullable(True)


def _of_item(args: list[Expr]) -> DataType:
    whole, index = args[0].type, args[1].type
    if whole.kind is Kind.ARRAY:
        if index.kind is not Kind.INT:
            raise ValueError("an array is counted by INT")
        if isinstance(args[1], Literal) and args[1].value is not None and args[1].value < 1:
            raise ValueError("an array is counted from 1")
    elif whole.kind is not Kind.MAP:
        raise ValueError("only ARRAY, MAP and ROW have elements")
    elif common_type([whole.children[0], index]) is None:
        raise ValueError(f"the keys are {whole.children[0].sql()}")
    elif not isinstance(args[1], Literal):
        raise ValueError("the key must be a constant")
    return _element(args)


def _constant(e: Expr) -> Any:
    if not isinstance(e, Literal):
        raise ConfigError("the key of a map must be a constant")
    return e.value


def _item(ctx: Context, e: Call) -> pl.Expr:
    x, key = values(ctx, e)
    if e.args[0].type.kind is Kind.MAP:
        return x.list.eval(
            pl.element().struct.field("value").filter(pl.element().struct.field("key") == pl.lit(_constant(e.args[1])))
        ).list.first()
    return pl.when(key > 0).then(x.list.get(pl.when(key > 0).then(key - 1), null_on_oob=True))


define("ITEM", "collection", "a[i]", "The element number i from 1, or the value of a key.", _of_item, _item, 2)
define(
    "CARDINALITY",
    "collection",
    "CARDINALITY(a)",
    "How many elements it has.",
    fixed(INT),
    simple(lambda a: a.list.len().cast(pl.Int32)),
    1,
)
define("ELEMENT", "collection", "ELEMENT(a)", "Its only element.", _element, simple(lambda a: a.list.first()), 1)
define(
    "ARRAY_CONTAINS",
    "collection",
    "ARRAY_CONTAINS(a, b)",
    "Whether b is in it.",
    fixed(BOOLEAN),
    simple(lambda a, b: a.list.contains(b)),
    2,
)
define(
    "GET",
    "collection",
    "a.field",
    "A field of a row.",
    lambda args: args[0].type.children[args[0].type.names.index(constant(args[1], "the field"))],
    lambda ctx, e: ctx.lower(e.args[0]).struct.field(constant(e.args[1], "the field")),
    2,
)
define(
    "ARRAY",
    "collection",
    "ARRAY[a, ...]",
    "An array.",
    lambda args: DataType(Kind.ARRAY, False, children=(merged(args),)),
    lambda ctx, e: pl.concat_list(values(ctx, e)),
    1,
    1000,
    to_merged,
)
define(
    "ROW",
    "collection",
    "ROW(a, ...)",
    "A row.",
    lambda args: DataType(
        Kind.ROW, False, children=tuple(a.type for a in args), names=tuple(f"EXPR${i}" for i in range(len(args)))
    ),
    lambda ctx, e: pl.struct([v.alias(n) for v, n in zip(values(ctx, e), e.type.names, strict=True)]),
    1,
    1000,
)
