"""Functions of texts."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from tailrace.expressions.batches import by_constants, by_value
from tailrace.expressions.java_format import FormatError, java_format
from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    BINARY,
    NESTED,
    TEXT,
    WHOLE,
    Context,
    Convert,
    Result,
    constant,
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
from tailrace.schema import BOOLEAN, INT, MAX_LENGTH, STRING, TIMESTAMPS, DataType, Kind, array, char, varchar


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


def _is_null(*args: pl.Expr) -> pl.Expr:
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


def _replace(a: pl.Expr, old: pl.Expr, new: pl.Expr) -> pl.Expr:
    # Polars takes one pattern only, so the pieces between are joined again
    whole = a.str.split(old).list.join(new)
    between = pl.concat_str([new, a.str.split("").list.join(new), pl.when(a == "").then(pl.lit("")).otherwise(new)])
    return pl.when(_is_null(a, old, new)).then(None).when(old == "").then(between).otherwise(whole)


text_function("REPLACE", "REPLACE(a, old, new)", "With every `old` replaced.", _replace, 3)


def _substring(a: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    size, at = a.str.len_chars().cast(pl.Int64), start.cast(pl.Int64)
    begin = pl.when(at > 0).then(at - 1).when(at == 0).then(pl.lit(0, dtype=pl.Int64)).otherwise(size + at)
    if length is None:
        tail = a.str.slice(pl.max_horizontal(begin, pl.lit(0)))
        return pl.when(begin >= 0).then(tail).when(begin < 0).then(pl.lit(""))
    count = length.cast(pl.Int64)
    kept = pl.max_horizontal(count + pl.min_horizontal(begin, pl.lit(0)), pl.lit(0)).cast(pl.UInt64)
    part = a.str.slice(pl.max_horizontal(begin, pl.lit(0)), kept)
    return pl.when(~_is_null(a, start, length) & (count >= 0)).then(part)


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


def _without(side: str) -> Callable[..., pl.Expr]:
    method = {"BOTH": "strip_chars", "LEADING": "strip_chars_start", "TRAILING": "strip_chars_end"}[side]

    def strip(a: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
        if chars is None:
            out: pl.Expr = getattr(a.str, method)(" ")
            return out
        return pl.when(~_is_null(a, chars)).then(pl.when(chars == "").then(a).otherwise(getattr(a.str, method)(chars)))

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
        return pl.when(~_is_null(a, n, c) & (size >= 0) & (c != "")).then(cut)

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


def _left_part(a: pl.Expr, n: pl.Expr) -> pl.Expr:
    return pl.when(~_is_null(a, n)).then(a.str.head(pl.max_horizontal(n.cast(pl.Int64), pl.lit(0))))


def _right_part(a: pl.Expr, n: pl.Expr) -> pl.Expr:
    return pl.when(~_is_null(a, n)).then(pl.when(n > 0).then(a.str.tail(n.cast(pl.Int64))).otherwise(pl.lit("")))


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
    lambda a, n: pl.when(~_is_null(a, n)).then(
        a.repeat_by(pl.max_horizontal(n, pl.lit(0)).cast(pl.UInt32)).list.join("")
    ),
    2,
    convert=takes(TEXT, WHOLE),
)


def _overlay(a: pl.Expr, b: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    size, at = a.str.len_chars().cast(pl.Int64), start.cast(pl.Int64)
    count = (b.str.len_chars() if length is None else length).cast(pl.Int64)
    first = pl.max_horizontal(at - 1, pl.lit(0))
    after = pl.when(count > 0).then(pl.min_horizontal(first + count, size)).otherwise(size)
    out = pl.concat_str([a.str.slice(0, first.cast(pl.UInt64)), b, a.str.slice(after)])
    missing = _is_null(a, b, start) if length is None else _is_null(a, b, start, length)
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
        lambda ctx, e, m=_method: _edge(ctx, e, m),
        2,
        2,
        takes((*TEXT, *BINARY)),
    )


def _edge(ctx: Context, e: Call, method: str) -> pl.Expr:
    a, b = values(ctx, e)
    space = a.bin if e.args[0].type.kind in BINARY else a.str
    out: pl.Expr = getattr(space, method)(b)
    return out


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
