"""Expressions over the rows of a match: columns of variables, FIRST and LAST, aggregates."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError, Location, UnsupportedError
from tailrace.expressions import aggregates
from tailrace.expressions.nodes import AggregateCall, Column, Expr, Literal
from tailrace.plan.nodes import MATCH_TIME, PatternAggregate, PatternValue, RowReference
from tailrace.schema import INTEGERS, TIMESTAMPS, Kind, TimeAttribute
from tailrace.sql.binder import json_aggregates
from tailrace.sql.binder.aggregate_calls import aggregate_call, constant_of, takes
from tailrace.sql.binder.composed_aggregates import composed
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.input_columns import InputColumns
from tailrace.sql.dialect import nodes as n
from tailrace.user_functions.known import Known

_SIDES = ("FIRST", "LAST")
_PHYSICAL = ("PREV", "NEXT")
_TIMES = ("MATCH_ROWTIME", "MATCH_PROCTIME")


class PatternBinder(ExpressionBinder):
    """
    Binds one expression of DEFINE or, with `measures`, of MEASURES, and collects the values that it reads.

    A column without a variable is one of any row. Where one row is wanted the last one counts.
    """

    def __init__(self, columns: InputColumns, variables: tuple[str, ...], *, measures: bool) -> None:
        super().__init__(columns.below.scope, columns.below.source)
        self.values: dict[str, PatternValue] = {}
        self.asks_for_time = False
        self._columns = columns
        self._variables = variables
        self._measures = measures
        self._row: _Row | None = None
        """What the call at hand says of the rows whose columns stand in it."""

    def name(self, node: n.Name) -> Expr:
        variable, rest = self._split(node)
        column, fields = self.scope.resolve(rest, self.source)
        found: Expr = column
        if self._row is not None:
            self._row.check(variable, self.at(node))
        if self._row is None or not self._row.raw:
            found = self._reference(column, variable)
        for text in fields:
            found = self._field(found, text, self.at(node))
        return found

    def _split(self, node: n.Name) -> tuple[str | None, n.Name]:
        """Give the variable that a name begins with, and what is behind it."""
        texts = node.texts
        if len(texts) == 1 or texts[0] not in self._variables:
            return None, node
        rest = n.Name(parts=[p.copy() for p in node.args["parts"][1:]])
        rest.meta.update(node.meta)
        return texts[0], rest

    def _reference(self, column: Column, variable: str | None) -> Expr:
        row = self._row or _Row(first=False, offset=0)
        return self._value(RowReference(column.name, column.type, variable, row.first, row.offset))

    def _value(self, value: PatternValue) -> Column:
        self.values[value.name] = value
        return value.value

    def _unary(self, node: n.Unary) -> Expr:
        word = str(node.args["op"])
        if word == "FINAL" and self._measures:  # as all values of MEASURES are
            return self.bind(node.this)
        if word in ("FINAL", "RUNNING"):
            message = f"{word} is not supported here, as in Flink"
            raise ConfigError(message, hint="leave it out", location=self.at(node))
        return super()._unary(node)

    def call(self, node: n.Call) -> Expr:
        name = str(node.this).upper()
        if name in _PHYSICAL:
            hint = "write LAST(x, 1): the row before among those of the match"
            raise ConfigError(f"{name} is not supported, as in Flink", hint=hint, location=self.at(node))
        if name in _TIMES:
            return self._time(node, name)
        if name in _SIDES:
            return self._navigated(node, first=name == "FIRST")
        is_aggregate = meant(node) is None and aggregates.is_aggregate(name)
        return self._aggregate(node, name) if is_aggregate else super().call(node)

    def _user_call(self, user: Known, node: n.Call) -> Expr:
        if not self._measures and (self._row is None or not self._row.raw):
            hint = "compute it in a query below: FROM (SELECT ...) MATCH_RECOGNIZE (...)"
            message = f"{user.name}, a function in Python, can't stand in DEFINE"
            raise UnsupportedError(message, hint=hint, location=self.at(node))
        return super()._user_call(user, node)

    def _time(self, node: n.Call, name: str) -> Expr:
        if not self._measures:
            raise ConfigError(f"{name} stands in MEASURES only", location=self.at(node))
        if name == "MATCH_PROCTIME":
            return self._call("PROCTIME", [], node)
        arguments = n.get(node, "arguments") or []
        given = [f for f in self.scope.schema if f.time is TimeAttribute.ROWTIME]
        field = self.scope.field(self._columns.below.bind(arguments[0]).name) if arguments else given[0]  # type: ignore[attr-defined]
        if field.type.kind not in TIMESTAMPS or (not arguments and field.type.kind is Kind.TIMESTAMP_LTZ):
            hint = f"write MATCH_ROWTIME({given[0].name})"
            raise ConfigError("MATCH_ROWTIME needs the row time here", hint=hint, location=self.at(node))
        self.asks_for_time = True
        return Column(field.type.with_nullable(True), MATCH_TIME)

    def _navigated(self, node: n.Call, *, first: bool) -> Expr:
        """Give FIRST or LAST of an expression, all of whose columns are those of one row."""
        arguments, word = n.get(node, "arguments") or [], "FIRST" if first else "LAST"
        if not 1 <= len(arguments) <= 2:
            raise ConfigError(
                f"{word} takes other arguments", hint=f"write {word}(x [, offset])", location=self.at(node)
            )
        if self._row is not None:
            raise self._nested(node)
        self._row = _Row(first, self._offset(arguments[1:]))
        found = self.bind(arguments[0])
        self._row = None
        return found

    def _nested(self, node: n.Call) -> ConfigError:
        word = str(node.this).upper()
        if self._row is not None and self._row.raw and word in _SIDES:
            return UnsupportedError(f"{word} inside an aggregate is not supported", location=self.at(node))
        return ConfigError(f"{word} can't stand inside FIRST, LAST or an aggregate", location=self.at(node))

    def _offset(self, nodes: list[n.Node]) -> int:
        if not nodes:
            return 0
        given = self._columns.below.bind(nodes[0])
        value = given.value if isinstance(given, Literal) and given.type.kind in INTEGERS else -1
        if value < 0:
            raise ConfigError("the offset is a whole number, from 0 on", location=self.at(nodes[0]))
        return int(value)

    def _aggregate(self, node: n.Call, name: str) -> Expr:
        if self._row is not None:
            raise self._nested(node)
        if name in json_aggregates.NAMES:
            hint = "collect the values by ARRAY_AGG(x), and write the JSON in a query above"
            raise UnsupportedError(f"{name} in a pattern is not supported", hint=hint, location=self.at(node))
        for part in ("distinct", "filter"):
            if n.get(node, part):
                message = f"{part.upper()} is not supported in a pattern, as in Flink"
                raise ConfigError(message, hint="leave it out", location=self.at(node))
        self._row = _Row(raw=True)
        made = self._made(node, name)
        group = _InMatch(self, self._row.variable)
        self._row = None
        return composed(made, group) if aggregates.AGGREGATES[name].composed else group.result(made)

    def _made(self, node: n.Call, name: str) -> AggregateCall:
        arguments = n.get(node, "arguments") or []
        star = name == "COUNT" and len(arguments) == 1 and isinstance(arguments[0], n.Star)
        entry, place = aggregates.AGGREGATES[name], self.at(node)
        if star and n.get(arguments[0], "qualifier"):
            hint = "count a column of the variable that is never NULL"
            raise ConfigError(
                "COUNT of all columns of a variable is not supported, as in Flink", hint=hint, location=place
            )
        if not star and not takes(entry, len(arguments)):
            raise ConfigError(f"{name} takes other arguments", hint=f"write {entry.signature}", location=place)
        argument = None if star else self.bind(arguments[0])
        constants = tuple(constant_of(self._columns.below, a) for a in arguments[1:])
        return aggregate_call(name, argument, constants, self._columns.column, place)

    def keep(self, value: PatternValue) -> Column:
        """Take note of a value; give the expression that reads it."""
        return self._value(value)

    @property
    def columns(self) -> InputColumns:
        """The helper columns of the input."""
        return self._columns


@dataclass
class _Row:
    """Which row FIRST or LAST means or, if `raw`, that all rows count; and the variable whose columns were read."""

    first: bool = False
    offset: int = 0
    raw: bool = False
    variable: str | None = None
    read: bool = False

    def check(self, variable: str | None, location: Location) -> None:
        """Take note of the variable of a column; there may be one only."""
        if self.read and variable != self.variable:
            hint = "compute with columns of one variable, and combine the results"
            message = f"columns of both {self.variable or 'any row'} and {variable or 'any row'} can't stand here"
            raise ConfigError(message, hint=hint, location=location)
        self.variable, self.read = variable, True


@dataclass(frozen=True, slots=True)
class _InMatch:
    """The rows of a variable, as composed aggregates want it."""

    binder: PatternBinder
    variable: str | None

    def column(self, expr: Expr) -> str:
        return self.binder.columns.column(expr)

    def argument(self, name: str) -> Expr:
        return self.binder.columns.argument(name)

    def result(self, made: AggregateCall) -> Column:
        return self.binder.keep(PatternAggregate(self.variable, made))
