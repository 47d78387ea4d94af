"""TUMBLE, HOP, CUMULATE and SESSION in FROM TABLE(...)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tailrace.errors import ConfigError, UnsupportedError, did_you_mean
from tailrace.expressions.nodes import Column, Literal
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes import WindowKind, WindowProperty, WindowSpec, WindowTable
from tailrace.schema import Field, Kind, Schema, TimeAttribute, timestamp
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect.nodes import Descriptor, NamedArgument, Node, TableArgument, TableFunction, get
from tailrace.sql.source import Source

N = TypeVar("N", bound=Node)

_PARAMETERS = {
    WindowKind.TUMBLE: ("DATA", "TIMECOL", "SIZE", "OFFSET"),
    WindowKind.HOP: ("DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"),
    WindowKind.CUMULATE: ("DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"),
    WindowKind.SESSION: ("DATA", "TIMECOL", "GAP"),
}
_USAGE = {
    WindowKind.TUMBLE: "TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])",
    WindowKind.HOP: "HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset])",
    WindowKind.CUMULATE: "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size [, offset])",
    WindowKind.SESSION: "SESSION(TABLE t [PARTITION BY k], DESCRIPTOR(ts), gap)",
}


@dataclass(frozen=True, slots=True)
class WindowBinder:
    """Binds one window; `table` gives the plan of its first argument."""

    node: TableFunction
    source: Source
    table: Callable[[TableArgument], Plan]

    def bind(self) -> WindowTable:
        """
        Give the window over its input.

        Raises:
            ConfigError: wrong arguments, or a time column that is no time attribute.
        """
        kind = WindowKind[str(self.node.this)]
        given = self._arguments(kind)
        data = self._argument(given, "DATA", TableArgument, kind)
        plan = self.table(data)
        time = self._time_column(given, plan, kind)
        spec = self._spec(kind, given, time, self._partition(data, plan, kind))
        return WindowTable(
            schema=self._schema(plan, time, kind), input=plan, window=spec, location=at(self.node, self.source)
        )

    def _wrong(self, kind: WindowKind, message: str, node: Node | None = None) -> ConfigError:
        return ConfigError(message, hint=f"write {_USAGE[kind]}", location=at(node or self.node, self.source))

    def _arguments(self, kind: WindowKind) -> dict[str, Node]:
        names, found = _PARAMETERS[kind], {}
        for place, argument in enumerate(self.node.args["arguments"]):
            if isinstance(argument, NamedArgument):
                name, value = argument.args["name"].this, argument.args["value"]
            elif place < len(names):
                name, value = names[place], argument
            else:
                raise self._wrong(kind, f"{kind.value} takes at most {len(names)} arguments", argument)
            if name not in names:
                hint = did_you_mean(name, names) or f"arguments: {', '.join(names)}"
                message = f"{kind.value} has no argument {name}"
                raise ConfigError(message, hint=hint, location=at(argument, self.source))
            if name in found:
                raise self._wrong(kind, f"the argument {name} is given twice", argument)
            found[name] = value
        return found

    def _argument(self, given: dict[str, Node], name: str, cls: type[N], kind: WindowKind) -> N:
        node = given.get(name)
        if not isinstance(node, cls):
            what = {"DATA": "TABLE t", "TIMECOL": "DESCRIPTOR(column)"}[name]
            raise self._wrong(kind, f"{kind.value} needs {what} as its argument {name}", node)
        return node

    def _time_column(self, given: dict[str, Node], plan: Plan, kind: WindowKind) -> Field:
        descriptor = self._argument(given, "TIMECOL", Descriptor, kind)
        columns = descriptor.args["columns"]
        if len(columns) != 1:
            raise self._wrong(kind, "DESCRIPTOR names one column here", descriptor)
        name = columns[0].this
        if name not in plan.schema:
            hint = did_you_mean(name, plan.schema.names) or "columns: " + ", ".join(plan.schema.names)
            raise ConfigError(f"there is no column '{name}'", hint=hint, location=at(columns[0], self.source))
        field = plan.schema[name]
        if field.time is None:
            raise ConfigError(
                f"a window needs a time attribute, but '{name}' is a plain {field.type.sql()}",
                hint=f"declare WATERMARK FOR {name} AS ... in its table, or a column AS PROCTIME()",
                location=at(columns[0], self.source),
            )
        return field

    def _partition(self, data: TableArgument, plan: Plan, kind: WindowKind) -> tuple[str, ...]:
        """Give the columns of PARTITION BY; only sessions have them."""
        nodes = get(data, "partition") or []
        if nodes and kind is not WindowKind.SESSION:
            raise self._wrong(kind, f"{kind.value} takes no PARTITION BY: its windows are those of all rows", nodes[0])
        binder = ExpressionBinder(Scope.of(plan.schema), self.source)
        found = [binder.bind(node) for node in nodes]
        for expr, node in zip(found, nodes, strict=True):
            if not isinstance(expr, Column):
                raise self._wrong(kind, "PARTITION BY of a window names columns", node)
        return tuple(e.name for e in found if isinstance(e, Column))

    def _spec(self, kind: WindowKind, given: dict[str, Node], time: Field, partition: tuple[str, ...]) -> WindowSpec:
        processing = time.time is TimeAttribute.PROCTIME
        if kind is WindowKind.SESSION:
            gap = self._length(given, "GAP", kind)
            return WindowSpec(kind, time.name, gap, gap, 0, processing, partition)
        size = self._length(given, "SIZE", kind)
        step = {WindowKind.HOP: "SLIDE", WindowKind.CUMULATE: "STEP"}.get(kind, "SIZE")
        slide = self._length(given, step, kind)
        offset = self._length(given, "OFFSET", kind) if "OFFSET" in given else 0
        if kind is WindowKind.CUMULATE and size % slide:
            message = f"the size of CUMULATE must be a multiple of its step, not {size} ms and {slide} ms"
            raise self._wrong(kind, message, given["SIZE"])
        if kind is WindowKind.TUMBLE and abs(offset) >= size:
            raise self._wrong(kind, "the offset of TUMBLE must be shorter than its size", given["OFFSET"])
        return WindowSpec(kind, time.name, size, slide, offset, processing)

    def _length(self, given: dict[str, Node], name: str, kind: WindowKind) -> int:
        node = given.get(name)
        if node is None:
            raise self._wrong(kind, f"{kind.value} needs the argument {name}")
        value = ExpressionBinder(Scope.of(Schema(())), self.source).bind(node)
        if value.type.kind is Kind.INTERVAL_MONTH:
            hint = "write it in days: INTERVAL '30' DAY"
            raise UnsupportedError("a window in months or years", hint=hint, location=at(node, self.source))
        if not isinstance(value, Literal) or value.type.kind is not Kind.INTERVAL_SECOND:
            raise self._wrong(kind, f"{name} must be an interval, as INTERVAL '1' MINUTE", node)
        if name != "OFFSET" and value.value <= 0:
            raise self._wrong(kind, f"{name} must be longer than zero", node)
        return int(value.value)

    def _schema(self, plan: Plan, time: Field, kind: WindowKind) -> Schema:
        for edge in WindowProperty:
            if edge.value in plan.schema:
                raise ConfigError(
                    f"the input of the window has a column '{edge.value}' already",
                    hint=f"give it another name: SELECT {edge.value} AS first_{edge.value}",
                    location=at(self.node, self.source),
                )
        edge_type = timestamp(3).with_nullable(False)
        time_type = time.type.with_nullable(False)
        added = (
            Field(WindowProperty.START.value, edge_type),
            Field(WindowProperty.END.value, edge_type),
            Field(WindowProperty.TIME.value, time_type, time.time),
        )
        fields = plan.schema.fields
        if kind is WindowKind.SESSION:  # its rows come when the session is over, out of their own order
            fields = tuple(replace(f, time=None) for f in fields)
        return Schema((*fields, *added))
