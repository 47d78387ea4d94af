"""Types of parameters and results, from hints of Python or as they were given."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace import options
from tailrace.errors import ConfigError, Location
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTERVAL_SECOND,
    STRING,
    DataType,
    array,
    decimal,
    map_type,
    row,
    time_type,
    timestamp,
)

TypeText = str | DataType | type | Sequence[Any] | Mapping[str, Any]
"""A type as a declaration may have it: SQL's word, a type, Python's type, or of rows a list or mapping of such."""

_PLAIN: dict[Any, DataType] = {
    bool: BOOLEAN,
    int: BIGINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    Decimal: decimal(38, 18),
    date: DATE,
    time: time_type(0),
    datetime: timestamp(6),
    timedelta: INTERVAL_SECOND,
}
_WHOLE_COLUMNS = (pl.Series, Any, object)
_ROWS = ("Iterator", "Iterable", "Generator", "list", "Sequence", "AsyncIterator")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its type as given (None: any), whether it may be left out, and whether a Python type said it."""

    name: str
    type: TypeText | None = None
    optional: bool = False
    hinted: bool = False


def seconds(given: str | float | None, place: Location, name: str = "timeout") -> float | None:
    """
    Read a length of time, as a time-out.

    >>> seconds("500 ms", Location("a.py", 1, 1)), seconds(2, Location("a.py", 1, 1))
    (0.5, 2.0)

    Raises:
        ConfigError: it is no length of time, or not above zero.
    """
    if given is None:
        return None
    try:
        found = float(options.duration(given)) / 1000 if isinstance(given, str) else float(given)
    except ValueError as error:
        raise ConfigError(f"{name}={given!r}: {error}", location=place) from None
    if found <= 0:
        raise ConfigError(f"{name}={given!r} must be more than zero", location=place)
    return found


