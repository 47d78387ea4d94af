"""Functions of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from tailrace.expressions.batches import by_constants
from tailrace.expressions.lists import PLACE, ROW, VALUE, by_elements, elements, one_list
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    NESTED,
    TEXT,
    WHOLE,
    Context,
    LowerCall,
    define,
    fixed,
    nullable,
    takes,
    to,
    values,
)
from tailrace.expressions.types import NUMERIC, TEMPORAL, common_type
from tailrace.schema import BOOLEAN, INT, STRING, DataType, Kind, array

_ARRAY, _BOOLEAN = (Kind.ARRAY,), (Kind.BOOLEAN,)
_SORTED = (*NUMERIC, *TEMPORAL, *TEXT)


def _same_array(args: list[Expr]) -> DataType:
    return args[0].type.with_nullable(nullable(args))


def _element_type(holder: DataType, other: DataType) -> DataType:
    """Give the type that elements have once a value has come to them; it must be theirs, but for NULL."""
    if holder.kind is not Kind.ARRAY:
        raise ValueError(f"expected an array, not {holder.sql()}")
    own = holder.children[0]
    both = common_type([own, other])
    if both is None or (both.kind is not own.kind) or (both.kind is Kind.DECIMAL and not both.same_as(own)):
        raise ValueError(f"the elements are {own.sql()}, not {other.sql()}")
    return both


def _with_element(args: list[Expr]) -> list[Expr]:
    holder, value, *rest = args
    t = _element_type(holder.type, value.type)
    return [to(holder, array(t)), to(value, t), *rest]


def _larger(args: list[Expr]) -> DataType:
    """Give the type of an array with a value more."""
    return array(_element_type(args[0].type, args[1].type)).with_nullable(args[0].type.nullable)


def _beside(first: bool) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        a, x = values(ctx, e)
        one = one_list(x, e.args[1].type.kind in NESTED)
        return pl.concat_list([one, a] if first else [a, one])

    return lower


for _name, _first, _where in (("ARRAY_APPEND", False, "behind"), ("ARRAY_PREPEND", True, "before")):
    define(
        _name,
        "collection",
        f"{_name}(a, x)",
        f"With x {_where} the elements of a.",
        _larger,
        _beside(_first),
        2,
        convert=_with_element,
    )


def _arrays(args: list[Expr]) -> list[Expr]:
    found = takes(_ARRAY)(args)
    t = found[0].type
    for other in found[1:]:
        t = array(_element_type(t, other.type.children[0]))
    return [to(a, t.with_nullable(a.type.nullable)) for a in found]


def _joined(args: list[Expr]) -> DataType:
    t = common_type([a.type for a in args])
    assert t is not None
    return t.with_nullable(nullable(args))


define(
    "ARRAY_CONCAT",
    "collection",
    "ARRAY_CONCAT(a, ...)",
    "The elements of all arrays; NULL if one is.",
    _joined,
    lambda ctx, e: pl.concat_list(values(ctx, e)),
    1,
    100,
    _arrays,
)


def _contains(ctx: Context, e: Call) -> pl.Expr:
    a, x = values(ctx, e)
    return a.list.contains(x, nulls_equal=True)


define(
    "ARRAY_CONTAINS",
    "collection",
    "ARRAY_CONTAINS(a, x)",
    "Whether x is one of its elements; NULL can be one too.",
    lambda args: BOOLEAN.with_nullable(args[0].type.nullable),
    _contains,
    2,
    convert=_with_element,
)


def _namespace(method: str, ctx: Context, e: Call, **options: bool) -> pl.Expr:
    out: pl.Expr = getattr(ctx.lower(e.args[0]).list, method)(**options)
    return out


for _name, _doc, _lower in (
    ("ARRAY_DISTINCT", "Without elements that come again.", partial(_namespace, "unique", maintain_order=True)),
    ("ARRAY_REVERSE", "Backwards.", partial(_namespace, "reverse")),
):
    define(
        _name,
        "collection",
        f"{_name}(a)",
        _doc,
        _same_array,
        _lower,
        1,
        convert=takes(_ARRAY),
    )
_KEYS = [ROW, VALUE]


def _except(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    return _once(a).join(b, on=_KEYS, how="anti", nulls_equal=True, maintain_order="left")


def _intersect(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    return _once(a).join(b, on=_KEYS, how="semi", nulls_equal=True, maintain_order="left")


def _union(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    return _once(pl.concat([a, b]))


def _once(a: pl.DataFrame) -> pl.DataFrame:
    return a.unique(_KEYS, maintain_order=True)


def _of_two(f: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]) -> LowerCall:
    return lambda ctx, e: by_elements(f, e.type.polars, *values(ctx, e))


for _name, _doc, _f in (
    ("ARRAY_EXCEPT", "The elements of a that are not in b, each once.", _except),
    ("ARRAY_INTERSECT", "The elements of a that are in b too, each once.", _intersect),
    ("ARRAY_UNION", "The elements of both, each once.", _union),
):
    define(_name, "collection", f"{_name}(a, b)", _doc, _joined, _of_two(_f), 2, convert=_arrays)


def _join_texts(lists: pl.Series, separator: str, instead: str | None = None) -> pl.Series:
    if instead is not None:
        lists = lists.list.eval(pl.element().fill_null(instead))
    return lists.list.join(separator, ignore_nulls=True)


define(
    "ARRAY_JOIN",
    "collection",
    "ARRAY_JOIN(a, separator[, instead])",
    "The texts with a separator between them; NULLs are left out, or written as `instead`.",
    fixed(STRING),
    lambda ctx, e: by_constants(ctx, e, _join_texts, e.args[1:], ctx.lower(e.args[0])),
    2,
    3,
    lambda args: [*_of_kind(args[:1], TEXT), *takes(TEXT)(args[1:])],
)


def _of_kind(args: list[Expr], kinds: tuple[Kind, ...]) -> list[Expr]:
    found = takes(_ARRAY)(args)
    if found[0].type.children[0].kind not in kinds:
        raise ValueError(f"it does not take elements of {found[0].type.children[0].sql()}")
    return found


for _name, _doc, _lower in (
    ("ARRAY_MAX", "The greatest element; NULLs do not count.", partial(_namespace, "max")),
    ("ARRAY_MIN", "The least element; NULLs do not count.", partial(_namespace, "min")),
):
    define(
        _name,
        "collection",
        f"{_name}(a)",
        _doc,
        lambda args: args[0].type.children[0].with_nullable(True),
        _lower,
        1,
        convert=lambda args: _of_kind(args, _SORTED),
    )


def _position(ctx: Context, e: Call) -> pl.Expr:
    def batch(s: pl.Series) -> pl.Series:
        wanted = pl.DataFrame({"wanted": s.struct.field("x"), "null": s.struct.field("a").is_null()}).with_row_index(
            ROW
        )
        same = elements(s.struct.field("a")).join(wanted, on=ROW).filter(pl.col(VALUE) == pl.col("wanted"))
        first = same.group_by(ROW).agg(pl.col(PLACE).min())
        found = wanted.join(first, on=ROW, how="left", maintain_order="left")
        known = ~pl.col("null") & pl.col("wanted").is_not_null()
        return found.select(pl.when(known).then(pl.col(PLACE).fill_null(0))).to_series()

    a, x = values(ctx, e)
    return pl.struct(a.alias("a"), x.alias("x")).map_batches(batch, return_dtype=pl.Int32())


define(
    "ARRAY_POSITION",
    "collection",
    "ARRAY_POSITION(a, x)",
    "Where x comes first, from 1; 0 if it is not in a.",
    fixed(INT),
    _position,
    2,
    convert=_with_element,
)


def _remove(ctx: Context, e: Call) -> pl.Expr:
    def others(a: pl.DataFrame, x: pl.DataFrame) -> pl.DataFrame:
        both = a.join(x.rename({VALUE: "unwanted"}), on=ROW, maintain_order="left")
        return both.filter(pl.col(VALUE).ne_missing(pl.col("unwanted")))

    return by_elements(others, e.type.polars, *values(ctx, e), given=(1,))


define(
    "ARRAY_REMOVE",
    "collection",
    "ARRAY_REMOVE(a, x)",
    "Without the elements that are x.",
    lambda args: args[0].type,
    _remove,
    2,
    convert=_with_element,
)


def _slice(a: pl.Expr, start: pl.Expr, end: pl.Expr | None = None) -> pl.Expr:
    size = a.list.len().cast(pl.Int64)

    def place(n: pl.Expr) -> pl.Expr:
        at = n.cast(pl.Int64)
        found = pl.when(at < 0).then(size + at + 1).otherwise(at)
        return pl.when(found == 0).then(pl.lit(1)).otherwise(found)

    first, last = pl.max_horizontal(place(start), pl.lit(1)), size
    if end is not None:
        last = pl.min_horizontal(place(end), size)
    part = a.list.slice(first - 1, pl.max_horizontal(last - first + 1, pl.lit(0)))
    known = a.is_not_null() & start.is_not_null() & (pl.lit(value=True) if end is None else end.is_not_null())
    return pl.when(known).then(part)


define(
    "ARRAY_SLICE",
    "collection",
    "ARRAY_SLICE(a, start[, end])",
    "The elements from one place up to another, counted from 1; negative places count from the end.",
    _same_array,
    lambda ctx, e: _slice(*values(ctx, e)),
    2,
    3,
    takes(_ARRAY, WHOLE),
)


def _sort(lists: pl.Series, ascending: bool = True, nulls_first: bool | None = None) -> pl.Series:
    first = ascending if nulls_first is None else nulls_first
    return lists.list.sort(descending=not ascending, nulls_last=not first)


define(
    "ARRAY_SORT",
    "collection",
    "ARRAY_SORT(a[, ascending[, nulls_first]])",
    "Sorted; NULLs come first where it ascends and last where it descends, unless said otherwise.",
    _same_array,
    lambda ctx, e: by_constants(ctx, e, _sort, e.args[1:], ctx.lower(e.args[0])),
    1,
    3,
    lambda args: [*_of_kind(args[:1], (*_SORTED, Kind.BOOLEAN)), *takes(_BOOLEAN)(args[1:])],
)
