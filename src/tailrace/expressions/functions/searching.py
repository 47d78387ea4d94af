"""Functions that look for something in texts: places, patterns of LIKE and SIMILAR TO, regular expressions."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.expressions.batches import by_constants, by_value_or_fail
from tailrace.expressions.nodes import Call, Literal
from tailrace.expressions.regex import Matcher, UnsupportedPatternError, matcher
from tailrace.expressions.registry import TEXT, WHOLE, Context, LowerCall, define, fixed, takes, values
from tailrace.expressions.similar import like_pattern, similar_pattern
from tailrace.schema import BOOLEAN, INT, STRING, array


def _place(a: pl.Expr, needle: pl.Expr) -> pl.Expr:
    offset = a.str.find(needle, literal=True)
    before = a.cast(pl.Binary).bin.slice(0, offset).cast(pl.String).str.len_chars().cast(pl.Int32)
    found = pl.when(offset.is_not_null()).then(before + 1).otherwise(pl.lit(0, dtype=pl.Int32))
    return pl.when(a.is_not_null() & needle.is_not_null()).then(found)


def _position(ctx: Context, e: Call) -> pl.Expr:
    """Lower a call with the needle first."""
    needle, a, *start = values(ctx, e)
    return _place(a, needle) if not start else _place_after(a, needle, start[0])


def _place_after(a: pl.Expr, needle: pl.Expr, start: pl.Expr) -> pl.Expr:
    skipped = pl.max_horizontal(start.cast(pl.Int64) - 1, pl.lit(0)).cast(pl.Int32)
    found = _place(a.str.slice(skipped), needle)
    place = pl.when(needle == "").then(pl.lit(1, dtype=pl.Int32)).when(found > 0).then(found + skipped).otherwise(found)
    return pl.when(start.is_not_null() & found.is_not_null()).then(place)


for _name, _signature, _high in (("POSITION", "POSITION(a IN b)", 3), ("LOCATE", "LOCATE(a, b[, start])", 3)):
    define(
        _name,
        "string",
        _signature,
        "Where a stands in b, from 1 (looked for from `start` on); 0 if it does not.",
        fixed(INT),
        _position,
        2,
        _high,
        takes(TEXT, TEXT, WHOLE),
    )


def _instr(ctx: Context, e: Call) -> pl.Expr:
    found = values(ctx, e)
    return _place(found[0], found[1]) if len(found) == 2 else by_value_or_fail(ctx, e, _appearance, *found)


def _appearance(text: str, needle: str, start: int, nth: int = 1) -> int:
    """Find the n-th appearance from a place on, or backwards from a place that is counted from the end."""
    if nth < 1:
        raise ValueError("there is no appearance before the first")
    if not needle or not start:
        return int(bool(start))
    at = start - 2 if start > 0 else len(text) + start + 1
    for _ in range(nth):
        at = text.find(needle, at + 1) if start > 0 else text.rfind(needle, 0, max(at - 1 + len(needle), 0))
        if at < 0:
            return 0
    return at + 1


define(
    "INSTR",
    "string",
    "INSTR(a, b[, start[, n]])",
    "Where b stands in a for the nth time, from 1; 0 if it does not. A negative start counts from the end, backwards.",
    fixed(INT),
    _instr,
    2,
    4,
    takes(TEXT, TEXT, WHOLE),
)


def _escaped(make: Callable[..., str]) -> LowerCall:
    """Lower LIKE or SIMILAR TO: the pattern becomes a regular expression."""

    def batch(texts: pl.Series, pattern: str, escape: str | None = None) -> pl.Series:
        return texts.str.contains(make(pattern, escape))

    def lower(ctx: Context, e: Call) -> pl.Expr:
        constants = [a.value for a in e.args[1:] if isinstance(a, Literal) and a.value is not None]
        try:
            if len(constants) == len(e.args) - 1:
                make(*constants)
        except ValueError as error:
            raise ConfigError(f"{e.function}: {error}", location=e.location) from None
        return by_constants(ctx, e, batch, e.args[1:], ctx.lower(e.args[0]))

    return lower


define(
    "LIKE",
    "string",
    "a LIKE pattern [ESCAPE c]",
    "Whether a text fits a pattern of % and _.",
    fixed(BOOLEAN),
    _escaped(like_pattern),
    2,
    3,
    takes(TEXT),
)
define(
    "SIMILAR TO",
    "string",
    "a SIMILAR TO pattern [ESCAPE c]",
    "Whether a text fits an SQL regular expression.",
    fixed(BOOLEAN),
    _escaped(similar_pattern),
    2,
    3,
    takes(TEXT),
)


def _matching(f: Callable[..., pl.Series], bad: object = None) -> LowerCall:
    """Lower a function of a text, a regular expression and further constants; `bad` where the expression is none."""

    def batch(texts: pl.Series, pattern: str, *rest: object) -> pl.Series:
        found = _matcher(pattern)
        if found is None:
            return pl.select(pl.when(pl.lit(texts).is_not_null()).then(pl.lit(bad))).to_series()
        return f(found, texts, *rest)

    def lower(ctx: Context, e: Call) -> pl.Expr:
        if isinstance(e.args[1], Literal) and e.args[1].value is not None:
            try:
                matcher(e.args[1].value)
            except UnsupportedPatternError as error:
                raise UnsupportedError(f"the regular expression: {error}", location=e.location) from None
        return by_constants(ctx, e, batch, e.args[1:], ctx.lower(e.args[0]))

    return lower


def _matcher(pattern: str) -> Matcher | None:
    try:
        return matcher(pattern)
    except UnsupportedPatternError as error:
        raise UnsupportedError(f"the regular expression '{pattern}': {error}") from None


def _contains(m: Matcher, texts: pl.Series) -> pl.Series:
    if not m.pattern:
        return pl.select(pl.when(pl.lit(texts).is_not_null()).then(pl.lit(value=False))).to_series()
    return m.contains(texts)


def _extract(m: Matcher, texts: pl.Series, group: int = 0) -> pl.Series:
    return m.extract(texts, group) if 0 <= group <= m.groups else texts.clear(len(texts))


def _extract_all(m: Matcher, texts: pl.Series, group: int = 1) -> pl.Series:
    if not 0 <= group <= m.groups:
        return pl.Series([None] * len(texts), dtype=pl.List(pl.String))
    return m.extract_all(texts, group)


for _name, _signature, _doc, _result, _f, _high in (
    ("REGEXP", "REGEXP(a, regex)", "Whether a part matches; FALSE if it is no expression.", BOOLEAN, _contains, 2),
    ("REGEXP_EXTRACT", "REGEXP_EXTRACT(a, regex[, n])", "Group n (0: all) of the first match.", STRING, _extract, 3),
    (
        "REGEXP_EXTRACT_ALL",
        "REGEXP_EXTRACT_ALL(a, regex[, n])",
        "Group n (1, if not given) of each match; NULL without one.",
        array(STRING),
        _extract_all,
        3,
    ),
    ("REGEXP_COUNT", "REGEXP_COUNT(a, regex)", "How many parts match.", INT, lambda m, s: m.count(s), 2),
    (
        "REGEXP_INSTR",
        "REGEXP_INSTR(a, regex)",
        "Where the first match is, from 1; or 0.",
        INT,
        lambda m, s: m.find(s),
        2,
    ),
    ("REGEXP_SUBSTR", "REGEXP_SUBSTR(a, regex)", "The first match.", STRING, lambda m, s: m.extract(s, 0), 2),
):
    define(
        _name,
        "string",
        _signature,
        _doc + (" NULL if it is no expression." if _name != "REGEXP" else ""),
        fixed(_result, always=_name != "REGEXP"),
        _matching(_f, bad=False if _name == "REGEXP" else None),
        2,
        _high,
        takes(TEXT, TEXT, WHOLE),
    )
define(
    "REGEXP_REPLACE",
    "string",
    "REGEXP_REPLACE(a, regex, b)",
    "With b in place of every match.",
    fixed(STRING),
    _matching(lambda m, texts, by: m.replace(texts, by)),
    3,
    3,
    takes(TEXT),
)
