"""Rows that a process function gives: taken one by one, and put together as columns of its plan node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.batch import WATERMARK, Batch
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.plan.nodes import Process
from tailrace.plan.nodes.process import OUTPUT, ROWTIME, columns_of, side_column
from tailrace.schema import DataType, Kind
from tailrace.user_functions import columns
from tailrace.user_functions.faults import stopped

Values = tuple[Any, ...]


def taking(type_: DataType) -> Callable[[Any], Values]:
    """
    Give what makes a tuple of a row of this type, that a function gave as tuple, as dictionary, or as its one value.

    >>> from tailrace.schema import BIGINT, row
    >>> take = taking(row({"a": BIGINT, "b": BIGINT}))
    >>> take((1, 2)), take({"b": 2})
    ((1, 2), (None, 2))
    """
    names = tuple(columns_of(type_))
    count = len(names)

    def take(given: Any) -> Values:
        if isinstance(given, tuple):
            if len(given) != count:
                raise TypeError(f"a row of {len(given)} values where {count} are wanted: {', '.join(names)}")
            return given
        if isinstance(given, dict) and type_.kind is Kind.ROW:
            unknown = given.keys() - set(names)
            if unknown:
                what = ", ".join(map(repr, sorted(map(str, unknown))))
                raise TypeError(f"a row has no column {what}; columns: {', '.join(names)}")
            return tuple(given.get(n) for n in names)
        if count > 1:
            raise TypeError(f"{type(given).__name__} where a row is wanted: {', '.join(names)}")
        return (given,)

    return take


class Output:
    """The rows of one output so far; `name` is empty for the function's own."""

    def __init__(self, node: Process, name: str) -> None:
        self._node = node
        self.name = name
        self._types = columns_of(node.function.sides[name] if name else node.function.result)
        self._given: list[tuple[Values, int, int, int]] = []
        self.add = self._given.append
        """Take a row with its slot, its time, and the watermark before it."""

    def taken(self, slots: KeyedSlots, *, marked: bool) -> Batch | None:
        """Give the rows as columns, and begin anew; None if there are none."""
        if not self._given:
            return None
        rows, own, times, marks = zip(*self._given, strict=True)
        values = [self._column(name, v) for name, v in zip(self._types, zip(*rows, strict=True), strict=True)]
        frame = framed(self._node, self.name, values, slots.rows(np.array(own)), np.array(times))
        if marked:
            frame = frame.with_columns(pl.Series(WATERMARK, marks, dtype=pl.Int64))
        self._given.clear()
        return frame

    def _column(self, name: str, values: Sequence[Any]) -> pl.Series:
        type_ = self._types[name]
        try:
            made = columns.column(list(values), type_)
        except Exception:  # noqa: BLE001  Polars and Python raise what they like; the value is looked for below
            wrong = next(v for v in values if not columns.holds(type_, v))
            what = f"gave {type(wrong).__name__} for its column '{name}', which is {type_.sql()}"
            raise stopped(self._node.declaration, what, "mend the row, or result_type") from None
        if not type_.nullable and made.null_count():
            hint = "mend the row, or leave NOT NULL out of result_type (as a hint: int | None)"
            raise stopped(self._node.declaration, f"gave NULL for its column '{name}', which is NOT NULL", hint)
        return made.alias(name)


def framed(node: Process, output: str, values: Sequence[pl.Series], keys: pl.DataFrame, times: np.ndarray) -> Batch:
    """Give rows as the schema of the node has them; `values` are the columns of one output, in order."""
    own = {side_column(output, v.name) if output else v.name: v for v in values}
    own |= {k: keys[k] for k in node.keys}
    if node.time is not None:
        own[ROWTIME] = pl.Series(times).cast(pl.Datetime("ms"))
    if node.function.sides:
        own[OUTPUT] = pl.Series([output]).new_from_index(0, len(times))
    missing = pl.Series([None])
    found = [own.get(f.name, missing) for f in node.schema]
    sized = [s if len(s) == len(times) else s.new_from_index(0, len(times)) for s in found]
    return pl.DataFrame([s.cast(f.type.polars).alias(f.name) for s, f in zip(sized, node.schema, strict=True)])
