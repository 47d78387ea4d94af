"""
The decorators: `udf` for functions of values, `udtf` for functions that give rows, `udaf` for aggregates.

A declaration keeps types as they were written; whoever knows SQL's words for types reads them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, ParamSpec, TypeVar, overload

from tailrace.errors import ConfigError, Location
from tailrace.user_functions import hints
from tailrace.user_functions.hints import Parameter, TypeText

P = ParamSpec("P")
R = TypeVar("R")


class Form(Enum):
    """What one call of a function takes: whole columns, one row, or one row to wait for."""

    VECTORISED = "vectorised"
    SCALAR = "scalar"
    ASYNC = "async"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a call may take (None: any), and how many calls of an async function may wait at a time."""

    timeout: float | None = None
    concurrency: int = 100


@dataclass(frozen=True, eq=False)
class Declaration(Generic[P, R]):
    """What all declared functions have; calling one calls the Python function, as in a test of its own."""

    target: Callable[P, R]
    form: Form
    parameters: tuple[Parameter, ...]
    variadic: Parameter | None
    result: TypeText
    deterministic: bool
    arrow: bool
    limits: Limits
    place: Location

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the Python function."""
        return self.target(*args, **kwargs)

    def __deepcopy__(self, memo: object) -> Declaration[P, R]:
        return self  # it never changes, and syntax trees refer to it

    @property
    def __name__(self) -> str:
        return self.target.__name__


@dataclass(frozen=True, eq=False)
class UserFunction(Declaration[P, R]):
    """A function that gives a value for each row."""


@dataclass(frozen=True, eq=False)
class UserTableFunction(Declaration[P, R]):
    """A function that gives any number of rows for each row."""


@dataclass(frozen=True, eq=False)
class UserAggregate(Declaration[P, R]):
    """A class whose objects aggregate rows; calling it makes an object."""


@overload
def udf(function: Callable[P, R], /) -> UserFunction[P, R]: ...


@overload
def udf(
    *,
    result_type: TypeText | None = None,
    input_types: Sequence[TypeText] | None = None,
    scalar: bool = False,
    arrow: bool = False,
    deterministic: bool = True,
    timeout: str | float | None = None,
    concurrency: int = 100,
) -> Callable[[Callable[P, R]], UserFunction[P, R]]: ...


def udf(function: Callable[P, R] | None = None, /, **options: Any) -> Any:
    """
    Declare a function of values.

    It is called with a Polars Series for each argument and gives one of the same length; with `scalar` it is called with
    the values of one row at a time, with `arrow` with Arrow arrays. An `async` function is called for each row, up to
    `concurrency` rows at a time; the results keep the order of the rows.

    Types come from hints, or are given: as SQL texts, as types of `tailrace.schema`, or as Python types. A function that is not
    `deterministic` gives other results for equal arguments. `timeout` is how long one call may take, as "5s" or in seconds.

    >>> @udf(scalar=True)
    ... def plus_one(x: int) -> int:
    ...     return x + 1
    >>> plus_one(1)
    2

    Raises:
        ConfigError: types that can't be known, or options that do not go together.
    """
    return _declared(UserFunction, function, options)


@overload
def udtf(function: Callable[P, R], /) -> UserTableFunction[P, R]: ...


@overload
def udtf(
    *,
    result_type: TypeText | None = None,
    input_types: Sequence[TypeText] | None = None,
    scalar: bool = False,
    deterministic: bool = True,
    timeout: str | float | None = None,
) -> Callable[[Callable[P, R]], UserTableFunction[P, R]]: ...


def udtf(function: Callable[P, R] | None = None, /, **options: Any) -> Any:
    """
    Declare a table function: `LATERAL TABLE(f(x)) AS t (a, b)`.

    A generator (or, with `scalar`, any function) is called with the values of one row, and gives rows: tuples, or values for one column.
    Any other is called with a Polars Series for each argument, and gives a Series with a list for each row. `result_type` is that of one
    row: a type for one column, a list or mapping of types, or ROW<...> for several.

    Raises:
        ConfigError: types that can't be known, or options that do not go together.
    """
    return _declared(UserTableFunction, function, options)


@overload
def udaf(aggregate: Callable[P, R], /) -> UserAggregate[P, R]: ...


@overload
def udaf(
    *,
    result_type: TypeText | None = None,
    input_types: Sequence[TypeText] | None = None,
    scalar: bool = False,
    deterministic: bool = True,
    timeout: str | float | None = None,
) -> Callable[[Callable[P, R]], UserAggregate[P, R]]: ...


def udaf(aggregate: Callable[P, R] | None = None, /, **options: Any) -> Any:
    """
    Declare an aggregate: a class with `create`, `accumulate`, `result` and, where they are needed, `retract` and `merge`.

    `create()` gives an empty accumulator. `accumulate(acc, *args)` gets one Series for each argument with the rows of a group that came
    together (with `scalar`: the values of one row), and gives the accumulator, or None if it changed it in place. `retract` takes rows
    back in the same way, `merge(acc, others)` puts a list of accumulators into one, `result(acc)` gives the value.

    Raises:
        ConfigError: methods or types that are missing, or options that do not go together.
    """
    return _declared(UserAggregate, aggregate, options)


def _declared(kind: type[Declaration[..., Any]], target: Callable[..., Any] | None, options: Mapping[str, Any]) -> Any:
    if target is None:
        return lambda found: _declare(kind, found, **options)
    return _declare(kind, target)


def _declare(
    kind: type[Declaration[..., Any]],
    target: Callable[..., Any],
    *,
    result_type: TypeText | None = None,
    input_types: Sequence[TypeText] | None = None,
    scalar: bool = False,
    arrow: bool = False,
    deterministic: bool = True,
    timeout: str | float | None = None,
    concurrency: int = 100,
) -> Declaration[..., Any]:
    place = place_of(target)
    if kind is UserAggregate:
        _check_class(target, place)
    elif not inspect.isfunction(target):
        message = f"{kind.__name__} is made of a function, not of {target!r}"
        raise ConfigError(message, hint="write def f(...), or for an aggregate @tr.udaf above a class", location=place)
    form = _form(kind, target, scalar=scalar)
    if arrow and form is not Form.VECTORISED:
        raise ConfigError("arrow=True is for functions that take whole columns", hint="leave it out", location=place)
    if concurrency < 1:
        raise ConfigError("concurrency is a number from 1", location=place)
    reader = hints.Reader(place, by_row=form is not Form.VECTORISED)
    made: Any = target
    called, gives = (made.accumulate, made.result) if kind is UserAggregate else (made, made)
    parameters, variadic = reader.parameters(called, input_types, leave_out=2 if kind is UserAggregate else 0)
    return kind(
        target=target,
        form=form,
        parameters=parameters,
        variadic=variadic,
        result=reader.result(gives, result_type, rows=kind is UserTableFunction),
        deterministic=deterministic,
        arrow=arrow,
        limits=Limits(hints.seconds(timeout, place), concurrency),
        place=place,
    )


def _form(kind: type[Declaration[..., Any]], target: Callable[..., Any], *, scalar: bool) -> Form:
    if inspect.iscoroutinefunction(target):
        return Form.ASYNC
    generates = kind is UserTableFunction and inspect.isgeneratorfunction(target)
    return Form.SCALAR if scalar or generates else Form.VECTORISED


def _check_class(target: Any, place: Location) -> None:
    if not inspect.isclass(target):
        raise ConfigError("an aggregate is a class", hint="write @tr.udaf above a class", location=place)
    missing = [m for m in ("create", "accumulate", "result") if not callable(getattr(target, m, None))]
    if missing:
        message = f"the aggregate {target.__name__} has no method {' and no '.join(missing)}"
        hint = "it needs create(self), accumulate(self, acc, ...) and result(self, acc)"
        raise ConfigError(message, hint=hint, location=place)


def place_of(target: Any) -> Location:
    """Give where a function or class was written; its name and no line if that is not known."""
    try:
        lines, line = inspect.getsourcelines(target)
        file = inspect.getsourcefile(target) or ""
    except (OSError, TypeError):
        return Location(getattr(target, "__name__", repr(target)), 1, 1)
    word = "class " if inspect.isclass(target) else "def "
    head = next((i for i, text in enumerate(lines) if text.lstrip().removeprefix("async ").startswith(word)), 0)
    text = lines[head].rstrip("\n")
    return Location(file, line + head, len(text) - len(text.lstrip()) + 1, text, len(text.strip()))
