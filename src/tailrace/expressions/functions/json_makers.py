"""JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON, JSON_QUOTE and JSON_UNQUOTE: JSON texts out of values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from tailrace.expressions.batches import by_value, by_value_or_fail
from tailrace.expressions.json import NotJsonError, read, write
from tailrace.expressions.json.column import braced, bracketed, member, quoted, refuse, written
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import (
    TEXT,
    Context,
    WrongTypesError,
    define,
    fixed,
    never_null,
    takes,
    values,
)
from tailrace.schema import STRING, STRINGS, varchar

RAW = ("JSON_OBJECT", "JSON_ARRAY", "JSON")
"""Functions whose results are not quoted again inside of JSON_OBJECT and JSON_ARRAY."""
OBJECT_ENTRIES, ARRAY_ITEMS = "OBJECT OF ENTRIES", "ARRAY OF ITEMS"
"""What JSON_OBJECTAGG and JSON_ARRAYAGG make of their collected values."""

NULLS, ABSENT = "NULL ON NULL", "ABSENT ON NULL"
_VALUE = "VALUE OF JSON"
_NULL = "null"


def text_of(value: Expr) -> Expr:
    """
    Give the text of a value inside of JSON: that of another JSON function as it is.

    Raises:
        WrongTypesError: there is none for its type.
    """
    if isinstance(value, Call) and value.function in RAW:
        return value
    try:
        refuse(value.type)
    except ValueError as error:
        raise WrongTypesError(str(error), "CAST it to STRING") from None
    return Call(STRING.with_nullable(value.type.nullable), _VALUE, (value,))


def _items(args: list[Expr]) -> list[Expr]:
    return [text_of(a) for a in args[:-1]] + args[-1:]


def _members(args: list[Expr]) -> list[Expr]:
    """Check keys, and write values; of the same constant key the last one counts."""
    pairs = list(zip(args[:-1:2], args[1:-1:2], strict=True))
    for key, _ in pairs:
        if key.type.kind not in STRINGS or key.type.nullable:
            message = f"a key of JSON_OBJECT must be a text that is NOT NULL, not {key.type.sql()}"
            raise WrongTypesError(message, "write JSON_OBJECT(KEY 'name' VALUE x)")
    return [e for key, value in pairs for e in (key, text_of(value))] + args[-1:]


def _absent(e: Call) -> bool:
    last = e.args[-1]
    return isinstance(last, Literal) and last.value == ABSENT


def _array(ctx: Context, e: Call) -> pl.Expr:
    texts = [ctx.lower(a) for a in e.args[:-1]]
    return bracketed(texts if _absent(e) else [t.fill_null(_NULL) for t in texts])


def _object(ctx: Context, e: Call) -> pl.Expr:
    keys, texts = e.args[:-1:2], [ctx.lower(a) for a in e.args[1:-1:2]]
    if all(isinstance(k, Literal) for k in keys):
        by_name = {str(k.value): t for k, t in zip(keys, texts, strict=True) if isinstance(k, Literal)}
        return braced([member(name, by_name[name], absent=_absent(e)) for name in sorted(by_name)])
    return _object_of_any(ctx, e, keys, texts)


def _object_of_any(ctx: Context, e: Call, keys: Sequence[Expr], texts: list[pl.Expr]) -> pl.Expr:
    """Write an object with keys that differ from row to row: they are sorted in each."""
    absent = _absent(e)

    def write_one(*given: str | None) -> str:
        pairs = dict(zip(given[::2], given[1::2], strict=True))
        found = sorted((str(k), v) for k, v in pairs.items() if not (absent and v is None))
        return "{" + ",".join(f"{write(k)}:{v if v is not None else _NULL}" for k, v in found) + "}"

    operands = [x for key, text in zip(keys, texts, strict=True) for x in (ctx.lower(key), text)]
    return by_value(write_one, pl.String, *operands, nulls=True)


def _entries(ctx: Context, e: Call) -> pl.Expr:
    """Write an object of an array of rows (key, text); a key that comes twice or is NULL fails."""
    entries = ctx.lower(e.args[0])
    key, text = (pl.element().struct.field(f) for f in e.args[0].type.children[0].names)
    keys = entries.list.eval(key)
    wrong = (keys.list.n_unique() != keys.list.len()) | (keys.list.drop_nulls().list.len() != keys.list.len())
    ctx.check(wrong, "JSON_OBJECTAGG: a key comes twice, or is NULL", e.location)
    shown = text if _absent(e) else text.fill_null(_NULL)
    members = entries.list.eval(pl.concat_str([quoted(key), pl.lit(":"), shown]).sort_by(key))
    return pl.concat_str([pl.lit("{"), members.list.drop_nulls().list.join(","), pl.lit("}")])


def _listed(ctx: Context, e: Call) -> pl.Expr:
    texts = ctx.lower(e.args[0])
    shown = texts.list.drop_nulls() if _absent(e) else texts.list.eval(pl.element().fill_null(_NULL))
    return pl.concat_str([pl.lit("["), shown.list.join(","), pl.lit("]")])


def _one(args: list[Expr]) -> list[Expr]:
    return [text_of(args[0])]


def _rewritten(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return write(read(text.strip()))
    except NotJsonError:
        raise ValueError(f"'{text}' is no JSON") from None


_QUOTED = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
_HALF = re.compile("[\ud800-\udfff]")
_MEANT = {v[1]: k for k, v in _QUOTED.items()}


def _quote(text: str) -> str:
    return '"' + "".join(_QUOTED.get(c) or (c if c < "\x80" else _code(c)) for c in text) + '"'


def _code(character: str) -> str:
    """Write a character as its code; Flink writes one beyond 16 bits whole, and the second half behind it."""
    code = ord(character)
    return f"\\u{code:04x}" + (f"\\u{0xDC00 + (code & 0x3FF):04x}" if code > 0xFFFF else "")


def _unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        read(text)
    except NotJsonError:
        return text
    inside = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _MEANT.get(m[2], m[0]), text[1:-1])
    return _HALF.sub("?", inside.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


define(
    _VALUE,
    "internal",
    "",
    "",
    fixed(STRING),
    lambda ctx, e: written(ctx.lower(e.args[0]), e.args[0].type),
    1,
)
define(ARRAY_ITEMS, "internal", "", "", never_null(varchar(2000)), _listed, 2)
define(OBJECT_ENTRIES, "internal", "", "", never_null(varchar(2000)), _entries, 2)
define(
    "JSON_STRING",
    "json",
    "JSON_STRING(a)",
    "A value written as JSON; keys of rows and maps are sorted.",
    fixed(STRING),
    lambda ctx, e: ctx.lower(e.args[0]),
    1,
    convert=_one,
)
define(
    "JSON_OBJECT",
    "json",
    "JSON_OBJECT([KEY] key VALUE a, ... [{NULL | ABSENT} ON NULL])",
    "An object of these members, sorted by key; a NULL is written as null unless it is to be absent.",
    never_null(STRING),
    _object,
    1,
    1000,
    convert=_members,
)
define(
    "JSON_ARRAY",
    "json",
    "JSON_ARRAY(a, ... [{NULL | ABSENT} ON NULL])",
    "An array of these values; a NULL is left out unless it is to be written as null.",
    never_null(STRING),
    _array,
    1,
    1000,
    convert=_items,
)
define(
    "JSON",
    "json",
    "JSON(a)",
    "A JSON text as a value of JSON_OBJECT or JSON_ARRAY, not quoted again; a text that is none fails.",
    fixed(STRING, always=True),
    lambda ctx, e: by_value_or_fail(ctx, e, _rewritten, *values(ctx, e)),
    1,
    convert=takes(TEXT),
)
define(
    "JSON_QUOTE",
    "json",
    "JSON_QUOTE(a)",
    "A text in double quotes, with what JSON can't hold, `/` and other characters than ASCII escaped.",
    fixed(STRING),
    lambda ctx, e: by_value(_quote, pl.String, *values(ctx, e)),
    1,
    convert=takes(TEXT),
)
define(
    "JSON_UNQUOTE",
    "json",
    "JSON_UNQUOTE(a)",
    "A JSON text in double quotes without them and its escapes; any other text as it is.",
    fixed(STRING),
    lambda ctx, e: by_value(_unquote, pl.String, *values(ctx, e)),
    1,
    convert=takes(TEXT),
)
