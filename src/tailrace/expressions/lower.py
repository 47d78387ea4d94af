"""Typed expressions to Polars expressions, with the checks that find rows for which they fail."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from tailrace.errors import Location
from tailrace.expressions.casts import cast, lost, may_fail
from tailrace.expressions.functions import FUNCTIONS
from tailrace.expressions.names import NOW, USER_CALL, WATERMARK
from tailrace.expressions.nodes import Call, Cast, Column, Expr, Literal, UserCall, columns, is_changing, walk
from tailrace.schema import Kind

VOLATILE = {"RAND", "RAND_INTEGER", "UUID"}
"""Functions with another value for each row."""


@dataclass(frozen=True, slots=True)
class Check:
    """A row fails where `mask` is true."""

    mask: pl.Expr
    message: str
    location: Location | None = None
    operand: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """
    A call of a function of the user, whose values become the column `name` of the batch.

    It is made for rows for which `guard` is true (None: for all), after those that fail `checks` are gone.
    """

    name: str
    call: UserCall
    args: tuple[pl.Expr, ...]
    guard: pl.Expr | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """
    A Polars expression that never raises for row data, and the checks of the rows for which it has no value.

    The `steps` go before the checks and the value, which read their columns.
    """

    value: pl.Expr
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass
class Lowering:
    """Collects checks and steps; `guard` is the condition under which the expression at hand is evaluated at all."""

    timezone: str = "UTC"
    checks: list[Check] = field(default_factory=list)
    guard: pl.Expr | None = None
    steps: list[Step] = field(default_factory=list)
    _constant: bool = False

    def check(self, mask: pl.Expr, message: str, location: Location | None, operand: pl.Expr | None = None) -> None:
        """Let rows fail where `mask` is true, unless the expression is not evaluated for them."""
        mask = mask.first() if self._constant else mask
        self.checks.append(Check(mask if self.guard is None else mask & self.guard, message, location, operand))

    def under(self, condition: pl.Expr, expr: Expr) -> pl.Expr:
        """Lower an expression that is evaluated only where `condition` is true."""
        outer = self.guard
        taken = condition.fill_null(value=False)
        self.guard = taken if outer is None else outer & taken
        value = self.lower(expr)
        self.guard = outer
        return value

    def lower(self, e: Expr) -> pl.Expr:
        """Give the Polars expression."""
        if isinstance(e, Column):
            return pl.col(e.name)
        if isinstance(e, Literal):
            return literal(e)
        if isinstance(e, UserCall):
            return self._user_call(e)
        outer, self._constant = self._constant, is_constant(e)
        value = self._cast(e) if isinstance(e, Cast) else self._call(e)
        # a scalar takes the length of what stands beside it
        value = value.first() if self._constant else value
        self._constant = outer
        return value

    def _call(self, e: Expr) -> pl.Expr:
        assert isinstance(e, Call)
        return FUNCTIONS[e.function].lower(self, e)

    def _user_call(self, e: UserCall) -> pl.Expr:
        """Give the column of its step; equal calls have one, unless another condition decides about each."""
        known = next((s for s in self.steps if s.call == e and s.guard is None), None)
        if known is None or is_changing(e):
            args = tuple(self.lower(a) for a in e.args)
            known = Step(f"{USER_CALL}{len(self.steps)}", e, args, self.guard, tuple(self.checks))
            self.steps.append(known)
            self.checks.clear()
        return pl.col(known.name)

    def _cast(self, e: Cast) -> pl.Expr:
        value = self.lower(e.arg)
        if not e.safe and may_fail(e.arg.type, e.type):
            message = f"CAST to {e.type.sql()}: the value can't be read as one"
            self.check(lost(value, e.arg.type, e.type, self.timezone), message, e.location, value)
        return cast(value, e.arg.type, e.type, self.timezone)


def literal(e: Literal) -> pl.Expr:
    """Lower a constant."""
    if e.value is None:
        return pl.lit(None, dtype=e.type.polars)
    if e.type.kind is Kind.INTERVAL_SECOND:
        return pl.lit(e.value, dtype=pl.Int64).cast(pl.Duration("ms"))
    return pl.lit(e.value, dtype=e.type.polars)


def lower(expr: Expr, timezone: str = "UTC") -> Lowered:
    """Lower a whole expression."""
    lowering = Lowering(timezone)
    value = lowering.lower(expr)
    return Lowered(value, tuple(lowering.checks), tuple(lowering.steps))


def is_constant(expr: Expr) -> bool:
    """Tell whether an expression has one value for all rows."""
    called = any(isinstance(e, UserCall) for e in walk(expr))
    return not columns(expr) and not needs(expr) and not is_volatile(expr) and not called


def is_volatile(expr: Expr) -> bool:
    """Tell whether each call gives another value."""
    return any(isinstance(e, Call) and e.function in VOLATILE for e in walk(expr))


def needs(expr: Expr) -> set[str]:
    """Tell which hidden columns an expression reads."""
    calls = [e for e in walk(expr) if isinstance(e, Call)]
    names = {e.function for e in calls if e.function != "UNIX_TIMESTAMP" or not e.args}
    out = set()
    if names & {
        "PROCTIME",
        "NOW",
        "CURRENT_TIMESTAMP",
        "LOCALTIMESTAMP",
        "CURRENT_DATE",
        "LOCALTIME",
        "CURRENT_TIME",
        "UNIX_TIMESTAMP",
        "CURRENT_ROW_TIMESTAMP",
    }:
        out.add(NOW)
    if "CURRENT_WATERMARK" in names:
        out.add(WATERMARK)
    return out
