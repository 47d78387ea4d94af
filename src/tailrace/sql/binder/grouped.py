"""A SELECT with GROUP BY or aggregates, from its FROM and WHERE on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.nodes import Calc, Union
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Field, Schema
from tailrace.sql.binder.aggregates import GroupedBinder, Grouping, has_aggregate
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.group_windows import GroupWindow, group_window, is_group_window
from tailrace.sql.binder.grouping_sets import Keys, key_sets
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.scope import Scope
from tailrace.sql.binder.subqueries import Subqueries
from tailrace.sql.dialect import nodes as n


@dataclass(frozen=True, slots=True)
class GroupedSelect:
    """Binds one; `outputs` binds the columns of its SELECT by a binder over the groups."""

    node: n.Select
    plan: Plan
    binder: ExpressionBinder
    predicate: Expr | None
    outputs: Callable[[ExpressionBinder], list[Output]]
    inner: Callable[[Plan], Subqueries]
    """Gives what joins queries in expressions over a plan."""
    ttl: int | None = None

    def bind(self) -> Plan:
        """
        Give the plan; for several groupings the union of one aggregation for each.

        Raises:
            ConfigError: a key, an aggregate or a window is wrong.
        """
        group = n.get(self.node, "group")
        sets = key_sets(group, self.binder.source)
        every = [key for keys in sets for key in keys]
        for key in every:
            if has_aggregate(key):
                raise ConfigError("an aggregate can't stand in GROUP BY", location=self.binder.at(key))
        window = group_window(sets[0], self.plan, self.binder)
        if window is not None:
            return self._over(window, sets, every)
        return self._union([self._one(self.plan, self.binder, keys, every, None) for keys in sets])

    def _over(self, window: GroupWindow, sets: list[Keys], every: Keys) -> Plan:
        """Bind over a window of GROUP BY: its columns are there, but have no names that can be written."""
        scope = Scope(window.table.schema, self.binder.scope.members)
        binder = ExpressionBinder(scope, self.binder.source, self.binder.enclosing)
        return self._union([self._one(window.table, binder, keys, every, window) for keys in sets])

    def _one(self, plan: Plan, binder: ExpressionBinder, keys: Keys, every: Keys, window: GroupWindow | None) -> Plan:
        below = self.inner(plan)
        binder = ExpressionBinder(binder.scope, binder.source, binder.enclosing, below)
        grouping = Grouping(binder, ttl=self.ttl)
        for key in keys:
            if not is_group_window(key):
                grouping.add_key(binder.bind(key))
        for column in window.keys if window is not None else []:
            grouping.add_key(column)
        present = list(grouping.keys.values())
        absent = [e for e in (binder.bind(k) for k in every if not is_group_window(k)) if e not in present]
        inner = self.inner(plan)
        inner.taken = below.taken
        above = GroupedBinder(grouping, absent, window.edge if window else None, inner)
        outputs = self.outputs(above)
        having = n.get(self.node, "having")
        passes = inner.condition(having, "HAVING", above) if having is not None else None
        plan, predicate = below.filtered_over(plan, self.predicate)
        aggregated = grouping.plan(plan, predicate, n.get(self.node, "group") or self.node)
        aggregated, _ = inner.filtered_over(aggregated, None)
        return calc(aggregated, outputs, passes, at(self.node, self.binder.source))

    def _union(self, plans: list[Plan]) -> Plan:
        if len(plans) == 1:
            return plans[0]
        fields = tuple(
            Field(f.name, f.type.with_nullable(any(p.schema.fields[i].type.nullable for p in plans)), f.time)
            for i, f in enumerate(plans[0].schema)
        )
        schema, place = Schema(fields), at(self.node, self.binder.source)
        members = tuple(
            Calc(schema=schema, input=p, exprs=tuple(Column(f.type, f.name) for f in p.schema), location=place)
            for p in plans
        )
        return Union(schema=schema, members=members, location=place)
