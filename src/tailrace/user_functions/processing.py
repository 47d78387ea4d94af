"""The decorator of process functions: classes that see the rows of one key after the other, and remember."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, ParamSpec, TypeVar, overload

import polars as pl

from tailrace.errors import ConfigError, Location
from tailrace.user_functions import hints
from tailrace.user_functions.declarations import Declaration, Form, Limits, place_of
from tailrace.user_functions.hints import Parameter, TypeText
from tailrace.user_functions.kept import State

P = ParamSpec("P")
R = TypeVar("R")

METHODS = ("on_row", "on_batch")


@dataclass(frozen=True, slots=True)
class KeptState:
    """A declared state with its name, the type that is written, and its time to live in milliseconds (None: as the job)."""

    name: str
    state: State
    type: TypeText
    ttl: int | None


@dataclass(frozen=True, eq=False)
class ProcessFunction(Declaration[P, R]):
    """A class whose methods see the rows and timers of each key; calling it makes an object, as for a test of its own."""

    states: tuple[KeptState, ...] = ()
    sides: Mapping[str, TypeText] = field(default_factory=dict)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Make an object with the states that a new key has; keywords give the arguments of the function."""
        own = {p.name: kwargs.pop(p.name) for p in self.parameters if p.name in kwargs}
        made = self.target(*args, **kwargs)
        vars(made).update(own | {kept.name: kept.state.made() for kept in self.states})
        return made


@overload
def process(function: Callable[P, R], /) -> ProcessFunction[P, R]: ...


@overload
def process(
    *,
    result_type: TypeText | None = None,
    side_outputs: Mapping[str, TypeText] | None = None,
    timeout: str | float | None = None,
) -> Callable[[Callable[P, R]], ProcessFunction[P, R]]: ...


def process(function: Callable[P, R] | None = None, /, **options: Any) -> Any:
    """
    Declare a process function: a class with `on_row` (or `on_batch`), states, and `on_timer` if it sets timers.

    There is an object for each key; what `value_state`, `list_state` and `map_state` declare is part of the checkpoints. `on_row(row, ctx)`
    yields rows or returns one. `result_type` has the columns of the rows that it gives, `side_outputs` those of further
    tables by name. Other attributes with a hint are arguments of the call.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> @tr.process(result_type={"visit": "BIGINT"})
    ... class Visits:
    ...     visits: int = tr.value_state(0)
    ...
    ...     def on_row(self, row, ctx):
    ...         self.visits += 1
    ...         return self.visits
    >>> clicks = tr.from_polars(pl.DataFrame({"user": ["ann", "bob", "ann"]}), name="clicks")
    >>> sorted(clicks.process(Visits, by="user").collect().rows())
    [('ann', 1), ('ann', 2), ('bob', 1)]

    Raises:
        ConfigError: methods or types that are missing.
    """
    if function is None:
        return lambda found: _declare(found, **options)
    return _declare(function)


def _declare(
    target: Any,
    *,
    result_type: TypeText | None = None,
    side_outputs: Mapping[str, TypeText] | None = None,
    timeout: str | float | None = None,
) -> ProcessFunction[..., Any]:
    place = place_of(target)
    form = _form(target, place)
    reader = hints.Reader(place, by_row=form is Form.SCALAR)
    states, parameters = _attributes(target, reader)
    if form is Form.VECTORISED and result_type is None:
        hint = 'write the columns, as result_type={"n": "BIGINT"}'
        raise ConfigError(f"the type of the result of {target.__name__} is not known", hint=hint, location=place)
    return ProcessFunction(
        target=target,
        form=form,
        parameters=parameters,
        variadic=None,
        result=reader.result(getattr(target, METHODS[form is not Form.SCALAR]), result_type, rows=True),
        deterministic=False,
        arrow=False,
        limits=Limits(hints.seconds(timeout, place)),
        place=place,
        states=states,
        sides={name: reader.given(t) for name, t in (side_outputs or {}).items()},
    )


def _form(target: Any, place: Location) -> Form:
    if not isinstance(target, type):
        raise ConfigError("a process function is a class", hint="write @tr.process above a class", location=place)
    found = [m for m in METHODS if callable(getattr(target, m, None))]
    if len(found) != 1:
        what = "both on_row and on_batch" if found else "no method on_row or on_batch"
        hint = "it needs on_row(self, row, ctx), or on_batch(self, rows, ctx) for whole columns"
        raise ConfigError(f"the process function {target.__name__} has {what}", hint=hint, location=place)
    for method in (*found, "on_timer"):
        _check_method(target, method, place)
    if not target.__dictoffset__:
        hint = "leave __slots__ out"
        raise ConfigError(f"the objects of {target.__name__} can keep no attributes", hint=hint, location=place)
    return Form.SCALAR if found == ["on_row"] else Form.VECTORISED


def _check_method(target: Any, name: str, place: Location) -> None:
    """Make sure that a method can be called with what it is called with."""
    method = getattr(target, name, None)
    if method is None:
        return
    takes = "timer" if name == "on_timer" else "row"
    if name == "on_batch" or (name == "on_timer" and hasattr(target, "on_batch")):
        takes += "s"
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        hint = "ask others by an async @tr.udf before it, and take what it gave"
        raise ConfigError(f"{name} of {target.__name__} is async, but is not waited for", hint=hint, location=place)
    try:
        inspect.signature(method).bind(None, None, None)
    except TypeError:
        hint = f"write def {name}(self, {takes}, ctx)"
        message = f"{name} of {target.__name__} takes other arguments than it is called with"
        raise ConfigError(message, hint=hint, location=place) from None


def _attributes(target: Any, reader: hints.Reader) -> tuple[tuple[KeptState, ...], tuple[Parameter, ...]]:
    """Give what a class keeps, and its arguments: attributes with hints that are no state."""
    found = reader.hints_of(target)
    named = {name: getattr(target, name) for c in reversed(target.__mro__) for name in vars(c)}
    states = {name: s for name, s in named.items() if isinstance(s, State)}
    plain = [n for n in found if n not in states and typing.get_origin(found[n]) is not ClassVar]
    row_reader = hints.Reader(reader.place, by_row=True)
    parameters = [
        Parameter(n, row_reader.type_of(found[n], f"the argument '{n}'"), hasattr(target, n), hinted=True)
        for n in plain
        if not n.startswith("_")
    ]
    return tuple(_kept(name, s, found.get(name), reader) for name, s in states.items()), tuple(parameters)


def _kept(name: str, state: State, hint: Any, reader: hints.Reader) -> KeptState:
    seconds = hints.seconds(state.ttl, reader.place, "ttl") if state.ttl is not None else None
    ttl = None if seconds is None else int(seconds * 1000)
    if (state.save is None) != (state.load is None):
        hint = "give both: save makes plain values, load takes them"
        raise ConfigError(f"the state '{name}' has one of save and load", hint=hint, location=reader.place)
    if state.save is not None:
        if not reader.by_row:
            hint = "keep columns of values, or write on_row"
            raise ConfigError(f"the state '{name}' has save, but is a column", hint=hint, location=reader.place)
        return KeptState(name, state, "BYTES", ttl)
    if state.type is not None:
        return KeptState(name, state, reader.given(state.type), ttl)
    if hint is None and reader.by_row and state.default is not None and not callable(state.default):
        hint = type(state.default)
    given = None if hint is pl.Series else reader.type_of(hint, f"the state '{name}'")
    if given is None:
        more = f'write a hint, as {name}: int = ..., or the type as type="BIGINT"'
        raise ConfigError(f"the type of the state '{name}' is not known", hint=more, location=reader.place)
    return KeptState(name, state, given, ttl)
