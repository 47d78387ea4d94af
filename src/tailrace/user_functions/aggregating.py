"""An aggregate of the user: accumulators made, changed, merged, read, and written for a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import polars as pl

from tailrace.errors import DataError, Location, TailraceError, TerminalError
from tailrace.schema import DataType
from tailrace.user_functions import columns, states
from tailrace.user_functions.aside import within
from tailrace.user_functions.awaiting import Failed
from tailrace.user_functions.declarations import Declaration, Form
from tailrace.user_functions.faults import PASSED_ON, caused, named, stopped
from tailrace.user_functions.running import Argument

T = TypeVar("T")
_NOT_THEIRS = (*PASSED_ON, TailraceError)
"""What is never taken for a failure of the user's code."""

_objects: WeakKeyDictionary[Declaration[..., Any], Any] = WeakKeyDictionary()


def _object(declaration: Declaration[..., Any]) -> Any:
    """Give the object of a class, made once: what its `__init__` loads may be large."""
    if declaration not in _objects:
        _objects[declaration] = declaration.target()
    return _objects[declaration]


class Aggregator:
    """
    The one object of the user's class, and how it is called; `result` is the type of its value.

    Errors point at `location`, where SQL calls it.
    """

    def __init__(
        self,
        declaration: Declaration[..., Any],
        arguments: Sequence[Argument],
        result: DataType,
        location: Location | None = None,
    ) -> None:
        self._declaration = declaration
        self._location = location
        self._arguments = tuple(arguments)
        self._result = result
        self._object: Any = self.within_time(lambda: self._guarded(lambda: _object(declaration)))

    def within_time(self, work: Callable[[], T]) -> T:
        """
        Do what a batch asks of the aggregate.

        Raises:
            TerminalError: it takes longer than it may.
        """
        try:
            return within(self._declaration, work)
        except TerminalError as error:
            error.location = error.location or self._location
            raise

    def created(self) -> Any:
        """
        Give an empty accumulator.

        Raises:
            TerminalError: there is none, or it can't be written: found here, not first at a checkpoint.
        """
        made = self._guarded(self._object.create)
        if made is None:
            raise self._stopped("created no accumulator", "return one in create, as 0 or []")
        self.packed(made)
        return made

    def changed(self, state: Any, rows: list[pl.Series], count: int, sign: int) -> Any:
        """
        Give an accumulator with rows added or, with `sign` -1, taken back.

        Raises:
            DataError: the aggregate fails for one of the rows.
        """
        try:
            return self._fold(state, rows, count, sign)
        except _NOT_THEIRS:
            raise
        except BaseException as error:
            hint = "mend the aggregate, or leave such rows out with FILTER (WHERE ...)"
            raise DataError(caused(self._declaration, error), hint=hint, location=self._location) from error

    def tried(self, state: Any, before: bytes, rows: list[pl.Series], count: int) -> tuple[Any, Failed]:
        """Give an accumulator with rows added but for those that fail, which are told; `before` is what it was."""
        try:
            return self._fold(state, rows, count, 1), []
        except _NOT_THEIRS:
            raise
        except BaseException as error:  # noqa: BLE001  whatever it is, the rows that it is about are looked for
            before_again = self.unpacked(before)
            if count == 1:
                return before_again, [(0, caused(self._declaration, error))]
        middle = count // 2
        half, first = self.tried(before_again, before, [r[:middle] for r in rows], middle)
        state, second = self.tried(half, self.packed(half), [r[middle:] for r in rows], count - middle)
        return state, [*first, *((middle + i, reason) for i, reason in second)]

    def _fold(self, state: Any, rows: list[pl.Series], count: int, sign: int) -> Any:
        method = self._object.accumulate if sign > 0 else self._object.retract
        if self._declaration.form is Form.VECTORISED:
            return self._or_same(method(state, *(r.clone() for r in rows)), state)
        values = [columns.python_values(r, known.type) for r, known in zip(rows, self._arguments, strict=True)]
        for row in zip(*values, strict=True):
            state = self._or_same(method(state, *row), state)
        return state

    @staticmethod
    def _or_same(given: Any, state: Any) -> Any:
        return state if given is None else given

    def merged(self, state: Any, others: list[Any]) -> Any:
        """Give one accumulator of several."""
        return self._or_same(self._guarded(lambda: self._object.merge(state, others)), state)

    def results(self, states_: Sequence[Any]) -> pl.Series:
        """Give the value of each accumulator."""
        found = self._guarded(lambda: [self._object.result(s) for s in states_])
        if not self._result.nullable and any(v is None for v in found):
            hint = "let the hint of result have None, or result_type no NOT NULL"
            raise self._stopped("gave NULL, but its result is NOT NULL", hint)
        try:
            return columns.column(found, self._result)
        except Exception:  # noqa: BLE001  Polars and Python raise what they like; the value is looked for below
            wrong = next(v for v in found if not self._fits(v))
            what = f"gave {type(wrong).__name__}, but its result is {self._result.sql()}"
            raise self._stopped(what, "mend result, or result_type") from None

    def _fits(self, value: Any) -> bool:
        try:
            columns.column([value], self._result)
        except Exception:  # noqa: BLE001  as above
            return False
        return True

    def packed(self, state: Any) -> bytes:
        """Give an accumulator as bytes."""
        try:
            return states.packed(state)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            what = f"keeps what can't be written into a checkpoint: {error}"
            raise self._stopped(what, f"an accumulator is made of {states.KINDS}") from None

    @staticmethod
    def unpacked(data: bytes) -> Any:
        """Give an accumulator from its bytes."""
        return states.unpacked(data)

    def _stopped(self, what: str, hint: str) -> TerminalError:
        error = stopped(self._declaration, what, hint)
        error.location = self._location
        return error

    def _guarded(self, work: Callable[[], T]) -> T:
        """Do what is about no single row: if that fails, the job can't go on."""
        try:
            return work()
        except _NOT_THEIRS:
            raise
        except BaseException as error:
            what = caused(self._declaration, error).removeprefix(named(self._declaration)).strip()
            raise self._stopped(what, "mend the aggregate") from error
