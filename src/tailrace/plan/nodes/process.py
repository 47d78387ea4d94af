"""Process functions of the user: rows and timers of each key, with state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tailrace.plan.nodes.base import Unary
from tailrace.schema import DataType, Kind
from tailrace.user_functions.declarations import Declaration
from tailrace.user_functions.known import Known

OUTPUT = "__output"
"""The column that tells which output a row is for, where there are side outputs; empty for the function's own."""

ROWTIME = "rowtime"
"""The column with the time of the row or timer, as Flink calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Unary):
    """
    Hands the rows of each key to a function of the user, one after the other, and puts out what it gives.

    The schema is keys, then with side outputs `OUTPUT`, then the columns of the function's own rows and those of each side
    output (`side_column`), then with a `time` column the time of the row or timer, `rowtime`. With `ordered` the rows come in
    the order of their times, so that timers stand among them.
    """

    keys: tuple[str, ...]
    time: str | None
    function: Known = field(compare=False)
    declaration: Declaration[..., Any]
    arguments: tuple[tuple[str, Any], ...] = ()
    uid: str = ""
    ordered: bool = False

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {value!r}" for name, value in self.arguments)
        by = f" by ({', '.join(self.keys)})" if self.keys else ""
        at = f" at {self.time}" if self.time else ""
        kept = ", ".join(f"{s.name} {s.type}" for s in self.function.states)
        uid = f", uid {self.uid}" if self.uid != self.function.name else ""
        return f"Process {self.function.name}({given}){by}{at}, keeps {kept or 'nothing'}{uid}"

    @property
    def kept(self) -> str:
        """What is kept, and for how long, as `explain` tells it."""
        by = f" by ({', '.join(self.keys)})" if self.keys else ""
        lives = [f"{s.name} for {s.ttl / 1000:g} s" if s.ttl else s.name for s in self.function.states]
        return f"{', '.join(lives) or 'nothing'}{by}, and timers; dropped when the function says so"


def columns_of(type_: DataType) -> dict[str, DataType]:
    """Give the columns of a row of this type; any other type is one column, `f0`."""
    return dict(zip(type_.names, type_.children, strict=True)) if type_.kind is Kind.ROW else {"f0": type_}


def side_column(output: str, column: str) -> str:
    """Give the column of a side output as the schema of the node names it."""
    return f"__{output}.{column}"
