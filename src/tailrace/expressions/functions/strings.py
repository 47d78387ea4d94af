"""Functions of texts."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from tailrace.expressions.batches import by_constants, by_value
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import (
    BINARY,
    TEXT,
    WHOLE,
    Context,
    Convert,
    LowerCall,
    Result,
    define,
    fixed,
    merged,
    nullable,
    same,
    simple,
    takes,
    values,
    varying,
)
from tailrace.schema import BOOLEAN, INT, MAX_LENGTH, STRING, DataType, Kind, array, char, varchar


def text_function(
    name: str,
    signature: str,
    doc: str,
    f: Callable[..., pl.Expr],
    low: int,
    high: int | None = None,
    result: Result | None = None,
    convert: Convert | None = None,
) -> None:
    """Add a function of texts; it gives a STRING unless `result` says otherwise."""
    define(name, "string", signature, doc, result or fixed(STRING), simple(f), low, high, convert or takes(TEXT))


def any_null(*args: pl.Expr) -> pl.Expr:
    """Tell whether one of these values is NULL."""
    return pl.any_horizontal([a.is_null() for a in args])


text_function("UPPER", "UPPER(a)", "Upper case.", lambda a: a.str.to_uppercase(), 1, result=same)
text_function("LOWER", "LOWER(a)", "Lower case.", lambda a: a.str.to_lowercase(), 1, result=same)
for _name in ("CHAR_LENGTH", "CHARACTER_LENGTH"):
    text_function(
        _name,
        f"{_name}(a)",
        "Its length in characters.",
        lambda a: a.str.len_chars().cast(pl.Int32),
        1,
        result=fixed(INT),
    )


def _joined_type(args: list[Expr]) -> DataType:
    a, b = (x.type for x in args)
    size = min(MAX_LENGTH, a.length + b.length)
    return (char(size) if a.kind is b.kind is Kind.CHAR else varchar(size)).with_nullable(nullable(args))


text_function(
    "||",
    "a || b",
    "One behind the other; NULL if either is.",
    lambda a, b: pl.concat_str([a, b]),
    2,
    result=_joined_type,
)
text_function(
    "CONCAT", "CONCAT(a, ...)", "One behind the other; NULL if one is.", lambda *a: pl.concat_str(list(a)), 1, 100
)


def _concat_ws(separator: pl.Expr, *parts: pl.Expr) -> pl.Expr:
    joined = pl.concat_list(list(parts)).list.drop_nulls().list.join(separator) if parts else pl.lit("")
    return pl.when(separator.is_not_null()).then(joined)


text_function(
    "CONCAT_WS", "CONCAT_WS(separator, a, ...)", "Joined by a separator; NULLs are left out.", _concat_ws, 1, 100
)
text_function("REVERSE", "REVERSE(a)", "Backwards.", lambda a: a.str.reverse(), 1, result=fixed(STRING, always=True))


def _capitalized(text: str) -> str:
    return re.sub(r"[A-Za-z0-9]+", lambda m: m[0][0].upper() + m[0][1:].lower(), text)


text_function(
    "INITCAP",
    "INITCAP(a)",
    "Each word of ASCII letters and digits with a capital.",
    lambda a: by_value(_capitalized, pl.String, a),
    1,
    result=same,
)


def _replace(ctx: Context, e: Call) -> pl.Expr:
    a, old, new = values(ctx, e)
    fixed_old, fixed_new = (x.value if isinstance(x, Literal) else None for x in e.args[1:])
    if fixed_old and fixed_new is not None:
        return a.str.replace_all(old, new, literal=True)
    return by_value(str.replace, pl.String, a, old, new)


define(
    "REPLACE",
    "string",
    "REPLACE(a, old, new)",
    "With every `old` replaced.",
    fixed(STRING),
    _replace,
    3,
    convert=takes(TEXT),
)


def _substring(a: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    size, at = a.str.len_chars().cast(pl.Int64), start.cast(pl.Int64)
    begin = pl.when(at > 0).then(at - 1).when(at == 0).then(pl.lit(0, dtype=pl.Int64)).otherwise(size + at)
    count = size if length is None else length.cast(pl.Int64)
    part = a.str.slice(pl.max_horizontal(begin, pl.lit(0)), pl.max_horizontal(count, pl.lit(0)).cast(pl.UInt64))
    return pl.when((begin < 0) & (count >= 0)).then(pl.lit("")).when((begin >= 0) & (count >= 0)).then(part)


for _name in ("SUBSTRING", "SUBSTR"):
    text_function(
        _name,
        f"{_name}(a, start[, length])",
        "A part; the first character is number 1, negative numbers count from the end; NULL for a negative length.",
        _substring,
        2,
        3,
        result=varying(always=True),
        convert=takes(TEXT, WHOLE),
    )


def _left_part(a: pl.Expr, n: pl.Expr) -> pl.Expr:
    return pl.when(~any_null(a, n)).then(a.str.head(pl.max_horizontal(n.cast(pl.Int64), pl.lit(0))))


def _right_part(a: pl.Expr, n: pl.Expr) -> pl.Expr:
    return pl.when(~any_null(a, n)).then(pl.when(n > 0).then(a.str.tail(n.cast(pl.Int64))).otherwise(pl.lit("")))


for _name, _part in (("LEFT", _left_part), ("RIGHT", _right_part)):
    text_function(
        _name,
        f"{_name}(a, n)",
        f"The {'first' if _name == 'LEFT' else 'last'} n characters.",
        _part,
        2,
        result=varying(always=True),
        convert=takes(TEXT, WHOLE),
    )
text_function(
    "REPEAT",
    "REPEAT(a, n)",
    "n times.",
    lambda a, n: pl.when(~any_null(a, n)).then(
        a.repeat_by(pl.max_horizontal(n, pl.lit(0)).cast(pl.UInt32)).list.join("")
    ),
    2,
    convert=takes(TEXT, WHOLE),
)


def _translate(ctx: Context, e: Call) -> pl.Expr:
    text, old, new = values(ctx, e)
    return by_value(_translated, pl.String, text, old, new, nulls=True)


def _translated(text: str | None, old: str | None, new: str | None) -> str | None:
    if text is None or old is None:
        return text
    by: dict[int, str | None] = {}
    for c, d in zip(old, [*(new or "")[: len(old)], *[None] * len(old)], strict=False):
        by.setdefault(ord(c), d)
    return text.translate(by)


define(
    "TRANSLATE",
    "string",
    "TRANSLATE(a, old, new)",
    "Each character of `old` replaced by that at its place in `new`, or taken out.",
    lambda args: STRING.with_nullable(args[0].type.nullable),
    _translate,
    3,
    3,
    takes(TEXT),
)


def _elt(n: pl.Expr, *choices: pl.Expr) -> pl.Expr:
    out = pl.when(n == 1).then(choices[0])
    for i, choice in enumerate(choices[1:], 2):
        out = out.when(n == i).then(choice)  # type: ignore[assignment] # a longer chain is of another class
    return out.otherwise(None)


def _elt_convert(args: list[Expr]) -> list[Expr]:
    return [*takes(WHOLE)(args[:1]), *takes((*TEXT, *BINARY))(args[1:])]


text_function(
    "ELT",
    "ELT(n, a, ...)",
    "The argument number n, from 1; NULL if there is none.",
    _elt,
    2,
    100,
    result=lambda args: merged(args[1:]).with_nullable(True),
    convert=_elt_convert,
)


def _split(texts: pl.Series, separator: str) -> pl.Series:
    parts = texts.str.split(separator)
    return pl.select(pl.when(texts != "").then(parts).when(texts == "").then(pl.lit([], dtype=parts.dtype))).to_series()


define(
    "SPLIT",
    "string",
    "SPLIT(a, separator)",
    "Its parts as an array; each character for an empty separator.",
    fixed(array(STRING)),
    lambda ctx, e: by_constants(ctx, e, _split, e.args[1:], ctx.lower(e.args[0])),
    2,
    2,
    takes(TEXT),
)


def _split_index(ctx: Context, e: Call) -> pl.Expr:
    text, _, n = values(ctx, e)
    separator = e.args[1].value if isinstance(e.args[1], Literal) else None
    if isinstance(separator, str) and separator:
        # in Polars' own words, so that the parts of one text are cut once for all calls
        parts = text.str.split(separator)
    else:
        parts = by_constants(ctx, e, _parts, e.args[1:2], text, dtype=pl.List(pl.String()))
    return pl.when((n >= 0) & (text != "")).then(parts.list.get(n, null_on_oob=True))


def _parts(texts: pl.Series, separator: str | int) -> pl.Series:
    by = chr(separator) if isinstance(separator, int) else separator
    return texts.str.split(by) if by else texts.str.replace_all(r"\s", " ").str.split(" ")


define(
    "SPLIT_INDEX",
    "string",
    "SPLIT_INDEX(a, separator, n)",
    "The part number n, from 0; NULL if there is none. An empty separator means white space.",
    fixed(STRING, always=True),
    _split_index,
    3,
    3,
    takes(TEXT, (*TEXT, *WHOLE), WHOLE),
)


def _edge(method: str) -> LowerCall:
    def lower(ctx: Context, e: Call) -> pl.Expr:
        a, b = values(ctx, e)
        space = a.bin if e.args[0].type.kind in BINARY else a.str
        out: pl.Expr = getattr(space, method)(b)
        return out

    return lower


for _name, _method, _doc in (
    ("STARTSWITH", "starts_with", "Whether it begins with b."),
    ("ENDSWITH", "ends_with", "Whether it ends with b."),
):
    define(
        _name,
        "string",
        f"{_name}(a, b)",
        _doc,
        fixed(BOOLEAN),
        _edge(_method),
        2,
        2,
        takes((*TEXT, *BINARY)),
    )
