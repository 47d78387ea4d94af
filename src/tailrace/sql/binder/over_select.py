"""SELECT with OVER and QUALIFY: what is computed below the windows, the windows, and what is computed above them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tailrace.errors import ConfigError, Location, UnsupportedError
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes import Rank, SortKey
from tailrace.schema import BIGINT, Field, Schema
from tailrace.sql.binder.aggregates import GroupedBinder, has_aggregate
from tailrace.sql.binder.expressions import NUMBERING, ExpressionBinder
from tailrace.sql.binder.over import OverCalls
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc, unique
from tailrace.sql.binder.row_windows import (
    check_order,
    constant,
    definitions,
    expanded,
    has_over,
    is_over,
    meanings,
    resolved,
    sort_key,
)
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_PLACE = BIGINT.with_nullable(False)


@dataclass(frozen=True, slots=True)
class _Numbering:
    """One column of places: how it is called, what counts them, and by which columns."""

    number: str
    function: str
    partition: tuple[str, ...]
    order: tuple[SortKey, ...]
    location: Location

    def over(self, plan: Plan) -> Rank:
        """Give a plan with the column."""
        return Rank(
            schema=Schema((*plan.schema.fields, Field(self.number, _PLACE))),
            input=plan,
            partition=self.partition,
            order=self.order,
            number=self.number,
            function=self.function,
            location=self.location,
        )


@dataclass
class OverSelect:
    """
    Binds the columns of a SELECT with OVER.

    `star` gives the columns that a star means, `name` the name of an item (None: it has none).
    """

    node: n.Select
    items: Sequence[n.Node]
    source: Source
    star: Callable[[n.Star, ExpressionBinder], list[Output]]
    name: Callable[[n.SelectItem], str | None]
    columns: dict[n.Node, list[Output]] = field(default_factory=dict)
    """What was computed below, by what was written: columns with the names that stars have for them."""

    def below(self, binder: ExpressionBinder) -> list[Output]:
        """
        Give what must be computed below the windows, by the binder of what SELECT reads.

        Raises:
            ConfigError: something in the SELECT or its windows is wrong.
        """
        collecting = _Collecting(binder, self)
        for item in self.items:
            if isinstance(item, n.Star):
                collecting.found.setdefault(item, self.star(item, binder))
            elif isinstance(item, n.SelectItem):
                collecting.bind(item.this)
        if (qualify := self._qualify()) is not None:
            collecting.condition(qualify, "QUALIFY")
        return self._named(collecting.found, shared=not isinstance(binder, GroupedBinder))

    def _named(self, found: dict[n.Node, list[Output]], *, shared: bool) -> list[Output]:
        """Give each expression a column; with `shared` equal ones have one, which may not be so for other groupings."""
        distinct: dict[object, Output] = {}
        keys = {
            node: [o.expr if shared else (node, i) for i, o in enumerate(outputs)] for node, outputs in found.items()
        }
        for node, outputs in found.items():
            for key, output in zip(keys[node], outputs, strict=True):
                distinct.setdefault(key, output)
        names = unique("__w" if o.name is None else o.name for o in distinct.values())
        columns = {key: Column(o.expr.type, name) for (key, o), name in zip(distinct.items(), names, strict=True)}
        self.columns = {
            node: [replace(o, expr=columns[key]) for key, o in zip(keys[node], outputs, strict=True)]
            for node, outputs in found.items()
        }
        return [replace(o, name=name) for o, name in zip(distinct.values(), names, strict=True)]

    def above(self, plan: Plan) -> Plan:
        """Give the windows over a plan of the columns of `below`, and the columns of the SELECT."""
        binder = _Above(Scope.of(plan.schema), self)
        outputs: list[Output] = []
        for item in self.items:
            if isinstance(item, n.Star):
                outputs += [replace(o, expr=binder.column(o)) for o in self.columns[item]]
            elif isinstance(item, n.SelectItem):
                outputs.append(Output(self.name(item), binder.bind(item.this)))
        qualify = self._qualify()
        passes = binder.condition(qualify, "QUALIFY") if qualify is not None else None
        return calc(binder.over(plan), outputs, passes, at(self.node, self.source))

    def _qualify(self) -> n.Node | None:
        """Give the condition of QUALIFY, with the names of columns of the SELECT replaced by what they mean."""
        given: n.Node | None = n.get(self.node, "qualify")
        if given is None:
            return None
        found = expanded(given, meanings(self.items))
        if not has_over(found):
            hint = "write a condition on a window, as ROW_NUMBER() OVER (...) <= 3, or use WHERE"
            raise ConfigError("QUALIFY needs a window function", hint=hint, location=at(given, self.source))
        return found

    def window(self, call: n.Call) -> n.Over:
        """Give the window of a call, with what WINDOW says of it."""
        return resolved(call.args["over"], definitions(self.node), self.source)


class _Parts(ExpressionBinder, ABC):
    """Binds expressions in which calls with OVER stand."""

    def bind(self, node: n.Node) -> Expr:
        if isinstance(node, n.Call) and is_over(node):
            return self.windowed(node)
        return self.part(node) if self.is_part(node) else super().bind(node)

    @abstractmethod
    def is_part(self, node: n.Node) -> bool:
        """Tell whether an expression is computed below."""

    @abstractmethod
    def part(self, node: n.Node) -> Expr:
        """Give the column of an expression that is computed below."""

    @abstractmethod
    def windowed(self, node: n.Call) -> Expr:
        """Give the column of a call with OVER."""


class _Collecting(_Parts):
    """Collects what must be computed below."""

    def __init__(self, below: ExpressionBinder, select: OverSelect) -> None:
        super().__init__(below.scope, below.source)
        self._below = below
        self._select = select
        self.found: dict[n.Node, list[Output]] = {}

    def is_part(self, node: n.Node) -> bool:
        reads = has_aggregate(node) or any(isinstance(x, (n.Name, n.Query)) for x in node.walk())
        return reads and not has_over(node)

    def part(self, node: n.Node) -> Expr:
        if node not in self.found:
            name = node.texts[-1] if isinstance(node, n.Name) else None
            self.found[node] = [Output(name, self._below.bind(node))]
        return self.found[node][0].expr

    def windowed(self, node: n.Call) -> Expr:
        window = self._select.window(node)
        inner = [*(n.get(window, "partition") or []), *(k.this for k in n.get(window, "order") or [])]
        arguments = [a for a in n.get(node, "arguments") or [] if not isinstance(a, n.Star)]
        for part in (*inner, *arguments):
            if has_over(part):
                raise ConfigError("a window can't stand inside another one", location=self.at(part))
            # an argument that reads nothing stays what it is: it may have to be a constant
            if self.is_part(part) or (part in inner and constant(part) is None):
                self.part(part)
        return Column(_PLACE, "")


class _Above(_Parts):
    """Binds over what was computed below, and collects the windows."""

    def __init__(self, scope: Scope, select: OverSelect) -> None:
        super().__init__(scope, select.source)
        self._select = select
        self._calls = OverCalls(self, definitions=definitions(select.node))
        self._names = {
            i.this: i.args["alias"].this for i in select.items if isinstance(i, n.SelectItem) and n.get(i, "alias")
        }
        self._ranks: dict[str, _Numbering] = {}

    def is_part(self, node: n.Node) -> bool:
        return node in self._select.columns

    def part(self, node: n.Node) -> Column:
        return self.column(self._select.columns[node][0])

    def column(self, output: Output) -> Column:
        """Give the column that holds what was computed below."""
        assert isinstance(output.expr, Column)
        return self.scope.column(output.expr.name)

    def windowed(self, node: n.Call) -> Expr:
        if str(node.this).upper() not in NUMBERING:
            return self._calls.call(node)
        made = self._numbering(node)
        known = next(iter(self._ranks.values()), made)
        if (known.partition, known.order) != (made.partition, made.order):
            hint = "put one of them into a query below"
            message = "all windows of one SELECT must be the same, as in Flink"
            raise ConfigError(message, hint=hint, location=self.at(node))
        return Column(_PLACE, self._ranks.setdefault(made.function, made).number)

    def _numbering(self, node: n.Call) -> _Numbering:
        function, place = str(node.this).upper(), self.at(node)
        if n.get(node, "arguments"):
            raise ConfigError(f"{function} takes no arguments", location=place)
        window = self._select.window(node)
        frame = n.get(window, "frame")
        if frame is not None:
            raise ConfigError(f"{function} takes no ROWS or RANGE", hint="leave it out", location=self.at(frame))
        keys = [k for k in n.get(window, "order") or [] if constant(k.this) is None]
        if not keys:
            hint = f"{function}() OVER (PARTITION BY ... ORDER BY ...)"
            raise ConfigError(f"{function} needs ORDER BY of a column in OVER", hint=hint, location=place)
        for key in keys:
            check_order(self.part(key.this), self.at(key))
        partition = [self.part(p).name for p in n.get(window, "partition") or [] if constant(p) is None]
        taken = [*self.scope.schema.names, *(r.number for r in self._ranks.values())]
        return _Numbering(
            unique([*taken, self._names.get(node, "__n")])[-1],
            function,
            tuple(dict.fromkeys(partition)),
            tuple(sort_key(k, self.part(k.this).name) for k in keys),
            place,
        )

    def over(self, plan: Plan) -> Plan:
        """Give a plan with the columns of all windows."""
        if self._ranks and self._calls.results:
            rank = next(iter(self._ranks.values()))
            hint = "compute one of them in a query below"
            raise UnsupportedError(f"{rank.function} beside an aggregate with OVER", hint=hint, location=rank.location)
        if self._calls.results:
            return self._calls.plan(plan, None, self._select.node)
        for rank in self._ranks.values():
            plan = rank.over(plan)
        return plan
