"""Columns of a result: their names, types and time attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tailrace.errors import Location
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.nodes import Calc
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.times import time_of
from tailrace.schema import Field, Schema


@dataclass(frozen=True, slots=True)
class Output:
    """One column to compute; without a name it is called EXPR$0, EXPR$1 and so on, by its place."""

    name: str | None
    expr: Expr


def unique(names: Iterable[str]) -> list[str]:
    """
    Give the names with a number behind those that were there before, as Flink does.

    >>> unique(["a", "b", "a", "a"])
    ['a', 'b', 'a0', 'a1']
    """
    given = list(names)
    seen: set[str] = set()
    found = []
    for name in given:
        candidate, number = name, 0
        while candidate in seen:
            candidate, number = f"{name}{number}", number + 1
        seen.add(candidate)
        found.append(candidate)
    return found


def calc(plan: Plan, outputs: Sequence[Output], predicate: Expr | None, location: Location | None) -> Plan:
    """Give a plan that computes the outputs of the rows that pass; the plan itself where that changes nothing."""
    names = unique(f"EXPR${i}" if o.name is None else o.name for i, o in enumerate(outputs))
    exprs = tuple(o.expr for o in outputs)
    fields = tuple(Field(n, e.type, time_of(e, plan.schema)) for n, e in zip(names, exprs, strict=True))
    same = predicate is None and names == list(plan.schema.names)
    if same and all(isinstance(e, Column) and e.name == n for e, n in zip(exprs, names, strict=True)):
        return plan
    return Calc(schema=Schema(fields), input=plan, exprs=exprs, predicate=predicate, location=location)


def renamed(plan: Plan, names: Sequence[str], location: Location | None) -> Plan:
    """Give the plan with other names for its columns."""
    outputs = [Output(n, Column(f.type, f.name)) for n, f in zip(names, plan.schema, strict=True)]
    return calc(plan, outputs, None, location)
