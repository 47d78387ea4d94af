"""Queries: from the syntax tree to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tailrace.errors import ConfigError
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes import Limit, Values
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Field, Schema
from tailrace.sql.binder.aggregates import GroupedBinder, distinct, has_aggregate
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.grouped import GroupedSelect
from tailrace.sql.binder.joins import has_join, settled
from tailrace.sql.binder.names import Names
from tailrace.sql.binder.over import OverBinder, OverCalls, definitions, has_over
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.relations import RelationBinder, with_names
from tailrace.sql.binder.scope import Scope
from tailrace.sql.binder.set_operations import SetBinder
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


class QueryBinder:
    """Binds queries of one script over the tables and views that are known so far."""

    def __init__(self, names: Names, source: Source) -> None:
        self._names = names
        self._source = source

    def bind(self, query: n.Query, ctes: Mapping[str, Plan] | None = None) -> Plan:
        """
        Give the plan of a query.

        Raises:
            ConfigError: something in it does not exist or does not fit; points at the place.
        """
        known = dict(ctes or {})
        for cte in n.get(query, "ctes") or []:
            plan = self.bind(cte.args["query"], known)
            known[cte.args["name"].this] = with_names(plan, n.get(cte, "columns") or [], cte, self._source)
        plan = self._body(query.args["body"], known)
        limit, offset = n.get(query, "limit"), n.get(query, "offset")
        if limit is None and offset is None:
            return plan
        if limit is None:
            raise ConfigError("OFFSET needs a LIMIT here", hint="add LIMIT n", location=at(query, self._source))
        return Limit(
            schema=plan.schema, input=plan, count=int(limit), offset=int(offset or 0), location=at(query, self._source)
        )

    def _body(self, node: n.Node, ctes: Mapping[str, Plan]) -> Plan:
        match node:
            case n.Query():
                return self.bind(node, ctes)
            case n.SetOperation():
                left, right = (self._body(node.args[side], ctes) for side in ("left", "right"))
                return SetBinder(node, left, right, self._source).bind()
            case n.ValuesList():
                return self._values(node)
            case n.Select():
                return self._select(node, ctes)
        raise ConfigError("a query is expected here", location=at(node, self._source))

    def _select(self, node: n.Select, ctes: Mapping[str, Plan]) -> Plan:
        relation = RelationBinder(self._names, self._source, self, ctes).bind(n.get(node, "source"))
        plan = relation.plan
        binder = ExpressionBinder(Scope(plan.schema, relation.members), self._source)
        where = n.get(node, "where")
        if where is not None and has_aggregate(where):
            raise ConfigError("an aggregate can't stand in WHERE", hint="use HAVING", location=at(where, self._source))
        predicate = binder.condition(where, "WHERE") if where is not None else None
        if has_join(plan):
            plan, predicate = settled(plan, predicate), None
            binder = ExpressionBinder(Scope(plan.schema, relation.members), self._source)
        if self._is_grouped(node):
            plan = GroupedSelect(node, plan, binder, predicate, lambda b: self._outputs(node, b)).bind()
        elif any(has_over(item) for item in node.args["items"]):
            calls = OverCalls(binder, definitions(node))
            outputs = self._outputs(node, OverBinder(calls))
            plan = calc(calls.plan(plan, predicate, node), outputs, None, at(node, self._source))
        else:
            plan = calc(plan, self._outputs(node, binder), predicate, at(node, self._source))
        return distinct(plan, node, self._source) if n.get(node, "distinct") else plan

    @staticmethod
    def _is_grouped(node: n.Select) -> bool:
        parts = [*node.args["items"], *(x for x in [n.get(node, "having")] if x is not None)]
        return n.get(node, "group") is not None or any(has_aggregate(p) for p in parts) or bool(n.get(node, "having"))

    def _outputs(self, node: n.Select, binder: ExpressionBinder) -> list[Output]:
        outputs: list[Output] = []
        for item in node.args["items"]:
            if isinstance(item, n.Star):
                outputs += self._star(item, binder)
            else:
                outputs.append(Output(self._name(item), binder.bind(item.this)))
        return outputs

    def _star(self, node: n.Star, binder: ExpressionBinder) -> list[Output]:
        scope = binder.scope
        qualifier = [p.this for p in n.get(node, "qualifier") or []]
        if not scope.members:
            raise ConfigError("* needs a FROM", location=at(node, self._source))
        members = [m.columns if qualifier else m.visible for m in scope.members if qualifier in ([], [m.alias])]
        if not members:
            return self._fields(qualifier, node, binder)
        if isinstance(binder, GroupedBinder):
            hint = "name the keys and aggregates"
            raise ConfigError("* can't stand beside GROUP BY or aggregates", hint=hint, location=at(node, self._source))
        return [Output(name, scope.column(c)) for columns in members for name, c in columns.items()]

    def _fields(self, qualifier: list[str], node: n.Star, binder: ExpressionBinder) -> list[Output]:
        """Give the fields of a ROW: `payload.*`."""
        name = n.Name(parts=[p.copy() for p in n.get(node, "qualifier")])
        name.meta.update(node.meta)
        row = binder.bind(name)
        if not row.type.names:
            message = f"'{'.'.join(qualifier)}' is {row.type.sql()}, which has no fields"
            raise ConfigError(message, location=at(node, self._source))
        made = []
        for field in row.type.names:
            part = n.Access(this=name.copy(), field=n.Identifier(this=field))
            part.meta.update(node.meta)
            made.append(Output(field, binder.bind(part)))
        return made

    @staticmethod
    def _name(item: n.SelectItem) -> str | None:
        alias = n.get(item, "alias")
        if alias is not None:
            return str(alias.this)
        if isinstance(item.this, n.Name):
            return item.this.texts[-1]
        return str(item.this.args["field"].this) if isinstance(item.this, n.Access) else None

    def _values(self, node: n.ValuesList) -> Plan:
        binder = ExpressionBinder(Scope.of(Schema(())), self._source)
        rows = [[binder.bind(v) for v in r.args["arguments"]] for r in node.args["rows"]]
        for row, written in zip(rows, node.args["rows"], strict=True):
            if len(row) != len(rows[0]):
                message = f"this row of VALUES has {len(row)} columns, the first has {len(rows[0])}"
                raise ConfigError(message, location=at(written, self._source))
        types = [self._common([r[i] for r in rows], i, node) for i in range(len(rows[0]))]
        fields = tuple(Field(f"EXPR${i}", t) for i, t in enumerate(types))
        made = tuple(tuple(_cast(e, f) for e, f in zip(r, fields, strict=True)) for r in rows)
        return Values(schema=Schema(fields), rows=made, location=at(node, self._source))

    def _common(self, values: list[Expr], place: int, node: n.Node) -> Any:
        common = catalogue.common_type([v.type for v in values])
        if common is None:
            shown = ", ".join(dict.fromkeys(v.type.sql() for v in values))
            message = f"column {place + 1} of VALUES has types that do not go together: {shown}"
            raise ConfigError(message, hint="CAST them to one type", location=at(node, self._source))
        return common.with_nullable(any(v.type.nullable for v in values))


def _cast(expr: Expr, field: Field) -> Expr:
    return expr if expr.type.same_as(field.type) else catalogue.cast(expr, field.type, safe=False, location=None)
