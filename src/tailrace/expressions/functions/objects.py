"""OBJECT_OF and OBJECT_UPDATE: rows with named fields and the name of a class, which is no more than a name here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from tailrace.expressions.nodes import Call, Expr, Literal
from tailrace.expressions.registry import Context, define
from tailrace.schema import STRINGS, DataType, Kind

_CLASS = re.compile(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)*")
_MANY = 2001


def _text(arg: Expr, what: str) -> str:
    if not isinstance(arg, Literal) or arg.type.kind not in STRINGS or arg.value is None:
        raise ValueError(f"{what} must be a constant text")
    return str(arg.value)


def _fields(args: Sequence[Expr]) -> dict[str, Expr]:
    """Give the values by the names before them."""
    if len(args) % 2:
        raise ValueError("a field has a name and a value")
    names = [_text(a, "the name of a field") for a in args[::2]]
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise ValueError(f"the field '{twice}' is given twice")
    if any(a.type.kind is Kind.NULL for a in args[1::2]):
        raise ValueError("a NULL needs a type: write CAST(NULL AS …)")
    return dict(zip(names, args[1::2], strict=True))


def _object(args: list[Expr]) -> DataType:
    class_name = _text(args[0], "the name of the class")
    if not _CLASS.fullmatch(class_name):
        raise ValueError(f"'{class_name}' is no name of a class")
    fields = _fields(args[1:])
    return DataType(
        Kind.ROW, children=tuple(v.type for v in fields.values()), names=tuple(fields), class_name=class_name
    )


def _updated(args: list[Expr]) -> DataType:
    old = args[0].type
    if not old.class_name:
        raise ValueError(f"expected a value of OBJECT_OF, not {old.sql()}")
    fields = _fields(args[1:])
    unknown = next((n for n in fields if n not in old.names), None)
    if unknown is not None:
        raise ValueError(f"there is no field '{unknown}', only {', '.join(old.names)}")
    types = (fields[n].type if n in fields else t for n, t in zip(old.names, old.children, strict=True))
    return replace(old, children=tuple(types))


def _make(ctx: Context, e: Call) -> pl.Expr:
    return pl.struct([ctx.lower(v).alias(n) for n, v in _fields(e.args[1:]).items()])


def _update(ctx: Context, e: Call) -> pl.Expr:
    old, fields = ctx.lower(e.args[0]), _fields(e.args[1:])
    parts = [ctx.lower(fields[n]) if n in fields else old.struct.field(n) for n in e.type.names]
    new = pl.struct([p.alias(n) for n, p in zip(e.type.names, parts, strict=True)])
    return pl.when(old.is_not_null()).then(new)


define(
    "OBJECT_OF",
    "collection",
    "OBJECT_OF(class, name, a, ...)",
    "A row of these fields, of the type STRUCTURED; the class is a name that tells such types apart.",
    _object,
    _make,
    3,
    _MANY,
)
define(
    "OBJECT_UPDATE",
    "collection",
    "OBJECT_UPDATE(object, name, a, ...)",
    "A value of OBJECT_OF with other values for these fields.",
    _updated,
    _update,
    3,
    _MANY,
)
