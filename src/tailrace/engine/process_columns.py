"""The states of a process function that is called with whole batches: columns by slot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tailrace.plan.nodes import Process
from tailrace.schema import DataType
from tailrace.state.index import grown
from tailrace.state.kernels import I64
from tailrace.user_functions import columns
from tailrace.user_functions.faults import stopped
from tailrace.user_functions.known import KnownState


class _Values(ABC):
    """The values of one state by slot."""

    @abstractmethod
    def reserve(self, size: int) -> None:
        """Make room for so many slots."""

    @abstractmethod
    def take(self, slots: I64) -> pl.Series:
        """Give the values of slots."""

    @abstractmethod
    def put(self, slots: I64, values: pl.Series) -> None:
        """Set the values of slots; one value is that of all."""

    @abstractmethod
    def keep(self, slots: I64) -> None:
        """Keep these slots, which are numbered anew in this order."""


class _Plain(_Values):
    """Numbers, truth values, dates and times."""

    def __init__(self, dtype: pl.DataType) -> None:
        self._dtype = dtype
        physical = pl.Series([], dtype=dtype).to_physical()
        self._values = np.zeros(1024, dtype=physical.to_numpy().dtype)
        self._null = np.zeros(1024, dtype=np.bool_)
        self._any_null = False

    def reserve(self, size: int) -> None:
        self._values, self._null = grown(self._values, size), grown(self._null, size)

    def take(self, slots: I64) -> pl.Series:
        found = pl.Series(self._values[slots])
        found = found if found.dtype == self._dtype else found.cast(self._dtype)
        if self._any_null and (null := self._null[slots]).any():
            return found.set(pl.Series(null), None)
        return found

    def put(self, slots: I64, values: pl.Series) -> None:
        nulls = values.null_count()
        plain = values.to_physical()
        if nulls:
            plain = plain.fill_null(value=False) if plain.dtype == pl.Boolean else plain.fill_null(0)
            self._any_null = True
        self._values[slots] = plain.to_numpy()
        if self._any_null:
            self._null[slots] = values.is_null().to_numpy()

    def keep(self, slots: I64) -> None:
        self._values, self._null = grown(self._values[slots], 1024), grown(self._null[slots], 1024)


class _Boxed(_Values):
    """Texts, decimals, lists and all others, as Python's values."""

    def __init__(self, dtype: pl.DataType) -> None:
        self._dtype = dtype
        self._values = np.full(1024, None, dtype=np.object_)

    def reserve(self, size: int) -> None:
        self._values = grown(self._values, size)

    def take(self, slots: I64) -> pl.Series:
        return pl.Series(self._values[slots].tolist(), dtype=self._dtype)

    def put(self, slots: I64, values: pl.Series) -> None:
        self._values[slots] = np.fromiter(values.to_list(), dtype=np.object_, count=len(values))

    def keep(self, slots: I64) -> None:
        self._values = grown(self._values[slots], 1024)


class ColumnStates:
    """The states of all slots; a state that was never set is as in the beginning."""

    def __init__(self, node: Process) -> None:
        self._declaration = node.declaration
        self._states = {s.name: s for s in node.function.states}
        self._values = {name: _values(s.type.polars) for name, s in self._states.items()}
        self._defaults = {name: self._default(s) for name, s in self._states.items()}

    def _default(self, state: KnownState) -> pl.Series:
        made = state.made()
        try:
            return columns.column([made], state.type)
        except Exception:  # noqa: BLE001  Polars and Python raise what they like
            what = f"begins its state '{state.name}', which is {state.type.sql()}, with {type(made).__name__}"
            raise stopped(self._declaration, what, "mend the default, or the type of the state") from None

    def reserve(self, size: int) -> None:
        """Make room for so many slots."""
        for values in self._values.values():
            values.reserve(size)

    def begin(self, slots: I64) -> None:
        """Let slots have all states as they are in the beginning."""
        for name in self._values:
            self.reset(name, slots)

    def reset(self, name: str, slots: I64) -> None:
        """Let a state be what it is in the beginning."""
        if len(slots):
            self._values[name].put(slots, self._defaults[name])

    def forget(self, slots: I64) -> None:
        """Drop the states of slots."""
        self.begin(slots)

    def keep(self, slots: I64) -> None:
        """Keep these slots, which are numbered anew in this order."""
        for values in self._values.values():
            values.keep(slots)

    def take(self, slots: I64) -> dict[str, pl.Series]:
        """Give the states of slots."""
        return {name: values.take(slots) for name, values in self._values.items()}

    def checked(self, held: Mapping[str, Any], count: int) -> dict[str, pl.Series]:
        """
        Give the states as a function left them.

        Raises:
            TerminalError: one has another length or type.
        """
        return {name: self._checked(state, held.get(name), count) for name, state in self._states.items()}

    def _checked(self, state: KnownState, given: Any, count: int) -> pl.Series:
        found = columns.as_series(given)
        what, hint = f"the state '{state.name}'", "give it a Series with a value for each key"
        if found is None:
            raise stopped(self._declaration, f"left {type(given).__name__} in {what}, not a column", hint)
        if len(found) != count:
            raise stopped(self._declaration, f"left {len(found)} values for {count} keys in {what}", hint)
        return fitting(self._declaration, found, state.type, what)

    def put(self, slots: I64, states: Mapping[str, pl.Series]) -> None:
        """Set the states of slots."""
        for name, series in states.items():
            self._values[name].put(slots, series)

    def columns(self, slots: I64) -> dict[str, pl.Series]:
        """Give the states of slots for a checkpoint."""
        return self.take(slots)

    def load(self, slots: I64, given: Mapping[str, pl.Series], keys: list[Any], live: list[bool]) -> None:
        """Take up states of slots; one that is not told is as in the beginning."""
        self.begin(slots)
        self.put(slots, {name: series for name, series in given.items() if name in self._values})


def _values(dtype: pl.DataType) -> _Values:
    plain = (dtype.is_numeric() and not dtype.is_decimal()) or dtype.is_temporal() or dtype == pl.Boolean
    return _Plain(dtype) if plain else _Boxed(dtype)


def fitting(declaration: Any, found: pl.Series, type_: DataType, what: str) -> pl.Series:
    """
    Give a column in its type.

    Raises:
        TerminalError: it does not fit.
    """
    wanted = type_.polars
    if found.dtype == wanted:
        return found
    if not columns.fits(found.dtype, wanted):
        hint = "cast it, or mend the type"
        raise stopped(declaration, f"gave {found.dtype} for {what}, which is {type_.sql()} ({wanted})", hint)
    cast = found.cast(wanted, strict=False)
    if cast.null_count() > found.null_count():
        hint = "leave such values out, or take a wider type"
        raise stopped(declaration, f"gave a value for {what} that {type_.sql()} can't hold", hint)
    return cast
