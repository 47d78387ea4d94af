"""Queries: from the syntax tree to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tailrace.errors import ConfigError
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr, Outer, walk
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes import Values
from tailrace.plan.rewrite.predicates import conjuncts, joined
from tailrace.schema import Field, Schema
from tailrace.sql.binder.aggregates import GroupedBinder, distinct, has_aggregate
from tailrace.sql.binder.enclosing import Enclosing
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.grouped import GroupedSelect
from tailrace.sql.binder.hints import select_hints
from tailrace.sql.binder.joins import has_join, settled
from tailrace.sql.binder.names import Names
from tailrace.sql.binder.over_select import OverSelect
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.relations import RelationBinder, with_names
from tailrace.sql.binder.row_windows import has_over
from tailrace.sql.binder.scope import Relation, Scope
from tailrace.sql.binder.set_operations import SetBinder
from tailrace.sql.binder.sorting import OrderBy, ordered
from tailrace.sql.binder.subqueries import Subqueries
from tailrace.sql.binder.written_names import name_of, refuse_repeated
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


class QueryBinder:
    """Binds queries of one script over the tables and views that are known so far."""

    def __init__(self, names: Names, source: Source, enclosing: Enclosing | None = None) -> None:
        self._names = names
        self._source = source
        self._enclosing = enclosing

    def inside(self, enclosing: Enclosing) -> QueryBinder:
        """Give what binds queries that may read columns of a query around them."""
        return QueryBinder(self._names, self._source, enclosing)

    def bind(self, query: n.Query, ctes: Mapping[str, Plan] | None = None, *, outermost: bool = False) -> Plan:
        """
        Give the plan of a query; in one that is not the `outermost`, ORDER BY without LIMIT means nothing.

        Raises:
            ConfigError: something in it does not exist or does not fit; points at the place.
        """
        known = dict(ctes or {})
        for cte in n.get(query, "ctes") or []:
            plan = self.bind(cte.args["query"], known)
            if not n.get(cte, "columns"):
                refuse_repeated(cte.args["query"], f"'{cte.args['name'].this}'", self._source)
            known[cte.args["name"].this] = with_names(plan, n.get(cte, "columns") or [], cte, self._source)
        limit, offset = n.get(query, "limit"), n.get(query, "offset")
        if limit is None and offset is not None:
            raise ConfigError("OFFSET needs a LIMIT here", hint="add LIMIT n", location=at(query, self._source))
        keys = n.get(query, "order") or []
        if limit is None and not (keys and outermost):
            return self._body(query.args["body"], known, outermost=outermost)
        order = OrderBy(keys, self._source)
        body = query.args["body"]
        further = order.further(body) if isinstance(body, n.Select) and not n.get(body, "distinct") else []
        plan = self._select(body, known, further) if further else self._body(body, known)
        names = plan.schema.names[: len(plan.schema) - len(further)]
        plan, sort = order.over(plan)
        count = None if limit is None else int(limit)
        plan = ordered(plan, sort, count, int(offset or 0), query, self._source)
        return calc(plan, [Output(c, Column(plan.schema[c].type, c)) for c in names], None, at(query, self._source))

    def _body(self, node: n.Node, ctes: Mapping[str, Plan], *, outermost: bool = False) -> Plan:
        match node:
            case n.Query():
                return self.bind(node, ctes, outermost=outermost)
            case n.SetOperation():
                left, right = (self._body(node.args[side], ctes) for side in ("left", "right"))
                return SetBinder(node, left, right, self._source).bind()
            case n.ValuesList():
                return self._values(node)
            case n.Select():
                return self._select(node, ctes)
        raise ConfigError("a query is expected here", location=at(node, self._source))

    def _select(self, node: n.Select, ctes: Mapping[str, Plan], further: Sequence[n.Node] = ()) -> Plan:
        """Bind a SELECT with `further` columns behind its own."""
        hints = select_hints(node, self._source)
        relations = RelationBinder(self._names, self._source, self, ctes, hints, self._enclosing)
        relation = relations.bind(n.get(node, "source"))
        plan, predicate = self._filtered(node, relation, ctes)
        inner = self._subqueries(plan, ctes)
        binder = ExpressionBinder(Scope(plan.schema, relation.members), self._source, self._enclosing, inner)
        items = [*node.args["items"], *further]
        over = self._over(node, items)
        outputs = over.below if over is not None else partial(self._outputs, items)
        if self._is_grouped(node, items):
            joins = partial(self._subqueries, ctes=ctes)
            ttl = hints.of(n.get(node, "source") or node)
            plan = GroupedSelect(node, plan, binder, predicate, outputs, joins, ttl).bind()
        else:
            made = outputs(binder)
            plan, predicate = inner.filtered_over(plan, predicate)
            plan = calc(plan, made, predicate, at(node, self._source))
        plan = over.above(plan) if over is not None else plan
        return distinct(plan, node, self._source) if n.get(node, "distinct") else plan

    def _filtered(self, node: n.Select, relation: Relation, ctes: Mapping[str, Plan]) -> tuple[Plan, Expr | None]:
        """Give what FROM and WHERE mean together: a plan, and what is left to filter it by."""
        plan, where = relation.plan, n.get(node, "where")
        if where is not None and has_aggregate(where):
            raise ConfigError("an aggregate can't stand in WHERE", hint="use HAVING", location=at(where, self._source))
        inner = self._subqueries(plan, ctes)
        binder = ExpressionBinder(Scope(plan.schema, relation.members), self._source, self._enclosing, inner)
        predicate = inner.condition(where, "WHERE", binder) if where is not None else None
        plan = inner.over(plan)
        if not has_join(plan):
            return plan, predicate
        # what is compared with the query around stays above the joins, from where it is taken
        outside = [p for p in conjuncts(predicate) if any(isinstance(e, Outer) for e in walk(p))]
        inside = joined(p for p in conjuncts(predicate) if p not in outside)
        return settled(plan, inside), joined(outside)

    def _subqueries(self, plan: Plan, ctes: Mapping[str, Plan]) -> Subqueries:
        """Give what joins the queries in expressions over a plan."""

        def bind(query: n.Query, enclosing: Enclosing) -> Plan:
            return self.inside(enclosing).bind(query, ctes)

        return Subqueries(bind, self._source, set(plan.schema.names))

    @staticmethod
    def _is_grouped(node: n.Select, items: Sequence[n.Node]) -> bool:
        parts = [*items, *(x for x in [n.get(node, "having")] if x is not None)]
        return n.get(node, "group") is not None or any(has_aggregate(p) for p in parts) or bool(n.get(node, "having"))

    def _over(self, node: n.Select, items: Sequence[n.Node]) -> OverSelect | None:
        """Give the binder of a SELECT with windows of rows; None for one without."""
        qualify = n.get(node, "qualify")
        if qualify is None and not any(has_over(i) for i in items):
            return None
        if qualify is not None and self._is_grouped(node, items):
            hint = "compute the groups in a query below: FROM (SELECT ... GROUP BY ...)"
            message = "QUALIFY can't stand beside GROUP BY or aggregates"
            raise ConfigError(message, hint=hint, location=at(qualify, self._source))
        return OverSelect(node, items, self._source, self._star, name_of)

    def _outputs(self, items: Sequence[n.Node], binder: ExpressionBinder) -> list[Output]:
        outputs: list[Output] = []
        for item in items:
            if isinstance(item, n.Star):
                outputs += self._star(item, binder)
            elif isinstance(item, n.SelectItem):
                outputs.append(Output(name_of(item), binder.bind(item.this)))
        return outputs

    def _star(self, node: n.Star, binder: ExpressionBinder) -> list[Output]:
        scope = binder.scope
        qualifier = [p.this for p in n.get(node, "qualifier") or []]
        if not scope.members:
            raise ConfigError("* needs a FROM", location=at(node, self._source))
        for member in scope.members:
            if qualifier in ([], [member.alias]):
                scope.refuse_repeated(member, member.repeated, node, self._source)
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
