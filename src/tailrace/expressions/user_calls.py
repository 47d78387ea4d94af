"""Calls of functions of the user: their arguments are checked, and cast where nothing is lost."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from tailrace.errors import ConfigError, Location
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Expr, UserCall
from tailrace.expressions.types import common_type
from tailrace.schema import BINARIES, FLOATS, INTEGERS, STRING, STRINGS, TIMESTAMPS, DataType, Kind, array
from tailrace.user_functions.known import Known, ParameterType

_ALIKE = (INTEGERS, FLOATS, STRINGS, BINARIES, TIMESTAMPS)


def user_call(known: Known, args: Sequence[Expr], location: Location | None) -> UserCall:
    """
    Give the call of a function of values; of a table function that of the array of its rows.

    Raises:
        ConfigError: it takes other arguments.
    """
    given, spared = arguments(known, args, location)
    result = array(known.result) if known.is_table else known.result
    made = result.with_nullable(
        result.nullable or any(s and a.type.nullable for s, a in zip(spared, given, strict=True))
    )
    return UserCall(made, known, tuple(given), spared, location)


def arguments(known: Known, args: Sequence[Expr], location: Location | None) -> tuple[list[Expr], tuple[bool, ...]]:
    """
    Give the arguments as the function takes them, and of each whether the function is spared NULL.

    Raises:
        ConfigError: there are too many or too few, or one is of a type that would lose something.
    """
    if len(args) < known.least or (args and known.parameter(len(args) - 1) is None):
        message = f"{known.name} takes other arguments than {len(args)}"
        raise ConfigError(message, hint=f"write {known.signature}", location=location)
    pairs = [(a, p) for i, a in enumerate(args) if (p := known.parameter(i)) is not None]
    given = [_converted(known, a, p, location) for a, p in pairs]
    return given, tuple(p.type is not None and not p.type.nullable for _, p in pairs)


def _converted(known: Known, arg: Expr, parameter: ParameterType, location: Location | None) -> Expr:
    wanted = parameter.type
    if wanted is None:
        return catalogue.cast(arg, STRING, safe=False) if arg.type.kind is Kind.NULL else arg
    if arg.type.kind is not Kind.NULL and parameter.hinted and _alike(arg.type) == _alike(wanted):
        return arg
    if _same(arg.type, wanted):
        return arg
    common = common_type([arg.type, wanted])
    if common is None or not _same(common, wanted):
        message = f"{known.name} takes {wanted.sql()} for '{parameter.name}', not {arg.type.sql()}"
        raise ConfigError(message, hint=f"CAST it; write {known.signature}", location=location)
    return catalogue.cast(arg, wanted.with_nullable(arg.type.nullable), safe=False, location=location)


def _same(a: DataType, b: DataType) -> bool:
    return (a.kind in STRINGS and b.kind in STRINGS) or (a.kind is b.kind and a.polars == b.polars)


def _alike(type_: DataType) -> Hashable:
    """Give what is equal for types that Python has the same values for."""
    family = next((kinds for kinds in _ALIKE if type_.kind in kinds), type_.kind)
    return family, tuple(_alike(c) for c in type_.children), type_.names
