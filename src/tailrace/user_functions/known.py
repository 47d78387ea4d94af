"""A declared function by the name that SQL has for it, with its types read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tailrace.schema import DataType
from tailrace.user_functions.declarations import Declaration, UserAggregate, UserTableFunction
from tailrace.user_functions.processing import ProcessFunction


@dataclass(frozen=True, slots=True)
class ParameterType:
    """The type of a parameter (None: any); a `hinted` one takes each type that Python has the same values for."""

    name: str
    type: DataType | None
    optional: bool
    hinted: bool


@dataclass(frozen=True, slots=True)
class KnownState:
    """A state of a process function: `ttl` in milliseconds (None: as the job); `save` and `load` are the user's."""

    name: str
    type: DataType
    made: Callable[[], Any]
    ttl: int | None = None
    save: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None


@dataclass(frozen=True, eq=False)
class Known:
    """
    One function: `result` is the type of its value, of a table or process function of one row.

    A `system` function is in no catalog.
    """

    name: str
    declaration: Declaration[..., Any]
    parameters: tuple[ParameterType, ...]
    variadic: ParameterType | None
    result: DataType
    states: tuple[KnownState, ...] = ()
    sides: Mapping[str, DataType] = field(default_factory=dict)
    system: bool = False

    def __deepcopy__(self, memo: object) -> Known:
        return self  # it never changes, and syntax trees refer to it

    @property
    def is_aggregate(self) -> bool:
        """Tell that it aggregates rows."""
        return isinstance(self.declaration, UserAggregate)

    @property
    def is_table(self) -> bool:
        """Tell that it gives rows."""
        return isinstance(self.declaration, UserTableFunction)

    @property
    def is_process(self) -> bool:
        """Tell that it processes the rows of keys."""
        return isinstance(self.declaration, ProcessFunction)

    @property
    def signature(self) -> str:
        """How it is called: `f(BIGINT, [STRING])`."""
        shown = [f"[{_shown(p)}]" if p.optional else _shown(p) for p in self.parameters]
        shown += [f"{_shown(self.variadic)} ..."] if self.variadic else []
        return f"{self.name}({', '.join(shown)})"

    def parameter(self, place: int) -> ParameterType | None:
        """Give the parameter of an argument; None if there is none."""
        return self.parameters[place] if place < len(self.parameters) else self.variadic

    @property
    def least(self) -> int:
        """How many arguments it takes at least."""
        return sum(not p.optional for p in self.parameters)


def _shown(parameter: ParameterType) -> str:
    return parameter.name if parameter.type is None else f"{parameter.name} {parameter.type.sql()}"
