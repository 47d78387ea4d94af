"""The objects of a process function that is called row by row: one for each key."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from tailrace.errors import TerminalError
from tailrace.plan.nodes import Process
from tailrace.schema import BINARIES, INTEGERS, STRINGS, DataType, Kind
from tailrace.state.kernels import I64
from tailrace.user_functions import columns, states
from tailrace.user_functions.faults import PASSED_ON, caused, named, stopped
from tailrace.user_functions.known import KnownState

_PLAIN = (*INTEGERS, *STRINGS, *BINARIES, Kind.BOOLEAN, Kind.DOUBLE, Kind.DATE)


class ObjectStates:
    """An object by slot, None for a slot that is not live; its attributes are what is kept."""

    def __init__(self, node: Process) -> None:
        self._declaration = node.declaration
        self._arguments = dict(node.arguments)
        self._states = node.function.states
        self._copied = [(s.name, c) for s in self._states if (c := _copier(s)) is not None]
        self.objects: list[Any] = []
        self.keys: list[Any] = []

    def reserve(self, size: int) -> None:
        """Make room for so many slots."""
        more = size - len(self.objects)
        self.objects += [None] * more
        self.keys += [None] * more

    def begin(self, slots: I64) -> None:
        """Make objects for slots that are live now."""
        for slot in slots.tolist():
            self.objects[slot] = self._made()

    def _made(self) -> Any:
        """Give an object as it is in the beginning."""
        try:
            made = self._declaration(**self._arguments)
        except PASSED_ON:
            raise
        except BaseException as error:
            what = caused(self._declaration, error).removeprefix(named(self._declaration)).strip()
            raise stopped(self._declaration, what, "mend its __init__, or the default of a state") from error
        return made

    def reset(self, name: str, slots: I64) -> None:
        """Let a state be what it is in the beginning."""
        (made,) = (s.made for s in self._states if s.name == name)
        for slot in slots.tolist():
            vars(self.objects[slot])[name] = made()

    def forget(self, slots: I64) -> None:
        """Drop the objects of slots."""
        for slot in slots.tolist():
            self.objects[slot] = self.keys[slot] = None

    def keep(self, slots: I64) -> None:
        """Keep these slots, which are numbered anew in this order."""
        self.objects = [self.objects[slot] for slot in slots.tolist()]
        self.keys = [self.keys[slot] for slot in slots.tolist()]

    def saved(self, held: Any) -> dict[str, Any]:
        """Give what an object holds, so that a call that fails can be undone."""
        before: dict[str, Any] = held.__dict__.copy()
        for name, copied in self._copied:
            before[name] = copied(before[name])
        return before

    def undo(self, held: Any, before: dict[str, Any]) -> None:
        """Let an object hold what it did before."""
        given = {s.name: s.load(states.unpacked(before[s.name])) for s in self._states if s.load is not None}
        vars(held).clear()
        vars(held).update(before | given)

    def columns(self, slots: I64) -> dict[str, pl.Series]:
        """Give the states of slots for a checkpoint."""
        held = [self.objects[slot] for slot in slots.tolist()]
        return {s.name: self._column(s, held) for s in self._states}

    def _column(self, state: KnownState, held: Sequence[Any]) -> pl.Series:
        """Give a state of objects: as its type has it, if values come back from there as they were."""
        if not _is_plain(state):
            return pl.Series([self._written(state, h) for h in held], dtype=pl.Binary)
        values = [None if h is None else h.__dict__.get(state.name) for h in held]
        try:
            return columns.column(values, state.type)
        except Exception:  # noqa: BLE001  Polars and Python raise what they like; the value is looked for below
            wrong = next(v for v in values if not columns.holds(state.type, v))
            raise self._misfit(state, wrong) from None

    def _misfit(self, state: KnownState, value: Any) -> TerminalError:
        what = f"keeps {type(value).__name__} in its state '{state.name}', which is {state.type.sql()}"
        return stopped(self._declaration, what, "mend what it keeps, or the type of the state")

    def _written(self, state: KnownState, held: Any) -> bytes | None:
        if held is None:
            return None
        value = vars(held).get(state.name)
        wanted = _python_type(state.type)
        if state.save is None and value is not None and wanted is not None and not isinstance(value, wanted):
            raise self._misfit(state, value)
        try:
            return states.packed(value if state.save is None else state.save(value))
        except PASSED_ON:
            raise
        except BaseException as error:
            what = f"keeps in its state '{state.name}' what can't be written into a checkpoint: {error}"
            hint = f"give the state save= and load=, or let it be made of {states.KINDS}"
            raise stopped(self._declaration, what, hint) from error

    def load(self, slots: I64, given: Mapping[str, pl.Series], keys: list[Any], live: list[bool]) -> None:
        """Take up states of slots; one that is not told is as in the beginning."""
        told = [(s, given[s.name].to_list()) for s in self._states if s.name in given]
        for place, slot in enumerate(slots.tolist()):
            self.objects[slot] = self._made() if live[place] else None
            self.keys[slot] = keys[place]
            if live[place]:
                vars(self.objects[slot]).update({s.name: self._read(s, values[place]) for s, values in told})

    @staticmethod
    def _read(state: KnownState, data: Any) -> Any:
        if _is_plain(state):
            return data
        value = states.unpacked(data)
        return value if state.load is None else state.load(value)


def _is_plain(state: KnownState) -> bool:
    """Tell whether a column of Polars gives back the very values that it is made of."""
    return state.save is None and state.type.kind in _PLAIN


def _python_type(type_: DataType) -> type | tuple[type, ...] | None:
    """Give the type of Python's values; None for those that have parts."""
    if type_.children:
        return None
    found: type = type_.polars.to_python()
    return (int, float) if found is float else found


def _copier(state: KnownState) -> Callable[[Any], Any] | None:
    """Give what copies the value of a state before it may be changed in place; None for values that can't be."""
    if state.save is not None:
        save = state.save
        return lambda value: states.packed(save(value))
    if not state.type.children:
        return None
    flat = state.type.kind is not Kind.ROW and not any(c.children for c in state.type.children)
    return _flat_copy if flat else copy.deepcopy


def _flat_copy(value: Any) -> Any:
    return value.copy() if isinstance(value, list | dict) else copy.deepcopy(value)
