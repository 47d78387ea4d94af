"""What stands in FROM: tables, views, queries, windows, and joins of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Literal
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes import Values
from tailrace.schema import BOOLEAN, Field, Schema
from tailrace.sql.binder.enclosing import Enclosing
from tailrace.sql.binder.hints import SelectHints, refuse_options, with_options
from tailrace.sql.binder.joins import JoinBinder, refuse_same_names
from tailrace.sql.binder.lateral import LateralBinder
from tailrace.sql.binder.match import MatchBinder
from tailrace.sql.binder.names import Names, plain, unknown
from tailrace.sql.binder.places import at
from tailrace.sql.binder.process import ProcessBinder, process_function
from tailrace.sql.binder.projection import renamed
from tailrace.sql.binder.scope import Relation
from tailrace.sql.binder.subqueries import OnSubqueries
from tailrace.sql.binder.subquery_joins import SubqueryJoins
from tailrace.sql.binder.table_functions import TableFunctionBinder, table_function
from tailrace.sql.binder.tables import source_plan
from tailrace.sql.binder.temporal import refuse_system_time, system_time
from tailrace.sql.binder.unnest import UnnestBinder
from tailrace.sql.binder.windows import WindowBinder
from tailrace.sql.binder.written_names import given_names, repeated
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

Ctes = Mapping[str, Plan]


class Queries(Protocol):
    """What binds a query inside of another one."""

    def bind(self, query: n.Query, ctes: Ctes | None = None) -> Plan:
        """Give the plan of a query."""

    def inside(self, enclosing: Enclosing) -> Queries:
        """Give what binds queries that may read columns of a query around them."""


class RelationBinder:
    """Binds FROM over the tables, views and named queries that are known."""

    def __init__(
        self,
        names: Names,
        source: Source,
        queries: Queries,
        ctes: Ctes,
        hints: SelectHints,
        enclosing: Enclosing | None = None,
    ) -> None:
        self._names = names
        self._source = source
        self._queries = queries
        self._ctes = ctes
        self._hints = hints
        self._enclosing = enclosing

    def bind(self, node: n.Node | None) -> Relation:
        """
        Give the relation; without a FROM one row without columns that can be named.

        Raises:
            ConfigError: a name, condition or window is wrong; points at the place.
        """
        if node is None:
            one = Literal(BOOLEAN.with_nullable(False), value=True)
            row = Schema((Field("__one", one.type),))
            return Relation(Values(schema=row, rows=((one,),)), ())
        if isinstance(node, n.Join):
            return self._join(node)
        refuse_system_time(node, self._source)
        return self._member(node)

    def _member(self, node: n.Node) -> Relation:
        if (lateral := _lateral(node)) is not None:
            return lateral(node, self.bind(None), self._source).bind()
        _refuse_lateral(node, self._source)
        if isinstance(node, n.LateralSource):  # with nothing left of it
            node = _as_query(node)
        alias = str(given.this) if (given := n.get(node, "alias")) is not None else ""
        plan, name = self._read(node)
        columns = n.get(node, "columns") or []
        twice = repeated(node.args["query"]) if isinstance(node, n.QuerySource) and not columns else {}
        return Relation.of(with_names(plan, columns, node, self._source), alias or name, frozenset(twice))

    def _join(self, node: n.Join) -> Relation:
        left, right = self.bind(node.args["left"]), node.args["right"]
        if (lateral := _lateral(right)) is not None:
            refuse_same_names(
                left, [str(a.this) for a in [n.get(right, "alias")] if a is not None], right, self._source
            )
            return lateral(right, left, self._source).bind(node)
        _refuse_lateral(right, self._source)
        if isinstance(right, n.LateralSource):
            joins = SubqueryJoins(self._inside, self._source, set(left.plan.schema.names))
            return LateralBinder(node, left, self._enclosing, joins, self._source).bind()
        time = system_time(node, left, self._source)
        theirs = self._member(right) if time is not None else self.bind(right)
        ttl = (self._hints.of(node.args["left"]), self._hints.of(right))
        queries = self._in_condition if time is None else None
        retry = self._hints.retry(right)
        return JoinBinder(node, left, theirs, self._source, time, ttl, retry, self._enclosing, queries).bind()

    def _in_condition(self, plan: Plan) -> OnSubqueries:
        return OnSubqueries(self._inside, self._source, set(plan.schema.names))

    def _inside(self, query: n.Query, enclosing: Enclosing) -> Plan:
        return self._queries.inside(enclosing).bind(query, self._ctes)

    def _read(self, node: n.Node) -> tuple[Plan, str]:
        match node:
            case n.MatchSource():
                inner = self.bind(node.args["input"]).plan
                return MatchBinder(node, inner, self._source).bind(), ""
            case n.TableSource():
                name = node.args["name"]
                return self._named(name, n.get(node, "hints") or []), name.texts[-1]
            case n.QuerySource():
                return self._queries.bind(node.args["query"], self._ctes), ""
        function = node.args["function"]
        process = process_function(function)
        if process is not None:
            return ProcessBinder(function, process, self._source, self._table_argument).bind(), ""
        return WindowBinder(function, self._source, self._table_argument).bind(), ""

    def _table_argument(self, node: n.TableArgument) -> Plan:
        inner = node.this
        if isinstance(inner, n.Query):
            return self._queries.bind(inner, self._ctes)
        assert isinstance(inner, n.Name)
        return self._named(inner)

    def _named(self, name: n.Name, hints: Sequence[n.Hint] = ()) -> Plan:
        text = name.texts[-1]
        if len(name.texts) == 1 and text in self._ctes:
            refuse_options(text, hints, self._source)
            return self._ctes[text]
        text = plain(name, self._source)
        if text in self._names.views:
            refuse_options(text, hints, self._source)
            view = self._names.views[text]
            if view.broken is not None:
                message = f"the view '{text}' can't be read any more: {view.broken.message}"
                raise ConfigError(message, hint=view.broken.hint, location=at(name, self._source))
            return view.plan
        if text in self._names.tables:
            table = with_options(self._names.tables[text], hints, self._source)
            return source_plan(table, at(name, self._source), self._names.settings)
        raise unknown("table or view", text, self._names, name, self._source, more=self._ctes)


def _lateral(node: n.Node) -> type[UnnestBinder] | None:
    """Give what binds a source that makes several rows of each row left of it; None for any other."""
    if isinstance(node, n.UnnestSource):
        return UnnestBinder
    made = isinstance(node, n.LateralSource | n.FunctionSource) and table_function(node) is not None
    return TableFunctionBinder if made else None


def _refuse_lateral(node: n.Node, source: Source) -> None:
    """Refuse LATERAL before a function of a whole table: a window, or one that processes its rows."""
    if isinstance(node, n.LateralSource) and isinstance(node.this, n.TableFunction):
        message = f"{node.this.this} takes a whole table, and can't stand behind LATERAL"
        raise ConfigError(message, hint="leave LATERAL out", location=at(node, source))


def _as_query(node: n.LateralSource) -> n.QuerySource:
    found = n.QuerySource(query=node.this, alias=n.get(node, "alias"), columns=n.get(node, "columns"))
    found.meta.update(node.meta)
    return found


def with_names(plan: Plan, columns: Sequence[n.Node], node: n.Node, source: Source) -> Plan:
    """
    Give a plan with the names that stand behind its alias, if there are any.

    Raises:
        ConfigError: there are too many or too few of them, or one is there twice.
    """
    if not columns:
        return plan
    if len(columns) != len(plan.schema):
        message = f"{len(columns)} names are given for {len(plan.schema)} columns"
        raise ConfigError(message, location=at(node, source))
    return renamed(plan, given_names(columns, source), at(node, source))
