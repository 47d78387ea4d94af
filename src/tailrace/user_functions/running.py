"""
A function of the user over a batch: its values, and the rows for which it has none.

A row for which it raises, or gives a value that does not fit, fails alone: found by row, or of whole columns by
halving them. What is wrong for all rows (a column of another length or type, a call that hangs) stops the job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tailrace.errors import TerminalError
from tailrace.schema import DataType
from tailrace.user_functions import columns
from tailrace.user_functions.aside import within
from tailrace.user_functions.awaiting import Failed, Waiter
from tailrace.user_functions.declarations import Declaration, Form, UserTableFunction
from tailrace.user_functions.faults import PASSED_ON, caused, named, stopped


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: its type, and whether the function is spared rows where it is NULL."""

    type: DataType
    never_null: bool


@dataclass(slots=True)
class Outcome:
    """The values of a batch; NULL for the rows that failed, of which each is told with its place and reason."""

    values: pl.Series
    failed: Failed = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Raised:
    """A function gave no column, but raised."""

    error: BaseException


class Runner:
    """Calls one function; `result` is the type of the column that comes out, which has no NULL of its own unless `nullable`."""

    def __init__(
        self, declaration: Declaration[..., Any], arguments: Sequence[Argument], result: DataType, *, nullable: bool
    ) -> None:
        self._declaration = declaration
        self._arguments = tuple(arguments)
        self._result = result
        self._nullable = nullable
        self._nothing = pl.Series([None], dtype=result.polars)
        self._by_batch = self._maker()

    def _maker(self) -> Callable[[list[pl.Series], int], Outcome]:
        match self._declaration.form:
            case Form.SCALAR:
                return self._by_row
            case Form.ASYNC:
                self._waiter = Waiter(self._declaration)
                return self._awaited
        return self._vectorised

    def run(self, arguments: Sequence[pl.Series], count: int, use: pl.Series | None = None) -> Outcome:
        """
        Call the function for the rows that `use` takes and in which no argument is NULL that must not be.

        Raises:
            TerminalError: the function is wrong, whatever the row.
        """
        taken = self._taken(arguments, use)
        if taken is None:
            return self._called(list(arguments), count)
        places = taken.arg_true()
        found = self._called([a.filter(taken) for a in arguments], len(places))
        rank = taken.cast(pl.Int64).cum_sum() - 1
        spread = found.values.gather(pl.select(pl.when(taken).then(rank)).to_series())
        return Outcome(spread, [(int(places[i]), reason) for i, reason in found.failed])

    def _taken(self, arguments: Sequence[pl.Series], use: pl.Series | None) -> pl.Series | None:
        masks = [use.fill_null(value=False)] if use is not None else []
        pairs = zip(arguments, self._arguments, strict=True)
        masks += [a.is_not_null() for a, known in pairs if known.never_null and a.null_count()]
        if not masks:
            return None
        taken = masks[0]
        for mask in masks[1:]:
            taken &= mask
        return None if taken.all() else taken

    def _called(self, arguments: list[pl.Series], count: int) -> Outcome:
        if not count:
            return Outcome(pl.Series(dtype=self._result.polars))
        out = self._by_batch(arguments, count)
        out.values = out.values.alias("")
        if not self._nullable and out.values.null_count() > len(out.failed):
            out.failed = self._with_nulls(out)
        return out

    def _with_nulls(self, out: Outcome) -> Failed:
        known = {place for place, _ in out.failed}
        fresh = [
            (int(i), f"{named(self._declaration)} gave NULL, but its result is NOT NULL")
            for i in out.values.is_null().arg_true()
        ]
        return sorted([*out.failed, *(f for f in fresh if f[0] not in known)])

    def _vectorised(self, arguments: list[pl.Series], count: int) -> Outcome:
        """Call the function with the batch, and where it fails with its halves, down to the rows that fail."""
        parts: list[pl.Series] = []
        failed: Failed = []
        waiting = [(0, count)]
        while waiting:
            start, stop = waiting.pop()
            given = self._tried([a[start:stop] for a in arguments] if stop - start < count else arguments)
            if not isinstance(given, _Raised):
                found = self._checked(given, stop - start)
                parts.append(found.values)
                failed += [(start + i, reason) for i, reason in found.failed]
            elif stop - start == 1:
                parts.append(self._nothing)
                failed.append((start, caused(self._declaration, given.error)))
            else:
                middle = (start + stop) // 2
                waiting += [(middle, stop), (start, middle)]
        return Outcome(parts[0] if len(parts) == 1 else pl.concat(parts), failed)

    def _tried(self, arguments: list[pl.Series]) -> Any:
        try:
            return within(self._declaration, lambda: self._target(arguments))
        except PASSED_ON:
            raise
        except BaseException as error:
            if isinstance(error, TerminalError):
                raise
            return _Raised(error)

    def _target(self, arguments: list[pl.Series]) -> Any:
        # a function may write into a series: it gets its own
        given = [columns.arrow(a) for a in arguments] if self._declaration.arrow else [a.clone() for a in arguments]
        return self._declaration.target(*given)

    def _checked(self, given: Any, count: int) -> Outcome:
        """Take a column of the right length and type; values that the type can't hold fail their rows."""
        found = columns.as_series(given)
        wanted = self._result.polars
        if found is None:
            hint = "return a Series; or write scalar=True for a function that is called with the values of one row"
            if isinstance(given, pl.Expr):
                hint = "an expression is no column: compute with the Series that it is called with"
            raise stopped(self._declaration, f"returned {type(given).__name__}, not a column", hint)
        if len(found) != count:
            hint = "a function of whole columns gives one value for each row"
            raise stopped(self._declaration, f"returned {len(found)} values for {count} rows", hint)
        if found.dtype == wanted:
            return Outcome(found)
        if not columns.fits(found.dtype, wanted):
            hint = "cast the result, or mend result_type"
            raise stopped(
                self._declaration, f"returned {found.dtype}, but its result is {self._result.sql()} ({wanted})", hint
            )
        cast = found.cast(wanted, strict=False)
        lost = (cast.is_null() & found.is_not_null()).arg_true()
        reason = f"{named(self._declaration)} gave a value that {self._result.sql()} can't hold"
        return Outcome(cast, [(int(i), reason) for i in lost])

    def _by_row(self, arguments: list[pl.Series], count: int) -> Outcome:
        rows = self._python(arguments)
        values, failed = within(self._declaration, lambda: self._mapped(rows, count))
        return self._built(values, failed)

    def _mapped(self, rows: list[list[Any]], count: int) -> tuple[list[Any], Failed]:
        values: list[Any] = []
        failed: Failed = []
        target = self._row_target()
        calls = map(target, *rows) if rows else (target() for _ in range(count))
        while len(values) < count:
            try:
                values.extend(calls)
                if len(values) < count:
                    raise RuntimeError("StopIteration")  # noqa: TRY301  it would end the batch
            except PASSED_ON:
                raise
            except BaseException as error:  # noqa: BLE001  whatever it is, it is this row's; the others go on
                failed.append((len(values), caused(self._declaration, error)))
                values.append(None)
        return values, failed

    def _row_target(self) -> Callable[..., Any]:
        target: Callable[..., Any] = self._declaration.target
        if not isinstance(self._declaration, UserTableFunction):
            return target
        return lambda *row: list(target(*row) or ())

    def _awaited(self, arguments: list[pl.Series], count: int) -> Outcome:
        rows = self._python(arguments)
        values, failed = self._waiter.results(zip(*rows, strict=True) if rows else [()] * count, count)
        return self._built(values, failed)

    def _python(self, arguments: list[pl.Series]) -> list[list[Any]]:
        return [columns.python_values(a, known.type) for a, known in zip(arguments, self._arguments, strict=True)]

    def _built(self, values: list[Any], failed: Failed) -> Outcome:
        """Make the column; of values that do not fit, each is found."""
        try:
            return Outcome(columns.column(values, self._result), failed)
        except Exception:  # noqa: BLE001  Polars and Python raise what they like; each value is tried below
            parts = [self._one(v) for v in values]
        wrong = [(i, self._misfit(v)) for i, (v, part) in enumerate(zip(values, parts, strict=True)) if part is None]
        return Outcome(pl.concat([self._nothing if p is None else p for p in parts]), sorted([*failed, *wrong]))

    def _one(self, value: Any) -> pl.Series | None:
        try:
            return columns.column([value], self._result)
        except Exception:  # noqa: BLE001  as above
            return None

    def _misfit(self, value: Any) -> str:
        """Say what is wrong, but not the value: it may be nobody's business."""
        kind = type(value).__name__
        return f"{named(self._declaration)} gave {_article(kind)} {kind} that is no {self._result.sql()}"


def _article(word: str) -> str:
    return "an" if word[0].lower() in "aeiou" else "a"