def python_type(hint: Any) -> DataType | None:
    """
    Give the type of a Python type; None if it has none.

    >>> str(python_type(list[int | None])), str(python_type(dict[str, float]))
    ('ARRAY<BIGINT> NOT NULL', 'MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL')
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kept = [a for a in args if a is not type(None)]
        found = python_type(kept[0]) if len(kept) == 1 else None
        return found.with_nullable(True) if found is not None else None
    if hint in _PLAIN:
        return _PLAIN[hint].with_nullable(False)
    if inspect.isclass(hint) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return _of_named(hint)
    inner = [python_type(a) for a in args if a is not Ellipsis]
    known = [t for t in inner if t is not None]
    if origin is None or not known or len(known) < len(inner):
        return None
    return _nested(origin, known)


def _nested(origin: Any, inner: list[DataType]) -> DataType | None:
    if origin is dict:
        return map_type(*inner).with_nullable(False)
    if origin is tuple:
        return row({f"f{i}": t for i, t in enumerate(inner)}).with_nullable(False)
    return array(inner[0]).with_nullable(False) if origin is list else None


def _of_named(named: Any) -> DataType | None:
    found = {name: python_type(hint) for name, hint in typing.get_type_hints(named).items()}
    fields = {name: t for name, t in found.items() if t is not None}
    return row(fields).with_nullable(False) if len(fields) == len(found) else None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the signature of the function declared at `place`, which is called `by_row` or with whole columns."""

    place: Location
    by_row: bool

    def parameters(
        self, function: Callable[..., Any], given: Sequence[TypeText] | None, *, leave_out: int
    ) -> tuple[tuple[Parameter, ...], Parameter | None]:
        """
        Give the parameters behind the first ones, and that of `*args`.

        Raises:
            ConfigError: a hint is no type, the types given are too many or too few, or it takes arguments by name only.
        """
        hints, signature = self.hints_of(function), inspect.signature(function)
        found: list[Parameter] = []
        variadic = None
        for p in list(signature.parameters.values())[leave_out:]:
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty:
                message = f"the parameter '{p.name}' can be given by name only, but SQL gives arguments by place"
                raise ConfigError(message, hint="write it before the *", location=self.place)
            made = self._parameter(p, hints.get(p.name))
            if p.kind is p.VAR_POSITIONAL:
                variadic = made
            elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                found.append(made)
        return self._with_types(found, variadic, given), variadic

    def _with_types(
        self, found: list[Parameter], variadic: Parameter | None, given: Sequence[TypeText] | None
    ) -> tuple[Parameter, ...]:
        if given is None:
            return tuple(found)
        if isinstance(given, str) or (len(given) > len(found) and variadic is None) or len(given) < len(found):
            message = f"input_types has {len(given)} types for {len(found)} parameters"
            raise ConfigError(message, hint="write a list with one type for each", location=self.place)
        own = tuple(Parameter(p.name, self.given(t), p.optional) for p, t in zip(found, given, strict=False))
        return own + tuple(Parameter(f"arg{i}", self.given(t)) for i, t in enumerate(given[len(own) :], len(own)))

    def result(self, function: Callable[..., Any], given: TypeText | None, *, rows: bool) -> TypeText:
        """
        Give the type of the result, or with `rows` of one row of it.

        Raises:
            ConfigError: it is neither given nor hinted.
        """
        if given is not None:
            return self.given(given)
        hint = self.hints_of(function).get("return")
        if rows and hint is not None and not self._annotated(hint):
            origin = typing.get_origin(hint)
            name = getattr(origin, "__name__", "")
            hint = typing.get_args(hint)[0] if name in _ROWS and typing.get_args(hint) else hint
        found = self.type_of(hint, "the result")
        if found is None:
            example = 'result_type="BIGINT"'
            message = f"the type of the result of {function.__qualname__} is not known"
            hinted = f"write it as {example}" + (" or as a hint, -> int" if self.by_row else "")
            raise ConfigError(message, hint=hinted, location=self.place)
        return found

    def given(self, given: TypeText) -> TypeText:
        """Take a type that was given: Python's types become ours, texts stay for the reader of SQL."""
        if isinstance(given, str | DataType):
            return given
        if isinstance(given, Mapping):
            return {str(name): self.given(t) for name, t in given.items()}
        if isinstance(given, list | tuple):
            return {f"f{i}": self.given(t) for i, t in enumerate(given)}
        found = python_type(given)
        if found is None:
            hint = 'write SQL\'s word for it, as "BIGINT" or "DECIMAL(10, 2)"'
            raise ConfigError(f"{given!r} is no type", hint=hint, location=self.place)
        return found.with_nullable(True)

    def _parameter(self, p: inspect.Parameter, hint: Any) -> Parameter:
        optional = p.default is not p.empty
        found = self.type_of(hint, f"the parameter '{p.name}'")
        return Parameter(p.name, found, optional, hinted=isinstance(found, DataType) and not self._annotated(hint))

    def hints_of(self, function: Callable[..., Any]) -> dict[str, Any]:
        """
        Give the hints of a function or class.

        Raises:
            ConfigError: one names what can't be found.
        """
        try:
            return typing.get_type_hints(function, include_extras=True)
        except (NameError, TypeError, AttributeError) as error:
            hint = "import what the hint names, also at run time, or give input_types and result_type"
            raise ConfigError(f"the hints can't be read: {error}", hint=hint, location=self.place) from None

    @staticmethod
    def _annotated(hint: Any) -> Iterable[Any]:
        """Give what `Annotated[...]` says beside the hint."""
        return [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, str | DataType)]

    def type_of(self, hint: Any, what: str) -> TypeText | None:
        """
        Give the type that a hint stands for; None for any.

        Raises:
            ConfigError: it stands for none, or for a single value where there are whole columns.
        """
        for said in self._annotated(hint):
            return self.given(said)
        if hint is None or hint in _WHOLE_COLUMNS:
            return None
        found = python_type(hint)
        if found is None and self.by_row:
            shown = getattr(hint, "__name__", str(hint))
            known = ", ".join(t.__name__ for t in _PLAIN)
            more = (
                f"hints with a type are {known}, list[...], dict[...], tuple[...]; or give input_types and result_type"
            )
            raise ConfigError(f"the hint {shown} of {what} has no type in SQL", hint=more, location=self.place)
        if found is not None and not self.by_row:
            message = f"the hint of {what} is a single value, but the function is called with whole columns"
            more = "write pl.Series, or scalar=True for a function that is called with the values of one row"
            raise ConfigError(message, hint=more, location=self.place)
        return found if self.by_row else None
