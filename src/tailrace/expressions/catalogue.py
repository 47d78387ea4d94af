"""
The catalogue of scalar and aggregate functions: from a name and typed arguments to a typed call.

Each entry has its signature, result type, lowering and doc line; the page of functions comes from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.expressions.absent import ABSENT
from tailrace.expressions.casts import can_cast
from tailrace.expressions.foreign import instead_of
from tailrace.expressions.functions import FUNCTIONS
from tailrace.expressions.nodes import Call, Cast, Expr
from tailrace.expressions.registry import Function, WrongTypesError
from tailrace.expressions.types import common_type
from tailrace.schema import DataType, Kind

__all__ = ["call", "cast", "common_type", "functions", "scalar_names"]


_ALIASES = {"U-": "NEGATE", "POW": "POWER", "==": "=", "!=": "<>", "CONVERT": "CAST", "TRANSLATE3": "TRANSLATE"}


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
    if key == "OVERLAPS" and len(args) == 2:
        args = [field for row in args for field in row.children]
    if key.startswith("IS NOT JSON"):
        return call("NOT", [call(key.replace(" NOT", ""), args, location)], location)
    function = FUNCTIONS.get(_ALIASES.get(key, key))
    if function is None:
        hint = ABSENT.get(key) or instead_of(name) or did_you_mean(name, scalar_names())
        raise ConfigError(f"there is no function '{name}'", hint=hint, location=location)
    if not function.low <= len(args) <= function.high:
        raise ConfigError(f"{key} takes other arguments", hint=f"write {function.signature}", location=location)
    return _typed(function, args, location)


def _typed(function: Function, args: list[Expr], location: Location | None) -> Expr:
    shown = ", ".join(a.type.sql() for a in args)
    try:
        converted = function.convert(args) if function.convert else args
        result = function.result(converted)
    except WrongTypesError as error:
        raise ConfigError(error.message, hint=error.hint, location=location) from None
    except (ValueError, IndexError) as error:
        message = f"{function.name} can't be used with ({shown}): {error}"
        raise ConfigError(message, hint=f"write {function.signature}", location=location) from None
    return Call(result, function.name, tuple(converted), location)


def cast(arg: Expr, type: DataType, safe: bool, location: Location | None = None) -> Expr:  # noqa: A002 - as in SQL
    """
    Give a CAST, or a TRY_CAST if `safe`.

    Raises:
        ConfigError: there is no conversion between the types.
    """
    if type.kind is Kind.TIME:
        type = replace(type, precision=0)  # noqa: A001 - as above; Flink's TIME has no fraction
    if not can_cast(arg.type, type):
        raise ConfigError(f"{arg.type.sql()} can't be cast to {type.sql()}", location=location)
    return Cast(type.with_nullable(arg.type.nullable or safe), arg, safe, location)


def functions() -> tuple[Function, ...]:
    """Give all entries."""
    return tuple(FUNCTIONS.values())


def scalar_names() -> tuple[str, ...]:
    """Give the names of all scalar functions."""
    return tuple(n for n in FUNCTIONS if n[0].isalpha() and " " not in n)
