"""Aggregates with OVER: what is computed before them, by them and after them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.expressions import aggregates
from tailrace.expressions.absent import ABSENT
from tailrace.expressions.nodes import AggregateCall, Column, Expr, Literal
from tailrace.plan.nodes import Frame, OverAggregate, OverUpdates, SortKey
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import INTEGERS, Field, Kind, Schema, TimeAttribute
from tailrace.sql.binder.aggregate_calls import aggregate_call, constant_of, takes
from tailrace.sql.binder.composed_aggregates import composed
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.input_columns import InputColumns
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.row_windows import resolved, sort_key
from tailrace.sql.binder.user_aggregates import user_aggregate
from tailrace.sql.dialect import nodes as n
from tailrace.user_functions.known import Known

_UNBOUNDED_RANGE = Frame(rows=False)


@dataclass(frozen=True, slots=True)
class Window:
    """What stands in OVER: partition, order and frame; `by_time` tells that the order is that of a time attribute."""

    partition: tuple[str, ...]
    order: SortKey
    frame: Frame
    by_time: bool


@dataclass
class OverCalls(InputColumns):
    """Collects the aggregates with OVER of one SELECT; the columns of their results are called `__o0` and so on."""

    definitions: dict[str, n.Over] = field(kw_only=True)
    results: dict[str, tuple[Window, AggregateCall]] = field(default_factory=dict)

    def call(self, node: n.Call) -> Expr:
        """Give what an aggregate comes to, over the columns of the result."""
        function = str(node.this).upper()
        if (user := meant(node)) is not None:
            return self._user_call(user, node)
        if function == "LAG":
            return self._lag(node)
        if not aggregates.is_aggregate(function):
            known = (*aggregates.AGGREGATES, "LAG")
            hint = ABSENT.get(function) or did_you_mean(function, known) or "supported are aggregates and LAG"
            raise ConfigError(f"{function} can't stand before OVER here", hint=hint, location=self.below.at(node))
        made, window = self._call(node, function), self._window(node)
        if aggregates.AGGREGATES[function].composed:
            return composed(made, _InWindow(self, window))
        return self.result(window, made)

    def _call(self, node: n.Call, function: str) -> AggregateCall:
        arguments = n.get(node, "arguments") or []
        star = function == "COUNT" and len(arguments) == 1 and isinstance(arguments[0], n.Star)
        entry, place = aggregates.AGGREGATES[function], self.below.at(node)
        if not star and not takes(entry, len(arguments)):
            raise ConfigError(f"{function} takes other arguments", hint=f"write {entry.signature}", location=place)
        argument = None if star else self.below.bind(arguments[0])
        constants = tuple(constant_of(self.below, a) for a in arguments[1:])
        distinct = bool(n.get(node, "distinct"))
        return aggregate_call(function, argument, constants, self.column, place, distinct=distinct)

    def _user_call(self, user: Known, node: n.Call) -> Column:
        if not user.is_aggregate:
            hint = "supported are aggregates and LAG"
            raise ConfigError(f"{user.name} can't stand before OVER", hint=hint, location=self.below.at(node))
        given = [self.below.bind(a) for a in n.get(node, "arguments") or []]
        distinct = bool(n.get(node, "distinct"))
        made = user_aggregate(user, given, self.column, self.below.at(node), distinct=distinct)
        return self.result(self._window(node), made)

    def _lag(self, node: n.Call) -> Column:
        arguments = n.get(node, "arguments") or []
        if not 1 <= len(arguments) <= 3:
            raise ConfigError(
                "LAG takes other arguments",
                hint="write LAG(x [, offset [, default]])",
                location=at(node, self.below.source),
            )
        argument = self.below.bind(arguments[0])
        constants = [constant_of(self.below, a) for a in arguments[1:]]
        offset = constants[0] if constants else 1
        if not isinstance(offset, int) or offset < 0:
            raise ConfigError("the offset of LAG is a whole number", location=self.below.at(arguments[1]))
        made = AggregateCall(
            function="LAG",
            type=argument.type.with_nullable(True),
            arg=self.column(argument),
            arg_type=argument.type,
            constants=(offset, *constants[1:]),
            location=self.below.at(node),
        )
        return self.result(self._window(node), made)

    def result(self, window: Window, made: AggregateCall) -> Column:
        """Give the column that holds the result of a call; equal calls share one."""
        for name, known in self.results.items():
            if known == (window, made):
                return Column(made.type, name)
        name = f"__o{len(self.results)}"
        self.results[name] = (window, made)
        return Column(made.type, name)

    def _window(self, node: n.Call) -> Window:
        over = resolved(node.args["over"], self.definitions, self.below.source)
        order = n.get(over, "order") or []
        place = self.below.at(over)
        if len(order) != 1 or n.get(order[0], "descending"):
            hint = "write ORDER BY with one column, ascending: a time attribute, where the rows have one"
            raise ConfigError("OVER needs an order by one column here, ascending", hint=hint, location=place)
        by = self.below.bind(order[0].this)
        by_time = isinstance(by, Column) and self.below.scope.field(by.name).time is not None
        partition = tuple(self.column(self.below.bind(p)) for p in n.get(over, "partition") or [])
        given = n.get(over, "frame")
        frame = self._frame(given) if given is not None else _UNBOUNDED_RANGE
        if not by_time and not frame.rows and frame.preceding is not None:
            hint = "order by a column with WATERMARK FOR in its table, or write ROWS"
            raise ConfigError("a RANGE with a bound needs an order by time", hint=hint, location=place)
        return Window(partition, sort_key(order[0], self.column(by)), frame, by_time)

    def _frame(self, node: n.Frame) -> Frame:
        lower, upper = node.args["lower"], node.args["upper"]
        if upper.args["kind"] != "CURRENT ROW" or lower.args["kind"] == "FOLLOWING":
            hint = "write BETWEEN … PRECEDING AND CURRENT ROW"
            raise ConfigError("a frame must end at the current row", hint=hint, location=self.below.at(node))
        rows = node.args["unit"] == "ROWS"
        if lower.args["kind"] == "CURRENT ROW":
            return Frame(rows, 0)
        if n.get(lower, "value") is None:
            return Frame(rows)
        value = self.below.bind(lower.args["value"])
        fits = value.type.kind in INTEGERS if rows else value.type.kind is Kind.INTERVAL_SECOND
        if not isinstance(value, Literal) or not fits or value.value < 0:
            what = "ROWS needs a number of rows" if rows else "RANGE needs an interval, as INTERVAL '1' HOUR"
            raise ConfigError(what, location=self.below.at(lower))
        return Frame(rows, int(value.value))

    def plan(self, plan: Plan, predicate: Expr | None, node: n.Node) -> Plan:
        """Give the plan with a field for each result; calls of one window are computed together."""
        place = self.below.at(node)
        outputs = [Output(f.name, Column(f.type, f.name)) for f in plan.schema]
        made = calc(plan, [*outputs, *(Output(name, e) for name, e in self.columns.items())], predicate, place)
        for window in dict.fromkeys(w for w, _ in self.results.values()):
            made = self._over(made, window, place)
        return made

    def _over(self, plan: Plan, window: Window, place: Location) -> Plan:
        """Give a plan with the results of the calls of one window."""
        mine = {name: c for name, (w, c) in self.results.items() if w == window}
        schema = Schema((*plan.schema.fields, *(Field(name, c.type) for name, c in mine.items())))
        calls, time = tuple(mine.values()), window.order.column
        if not window.by_time:
            return OverUpdates(
                schema=schema,
                input=plan,
                partition=window.partition,
                order=(window.order,),
                frame=window.frame,
                calls=calls,
                location=place,
            )
        return OverAggregate(
            schema=schema,
            input=plan,
            partition=window.partition,
            time=time,
            processing_time=plan.schema[time].time is TimeAttribute.PROCTIME,
            frame=window.frame,
            calls=calls,
            location=place,
        )


@dataclass(frozen=True, slots=True)
class _InWindow:
    """One window of the calls, as composed aggregates want it."""

    calls: OverCalls
    window: Window

    def column(self, expr: Expr) -> str:
        return self.calls.column(expr)

    def argument(self, name: str) -> Expr:
        return self.calls.argument(name)

    def result(self, made: AggregateCall) -> Column:
        return self.calls.result(self.window, made)
