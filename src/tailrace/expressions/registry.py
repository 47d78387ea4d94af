"""The entries of the catalogue, and what their definitions share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from tailrace.errors import ConfigError, Location
from tailrace.expressions.nodes import Call, Cast, Expr, Literal
from tailrace.expressions.types import NUMERIC, common_type
from tailrace.schema import BINARIES, BYTES, DOUBLE, INT, INTEGERS, MAX_LENGTH, STRING, STRINGS, DataType, Kind, varchar

TEXT, BINARY, WHOLE, NUMBER, ANY = STRINGS, BINARIES, INTEGERS, NUMERIC, tuple(Kind)
NESTED = (Kind.ARRAY, Kind.MAP, Kind.ROW)
UNORDERED = (*NESTED, Kind.VARIANT)
_MEANT = {TEXT: (STRING, "a text"), BINARY: (BYTES, "bytes"), WHOLE: (INT, "a whole number"), NUMBER: (INT, "a number")}


class Context(Protocol):
    """What the lowering of a call may ask for."""

    timezone: str

    def lower(self, e: Expr) -> pl.Expr:
        """Lower an argument."""

    def under(self, condition: pl.Expr, expr: Expr) -> pl.Expr:
        """Lower an argument that is evaluated only where the condition is true."""

    def check(self, mask: pl.Expr, message: str, location: Location | None, operand: pl.Expr | None = None) -> None:
        """Let rows fail where the mask is true."""


Result = Callable[[list[Expr]], DataType]
LowerCall = Callable[[Context, Call], pl.Expr]
Convert = Callable[[list[Expr]], list[Expr]]


@dataclass(frozen=True, slots=True)
class Function:
    """One entry: its name, its signature in words, what it is for, its result type and its lowering."""

    name: str
    signature: str
    doc: str
    family: str
    result: Callable[[list[Expr]], DataType]
    lower: Callable[[Context, Call], pl.Expr]
    low: int
    high: int
    convert: Callable[[list[Expr]], list[Expr]] | None = None


class WrongTypesError(ValueError):
    """Arguments are of types for which there is no call; with a word on what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


FUNCTIONS: dict[str, Function] = {}
"""All scalar functions and operators by name; the modules of `functions` fill it."""


def nullable(args: Sequence[Expr]) -> bool:
    """Tell whether one of the arguments may be NULL."""
    return any(a.type.nullable for a in args)


def fixed(t: DataType, *, always: bool = False) -> Result:
    """Give this type, nullable if an argument is (or `always`)."""
    return lambda args: t.with_nullable(always or nullable(args))


def never_null(t: DataType) -> Result:
    """Give this type without NULL."""
    return lambda _: t.with_nullable(False)


def values(ctx: Context, e: Call) -> list[pl.Expr]:
    """Lower all arguments."""
    return [ctx.lower(a) for a in e.args]


def define(
    name: str,
    family: str,
    signature: str,
    doc: str,
    result: Result,
    lower: LowerCall,
    low: int,
    high: int | None = None,
    convert: Convert | None = None,
) -> None:
    """Add an entry that takes `low` up to `high` arguments; `convert` puts implicit casts around them."""
    FUNCTIONS[name] = Function(name, signature, doc, family, result, lower, low, low if high is None else high, convert)


def simple(f: Callable[..., pl.Expr]) -> LowerCall:
    """Make a lowering of a function of Polars expressions."""
    return lambda ctx, e: f(*values(ctx, e))


def texts(args: list[Expr]) -> list[Expr]:
    """Cast all arguments to texts."""
    return [a if a.type.kind in STRINGS else Cast(STRING.with_nullable(a.type.nullable), a) for a in args]


def doubles(args: list[Expr]) -> list[Expr]:
    """Cast all arguments to DOUBLE."""
    return [to(a, DOUBLE) for a in args]


def to(a: Expr, t: DataType) -> Expr:
    """Cast one argument, if it is of another type."""
    return a if a.type.kind is t.kind and a.type.polars == t.polars else Cast(t.with_nullable(a.type.nullable), a)


def same(args: list[Expr]) -> DataType:
    """Give the type of the first argument."""
    return args[0].type


def merged(args: list[Expr]) -> DataType:
    """Give the common type of all arguments."""
    t = common_type([a.type for a in args])
    if t is None:
        raise ValueError(" and ".join(a.type.sql() for a in args) + " have no common type")
    return t


def to_merged(args: list[Expr]) -> list[Expr]:
    """Cast all arguments to their common type."""
    t = merged(args)
    return [to(a, t) for a in args]


def constant_value(e: Expr, default: int) -> int:
    """Give the number of an argument that must be one; `default` for another."""
    return e.value if isinstance(e, Literal) and isinstance(e.value, int) else default


def constant(e: Expr, what: str) -> str:
    """Give the text of an argument that must be one."""
    if not isinstance(e, Literal) or not isinstance(e.value, str):
        raise ConfigError(f"{what} must be a constant text")
    return e.value


def takes(*families: tuple[Kind, ...]) -> Convert:
    """Refuse arguments that are of other kinds; the last family is that of all further ones. NULLs get a type."""

    def convert(args: list[Expr]) -> list[Expr]:
        return [_of(a, families[min(i, len(families) - 1)]) for i, a in enumerate(args)]

    return convert


def _of(a: Expr, family: tuple[Kind, ...]) -> Expr:
    meant = [m for kinds, m in _MEANT.items() if set(kinds) <= set(family)] or [(STRING, "another type")]
    if a.type.kind is Kind.NULL and Kind.NULL not in family:
        return Cast(meant[0][0], a)
    if a.type.kind not in family:
        raise ValueError(f"expected {' or '.join(words for _, words in meant)}, not {a.type.sql()}")
    return a


def varying(*, always: bool = False) -> Result:
    """Give the type of the first argument, a text, with varying length."""
    return lambda args: varchar(args[0].type.length or MAX_LENGTH).with_nullable(always or nullable(args))


def first_text(args: list[Expr]) -> list[Expr]:
    """Cast the first argument to a text."""
    return [*texts(args[:1]), *args[1:]]
