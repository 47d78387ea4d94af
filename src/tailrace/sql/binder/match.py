"""MATCH_RECOGNIZE: a pattern over the rows of a relation, and what is computed of each match."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr, Literal
from tailrace.plan.nodes import MATCH_TIME, AfterMatch, MatchRecognize, PatternPart, PatternValue, SortKey
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Field, Kind, Schema, TimeAttribute
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.input_columns import InputColumns
from tailrace.sql.binder.match_parts import parts_of
from tailrace.sql.binder.match_values import PatternBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.row_windows import check_order, sort_key
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


@dataclass(frozen=True, slots=True)
class _Order:
    """What ORDER BY says: the time attribute, and the keys behind it."""

    time: Field
    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class MatchBinder:
    """Binds MATCH_RECOGNIZE over the plan of its input."""

    node: n.MatchSource
    input: Plan
    source: Source

    def bind(self) -> Plan:
        """
        Give the plan of the matches: the columns of PARTITION BY, then the measures.

        Raises:
            ConfigError: something in it does not exist, does not fit, or is refused by Flink; points at the place.
        """
        below = ExpressionBinder(Scope.of(self.input.schema), self.source)
        columns = InputColumns(below)
        parts = parts_of(self.node.args["pattern"], self.source)
        variables = tuple(p.variable for p in parts)
        partition, order = self._partition(below), self._order(below, columns)
        defined = PatternBinder(columns, variables, measures=False)
        parts = self._defined(parts, defined)
        measures = PatternBinder(columns, variables, measures=True)
        outputs = [Output(str(m.args["alias"].this), measures.bind(m.this)) for m in n.get(self.node, "measures") or []]
        made = MatchRecognize(
            schema=self._schema(partition, order.time, measures),
            input=self._input(columns),
            partition=partition,
            time=order.time.name,
            processing_time=order.time.time is TimeAttribute.PROCTIME,
            order=order.keys,
            parts=parts,
            values=tuple(defined.values.values()),
            measured=tuple(measures.values.values()),
            after=self._after(variables),
            within=self._within(below),
            location=at(self.node, self.source),
        )
        return self._measured(made, outputs)

    def _measured(self, made: MatchRecognize, measures: list[Output]) -> Plan:
        keys = [Output(name, Column(made.schema[name].type, name)) for name in made.partition]
        names = [str(o.name) for o in (*keys, *measures)]
        for name in names:
            if names.count(name) > 1:
                hint = "give the measure another name"
                raise ConfigError(f"the matches have two columns '{name}'", hint=hint, location=made.location)
        return calc(made, [*keys, *measures], None, made.location)

    def _input(self, columns: InputColumns) -> Plan:
        own = [Output(f.name, Column(f.type, f.name)) for f in self.input.schema]
        helpers = [Output(name, e) for name, e in columns.columns.items()]
        return calc(self.input, [*own, *helpers], None, at(self.node, self.source))

    def _schema(self, partition: tuple[str, ...], time: Field, measures: PatternBinder) -> Schema:
        keys = [Field(name, self.input.schema[name].type) for name in partition]
        fields = [_field(v) for v in measures.values.values()]
        if measures.asks_for_time:
            if time.time is not TimeAttribute.ROWTIME:
                hint = "write MATCH_PROCTIME(), or order by the row time"
                message = "MATCH_ROWTIME needs matches in the order of a row time"
                raise ConfigError(message, hint=hint, location=at(self.node, self.source))
            fields.append(Field(MATCH_TIME, time.type.with_nullable(True), TimeAttribute.ROWTIME))
        return Schema((*keys, *fields))

    def _partition(self, below: ExpressionBinder) -> tuple[str, ...]:
        found = []
        for node in n.get(self.node, "partition") or []:
            expr = below.bind(node)
            if not isinstance(expr, Column):
                hint = "compute it in a query below: FROM (SELECT ...) MATCH_RECOGNIZE (...)"
                raise ConfigError("PARTITION BY of a pattern names columns", hint=hint, location=below.at(node))
            found.append(expr.name)
        return tuple(dict.fromkeys(found))

    def _order(self, below: ExpressionBinder, columns: InputColumns) -> _Order:
        nodes = n.get(self.node, "order") or []
        hint = "declare WATERMARK FOR it in its table, or order by a column AS PROCTIME()"
        place = below.at(nodes[0] if nodes else self.node)
        time = below.bind(nodes[0].this) if nodes else None
        if not isinstance(time, Column) or below.scope.field(time.name).time is None:
            raise ConfigError("a pattern must be ordered by a time attribute first", hint=hint, location=place)
        if n.get(nodes[0], "descending"):
            raise ConfigError("the time of a pattern must be in ascending order", hint="leave out DESC", location=place)
        keys = []
        for node in nodes[1:]:
            expr = below.bind(node.this)
            check_order(expr, below.at(node))
            keys.append(sort_key(node, columns.column(expr)))
        return _Order(below.scope.field(time.name), tuple(keys))

    def _defined(self, parts: tuple[PatternPart, ...], binder: PatternBinder) -> tuple[PatternPart, ...]:
        """Give the parts with their conditions; a definition of a variable that the pattern lacks says nothing."""
        conditions: dict[str, Expr] = {}
        for node in n.get(self.node, "defines") or []:
            name = str(node.args["name"].this)
            if name in conditions:
                raise ConfigError(f"the variable '{name}' is defined twice", location=binder.at(node))
            if name in (p.variable for p in parts):
                conditions[name] = binder.condition(node.args["condition"], "DEFINE")
        return tuple(PatternPart(p.variable, p.low, p.high, p.greedy, conditions.get(p.variable)) for p in parts)

    def _after(self, variables: tuple[str, ...]) -> AfterMatch:
        node = n.get(self.node, "skip")
        if node is None:
            return AfterMatch("TO NEXT ROW")
        target = n.get(node, "variable")
        name = None if target is None else str(target.this)
        if name is not None and name not in variables:
            hint = f"variables: {', '.join(variables)}"
            raise ConfigError(f"the pattern has no variable '{name}'", hint=hint, location=at(target, self.source))
        return AfterMatch(node.args["kind"], name)

    def _within(self, below: ExpressionBinder) -> int | None:
        node = n.get(self.node, "within")
        if node is None:
            return None
        value = below.bind(node)
        if not isinstance(value, Literal) or value.type.kind is not Kind.INTERVAL_SECOND:
            hint = "write it in days or less: WITHIN INTERVAL '30' DAY"
            raise ConfigError("WITHIN needs an interval of a fixed length", hint=hint, location=below.at(node))
        return int(value.value) or None


def _field(value: PatternValue) -> Field:
    return Field(value.name, value.value.type)
