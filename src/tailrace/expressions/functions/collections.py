"""Constructors of arrays, maps and rows, and access to what is in them."""

from __future__ import annotations

import polars as pl

from tailrace.expressions.functions.maps import map_get
from tailrace.expressions.lists import one_list
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import (
    NESTED,
    Context,
    LowerCall,
    constant,
    define,
    fixed,
    merged,
    to,
    to_merged,
    values,
)
from tailrace.expressions.types import common_type
from tailrace.schema import INT, DataType, Kind, array

_COUNTED = (Kind.ARRAY, Kind.MAP, Kind.MULTISET)


def _element(args: list[Expr]) -> DataType:
    return args[0].type.children[-1].with_nullable(True)


def _item_convert(args: list[Expr]) -> list[Expr]:
    holder, key = args
    if holder.type.kind is Kind.MAP:
        wanted = holder.type.children[0]
        if common_type([wanted, key.type]) is None:
            raise ValueError(f"the keys are {wanted.sql()}")
        return [holder, to(key, wanted)]
    if holder.type.kind is not Kind.ARRAY:
        raise ValueError("only ARRAY, MAP and ROW have elements")
    if key.type.kind is not Kind.INT:
        raise ValueError("an array is counted by INT")
    if isinstance(key, Literal) and key.value is not None and key.value < 1:
        raise ValueError("an array is counted from 1")
    return args


def _item(ctx: Context, e: Call) -> pl.Expr:
    x, key = values(ctx, e)
    if e.args[0].type.kind is Kind.MAP:
        return map_get(x, key, e)
    return pl.when(key > 0).then(x.list.get(pl.when(key > 0).then(key - 1), null_on_oob=True))


define(
    "ITEM",
    "collection",
    "a[i]",
    "The element number i of an array, from 1, or the value of a key in a map; NULL if there is none.",
    _element,
    _item,
    2,
    convert=_item_convert,
)


def _counted(args: list[Expr]) -> list[Expr]:
    if args[0].type.kind not in _COUNTED:
        raise ValueError(f"expected an array or map, not {args[0].type.sql()}")
    return args


def _cardinality(ctx: Context, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.args[0].type.kind is Kind.MULTISET:
        return x.list.eval(pl.element().struct.field("value")).list.sum().cast(pl.Int32)
    return x.list.len().cast(pl.Int32)


define(
    "CARDINALITY",
    "collection",
    "CARDINALITY(a)",
    "How many elements or entries it has.",
    fixed(INT),
    _cardinality,
    1,
    convert=_counted,
)


def _only(message: str) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        x = ctx.lower(e.args[0])
        ctx.check(x.list.len() > 1, message, e.location)
        return x.list.first()

    return lower


define(
    "ELEMENT",
    "collection",
    "ELEMENT(a)",
    "The only element of an array; NULL if it is empty, and more than one fails.",
    _element,
    _only("ELEMENT: the array has more than one element"),
    1,
    convert=_counted,
)
define(
    "SINGLE VALUE",  # can't be written: of a query in an expression, whose rows are the array
    "query",
    "(SELECT ...)",
    "The only value of the only row.",
    _element,
    _only("a query that stands for a value gives more than one row"),
    1,
    convert=_counted,
)
define(
    "GET",
    "collection",
    "a.field",
    "A field of a row.",
    lambda args: _field(args).with_nullable(args[0].type.nullable or _field(args).nullable),
    lambda ctx, e: ctx.lower(e.args[0]).struct.field(constant(e.args[1], "the field")),
    2,
)


def _field(args: list[Expr]) -> DataType:
    row = args[0].type
    return row.children[row.names.index(constant(args[1], "the field"))]


def _array(ctx: Context, e: Call) -> pl.Expr:
    nested = e.type.children[0].kind in NESTED
    return pl.concat_list([one_list(v, nested) for v in values(ctx, e)] if nested else values(ctx, e))


define(
    "ARRAY",
    "collection",
    "ARRAY[a, ...]",
    "An array of these values.",
    lambda args: array(merged(args)).with_nullable(False),
    _array,
    1,
    1000,
    to_merged,
)
define(
    "ROW",
    "collection",
    "ROW(a, ...), (a, b, ...)",
    "A row of these values.",
    lambda args: DataType(
        Kind.ROW, False, children=tuple(a.type for a in args), names=tuple(f"EXPR${i}" for i in range(len(args)))
    ),
    lambda ctx, e: pl.struct([v.alias(n) for v, n in zip(values(ctx, e), e.type.names, strict=True)]),
    1,
    1000,
)
