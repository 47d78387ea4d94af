"""Functions of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl

from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import (
    Context,
    Convert,
    Result,
    constant,
    constant_value,
    define,
    first_text,
    fixed,
    simple,
    texts,
)
from tailrace.schema import BOOLEAN, INT, STRING


def _replace(a: pl.Expr, o: pl.Expr, n: pl.Expr) -> pl.Expr:
    # Polars takes one pattern only, so the pieces between are joined again
    whole = pl.concat_str([a, n.str.slice(0, 0)])  # a constant gets the length of the column
    return pl.when(o == "").then(whole).otherwise(whole.str.split(o).list.join(n))


def _find(a: pl.Expr, needle: pl.Expr) -> pl.Expr:
    before = a.str.split(needle).list.first().str.len_chars()
    found = a.str.contains(needle, literal=True)
    return pl.when(found).then(before + 1).when(found.is_not_null()).then(pl.lit(0)).cast(pl.Int32)


def string_function(
    name: str,
    signature: str,
    doc: str,
    f: Callable[..., pl.Expr],
    low: int,
    high: int | None = None,
    result: Result | None = None,
    convert: Convert = texts,
) -> None:
    """Add a function of texts; it gives a text unless `result` says otherwise."""
    define(name, "string", signature, doc, result or fixed(STRING), simple(f), low, high, convert)


string_function("UPPER", "UPPER(a)", "Upper case.", lambda a: a.str.to_uppercase(), 1)
string_function("LOWER", "LOWER(a)", "Lower case.", lambda a: a.str.to_lowercase(), 1)
for _name in ("CHAR_LENGTH", "CHARACTER_LENGTH"):
    string_function(
        _name,
        f"{_name}(a)",
        "Its length in characters.",
        lambda a: a.str.len_chars().cast(pl.Int32),
        1,
        result=fixed(INT),
    )
string_function("||", "a || b", "One behind the other; NULL if either is.", lambda a, b: pl.concat_str([a, b]), 2)
string_function(
    "CONCAT", "CONCAT(a, ...)", "One behind the other; NULL if one is.", lambda *a: pl.concat_str(list(a)), 1, 100
)
string_function(
    "CONCAT_WS",
    "CONCAT_WS(separator, a, ...)",
    "Joined by a separator; NULLs are left out.",
    lambda s, *a: pl.concat_list(list(a)).list.drop_nulls().list.join(s),
    2,
    100,
)
string_function("REVERSE", "REVERSE(a)", "Backwards.", lambda a: a.str.reverse(), 1)
string_function("INITCAP", "INITCAP(a)", "Each word with a capital.", lambda a: a.str.to_titlecase(), 1)
string_function("REPLACE", "REPLACE(a, old, new)", "With every `old` replaced.", _replace, 3)


def _substring(a: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    size = a.str.len_chars().cast(pl.Int64)
    begin = (
        pl.when(start > 0)
        .then(start.cast(pl.Int64) - 1)
        .when(start == 0)
        .then(pl.lit(0, dtype=pl.Int64))
        .otherwise(size + start.cast(pl.Int64))
    )
    if length is None:
        return pl.when(begin >= 0).then(a.str.slice(pl.max_horizontal(begin, pl.lit(0)))).otherwise(pl.lit(""))
    kept = (
        pl.when(begin < 0)
        .then(pl.max_horizontal(begin + length.cast(pl.Int64), pl.lit(0)))
        .otherwise(length.cast(pl.Int64))
    )
    kept = pl.max_horizontal(kept, pl.lit(0))
    return a.str.slice(pl.max_horizontal(begin, pl.lit(0)), kept.cast(pl.UInt64))


for _name in ("SUBSTRING", "SUBSTR"):
    string_function(
        _name,
        f"{_name}(a, start[, length])",
        "A part; the first character is number 1.",
        lambda a, s, n=None: pl.when(s.is_not_null() if n is None else s.is_not_null() & n.is_not_null()).then(
            _substring(a, s, n)
        ),
        2,
        3,
        convert=first_text,
    )


def _trim(ctx: Context, e: Call) -> pl.Expr:
    side = constant(e.args[0], "the side")
    chars = ctx.lower(e.args[1]) if len(e.args) > 2 else pl.lit(" ")
    text = ctx.lower(e.args[-1])
    return {"BOTH": text.str.strip_chars, "LEADING": text.str.strip_chars_start, "TRAILING": text.str.strip_chars_end}[
        side
    ](chars)


define(
    "TRIM",
    "string",
    "TRIM([BOTH|LEADING|TRAILING] [c FROM] a)",
    "Without these characters at its ends.",
    fixed(STRING),
    _trim,
    2,
    3,
)
for _name, _m in (("LTRIM", "strip_chars_start"), ("RTRIM", "strip_chars_end"), ("BTRIM", "strip_chars")):
    string_function(
        _name,
        f"{_name}(a[, c])",
        "Without these characters at its end.",
        lambda a, c=None, m=_m: getattr(a.str, m)(c if c is not None else " "),
        1,
        2,
    )
string_function(
    "POSITION",
    "POSITION(a IN b)",
    "Where a stands in b, from 1; 0 if it does not.",
    lambda n, a: _find(a, n),
    2,
    result=fixed(INT),
)
string_function(
    "LOCATE",
    "LOCATE(a, b)",
    "Where a stands in b, from 1; 0 if it does not.",
    lambda n, a: _find(a, n),
    2,
    result=fixed(INT),
)
string_function(
    "INSTR",
    "INSTR(a, b)",
    "Where b stands in a, from 1; 0 if it does not.",
    _find,
    2,
    result=fixed(INT),
)


def _pad(side: str) -> Callable[..., pl.Expr]:
    def pad(a: pl.Expr, n: pl.Expr, c: pl.Expr) -> pl.Expr:
        size = n.cast(pl.Int64)
        need = pl.max_horizontal(size - a.str.len_chars().cast(pl.Int64), pl.lit(0))
        filler = (
            pl.concat_list([c])
            .list.first()
            .repeat_by(need.cast(pl.UInt32))
            .list.join("")
            .str.slice(0, need.cast(pl.UInt64))
        )
        full = pl.concat_str([filler, a]) if side == "left" else pl.concat_str([a, filler])
        return pl.when(size >= 0).then(full.str.slice(0, pl.max_horizontal(size, pl.lit(0)).cast(pl.UInt64)))

    return pad


string_function("LPAD", "LPAD(a, n, c)", "Filled on the left to n characters.", _pad("left"), 3, convert=first_text)
string_function("RPAD", "RPAD(a, n, c)", "Filled on the right to n characters.", _pad("right"), 3, convert=first_text)
string_function(
    "LEFT",
    "LEFT(a, n)",
    "The first n characters.",
    lambda a, n: a.str.slice(0, pl.max_horizontal(n.cast(pl.Int64), pl.lit(0)).cast(pl.UInt64)),
    2,
    convert=first_text,
)
string_function(
    "RIGHT",
    "RIGHT(a, n)",
    "The last n characters.",
    lambda a, n: (
        pl.when(n > 0)
        .then(a.str.slice(pl.max_horizontal(a.str.len_chars().cast(pl.Int64) - n, pl.lit(0))))
        .otherwise(pl.when(n.is_not_null() & a.is_not_null()).then(pl.lit("")))
    ),
    2,
    convert=first_text,
)
string_function(
    "REPEAT",
    "REPEAT(a, n)",
    "n times.",
    lambda a, n: a.repeat_by(pl.max_horizontal(n, pl.lit(0)).cast(pl.UInt32)).list.join(""),
    2,
    convert=first_text,
)
string_function(
    "SPLIT_INDEX",
    "SPLIT_INDEX(a, separator, n)",
    "The part number n, from 0; NULL if there is none.",
    lambda a, s, n: pl.when(n >= 0).then(a.str.split(s).list.get(n, null_on_oob=True)),
    3,
    convert=lambda args: [*texts(args[:2]), args[2]],
    result=fixed(STRING, always=True),
)
string_function(
    "STARTSWITH",
    "STARTSWITH(a, b)",
    "Whether it begins with b.",
    lambda a, b: a.str.starts_with(b),
    2,
    result=fixed(BOOLEAN),
)
string_function(
    "ENDSWITH", "ENDSWITH(a, b)", "Whether it ends with b.", lambda a, b: a.str.ends_with(b), 2, result=fixed(BOOLEAN)
)
string_function(
    "ASCII",
    "ASCII(a)",
    "The code of its first character.",
    lambda a: a.str.slice(0, 1).map_batches(
        lambda s: pl.Series(s.name, [None if v is None else (ord(v) if v else 0) for v in s], dtype=pl.Int32),
        return_dtype=pl.Int32,
    ),
    1,
    result=fixed(INT),
)
define(
    "REGEXP_EXTRACT",
    "string",
    "REGEXP_EXTRACT(a, regex[, group])",
    "The group of the first match; NULL without one.",
    fixed(STRING, always=True),
    lambda ctx, e: ctx.lower(e.args[0]).str.extract(
        constant(e.args[1], "the regular expression"), constant_value(e.args[2], 0) if len(e.args) > 2 else 0
    ),
    2,
    3,
    first_text,
)
define(
    "REGEXP_REPLACE",
    "string",
    "REGEXP_REPLACE(a, regex, b)",
    "With every match replaced.",
    fixed(STRING),
    lambda ctx, e: ctx.lower(e.args[0]).str.replace_all(
        constant(e.args[1], "the regular expression"), ctx.lower(e.args[2])
    ),
    3,
    3,
    texts,
)
define(
    "REGEXP",
    "string",
    "REGEXP(a, regex)",
    "Whether a part matches.",
    fixed(BOOLEAN),
    lambda ctx, e: ctx.lower(e.args[0]).str.contains(constant(e.args[1], "the regular expression")),
    2,
    2,
    texts,
)


def _each(f: Callable[[str], str]) -> Callable[[pl.Expr], pl.Expr]:
    def batch(s: pl.Series) -> pl.Series:
        return pl.Series(s.name, [None if v is None else f(v) for v in s], dtype=pl.String)

    return lambda a: a.map_batches(batch, return_dtype=pl.String)


def _digest(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


for _name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
    string_function(
        _name,
        f"{_name}(a)",
        "The hash as hexadecimal text.",
        _each(_digest(_name.lower())),
        1,
    )
string_function("TO_BASE64", "TO_BASE64(a)", "As base64.", lambda a: a.cast(pl.Binary).bin.encode("base64"), 1)
string_function(
    "FROM_BASE64",
    "FROM_BASE64(a)",
    "From base64.",
    lambda a: a.cast(pl.Binary).bin.decode("base64", strict=False).cast(pl.String),
    1,
)
string_function(
    "CHR",
    "CHR(n)",
    "The character of a code.",
    lambda n: (n % 256).map_batches(
        lambda s: pl.Series(s.name, [None if v is None else chr(v) for v in s], dtype=pl.String), return_dtype=pl.String
    ),
    1,
    convert=lambda a: a,
)
