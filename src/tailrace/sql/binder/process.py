"""Process functions of the user in FROM: `f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), uid => 'f')`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions.nodes import Call, Column, Expr, Literal
from tailrace.plan.nodes import Calc, Process, Sort, SortKey
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes.process import OUTPUT, ROWTIME, columns_of, side_column
from tailrace.schema import BOOLEAN, STRING, DataType, Field, Kind, Schema, TimeAttribute
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source
from tailrace.user_functions.known import Known

N = TypeVar("N", bound=n.Node)

INPUT, ON_TIME, UID, SIDE = "input", "on_time", "uid", "side_output"
_UID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


def process_function(node: n.Node) -> Known | None:
    """Give the process function that a table function in FROM means; None for any other."""
    found = meant(node)
    return found if found is not None and found.is_process else None


@dataclass(frozen=True, slots=True)
class ProcessBinder:
    """Binds one call; `table` gives the plan of its table argument."""

    node: n.TableFunction
    known: Known
    source: Source
    table: Callable[[n.TableArgument], Plan]

    def bind(self) -> Plan:
        """
        Give the rows that the function gives, or those of one of its side outputs.

        Raises:
            ConfigError: wrong arguments, or a time column that is no time attribute.
        """
        given = self._arguments()
        data = self._argument(given, INPUT, n.TableArgument, "TABLE t PARTITION BY k")
        plan = self.table(data)
        keys = self._keys(data, plan)
        time = self._time(given, plan)
        ordered = self._ordered(data, plan, time)
        process = Process(
            schema=self._schema(plan, keys, time),
            input=ordered or plan,
            ordered=ordered is not None,
            keys=keys,
            time=None if time is None else time.name,
            function=self.known,
            declaration=self.known.declaration,
            arguments=self._parameters(given),
            uid=self._uid(given),
            location=at(self.node, self.source),
        )
        return self._output(process, given) if self.known.sides else process

    def _wrong(self, message: str, node: n.Node | None = None, hint: str = "") -> ConfigError:
        return ConfigError(message, hint=hint or f"write {self._usage}", location=at(node or self.node, self.source))

    @property
    def _usage(self) -> str:
        parameters = "".join(f", {p.name} => ..." for p in self.known.parameters)
        return f"{self.known.name}({INPUT} => TABLE t PARTITION BY k{parameters}, {ON_TIME} => DESCRIPTOR(ts))"

    @property
    def _names(self) -> list[str]:
        own = [p.name for p in self.known.parameters]
        return [INPUT, *own, ON_TIME, UID, *([SIDE] if self.known.sides else [])]

    def _arguments(self) -> dict[str, n.Node]:
        """Give the arguments by name; those without one are in the order of Flink: table, own ones, time, uid."""
        names, found = self._names, {}
        for place, argument in enumerate(n.get(self.node, "arguments") or []):
            if isinstance(argument, n.NamedArgument):
                name, value = str(argument.args["name"].this), argument.args["value"]
            elif place < len(names):
                name, value = names[place], argument
            else:
                raise self._wrong(f"{self.known.name} takes at most {len(names)} arguments", argument)
            if name not in names:
                hint = did_you_mean(name, names) or f"arguments: {', '.join(names)}"
                raise self._wrong(f"{self.known.name} has no argument {name}", argument, hint)
            if name in found:
                raise self._wrong(f"the argument {name} is given twice", argument)
            found[name] = value
        return found

    def _argument(self, given: dict[str, n.Node], name: str, cls: type[N], what: str) -> N:
        node = given.get(name)
        if not isinstance(node, cls):
            raise self._wrong(f"{self.known.name} needs {what} as its argument {name}", node)
        return node

    def _keys(self, data: n.TableArgument, plan: Plan) -> tuple[str, ...]:
        binder = ExpressionBinder(Scope.of(plan.schema), self.source)
        nodes: list[n.Node] = n.get(data, "partition") or []
        for node, expr in zip(nodes, found := [binder.bind(x) for x in nodes], strict=True):
            if not isinstance(expr, Column):
                raise self._wrong("PARTITION BY of a process function names columns", node)
        return tuple(dict.fromkeys(e.name for e in found if isinstance(e, Column)))

    def _time(self, given: dict[str, n.Node], plan: Plan) -> Field | None:
        if ON_TIME not in given:
            return None
        descriptor = self._argument(given, ON_TIME, n.Descriptor, "DESCRIPTOR(column)")
        columns = descriptor.args["columns"]
        name = str(columns[0].this)
        if len(columns) != 1:
            raise self._wrong("DESCRIPTOR names one column here", descriptor)
        if name not in plan.schema:
            hint = did_you_mean(name, plan.schema.names) or "columns: " + ", ".join(plan.schema.names)
            raise self._wrong(f"there is no column '{name}'", columns[0], hint)
        field = plan.schema[name]
        if field.time is not TimeAttribute.ROWTIME:
            hint = f"declare WATERMARK FOR {name} AS ... in its table"
            raise self._wrong(f"{ON_TIME} needs a column with a watermark, and '{name}' has none", columns[0], hint)
        return field

    def _ordered(self, data: n.TableArgument, plan: Plan, time: Field | None) -> Plan | None:
        """Give the rows in the order of their times, if that is asked for."""
        nodes: list[n.Node] = n.get(data, "order") or []
        if not nodes:
            return None
        binder = ExpressionBinder(Scope.of(plan.schema), self.source)
        keys = [binder.bind(key.this) for key in nodes]
        wanted = [Column(time.type, time.name)] if time is not None else []
        if keys != wanted or n.get(nodes[0], "descending") or n.get(nodes[0], "nulls"):
            hint = f"write ORDER BY ts, {ON_TIME} => DESCRIPTOR(ts)"
            raise self._wrong(f"ORDER BY of a table argument is the column of {ON_TIME}", nodes[0], hint)
        assert time is not None
        key = SortKey(time.name, descending=False, nulls_last=False)
        place = at(nodes[0], self.source)
        return Sort(schema=plan.schema, input=plan, order=(key,), time=time.name, strict=True, location=place)

    def _parameters(self, given: dict[str, n.Node]) -> tuple[tuple[str, Any], ...]:
        found = []
        for parameter in self.known.parameters:
            node = given.get(parameter.name)
            if node is not None:
                found.append((parameter.name, self._constant(node, parameter.name, parameter.type)))
            elif not parameter.optional:
                raise self._wrong(f"{self.known.name} needs the argument {parameter.name}")
        return tuple(found)

    def _constant(self, node: n.Node, name: str, type_: DataType | None) -> Any:
        value = ExpressionBinder(Scope.of(Schema(())), self.source).bind(node)
        if not isinstance(value, Literal):
            raise self._wrong(f"the argument {name} is a constant", node)
        if type_ is None or value.value is None:
            return value.value
        found = timedelta(milliseconds=value.value) if value.type.kind is Kind.INTERVAL_SECOND else value.value
        wanted = type_.polars.to_python()
        if wanted is float and isinstance(found, int | Decimal):
            return float(found)
        if not isinstance(found, wanted):
            raise self._wrong(f"the argument {name} is {type_.sql()}, not {value.type.sql()}", node)
        return found

    def _text(self, given: dict[str, n.Node], name: str) -> str:
        node = given.get(name)
        if node is None:
            return ""
        if not isinstance(node, n.Text) or not node.this:
            raise self._wrong(f"the argument {name} is a text", node)
        return str(node.this)

    def _uid(self, given: dict[str, n.Node]) -> str:
        """Give the name of the state, which is part of names of files."""
        uid = self._text(given, UID)
        if uid and not _UID.fullmatch(uid):
            raise self._wrong("a uid is made of letters, digits, - and _, and begins with a letter or _", given[UID])
        return uid or re.sub(r"\W", "_", self.known.name)

    def _schema(self, plan: Plan, keys: Sequence[str], time: Field | None) -> Schema:
        fields = [Field(plan.schema[k].name, plan.schema[k].type) for k in keys]
        own = columns_of(self.known.result)
        self._refuse_same([*keys, *own, *([ROWTIME] if time is not None else [])])
        sides = self.known.sides
        if not sides:
            fields += [Field(name, t) for name, t in own.items()]
        else:
            # the columns of the other outputs are NULL in each row
            fields += [Field(OUTPUT, STRING.with_nullable(False))]
            fields += [Field(name, t.with_nullable(True)) for name, t in own.items()]
        for side, type_ in sides.items():
            columns = columns_of(type_)
            self._refuse_same([*keys, *columns, *([ROWTIME] if time is not None else [])])
            fields += [Field(side_column(side, name), t.with_nullable(True)) for name, t in columns.items()]
        if time is not None:
            fields.append(Field(ROWTIME, time.type.with_nullable(False), time.time))
        return Schema(tuple(fields))

    def _refuse_same(self, names: Sequence[str]) -> None:
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            hint = f"{self.known.name} gives its columns behind those of PARTITION BY: give '{twice[0]}' another name"
            raise self._wrong(f"the column '{twice[0]}' is there twice", hint=hint)

    def _output(self, process: Process, given: dict[str, n.Node]) -> Plan:
        """Give the rows of one output."""
        side = self._text(given, SIDE)
        if side and side not in self.known.sides:
            hint = did_you_mean(side, self.known.sides) or f"side outputs: {', '.join(self.known.sides)}"
            raise self._wrong(f"{self.known.name} has no side output '{side}'", given[SIDE], hint)
        columns = columns_of(self.known.sides[side] if side else self.known.result)
        named = {name: side_column(side, name) if side else name for name in columns}
        fields = [process.schema[k] for k in process.keys]
        exprs: list[Expr] = [Column(f.type, f.name) for f in fields]
        for name, type_ in columns.items():
            fields.append(Field(name, type_))
            exprs.append(Column(type_, named[name]))
        if process.time is not None:
            fields.append(process.schema[ROWTIME])
            exprs.append(Column(process.schema[ROWTIME].type, ROWTIME))
        text = STRING.with_nullable(False)
        own = Call(BOOLEAN.with_nullable(False), "=", (Column(text, OUTPUT), Literal(text, side)))
        schema = Schema(tuple(fields))
        return Calc(schema=schema, input=process, exprs=tuple(exprs), predicate=own, location=process.location)
