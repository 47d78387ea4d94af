"""Calls of a process function with whole batches: with all rows, and where it fails with halves of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.process_calls import is_zoned
from tailrace.engine.process_columns import ColumnStates
from tailrace.engine.process_frames import KEY, ROW, taken
from tailrace.engine.timer_store import NEVER
from tailrace.errors import TerminalError
from tailrace.plan.nodes import Process
from tailrace.state.kernels import I64
from tailrace.user_functions.awaiting import Failed
from tailrace.user_functions.batch_contexts import BatchContext
from tailrace.user_functions.faults import PASSED_ON, caused, named, stopped


@dataclass(frozen=True, slots=True)
class Part:
    """
    Rows, those of one slot together, with their slots and times.

    Of timers the `times` are those that they were set for, and `clock` tells by which time; it is None of rows.
    """

    rows: pl.DataFrame
    slots: I64
    times: I64 | None
    clock: bool | None = None

    def __getitem__(self, at: slice) -> Part:
        times = None if self.times is None else self.times[at]
        return Part(self.rows[at], self.slots[at], times, self.clock)

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True, slots=True)
class Put:
    """Rows of an output: their values, and the rows that they are of (None: one for each, in order)."""

    output: str
    values: list[pl.Series]
    rows: I64 | None


class BatchCaller:
    """The one object of the user's class, and how it is called."""

    def __init__(self, node: Process, states: ColumnStates) -> None:
        self._node = node
        self._states = states
        self.zoned = is_zoned(node)
        self.context = BatchContext(tuple(node.function.sides), zoned=self.zoned)
        self._object = self._made()

    def _made(self) -> Any:
        declaration = self._node.declaration
        try:
            made = declaration.target()
            vars(made).update(dict(self._node.arguments))
        except PASSED_ON:
            raise
        except BaseException as error:
            what = caused(declaration, error).removeprefix(named(declaration)).strip()
            raise stopped(declaration, what, "mend its __init__") from error
        return made

    def run(self, method: Callable[..., Any], part: Part, changed: Callable[[I64], None]) -> tuple[list[Put], Failed]:
        """
        Call a method; give what it put out, and the rows for which it failed.

        `changed` does what a call asks for by its context, with the slots of its keys.
        """
        put: list[list[Put]] = []
        failed: Failed = []
        waiting = [(0, len(part))]
        while waiting:
            start, stop = waiting.pop()
            given = self._tried(method, part[start:stop] if stop - start < len(part) else part, changed)
            if not isinstance(given, str):
                put.append([_moved(p, start, stop, len(part)) for p in given])
            elif stop - start == 1:
                failed.append((start, given))
            else:
                middle = (start + stop) // 2
                waiting += [(middle, stop), (start, middle)]
        return _joined(put), failed

    def _tried(self, method: Callable[..., Any], part: Part, changed: Callable[[I64], None]) -> list[Put] | str:
        """Call a method with all rows; give what it put out, or why it failed: then nothing is changed."""
        first = np.append(True, part.slots[1:] != part.slots[:-1])
        starts = np.flatnonzero(first)
        key, slots = np.cumsum(first) - 1, part.slots[starts]
        last = None if part.times is None else part.times[np.append(starts[1:], len(part)) - 1]
        self.context.begin(part.rows.select(self._node.keys)[starts], key, starts, last)
        vars(self._object).update(self._states.take(slots))
        rows = part.rows.with_columns(pl.Series(KEY, key), pl.Series(ROW, np.arange(len(part))))
        try:
            given = method(self._object, rows, self.context)
            self._check_timers(part)
        except (*PASSED_ON, TerminalError):
            raise
        except BaseException as error:  # noqa: BLE001  whatever it is, the rows that it is about are looked for
            return caused(self._node.declaration, error)
        outputs = [("", given), *self.context.put]
        found = [(name, taken(self._node, name, frame, len(part))) for name, frame in outputs]
        self._states.put(slots, self._states.checked(vars(self._object), len(slots)))
        changed(slots)
        return [Put(name, *values) for name, values in found if values is not None]

    def _check_timers(self, part: Part) -> None:
        """Refuse timers that would be called again and again at one time."""
        if part.clock is None or part.times is None:
            return
        for change in self.context.changes:
            own = part.times[change.keys]
            if change.clock == part.clock and ((change.times <= own) & (change.times != NEVER)).any():
                raise ValueError(f"on_timer sets the timer '{change.name}' for a time that is not after its own")


def _moved(put: Put, start: int, stop: int, count: int) -> Put:
    """Give what was put out of a half with its rows as those of the whole."""
    if stop - start == count:
        return put
    rows = np.arange(stop - start) if put.rows is None else put.rows
    return Put(put.output, put.values, rows + start)


def _joined(put: list[list[Put]]) -> list[Put]:
    """Give what was put out of halves as one for each output."""
    if len(put) == 1 and len({p.output for p in put[0]}) == len(put[0]):
        return put[0]
    by_output: dict[str, list[Put]] = {}
    for p in (p for given in put for p in given):
        by_output.setdefault(p.output, []).append(p)
    return [_one(name, given) for name, given in by_output.items()]


def _one(output: str, put: list[Put]) -> Put:
    rows = [np.arange(len(p.values[0])) if p.rows is None else p.rows for p in put]
    columns = zip(*(p.values for p in put), strict=True)
    return Put(output, [pl.concat(list(c), rechunk=True) for c in columns], np.concatenate(rows))
