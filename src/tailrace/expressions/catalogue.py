"""The functions that expressions may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.expressions.nodes import Call, Cast, Expr, Literal
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOATS,
    INT,
    INTEGERS,
    INTERVALS,
    NULL,
    STRING,
    STRINGS,
    TIMESTAMPS,
    DataType,
    Kind,
    decimal,
    timestamp,
    timestamp_ltz,
    varchar,
    MAX_LENGTH,
)

NUMERIC = (*INTEGERS, Kind.DECIMAL, *FLOATS)
_RANK = {k: i for i, k in enumerate(NUMERIC)}
_DIGITS = {Kind.TINYINT: 3, Kind.SMALLINT: 5, Kind.INT: 10, Kind.BIGINT: 19}


def as_decimal(t: DataType) -> DataType:
    return decimal(_DIGITS[t.kind], 0) if t.kind in _DIGITS else t


def common_type(types: Sequence[DataType]) -> DataType | None:
    real = [t for t in types if t.kind is not Kind.NULL]
    nullable = any(t.nullable for t in types) or len(real) < len(types)
    if not real:
        return NULL
    out = real[0]
    for t in real[1:]:
        merged = _merge(out, t)
        if merged is None:
            return None
        out = merged
    return out.with_nullable(nullable)


def _merge(a: DataType, b: DataType) -> DataType | None:
    if a.same_as(b):
        return a
    if a.kind in NUMERIC and b.kind in NUMERIC:
        if a.kind in FLOATS or b.kind in FLOATS:
            return (
                DOUBLE
                if Kind.DOUBLE in (a.kind, b.kind)
                or Kind.DECIMAL in (a.kind, b.kind)
                or Kind.BIGINT in (a.kind, b.kind)
                else (a if a.kind in FLOATS else b)
            )
        if Kind.DECIMAL in (a.kind, b.kind):
            x, y = as_decimal(a), as_decimal(b)
            s = max(x.scale, y.scale)
            return decimal(min(38, max(x.precision - x.scale, y.precision - y.scale) + s), s)
        return a if _RANK[a.kind] >= _RANK[b.kind] else b
    if a.kind in STRINGS and b.kind in STRINGS:
        return varchar(max(a.length, b.length))
    if a.kind is b.kind and a.kind in TIMESTAMPS:
        return a if a.precision >= b.precision else b
    return None


def _arith(op: str) -> Callable[[list[Expr]], DataType]:
    def result(args: list[Expr]) -> DataType:
        a, b = args[0].type, args[1].type
        if a.kind in TIMESTAMPS or a.kind is Kind.DATE:
            return a
        if b.kind in TIMESTAMPS:
            return b
        if Kind.DECIMAL in (a.kind, b.kind) and not (a.kind in FLOATS or b.kind in FLOATS):
            x, y = as_decimal(a), as_decimal(b)
            p1, s1, p2, s2 = x.precision, x.scale, y.precision, y.scale
            if op == "*":
                return _adjust(p1 + p2, s1 + s2)
            if op == "/":
                s = max(6, s1 + p2 + 1)
                return _adjust(p1 - s1 + s2 + s, s)
            if op == "%":
                return decimal(min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2))
            s = max(s1, s2)
            return _adjust(max(p1 - s1, p2 - s2) + s + 1, s)
        out = common_type([a, b])
        assert out is not None
        return out

    return result


def _adjust(p: int, s: int) -> DataType:
    if p <= 38:
        return decimal(p, s)
    digits = p - s
    return decimal(38, max(38 - digits, min(s, 6)))


# --- what the functions are ----------------------------------------------------------------------
import hashlib
import re
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import polars as pl

from tailrace.expressions import lower as lo
from tailrace.expressions.lower import Lowering


@dataclass(frozen=True, slots=True)
class Function:
    """One entry: its name, its signature in words, what it is for, its result type and its lowering."""

    name: str
    signature: str
    doc: str
    family: str
    result: Callable[[list[Expr]], DataType]
    lower: Callable[[Lowering, Call], pl.Expr]
    low: int
    high: int
    convert: Callable[[list[Expr]], list[Expr]] | None = None


FUNCTIONS: dict[str, Function] = {}


def nullable(args: Sequence[Expr]) -> bool:
    return any(a.type.nullable for a in args)


def fixed(t: DataType, *, always: bool = False) -> Callable[[list[Expr]], DataType]:
    return lambda args: t.with_nullable(always or nullable(args))


def values(ctx: Lowering, e: Call) -> list[pl.Expr]:
    return [ctx.lower(a) for a in e.args]


def define(name, family, signature, doc, result, f, low, high=None, convert=None):  # type: ignore[no-untyped-def]
    high = low if high is None else high
    FUNCTIONS[name] = Function(name, signature, doc, family, result, f, low, high, convert)


def simple(f):  # type: ignore[no-untyped-def]
    return lambda ctx, e: f(*values(ctx, e))


def texts(args: list[Expr]) -> list[Expr]:
    return [a if a.type.kind in STRINGS else Cast(STRING.with_nullable(a.type.nullable), a) for a in args]


def doubles(args: list[Expr]) -> list[Expr]:
    return [to(a, DOUBLE) for a in args]


def to(a: Expr, t: DataType) -> Expr:
    return a if a.type.kind is t.kind and a.type.polars == t.polars else Cast(t.with_nullable(a.type.nullable), a)


def same(args: list[Expr]) -> DataType:
    return args[0].type


def merged(args: list[Expr]) -> DataType:
    t = common_type([a.type for a in args])
    if t is None:
        raise ValueError(" and ".join(a.type.sql() for a in args) + " have no common type")
    return t


def to_merged(args: list[Expr]) -> list[Expr]:
    t = merged(args)
    return [to(a, t) for a in args]


# comparison and logic
_TEMPORAL = (Kind.DATE, Kind.TIME, *TIMESTAMPS)


def comparable(args: list[Expr]) -> list[Expr]:
    kinds = [a.type.kind for a in args]
    other = next((a.type for a in args if a.type.kind not in (*STRINGS, Kind.NULL)), None)
    if other is not None and any(k in STRINGS for k in kinds):
        if other.kind in _TEMPORAL or other.kind in NUMERIC or other.kind is Kind.BOOLEAN:
            target = DOUBLE if other.kind in NUMERIC else other
            return [to(a, target) if a.type.kind in STRINGS else a for a in args]
    if Kind.DATE in kinds and any(k in TIMESTAMPS for k in kinds):
        target = next(a.type for a in args if a.type.kind in TIMESTAMPS)
        return [to(a, target) for a in args]
    return to_merged(args)


for _name, _op in (("=", "eq"), ("<>", "ne"), ("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge")):
    define(
        _name,
        "comparison",
        f"a {_name} b",
        "Compares; NULL if either is NULL.",
        fixed(BOOLEAN),
        simple(lambda a, b, op=_op: getattr(a, op)(b)),
        2,
        convert=comparable,
    )
define(
    "IS NULL",
    "comparison",
    "a IS NULL",
    "TRUE for NULL.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a: a.is_null()),
    1,
)
define(
    "IS NOT NULL",
    "comparison",
    "a IS NOT NULL",
    "FALSE for NULL.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a: a.is_not_null()),
    1,
)
define(
    "IS DISTINCT FROM",
    "comparison",
    "a IS DISTINCT FROM b",
    "As <>, with NULL as a value.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a, b: a.ne_missing(b)),
    2,
    convert=comparable,
)
define(
    "IS NOT DISTINCT FROM",
    "comparison",
    "a IS NOT DISTINCT FROM b",
    "As =, with NULL as a value.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a, b: a.eq_missing(b)),
    2,
    convert=comparable,
)
for _word, _value in (("TRUE", True), ("FALSE", False)):
    define(
        f"IS {_word}",
        "logic",
        f"a IS {_word}",
        f"Whether it is {_word}; never NULL.",
        lambda a: BOOLEAN.with_nullable(False),
        simple(lambda a, v=_value: a.eq_missing(pl.lit(v))),
        1,
    )
    define(
        f"IS NOT {_word}",
        "logic",
        f"a IS NOT {_word}",
        f"Whether it is not {_word}; never NULL.",
        lambda a: BOOLEAN.with_nullable(False),
        simple(lambda a, v=_value: a.ne_missing(pl.lit(v))),
        1,
    )
define(
    "IS UNKNOWN",
    "logic",
    "a IS UNKNOWN",
    "TRUE for NULL.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a: a.is_null()),
    1,
)
define(
    "IS NOT UNKNOWN",
    "logic",
    "a IS NOT UNKNOWN",
    "FALSE for NULL.",
    lambda a: BOOLEAN.with_nullable(False),
    simple(lambda a: a.is_not_null()),
    1,
)


def _and(ctx: Lowering, e: Call) -> pl.Expr:
    a = ctx.lower(e.args[0])
    return a & ctx.under(a.fill_null(value=True), e.args[1])


def _or(ctx: Lowering, e: Call) -> pl.Expr:
    a = ctx.lower(e.args[0])
    return a | ctx.under(~a.fill_null(value=False), e.args[1])


def _bools(args: list[Expr]) -> list[Expr]:
    for a in args:
        if a.type.kind not in (Kind.BOOLEAN, Kind.NULL):
            raise ValueError(f"expected BOOLEAN, not {a.type.sql()}")
    return [to(a, BOOLEAN) for a in args]


define("AND", "logic", "a AND b", "Both; NULL where neither decides.", fixed(BOOLEAN), _and, 2, convert=_bools)
define("OR", "logic", "a OR b", "Either; NULL where neither decides.", fixed(BOOLEAN), _or, 2, convert=_bools)
define("NOT", "logic", "NOT a", "The opposite; NULL for NULL.", fixed(BOOLEAN), simple(lambda a: ~a), 1, convert=_bools)


def _in(ctx: Lowering, e: Call) -> pl.Expr:
    x, *rest = values(ctx, e)
    out = x == rest[0]
    for other in rest[1:]:
        out = out | (x == other)
    return out


define("IN", "comparison", "a IN (b, ...)", "Whether it is one of them.", fixed(BOOLEAN), _in, 2, 10_000, comparable)


def like_pattern(pattern: str, escape: str = "\\") -> str:
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == escape and i + 1 < len(pattern):
            i += 1
            out.append(re.escape(pattern[i]))
        else:
            out.append(".*" if c == "%" else "." if c == "_" else re.escape(c))
        i += 1
    return "(?s)^" + "".join(out) + "$"


def _constant(e: Expr, what: str) -> str:
    if not isinstance(e, Literal) or not isinstance(e.value, str):
        raise ConfigError(f"{what} must be a constant text")
    return e.value


def _like(ctx: Lowering, e: Call) -> pl.Expr:
    escape = _constant(e.args[2], "ESCAPE") if len(e.args) > 2 else "\\"
    return ctx.lower(e.args[0]).str.contains(like_pattern(_constant(e.args[1], "the pattern of LIKE"), escape))


define(
    "LIKE",
    "string",
    "a LIKE pattern [ESCAPE c]",
    "Whether a text fits a pattern of % and _.",
    fixed(BOOLEAN),
    _like,
    2,
    3,
    texts,
)


# arithmetic
def _numbers(args: list[Expr], op: str) -> list[Expr]:
    t = _arith(op)(args)
    if t.kind in (*INTEGERS, *FLOATS):
        return [to(a, t) for a in args]
    if t.kind is Kind.DECIMAL:
        return [
            Cast(as_decimal(a.type).with_nullable(a.type.nullable), a) if a.type.kind in _DIGITS else a for a in args
        ]
    return args


def _checked_kinds(args: list[Expr], op: str) -> None:
    kinds = [a.type.kind for a in args]
    numeric = all(k in (*NUMERIC, Kind.NULL) for k in kinds)
    temporal = op in "+-" and any(k in INTERVALS for k in kinds) or (op == "-" and all(k in TIMESTAMPS for k in kinds))
    if not numeric and not temporal:
        raise ValueError(f"{args[0].type.sql()} {op} {args[1].type.sql()} is not defined")


def _converted(op: str) -> Callable[[list[Expr]], list[Expr]]:
    def convert(args: list[Expr]) -> list[Expr]:
        _checked_kinds(args, op)
        return _numbers(args, op)

    return convert


def _temporal(ctx: Lowering, e: Call, sign: int) -> pl.Expr:
    a, b = e.args
    if a.type.kind in INTERVALS and b.type.kind not in INTERVALS:
        a, b = b, a
    x, y = ctx.lower(a), ctx.lower(b)
    if b.type.kind is Kind.INTERVAL_MONTH:
        months = y if sign > 0 else -y
        return x.dt.offset_by(pl.concat_str([months.cast(pl.String), pl.lit("mo")]))
    if a.type.kind is Kind.DATE:
        x = x.cast(pl.Datetime("ms"))
    out = x + y if sign > 0 else x - y
    return out.cast(e.type.polars)


def _unscaled(x: pl.Expr, t: DataType) -> pl.Expr:
    return x.cast(pl.Decimal(38, t.scale), strict=False).to_physical()


def _decimal_arith(ctx: Lowering, e: Call, op: str) -> pl.Expr:
    a, b = e.args
    x, y = _unscaled(ctx.lower(a), a.type), _unscaled(ctx.lower(b), b.type)
    s1, s2, s = a.type.scale, b.type.scale, e.type.scale

    def lit(n: int) -> pl.Expr:
        return pl.lit(n, dtype=pl.Int128)

    if op in "+-%":
        wide = max(s1, s2)
        x, y = x * lit(10 ** (wide - s1)), y * lit(10 ** (wide - s2))
        if op == "%":
            ctx.check(y == lit(0), "division by zero", e.location)
            safe = pl.when(y != lit(0)).then(y)
            rest = x.abs() % safe.abs()
            return lo.fit(pl.when(x < lit(0)).then(lit(0) - rest).otherwise(rest), e.type)
        out = x + y if op == "+" else x - y
        return lo.fit(lo.divide_half_up(out, lit(10 ** (wide - s))) if wide > s else out, e.type)
    if op == "*":
        out = x * y
        return lo.fit(lo.divide_half_up(out, lit(10 ** (s1 + s2 - s))) if s1 + s2 > s else out, e.type)
    ctx.check(y == lit(0), "division by zero", e.location)
    safe = pl.when(y != lit(0)).then(y)
    shift = s + s2 - s1
    top = x * lit(10**shift) if shift >= 0 else x
    bottom = safe if shift >= 0 else safe * lit(10**-shift)
    return lo.fit(lo.divide_half_up(top, bottom), e.type)


def _java_div(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    quotient = x.abs() // y.abs()
    return pl.when((x < 0) != (y < 0)).then(-quotient).otherwise(quotient)


def _arithmetic(op: str) -> Callable[[Lowering, Call], pl.Expr]:
    def lower_(ctx: Lowering, e: Call) -> pl.Expr:
        if e.type.kind in _TEMPORAL:
            return _temporal(ctx, e, 1 if op == "+" else -1)
        if e.type.kind is Kind.DECIMAL:
            return _decimal_arith(ctx, e, op)
        x, y = values(ctx, e)
        if op in "/%" and e.type.kind in INTEGERS:
            ctx.check(y == 0, "division by zero", e.location)
            y = pl.when(y != 0).then(y)
            if op == "/":
                return _java_div(x, y).cast(e.type.polars)
            rest = x.abs() % y.abs()
            return pl.when(x < 0).then(-rest).otherwise(rest).cast(e.type.polars)
        if op == "%":
            return x - (x / y).cast(pl.Int64, strict=False) * y
        out = {"+": x + y, "-": x - y, "*": x * y, "/": x / y}[op]
        return out.cast(e.type.polars)

    return lower_


for _op in "+-*/%":
    define(
        _op,
        "arithmetic",
        f"a {_op} b",
        "Arithmetic; integers wrap and divide toward zero, decimals are exact.",
        lambda args, op=_op: _arith(op)(args).with_nullable(nullable(args)),
        _arithmetic(_op),
        2,
        convert=_converted(_op),
    )
FUNCTIONS["MOD"] = FUNCTIONS["%"]


def _negative(ctx: Lowering, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        return lo.fit(pl.lit(0, dtype=pl.Int128) - _unscaled(x, e.type), e.type)
    return (pl.lit(0, dtype=e.type.polars) - x) if e.type.kind in INTEGERS else -x


define("NEGATE", "arithmetic", "-a", "The negative.", same, _negative, 1)
define("POSITIVE", "arithmetic", "+a", "The same.", same, simple(lambda a: a), 1)


# conditional
def _case(ctx: Lowering, e: Call) -> pl.Expr:
    pairs = list(zip(e.args[:-1:2], e.args[1:-1:2], strict=True))
    before = pl.lit(value=True)
    chain = None
    for condition, value in pairs:
        c = ctx.under(before, condition).fill_null(value=False)
        v = ctx.under(before & c, value)
        before = before & ~c
        chain = pl.when(c).then(v) if chain is None else chain.when(c).then(v)
    assert chain is not None
    return chain.otherwise(ctx.under(before, e.args[-1]))


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


def _coalesce(ctx: Lowering, e: Call) -> pl.Expr:
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
define(
    "NULLIF",
    "conditional",
    "NULLIF(a, b)",
    "NULL where both are equal.",
    lambda args: args[0].type.with_nullable(True),
    simple(lambda a, b: pl.when(a.eq_missing(b)).then(None).otherwise(a)),
    2,
)
define(
    "IF",
    "conditional",
    "IF(c, a, b)",
    "a where c is TRUE, else b.",
    lambda args: merged(args[1:]),
    lambda ctx, e: _case(ctx, e),
    3,
    3,
    _case_convert,
)
for _name, _f in (("GREATEST", pl.max_horizontal), ("LEAST", pl.min_horizontal)):
    define(
        _name,
        "conditional",
        f"{_name}(a, b, ...)",
        f"The {_name.lower()}; NULL if one is NULL.",
        merged,
        lambda ctx, e, f=_f: (
            lambda v: pl.when(pl.any_horizontal([x.is_null() for x in v])).then(None).otherwise(f(v))
        )(values(ctx, e)),
        1,
        100,
        to_merged,
    )
for _name, _regex in (
    ("IS_ALPHA", r"^[a-zA-Z]+$"),
    ("IS_DIGIT", r"^\d+$"),
    ("IS_DECIMAL", r"^[+-]?(\d+\.?\d*|\.\d+)$"),
):
    define(
        _name,
        "conditional",
        f"{_name}(a)",
        "Whether the text is of such characters.",
        fixed(BOOLEAN),
        simple(lambda a, r=_regex: a.str.contains(r)),
        1,
        convert=texts,
    )


# strings
def string_function(name, signature, doc, f, low, high=None, result=None, convert=texts):  # type: ignore[no-untyped-def]
    define(name, "string", signature, doc, result or fixed(STRING), simple(f), low, high, convert)


def _first_text(args: list[Expr]) -> list[Expr]:
    return [*texts(args[:1]), *args[1:]]


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
    lambda s, *a: pl.concat_list([x for x in a]).list.drop_nulls().list.join(s),
    2,
    100,
)
string_function("REVERSE", "REVERSE(a)", "Backwards.", lambda a: a.str.reverse(), 1)
string_function("INITCAP", "INITCAP(a)", "Each word with a capital.", lambda a: a.str.to_titlecase(), 1)
string_function("REPLACE", "REPLACE(a, old, new)", "With every `old` replaced.", lambda a, o, n: _replace(a, o, n), 3)


def _replace(a: pl.Expr, o: pl.Expr, n: pl.Expr) -> pl.Expr:
    # Polars takes one pattern only, so the pieces between are joined again
    whole = pl.concat_str([a, n.str.slice(0, 0)])  # a constant gets the length of the column
    return pl.when(o == "").then(whole).otherwise(whole.str.split(o).list.join(n))


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
        convert=_first_text,
    )


def _trim(ctx: Lowering, e: Call) -> pl.Expr:
    side = _constant(e.args[0], "the side")
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
    lambda a, n: _find(a, n),
    2,
    result=fixed(INT),
)


def _find(a: pl.Expr, needle: pl.Expr) -> pl.Expr:
    before = a.str.split(needle).list.first().str.len_chars()
    found = a.str.contains(needle, literal=True)
    return pl.when(found).then(before + 1).when(found.is_not_null()).then(pl.lit(0)).cast(pl.Int32)


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


string_function("LPAD", "LPAD(a, n, c)", "Filled on the left to n characters.", _pad("left"), 3, convert=_first_text)
string_function("RPAD", "RPAD(a, n, c)", "Filled on the right to n characters.", _pad("right"), 3, convert=_first_text)
string_function(
    "LEFT",
    "LEFT(a, n)",
    "The first n characters.",
    lambda a, n: a.str.slice(0, pl.max_horizontal(n.cast(pl.Int64), pl.lit(0)).cast(pl.UInt64)),
    2,
    convert=_first_text,
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
    convert=_first_text,
)
string_function(
    "REPEAT",
    "REPEAT(a, n)",
    "n times.",
    lambda a, n: a.repeat_by(pl.max_horizontal(n, pl.lit(0)).cast(pl.UInt32)).list.join(""),
    2,
    convert=_first_text,
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
        _constant(e.args[1], "the regular expression"), e.args[2].value if len(e.args) > 2 else 0
    ),
    2,
    3,
    _first_text,
)
define(
    "REGEXP_REPLACE",
    "string",
    "REGEXP_REPLACE(a, regex, b)",
    "With every match replaced.",
    fixed(STRING),
    lambda ctx, e: ctx.lower(e.args[0]).str.replace_all(
        _constant(e.args[1], "the regular expression"), ctx.lower(e.args[2])
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
    lambda ctx, e: ctx.lower(e.args[0]).str.contains(_constant(e.args[1], "the regular expression")),
    2,
    2,
    texts,
)


def _each(f):  # type: ignore[no-untyped-def]
    def batch(s: pl.Series) -> pl.Series:
        return pl.Series(s.name, [None if v is None else f(v) for v in s], dtype=pl.String)

    return lambda a: a.map_batches(batch, return_dtype=pl.String)


for _name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
    string_function(
        _name,
        f"{_name}(a)",
        "The hash as hexadecimal text.",
        _each(lambda v, n=_name.lower(): hashlib.new(n, v.encode(), usedforsecurity=False).hexdigest()),
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

# math
for _name, _m in (
    ("SQRT", "sqrt"),
    ("EXP", "exp"),
    ("LN", "log"),
    ("LOG10", "log10"),
    ("SIN", "sin"),
    ("COS", "cos"),
    ("TAN", "tan"),
    ("ASIN", "arcsin"),
    ("ACOS", "arccos"),
    ("ATAN", "arctan"),
    ("SINH", "sinh"),
    ("COSH", "cosh"),
    ("TANH", "tanh"),
    ("DEGREES", "degrees"),
    ("RADIANS", "radians"),
    ("COT", "cot"),
):
    define(
        _name,
        "math",
        f"{_name}(a)",
        "As in mathematics, in DOUBLE.",
        fixed(DOUBLE),
        simple(lambda a, m=_m: getattr(a, m)()),
        1,
        convert=doubles,
    )
define(
    "LOG2",
    "math",
    "LOG2(a)",
    "The logarithm to base 2.",
    fixed(DOUBLE),
    simple(lambda a: a.log(2.0)),
    1,
    convert=doubles,
)
define(
    "LOG",
    "math",
    "LOG([base,] a)",
    "The logarithm.",
    fixed(DOUBLE),
    simple(lambda a, b=None: a.log() if b is None else b.log() / a.log()),
    1,
    2,
    doubles,
)
define(
    "POWER",
    "math",
    "POWER(a, b)",
    "a to the power of b.",
    fixed(DOUBLE),
    simple(lambda a, b: a.pow(b)),
    2,
    convert=doubles,
)
define(
    "ATAN2",
    "math",
    "ATAN2(y, x)",
    "The angle.",
    fixed(DOUBLE),
    simple(lambda y, x: pl.arctan2(y, x)),
    2,
    convert=doubles,
)
define(
    "PI",
    "math",
    "PI()",
    "The circle's constant.",
    lambda a: DOUBLE.with_nullable(False),
    lambda ctx, e: pl.lit(3.141592653589793),
    0,
)
define(
    "E",
    "math",
    "E()",
    "Euler's number.",
    lambda a: DOUBLE.with_nullable(False),
    lambda ctx, e: pl.lit(2.718281828459045),
    0,
)
define(
    "SIGN",
    "math",
    "SIGN(a)",
    "-1, 0 or 1.",
    same,
    lambda ctx, e: ctx.lower(e.args[0]).cast(pl.Float64).sign().cast(e.type.polars),
    1,
)
define(
    "ABS",
    "math",
    "ABS(a)",
    "Without its sign.",
    same,
    lambda ctx, e: (
        lo.fit(_unscaled(ctx.lower(e.args[0]), e.type).abs(), e.type)
        if e.type.kind is Kind.DECIMAL
        else ctx.lower(e.args[0]).abs()
    ),
    1,
)


_UNITS = {
    "SECOND": "1s",
    "MINUTE": "1m",
    "HOUR": "1h",
    "DAY": "1d",
    "WEEK": "1w",
    "MONTH": "1mo",
    "QUARTER": "1q",
    "YEAR": "1y",
    "MILLISECOND": "1ms",
}


def _edge(up: bool) -> Callable[[Lowering, Call], pl.Expr]:
    def lower_(ctx: Lowering, e: Call) -> pl.Expr:
        x = ctx.lower(e.args[0])
        if len(e.args) == 2:
            every = _UNITS[_constant(e.args[1], "the unit")]
            down = x.dt.truncate(every)
            return pl.when(down == x).then(x).otherwise(down.dt.offset_by(every)) if up else down
        t = e.args[0].type
        if t.kind is Kind.DECIMAL:
            whole, unit = _unscaled(x, t), pl.lit(10**t.scale, dtype=pl.Int128)
            zero, one = pl.lit(0, dtype=pl.Int128), pl.lit(1, dtype=pl.Int128)
            quotient = whole.abs() // unit
            exact = whole.abs() % unit == zero
            away = quotient + pl.when(exact).then(zero).otherwise(one)
            out = pl.when(whole < zero).then(zero - (quotient if up else away)).otherwise(away if up else quotient)
            return lo.fit(out, e.type)
        return x if t.kind in INTEGERS else (x.ceil() if up else x.floor())

    return lower_


def _edge_type(args: list[Expr]) -> DataType:
    t = args[0].type
    return decimal(t.precision, 0).with_nullable(t.nullable) if t.kind is Kind.DECIMAL else t


for _name, _up in (("CEIL", True), ("CEILING", True), ("FLOOR", False)):
    define(
        _name,
        "math",
        f"{_name}(a [TO unit])",
        "The next whole number, or whole unit of time.",
        _edge_type,
        _edge(_up),
        1,
        2,
    )


def _round_type(args: list[Expr]) -> DataType:
    t = args[0].type
    if t.kind is not Kind.DECIMAL:
        return t
    digits = args[1].value if len(args) > 1 and isinstance(args[1], Literal) else 0
    if digits >= t.scale:
        return t
    if digits < 0:
        return decimal(min(38, 1 + t.precision - t.scale), 0).with_nullable(t.nullable)
    return decimal(1 + t.precision - t.scale + digits, digits).with_nullable(t.nullable)


def _round(ctx: Lowering, e: Call) -> pl.Expr:
    t = e.args[0].type
    x = ctx.lower(e.args[0])
    digits = int(e.args[1].value) if len(e.args) > 1 else 0  # type: ignore[attr-defined]
    if t.kind is Kind.DECIMAL:
        if digits >= t.scale:
            return x
        unit = 10 ** (t.scale - digits)
        out = lo.divide_half_up(_unscaled(x, t), pl.lit(unit, dtype=pl.Int128))
        return lo.fit(out * pl.lit(10**-digits, dtype=pl.Int128) if digits < 0 else out, e.type)
    if t.kind in INTEGERS:
        if digits >= 0:
            return x
        unit = 10**-digits
        return (_java_div(x + pl.when(x < 0).then(-(unit // 2)).otherwise(unit // 2), pl.lit(unit)) * unit).cast(
            e.type.polars
        )
    return x.map_batches(lambda s: _rounded(s, digits), return_dtype=e.type.polars)


def _rounded(s: pl.Series, digits: int, how: str = ROUND_HALF_UP) -> pl.Series:
    unit = Decimal(1).scaleb(-digits)
    out = [
        v if v is None or v != v or v in (float("inf"), float("-inf")) else float(Decimal(repr(v)).quantize(unit, how))
        for v in s
    ]
    return pl.Series(s.name, out, dtype=s.dtype)


define("ROUND", "math", "ROUND(a[, digits])", "Rounded half up.", _round_type, _round, 1, 2)


def _truncate(ctx: Lowering, e: Call) -> pl.Expr:
    digits = int(e.args[1].value) if len(e.args) > 1 else 0  # type: ignore[attr-defined]
    x = ctx.lower(e.args[0])
    if e.type.kind is Kind.DECIMAL:
        t = e.type
        if digits >= t.scale:
            return x
        unit = pl.lit(10 ** (t.scale - digits), dtype=pl.Int128)
        whole = _unscaled(x, t)
        cut = whole.abs() // unit * unit
        return lo.fit(
            pl.when(whole < pl.lit(0, dtype=pl.Int128)).then(pl.lit(0, dtype=pl.Int128) - cut).otherwise(cut), t
        )
    if e.type.kind in INTEGERS:
        return x
    return x.map_batches(lambda s: _rounded(s, digits, ROUND_DOWN), return_dtype=e.type.polars)


define("TRUNCATE", "math", "TRUNCATE(a[, digits])", "Cut off behind so many digits.", same, _truncate, 1, 2)

# temporal
_PARTS = {
    "YEAR": "year",
    "MONTH": "month",
    "DAY": "day",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
    "QUARTER": "quarter",
    "WEEK": "week",
    "DOY": "ordinal_day",
    "MILLISECOND": "millisecond",
}


def _part(x: pl.Expr, unit: str) -> pl.Expr:
    if unit in ("DOW", "DAYOFWEEK"):
        return (x.dt.weekday() % 7 + 1).cast(pl.Int64)
    if unit == "EPOCH":
        return x.dt.epoch("s").cast(pl.Int64)
    return getattr(x.dt, _PARTS[unit])().cast(pl.Int64)


def _local(ctx: Lowering, e: Expr) -> pl.Expr:
    x = ctx.lower(e)
    return x.dt.convert_time_zone(ctx.timezone).dt.replace_time_zone(None) if e.type.kind is Kind.TIMESTAMP_LTZ else x


define(
    "EXTRACT",
    "temporal",
    "EXTRACT(unit FROM t)",
    "A part of a time.",
    fixed(BIGINT),
    lambda ctx, e: _part(_local(ctx, e.args[1]), _constant(e.args[0], "the unit")),
    2,
)
for _name, _unit in (
    ("YEAR", "YEAR"),
    ("QUARTER", "QUARTER"),
    ("MONTH", "MONTH"),
    ("WEEK", "WEEK"),
    ("DAYOFYEAR", "DOY"),
    ("DAYOFMONTH", "DAY"),
    ("DAYOFWEEK", "DOW"),
    ("HOUR", "HOUR"),
    ("MINUTE", "MINUTE"),
    ("SECOND", "SECOND"),
):
    define(
        _name,
        "temporal",
        f"{_name}(t)",
        "A part of a time.",
        fixed(BIGINT),
        lambda ctx, e, u=_unit: _part(_local(ctx, e.args[0]), u),
        1,
    )

_JAVA = (
    ("yyyy", "%Y"),
    ("uuuu", "%Y"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("SSSSSS", "%6f"),
    ("SSS", "%3f"),
    ("EEEE", "%A"),
    ("EEE", "%a"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("DDD", "%j"),
    ("a", "%p"),
)


def java_format(pattern: str) -> str:
    """Translate a Java date pattern."""
    out, i = [], 0
    ordered = sorted(_JAVA, key=lambda p: -len(p[0]))
    while i < len(pattern):
        if pattern[i] == "'":
            j = pattern.index("'", i + 1) if "'" in pattern[i + 1 :] else len(pattern)
            out.append(pattern[i + 1 : j].replace("%", "%%") or "'")
            i = j + 1
            continue
        known = next(((a, b) for a, b in ordered if pattern.startswith(a, i)), None)
        if known is None and pattern[i].isalpha():
            raise ConfigError(f"the date pattern '{pattern}' has a letter '{pattern[i]}' that is not supported")
        out.append(known[1] if known else pattern[i].replace("%", "%%"))
        i += len(known[0]) if known else 1
    return "".join(out)


def _date_format(ctx: Lowering, e: Call) -> pl.Expr:
    x = _local(ctx, e.args[0]) if e.args[0].type.kind not in STRINGS else ctx.lower(to(e.args[0], timestamp(3)))
    return x.dt.to_string(java_format(_constant(e.args[1], "the pattern")))


define(
    "DATE_FORMAT", "temporal", "DATE_FORMAT(t, pattern)", "As text, by a Java pattern.", fixed(STRING), _date_format, 2
)


def _parse(ctx: Lowering, e: Call) -> pl.Expr:
    x = ctx.lower(e.args[0])
    if len(e.args) == 1:
        return lo.from_text(x, e.type, ctx.timezone)
    pattern = java_format(_constant(e.args[1], "the pattern"))
    return (
        x.str.to_date(pattern, strict=False)
        if e.type.kind is Kind.DATE
        else x.str.to_datetime(pattern.replace(".%3f", "%.3f"), time_unit="ms", strict=False)
    )


define(
    "TO_DATE",
    "temporal",
    "TO_DATE(a[, pattern])",
    "A DATE from text; NULL if it is none.",
    fixed(DATE, always=True),
    _parse,
    1,
    2,
    _first_text,
)
define(
    "TO_TIMESTAMP",
    "temporal",
    "TO_TIMESTAMP(a[, pattern])",
    "A TIMESTAMP(3) from text; NULL if it is none.",
    fixed(timestamp(3), always=True),
    _parse,
    1,
    2,
    _first_text,
)
define(
    "TO_TIMESTAMP_LTZ",
    "temporal",
    "TO_TIMESTAMP_LTZ(n, 0|3)",
    "A TIMESTAMP_LTZ(3) from seconds or milliseconds since 1970.",
    fixed(timestamp_ltz(3), always=True),
    lambda ctx, e: (
        ctx.lower(e.args[0]).cast(pl.Int64) * (1 if len(e.args) > 1 and getattr(e.args[1], "value", 3) == 3 else 1000)
    ).cast(pl.Datetime("ms", "UTC")),
    1,
    2,
)
define(
    "FROM_UNIXTIME",
    "temporal",
    "FROM_UNIXTIME(n[, pattern])",
    "Text of the time n seconds after 1970.",
    fixed(STRING),
    lambda ctx, e: (
        (ctx.lower(e.args[0]).cast(pl.Int64) * 1000)
        .cast(pl.Datetime("ms", "UTC"))
        .dt.convert_time_zone(ctx.timezone)
        .dt.to_string(java_format(_constant(e.args[1], "the pattern")) if len(e.args) > 1 else "%Y-%m-%d %H:%M:%S")
    ),
    1,
    2,
)
define(
    "UNIX_TIMESTAMP",
    "temporal",
    "UNIX_TIMESTAMP([a])",
    "Seconds since 1970, now or of a text.",
    lambda args: BIGINT.with_nullable(bool(args)),
    lambda ctx, e: (
        pl.col(lo.NOW).dt.epoch("s")
        if not e.args
        else lo.from_text(ctx.lower(e.args[0]), timestamp_ltz(3), ctx.timezone).dt.epoch("s")
    ),
    0,
    1,
)
for _name in ("NOW", "CURRENT_TIMESTAMP", "CURRENT_ROW_TIMESTAMP", "PROCTIME"):
    define(
        _name,
        "temporal",
        f"{_name}()",
        "The time of the wall clock.",
        lambda a: timestamp_ltz(3).with_nullable(False),
        lambda ctx, e: pl.col(lo.NOW),
        0,
    )
define(
    "LOCALTIMESTAMP",
    "temporal",
    "LOCALTIMESTAMP",
    "The time of the wall clock in the session's zone.",
    lambda a: timestamp(3).with_nullable(False),
    lambda ctx, e: pl.col(lo.NOW).dt.convert_time_zone(ctx.timezone).dt.replace_time_zone(None),
    0,
)
define(
    "CURRENT_DATE",
    "temporal",
    "CURRENT_DATE",
    "The day of the wall clock in the session's zone.",
    lambda a: DATE.with_nullable(False),
    lambda ctx, e: pl.col(lo.NOW).dt.convert_time_zone(ctx.timezone).dt.date(),
    0,
)
define(
    "CURRENT_WATERMARK",
    "temporal",
    "CURRENT_WATERMARK(t)",
    "The watermark before the row; NULL before the first.",
    lambda args: args[0].type.with_nullable(True),
    lambda ctx, e: pl.col(lo.WATERMARK).cast(pl.Datetime("ms")).cast(e.type.polars),
    1,
)
_MILLIS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000, "WEEK": 604_800_000}


def _add(ctx: Lowering, e: Call) -> pl.Expr:
    unit, n, x = _constant(e.args[0], "the unit"), ctx.lower(e.args[1]), ctx.lower(e.args[2])
    if unit in _MILLIS:
        out = x.cast(pl.Datetime("ms")) if e.args[2].type.kind is Kind.DATE else x
        return (out + (n.cast(pl.Int64) * _MILLIS[unit]).cast(pl.Duration("ms"))).cast(e.type.polars)
    months = n * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    return x.dt.offset_by(pl.concat_str([months.cast(pl.String), pl.lit("mo")]))


define(
    "TIMESTAMPADD",
    "temporal",
    "TIMESTAMPADD(unit, n, t)",
    "The time n units later.",
    lambda args: args[2].type.with_nullable(nullable(args)),
    _add,
    3,
)


def _diff(ctx: Lowering, e: Call) -> pl.Expr:
    unit = _constant(e.args[0], "the unit")
    a, b = (ctx.lower(x).cast(pl.Datetime("ms")) if x.type.kind is Kind.DATE else _local(ctx, x) for x in e.args[1:])
    if unit in _MILLIS:
        millis = b.dt.epoch("ms") - a.dt.epoch("ms")
        return _java_div(millis, pl.lit(_MILLIS[unit])).cast(pl.Int32)
    months = (b.dt.year() - a.dt.year()) * 12 + b.dt.month().cast(pl.Int32) - a.dt.month().cast(pl.Int32)
    rest_a, rest_b = (x.dt.epoch("ms") - x.dt.truncate("1mo").dt.epoch("ms") for x in (a, b))
    months = months - pl.when((months > 0) & (rest_b < rest_a)).then(1).when((months < 0) & (rest_b > rest_a)).then(
        -1
    ).otherwise(0)
    return _java_div(months, pl.lit({"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit])).cast(pl.Int32)


define("TIMESTAMPDIFF", "temporal", "TIMESTAMPDIFF(unit, a, b)", "Whole units from a to b.", fixed(INT), _diff, 3)


# JSON
def _json_path(path: str) -> list[str | int]:
    body = path.strip().removeprefix("lax").removeprefix("strict").strip()
    if not body.startswith("$"):
        raise ConfigError(f"a JSON path begins with $, not as '{path}'")
    steps = re.findall(r"\.([A-Za-z_]\w*)|\['([^']*)'\]|\[(\d+)\]", body[1:])
    if "".join(re.findall(r"\.[A-Za-z_]\w*|\['[^']*'\]|\[\d+\]", body[1:])) != body[1:]:
        raise ConfigError(f"the JSON path '{path}' is not supported")
    return [int(c) if c else (a or b) for a, b, c in steps]


_MISSING = object()


def _json_at(text: str, steps: list[str | int]) -> object:
    import msgspec

    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _MISSING
    for step in steps:
        if isinstance(step, str) and isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return _MISSING
    return value


def _json(kind: str) -> Callable[[Lowering, Call], pl.Expr]:
    def lower_(ctx: Lowering, e: Call) -> pl.Expr:
        steps = _json_path(_constant(e.args[1], "the JSON path"))

        def batch(s: pl.Series) -> pl.Series:
            found = [_MISSING if v is None else _json_at(v, steps) for v in s]
            if kind == "EXISTS":
                return pl.Series(
                    s.name,
                    [None if v is None else f is not _MISSING for v, f in zip(s, found, strict=True)],
                    dtype=pl.Boolean,
                )
            return pl.Series(s.name, [_shown(f, kind) for f in found], dtype=pl.String)

        return ctx.lower(e.args[0]).map_batches(batch, return_dtype=e.type.polars)

    return lower_


def _shown(value: object, kind: str) -> str | None:
    import msgspec

    if value is _MISSING or value is None:
        return None
    structured = isinstance(value, dict | list)
    if kind == "QUERY":
        return msgspec.json.encode(value).decode() if structured else None
    if structured:
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


define(
    "JSON_VALUE",
    "json",
    "JSON_VALUE(a, path)",
    "The scalar at a path, as text; NULL if there is none.",
    fixed(STRING, always=True),
    _json("VALUE"),
    2,
    2,
    _first_text,
)
define(
    "JSON_QUERY",
    "json",
    "JSON_QUERY(a, path)",
    "The object or array at a path, as text.",
    fixed(STRING, always=True),
    _json("QUERY"),
    2,
    2,
    _first_text,
)
define(
    "JSON_EXISTS",
    "json",
    "JSON_EXISTS(a, path)",
    "Whether there is something at a path.",
    fixed(BOOLEAN),
    _json("EXISTS"),
    2,
    2,
    _first_text,
)
define(
    "IS JSON",
    "json",
    "a IS JSON",
    "Whether a text is JSON.",
    lambda a: BOOLEAN.with_nullable(False),
    lambda ctx, e: ctx.lower(e.args[0]).map_batches(
        lambda s: pl.Series(s.name, [v is not None and _json_at(v, []) is not _MISSING for v in s], dtype=pl.Boolean),
        return_dtype=pl.Boolean,
    ),
    1,
    1,
    texts,
)


# collections
def _element(args: list[Expr]) -> DataType:
    return args[0].type.children[-1].with_nullable(True)


def _item(ctx: Lowering, e: Call) -> pl.Expr:
    x, key = values(ctx, e)
    if e.args[0].type.kind is Kind.MAP:
        return x.list.eval(
            pl.element().struct.field("value").filter(pl.element().struct.field("key") == pl.lit(e.args[1].value))
        ).list.first()  # type: ignore[attr-defined]
    return pl.when(key > 0).then(x.list.get(pl.when(key > 0).then(key - 1), null_on_oob=True))


define("ITEM", "collection", "a[i]", "The element number i from 1, or the value of a key.", _element, _item, 2)
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
    lambda args: args[0].type.children[args[0].type.names.index(args[1].value)],
    lambda ctx, e: ctx.lower(e.args[0]).struct.field(e.args[1].value),
    2,
)  # type: ignore[attr-defined]
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

AGGREGATES = ("COUNT", "SUM", "AVG", "MIN", "MAX")
_ALIASES = {"U-": "NEGATE", "POW": "POWER", "==": "=", "!=": "<>", "CONVERT": "CAST"}


def call(name: str, args: Sequence[Expr], location: Location | None = None) -> Expr:
    """
    Give the typed call of a function or operator.

    Raises:
        ConfigError: there is none of that name, or not for these arguments; points at the place.
    """
    key = name.upper()
    args = list(args)
    if key == "BETWEEN":
        return call("AND", [call(">=", args[:2], location), call("<=", [args[0], args[2]], location)], location)
    if key in "+-" and len(args) == 1:
        key = "NEGATE" if key == "-" else "POSITIVE"
    if key.startswith("IS NOT JSON"):
        return call("NOT", [call("IS JSON", args, location)], location)
    function = FUNCTIONS.get(_ALIASES.get(key, key))
    if function is None:
        raise ConfigError(f"there is no function '{name}'", hint=did_you_mean(name, scalar_names()), location=location)
    if not function.low <= len(args) <= function.high:
        raise ConfigError(f"{key} takes other arguments", hint=f"write {function.signature}", location=location)
    return _typed(function, args, location)


def _typed(function: Function, args: list[Expr], location: Location | None) -> Expr:
    shown = ", ".join(a.type.sql() for a in args)
    try:
        converted = function.convert(args) if function.convert else args
        result = function.result(converted)
    except (ValueError, IndexError) as error:
        message = f"{function.name} can't be used with ({shown}): {error}"
        raise ConfigError(message, hint=f"write {function.signature}", location=location) from None
    return Call(result, function.name if function.name != "%" or True else "%", tuple(converted), location)


def cast(arg: Expr, type: DataType, safe: bool, location: Location | None = None) -> Expr:  # noqa: A002, FBT001
    """
    Give a CAST, or a TRY_CAST if `safe`.

    Raises:
        ConfigError: there is no conversion between the types.
    """
    a, b = arg.type, type
    complex_ = bool(a.children) or bool(b.children)
    mismatch = {a.kind, b.kind} & {Kind.BOOLEAN} and {a.kind, b.kind} & {Kind.DATE, Kind.TIME, *TIMESTAMPS}
    numeric_time = (a.kind in NUMERIC and b.kind in (Kind.DATE, Kind.TIME, *TIMESTAMPS)) or (
        b.kind in NUMERIC and a.kind in (Kind.DATE, Kind.TIME, *TIMESTAMPS)
    )
    if a.kind is not Kind.NULL and (
        mismatch or numeric_time or (complex_ and a.kind is not b.kind and b.kind not in STRINGS)
    ):
        raise ConfigError(f"{a.sql()} can't be cast to {b.sql()}", location=location)
    return Cast(type.with_nullable(a.nullable or safe), arg, safe, location)


def is_aggregate(name: str) -> bool:
    """Tell whether a function is an aggregate."""
    return name.upper() in AGGREGATES


def aggregate(name: str, arg: DataType | None, distinct: bool, location: Location | None = None) -> DataType:  # noqa: FBT001
    """
    Give the result type of an aggregate.

    Raises:
        ConfigError: it does not take such an argument.
    """
    name = name.upper()
    if name == "COUNT":
        return BIGINT.with_nullable(False)
    if arg is None:
        raise ConfigError(f"{name} needs an argument", location=location)
    if name in ("SUM", "AVG"):
        if arg.kind is Kind.DECIMAL:
            return decimal(38, arg.scale if name == "SUM" else max(6, arg.scale))
        if arg.kind not in NUMERIC:
            raise ConfigError(f"{name} of {arg.sql()} is not defined", hint="it takes numbers", location=location)
    return arg.with_nullable(True)


def functions() -> tuple[Function, ...]:
    """Give all entries."""
    return tuple(FUNCTIONS.values())


def scalar_names() -> tuple[str, ...]:
    """Give the names of all scalar functions."""
    return tuple(n for n in FUNCTIONS if n[0].isalpha() and " " not in n)
