"""Functions of maps; a map is a list of keys and values."""

from __future__ import annotations

import re

import polars as pl

from tailrace.errors import UnsupportedError
from tailrace.expressions.batches import by_value_or_fail
from tailrace.expressions.lists import PLACE, ROW, VALUE, by_elements, elements
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.regex.translate import PatternError, UnsupportedPatternError, translate
from tailrace.expressions.registry import TEXT, Context, define, fixed, merged, nullable, takes, to, values
from tailrace.schema import STRING, DataType, Kind, array, map_type, row

KEY, VALUE_FIELD = "key", "value"
_MAP, _ARRAY = (Kind.MAP,), (Kind.ARRAY,)


def map_get(x: pl.Expr, key: pl.Expr, e: Call) -> pl.Expr:
    """Give the values of keys; the last one, if a key comes twice."""
    if isinstance(e.args[1], Literal):
        entry = pl.element()
        found = entry.struct.field(VALUE_FIELD).filter(entry.struct.field(KEY) == pl.lit(e.args[1].value))
        return x.list.eval(found).list.last()
    dtype = e.type.polars

    def batch(s: pl.Series) -> pl.Series:
        keys = pl.DataFrame({"wanted": s.struct.field("key")}).with_row_index(ROW)
        entries = elements(s.struct.field("map")).join(keys, on=ROW)
        entry = pl.col(VALUE).struct
        same = entries.filter(entry.field(KEY) == pl.col("wanted")).select(ROW, entry.field(VALUE_FIELD).alias(VALUE))
        last = same.unique(ROW, keep="last")
        return keys.join(last, on=ROW, how="left", maintain_order="left")[VALUE].cast(dtype)

    return pl.struct(x.alias("map"), key.alias("key")).map_batches(batch, return_dtype=dtype)


def _of_field(name: str, doc: str, field: str, child: int) -> None:
    define(
        name,
        "collection",
        f"{name}(m)",
        doc,
        lambda args: array(args[0].type.children[child]).with_nullable(nullable(args)),
        lambda ctx, e: ctx.lower(e.args[0]).list.eval(pl.element().struct.field(field)),
        1,
        convert=takes(_MAP),
    )


_of_field("MAP_KEYS", "The keys as an array, in no certain order.", KEY, 0)
_of_field("MAP_VALUES", "The values as an array, in no certain order.", VALUE_FIELD, 1)


def _entries_type(args: list[Expr]) -> DataType:
    key, value = args[0].type.children
    return array(row({KEY: key, VALUE_FIELD: value})).with_nullable(nullable(args))


define(
    "MAP_ENTRIES",
    "collection",
    "MAP_ENTRIES(m)",
    "The entries as an array of rows (key, value), in no certain order.",
    _entries_type,
    lambda ctx, e: ctx.lower(e.args[0]),
    1,
    convert=takes(_MAP),
)


def _pairs(args: list[Expr]) -> list[Expr]:
    if len(args) % 2:
        raise ValueError("a map has a value for each key")
    key, value = merged(args[::2]), merged(args[1::2])
    return [to(a, value if i % 2 else key) for i, a in enumerate(args)]


def _last_of_each(entries: pl.DataFrame) -> pl.DataFrame:
    key = pl.col(VALUE).struct.field(KEY).alias(KEY)
    return entries.with_columns(key).unique([ROW, KEY], keep="last", maintain_order=True).select(ROW, VALUE)


def _map(ctx: Context, e: Call) -> pl.Expr:
    found = values(ctx, e)
    entries = [pl.struct(k.alias(KEY), v.alias(VALUE_FIELD)) for k, v in zip(found[::2], found[1::2], strict=True)]
    whole = pl.concat_list(entries)
    keys = [a.value for a in e.args[::2] if isinstance(a, Literal)]
    if len(entries) == 1 or len(set(keys)) == len(entries):
        return whole
    return by_elements(_last_of_each, e.type.polars, whole)


define(
    "MAP",
    "collection",
    "MAP[key, value, ...]",
    "A map; of the same key the last value counts.",
    lambda args: map_type(merged(args[::2]), merged(args[1::2])).with_nullable(False),
    _map,
    2,
    1000,
    _pairs,
)


def _zipped(ctx: Context, e: Call) -> pl.Expr:
    keys, found = values(ctx, e)
    ctx.check(keys.list.len() != found.list.len(), "MAP_FROM_ARRAYS: the arrays are not of the same length", e.location)
    dtype = e.type.polars

    def zipped(entries: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
        both = entries.rename({VALUE: KEY}).join(others, on=[ROW, PLACE], maintain_order="left")
        return both.select(ROW, pl.struct(pl.col(KEY), pl.col(VALUE).alias(VALUE_FIELD)).alias(VALUE))

    return by_elements(zipped, dtype, keys, found)


define(
    "MAP_FROM_ARRAYS",
    "collection",
    "MAP_FROM_ARRAYS(keys, values)",
    "A map of an array of keys and one of values; arrays of different lengths fail.",
    lambda args: map_type(args[0].type.children[0], args[1].type.children[0]).with_nullable(nullable(args)),
    _zipped,
    2,
    convert=takes(_ARRAY),
)


def _union_type(args: list[Expr]) -> DataType:
    t = merged(args)
    return t.with_nullable(nullable(args))


define(
    "MAP_UNION",
    "collection",
    "MAP_UNION(m, ...)",
    "All entries; of the same key the value in the last map counts.",
    _union_type,
    lambda ctx, e: by_elements(_last_of_each, e.type.polars, pl.concat_list(values(ctx, e))),
    1,
    100,
    lambda args: [to(a, merged(args)) for a in takes(_MAP)(args)],
)


def _split(text: str, pattern: str, most: int = 0) -> list[str]:
    """Split as Java's `String.split` does: nothing before a first empty match, and no empty parts at the end."""
    try:
        found = translate(pattern).python
    except PatternError:
        raise ValueError(f"'{pattern}' is no regular expression") from None
    except UnsupportedPatternError as error:
        raise UnsupportedError(f"the regular expression '{pattern}': {error}") from None
    if found is None:
        raise UnsupportedError(f"the regular expression '{pattern}' can't split here")
    parts: list[str] = []
    at = 0
    for match in re.finditer(found, text):
        if (match.end() == 0) or (most and len(parts) == most - 1):
            continue
        if match.start() == match.end() == len(text):
            continue
        parts.append(text[at : match.start()])
        at = match.end()
    parts.append(text[at:])
    while not most and parts and not parts[-1]:
        parts.pop()
    return parts


def _to_map(text: str, between: str = ",", inside: str = "=") -> list[dict[str, str | None]]:
    found: dict[str, str | None] = {}
    for pair in _split(text, between) if text else []:
        key, *value = _split(pair, inside, 2)
        found[key] = value[0] if value else None
    return [{KEY: k, VALUE_FIELD: v} for k, v in found.items()]


define(
    "STR_TO_MAP",
    "collection",
    "STR_TO_MAP(a[, between, inside])",
    "A map of a text `k=v,k=v`; the delimiters between (`,`) and inside (`=`) its pairs are regular expressions.",
    fixed(map_type(STRING, STRING), always=True),
    lambda ctx, e: by_value_or_fail(ctx, e, _to_map, *values(ctx, e)),
    1,
    3,
    takes(TEXT),
)
