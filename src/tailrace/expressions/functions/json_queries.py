"""
JSON_VALUE, JSON_QUERY, JSON_EXISTS and IS JSON: what stands in a JSON text.

Their clauses are arguments behind the text and the path: constants, in the order of `VALUE_CLAUSES` and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace.errors import UnsupportedError
from tailrace.expressions.batches import by_value, by_value_or_fail
from tailrace.expressions.json import NotJsonError, Path, PathError, compiled, read, write
from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import TEXT, Context, LowerCall, define, fixed, never_null, takes, to
from tailrace.schema import BOOLEAN, STRING, DataType, Kind

VALUE_CLAUSES = ("returning", "on empty", "default on empty", "on error", "default on error")
QUERY_CLAUSES = ("returning", "wrapper", "on empty", "on error")
EXISTS_CLAUSES = ("on error",)

_EXACT = {Kind.BOOLEAN: bool, Kind.INT: int, Kind.DOUBLE: Decimal}
"""The types that RETURNING takes beside texts, and what a value must be."""
_NOTHING = object()
_EMPTY = {"EMPTY ARRAY": [], "EMPTY OBJECT": {}, "TRUE": True, "FALSE": False}


class _RowError(ValueError):
    """A row fails, since a clause says so, or by its path."""


_Find = Callable[[str, Path], Any]


def _clauses(e: Call) -> list[Any]:
    return [a.value if isinstance(a, Literal) else None for a in e.args[2:]]


def _lowered(ctx: Context, e: Call, find: _Find) -> pl.Expr:
    """Call `find` for each text and path; a row for which it raises ValueError fails."""
    text, path = e.args[:2]
    fixed_path = compiled(str(path.value)) if isinstance(path, Literal) and path.value is not None else None
    if fixed_path is None:
        message = "the path is not supported, or the clauses let it fail"
        return by_value_or_fail(
            ctx, e, lambda given, way: find(given, _path(way)), ctx.lower(text), ctx.lower(path), message=message
        )

    def found(given: str) -> Any:
        return find(given, fixed_path)

    if "ERROR" not in _clauses(e) and (e.function == "JSON_EXISTS" or e.type.kind not in _EXACT):
        return by_value(found, e.type.polars, ctx.lower(text))
    return by_value_or_fail(ctx, e, found, ctx.lower(text), message="the clauses let it fail")


def _path(text: str) -> Path:
    """Give the path of a row; one that can't be searched here is its failure."""
    try:
        return compiled(text)
    except UnsupportedError as error:
        raise _RowError(error.message) from None


def _value(ctx: Context, e: Call) -> pl.Expr:
    _, on_empty, empty, on_error, default = _clauses(e) or (None, "NULL", None, "NULL", None)

    def find(text: str, path: Path) -> Any:
        try:
            found = _scalar(path, text)
        except PathError as error:
            return default if on_error == "DEFAULT" else _otherwise(on_error, str(error))
        if found is None:
            return empty if on_empty == "DEFAULT" else _otherwise(on_empty, "there is no value at the path")
        return _returned(found, e.type)

    return _lowered(ctx, e, find)


def _scalar(path: Path, text: str) -> Any:
    """Give the scalar at a path; None for a lax one that leads to something else."""
    found = path.find(text)
    if not isinstance(found, dict | list):
        return found
    if path.lax:
        return None
    raise PathError("the path leads to an object or array")


def _otherwise(word: str, reason: str) -> Any:
    """Give what a clause says in place of a value."""
    if word == "ERROR":
        raise _RowError(reason)
    return _EMPTY.get(word)


def _returned(found: Any, target: DataType) -> Any:
    if target.kind is Kind.VARCHAR:
        return ("true" if found else "false") if isinstance(found, bool) else str(found)
    fits = type(found) is _EXACT[target.kind]
    if not fits or (target.kind is Kind.INT and not -(2**31) <= found < 2**31):
        raise _RowError(f"{write(found)} is no {target.with_nullable(True).sql()}")
    return float(found) if target.kind is Kind.DOUBLE else found


