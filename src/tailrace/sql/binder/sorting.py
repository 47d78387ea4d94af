"""ORDER BY and LIMIT of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.nodes import Calc, Limit, Rank, Sort, SortKey
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import TimeAttribute
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc
from tailrace.sql.binder.row_windows import check_order, constant, expanded, meanings, sort_key
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


@dataclass
class OrderBy:
    """
    The keys of one ORDER BY.

    A key is a column of the output, by its name or place, or an expression: over what a SELECT reads, then the SELECT
    computes it as a further column, else over the output.
    """

    keys: Sequence[n.SortKey]
    source: Source
    _further: dict[int, int] = field(default_factory=dict)

    def further(self, select: n.Select) -> list[n.SelectItem]:
        """Give the columns that a SELECT must compute beside its own."""
        items = [i for i in select.args["items"] if isinstance(i, n.SelectItem)]
        names = {i.this.texts[-1] for i in items if isinstance(i.this, n.Name) and n.get(i, "alias") is None}
        known = meanings(items)
        found: list[n.SelectItem] = []
        for i, key in enumerate(self.keys):
            if constant(key.this) is None and _plain(key.this) not in names | known.keys():
                self._further[i] = len(found)
                name = key.this.texts[-1] if isinstance(key.this, n.Name) else f"__o{len(found)}"
                found.append(n.SelectItem(this=expanded(key.this, known), alias=n.Identifier(this=name)))
                found[-1].meta.update(key.meta)
        return found

    def over(self, plan: Plan) -> tuple[Plan, tuple[SortKey, ...]]:
        """
        Give a plan with all keys among its columns, and the keys; its last columns are those of `further`.

        Raises:
            ConfigError: a key is no column, or a place that is none.
        """
        names = plan.schema.names[: len(plan.schema) - len(self._further)]
        outputs = [Output(f.name, Column(f.type, f.name)) for f in plan.schema]
        same = _first_of_equals(plan)
        order: dict[str, SortKey] = {}
        for i, key in enumerate(self.keys):
            name = plan.schema.names[len(names) + self._further[i]] if i in self._further else self._named(key, names)
            expr = Column(plan.schema[name].type, name) if name else self._bound(key.this, plan)
            if expr is None:
                continue
            check_order(expr, at(key, self.source))
            if not isinstance(expr, Column):
                outputs.append(Output(f"__k{i}", expr))
            own = same.get(expr.name, expr.name) if isinstance(expr, Column) else f"__k{i}"
            order.setdefault(own, sort_key(key, own))
        return calc(plan, outputs, None, plan.location), tuple(order.values())

    def _named(self, key: n.SortKey, names: tuple[str, ...]) -> str | None:
        """Give the column of the output that a key names, by its name or place; None if it is an expression."""
        node = key.this
        if _plain(node) in names:
            return _plain(node)
        if not isinstance(node, n.Number) or not str(node.this).isdigit():
            return None
        if not 1 <= int(node.this) <= len(names):
            message = f"ORDER BY {node.this}: there are {len(names)} columns"
            raise ConfigError(message, location=at(node, self.source))
        return names[int(node.this) - 1]

    def _bound(self, node: n.Node, plan: Plan) -> Expr | None:
        """Bind an expression over the output; None for a constant."""
        if constant(node) is not None:
            return None
        return ExpressionBinder(Scope.of(plan.schema), self.source).bind(node)


def _plain(node: n.Node) -> str | None:
    """Give a name without dots; None for all else."""
    return node.texts[0] if isinstance(node, n.Name) and len(node.texts) == 1 else None


def _first_of_equals(plan: Plan) -> dict[str, str]:
    """Give for each column the first one with the same value, so that nothing is kept twice."""
    if not isinstance(plan, Calc):
        return {}
    first: dict[Expr, str] = {}
    return {f.name: first.setdefault(e, f.name) for f, e in zip(plan.schema, plan.exprs, strict=True)}


def ordered(
    plan: Plan, keys: tuple[SortKey, ...], limit: int | None, offset: int, query: n.Query, source: Source
) -> Plan:
    """
    Give the rows of a plan in order; with a limit so many of them.

    Raises:
        ConfigError: all rows in another order than that of time, which a stream never has.
    """
    place = at(query, source)
    if limit == 0 or (limit is not None and not keys):
        return Limit(schema=plan.schema, input=plan, count=limit, offset=offset, location=place)
    if limit is not None:
        end = offset + limit
        return Rank(schema=plan.schema, input=plan, partition=(), order=keys, start=offset + 1, end=end, location=place)
    if not keys:
        return plan
    time = plan.schema[keys[0].column].time
    if time is None or keys[0].descending:
        hint = "add LIMIT n, or begin with a time attribute, ascending"
        message = "ORDER BY without LIMIT sorts a stream by time only"
        raise ConfigError(message, hint=hint, location=at((n.get(query, "order") or [query])[0], source))
    processing = time is TimeAttribute.PROCTIME
    return Sort(
        schema=plan.schema,
        input=plan,
        order=keys,
        time=keys[0].column,
        processing_time=processing,
        location=place,
    )