def _query(ctx: Context, e: Call) -> pl.Expr:
    _, wrapper, on_empty, on_error = _clauses(e) or (None, "WITHOUT", "NULL", "NULL")
    listed = e.type.kind is Kind.ARRAY

    def find(text: str, path: Path) -> Any:
        try:
            found = _container(path, text, wrapper, listed=listed)
            if found is None:
                found = _otherwise(on_empty, "there is nothing at the path")
        except PathError as error:
            found = _otherwise(on_error, str(error))
        return None if found is None else _texts(found) if listed else write(found)

    return _lowered(ctx, e, find)


def _container(path: Path, text: str, wrapper: str, *, listed: bool) -> Any:
    """Give the object or array at a path, wrapped as it says; None for a lax one that leads to a scalar."""
    found = path.find(text)
    if found is not None and (wrapper == "WITH" or (wrapper == "CONDITIONAL" and not isinstance(found, list))):
        found = [found]
    if listed and isinstance(found, dict):
        raise PathError("the path leads to an object, not to an array")
    if isinstance(found, dict | list):
        return found
    if path.lax:
        return None
    raise PathError("the path leads to a scalar")


def _texts(found: list[Any]) -> list[str | None]:
    return [None if x is None else x if isinstance(x, str) else write(x) for x in found]


def _exists(ctx: Context, e: Call) -> pl.Expr:
    (on_error,) = _clauses(e) or ("FALSE",)

    def find(text: str, path: Path) -> Any:
        try:
            return path.find(text) is not None
        except PathError as error:
            return _otherwise(on_error, str(error))

    return _lowered(ctx, e, find)


def _returning(args: list[Expr]) -> DataType:
    return (args[2].type if len(args) > 2 else STRING).with_nullable(True)


def _convert(args: list[Expr]) -> list[Expr]:
    """Cast the text and the path; the clauses stay."""
    return [*takes(TEXT)(args[:2]), *args[2:]]


def _convert_variant(args: list[Expr]) -> list[Expr]:
    """Do the same for what may be a VARIANT too."""
    return _convert([to(args[0], STRING) if args[0].type.kind is Kind.VARIANT else args[0], *args[1:]])


_DOC = "A strict path (the default) that finds nothing is an error, a lax one is empty."
define(
    "JSON_VALUE",
    "json",
    "JSON_VALUE(a, path [RETURNING t] [{NULL | ERROR | DEFAULT x} ON EMPTY] [{NULL | ERROR | DEFAULT x} ON ERROR])",
    f"The scalar at a path as STRING, BOOLEAN, INT or DOUBLE; NULL if there is none. {_DOC}",
    _returning,
    _value,
    2,
    2 + len(VALUE_CLAUSES),
    convert=_convert_variant,
)
define(
    "JSON_QUERY",
    "json",
    "JSON_QUERY(a, path [RETURNING t] [{WITHOUT | WITH [CONDITIONAL]} [ARRAY] WRAPPER] "
    "[{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] [... ON ERROR])",
    f"The object or array at a path as text, or as ARRAY<STRING>; NULL if there is none. {_DOC}",
    _returning,
    _query,
    2,
    2 + len(QUERY_CLAUSES),
    convert=_convert_variant,
)
define(
    "JSON_EXISTS",
    "json",
    "JSON_EXISTS(a, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
    f"Whether there is something other than null at a path; FALSE on an error. {_DOC}",
    fixed(BOOLEAN, always=True),
    _exists,
    2,
    2 + len(EXISTS_CLAUSES),
    convert=_convert,
)


def _is(*kinds: type) -> LowerCall:
    def check(text: str | None) -> bool:
        try:
            found = read(text) if text is not None else _NOTHING
        except NotJsonError:
            return False
        return found is not _NOTHING and isinstance(found, kinds)

    return lambda ctx, e: by_value(check, pl.Boolean, ctx.lower(e.args[0]), nulls=True)


for _word, _lower, _meant in (
    ("", _is(object), "JSON"),
    (" VALUE", _is(object), "JSON"),
    (" OBJECT", _is(dict), "a JSON object"),
    (" ARRAY", _is(list), "a JSON array"),
    (" SCALAR", _is(str, int, Decimal, type(None)), "a JSON scalar"),
):
    define(
        f"IS JSON{_word}",
        "json",
        f"a IS [NOT] JSON{_word}",
        f"Whether a text is {_meant}; FALSE for NULL.",
        never_null(BOOLEAN),
        _lower,
        1,
        convert=takes(TEXT),
    )
