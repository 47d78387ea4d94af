"""A session: what its scripts have defined, and how they are bound."""

from __future__ import annotations

from collections.abc import Mapping

from tailrace import settings as known
from tailrace.errors import TailraceError
from tailrace.plan.catalog import Discover, Table
from tailrace.plan.checks import check
from tailrace.plan.nodes import Sink
from tailrace.plan.rewrite import optimize
from tailrace.plan.rewrite.sinks import guard
from tailrace.sql.binder.forms import refuse
from tailrace.sql.binder.functions import defined, mark
from tailrace.sql.binder.inserts import InsertBinder
from tailrace.sql.binder.names import Names, View
from tailrace.sql.binder.places import at
from tailrace.sql.binder.queries import QueryBinder
from tailrace.sql.definitions import Definitions
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse, too_deep
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.shows import describe, settings_frame, show
from tailrace.sql.source import Source
from tailrace.sql.statements import Done, Explain, Insert, Query, Show, Statement


class Session:
    """
    Binds scripts one after the other; each sees what those before it have defined.

    `parameters` replace `${NAME}`, `environ` gives `${env:TAILRACE_...}`, `settings` are the first values of SET, `fixed`
    go before what SET says; a wrong one raises ConfigError. `discover` finds the columns of tables that are declared without.

    >>> session = Session()
    >>> session.bind("CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); SELECT a FROM t", "a.sql")[0]
    Done(message="table 't' created")
    """

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        fixed: Mapping[str, str] | None = None,
        discover: Discover | None = None,
    ) -> None:
        self._parameters = dict(parameters or {})
        self._environ = dict(environ or {})
        self._fixed = dict(fixed or {})
        self._first_settings = dict(settings or {}) | self._fixed
        for key, value in self._first_settings.items():
            known.check(key, value)
        self.settings: dict[str, str] = dict(self._first_settings)
        self.texts: list[tuple[str, str]] = []
        """The scripts that were bound, as they were written, by the names of their files."""
        self._names = Names(self.settings, discover=discover)
        self._definitions = Definitions(self._names)

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by name."""
        return self._names.tables

    @property
    def views(self) -> dict[str, View]:
        """The views by name."""
        return self._names.views

    def bind(self, text: str, file: str) -> list[Statement]:
        """
        Bind every statement of a text, in order; DDL and SET take effect in the session. Nothing runs.

        Raises:
            ConfigError: at the first statement that is wrong; points at the place.
            UnsupportedError: it is right in Flink, but not (yet) here.
        """
        source = Source(text, file, self._parameters, self._environ)
        self.texts.append((file, text))
        return [self.bind_tree(node, source) for node in parse(source)]

    def bind_tree(self, node: n.Node, source: Source) -> Statement:
        """
        Bind one statement that is a tree already; its places are those of `source`, or of the nodes' own.

        Raises:
            ConfigError, UnsupportedError: as for `bind`.
        """
        try:
            mark(node, self._names.functions, source)
            refuse(node, source)
            told = defined(node, self._names.functions, source)
            return self._bind(node, source) if told is None else Done(told)
        except RecursionError:
            raise too_deep(at(node, source)) from None

    def _bind(self, node: n.Node, source: Source) -> Statement:
        said = self._define(node, source)
        if said is not None:
            return said
        match node:
            case s.SetOption():
                return self._set(node, source)
            case s.ResetOption():
                return self._reset(node)
            case s.Describe():
                return Show(describe(self._names, node.args["name"], source))
            case s.Show():
                return Show(show(self._names, node, source))
            case s.Explain():
                return Explain(self._sinks(node.this, source))
            case n.Query():
                return Query(self._sinks(node, source)[0], dict(self.settings))
        return Insert(self._sinks(node, source), dict(self.settings))

    def _define(self, node: n.Node, source: Source) -> Statement | None:
        """Create, alter or drop what a statement names; None for one of another kind."""
        match node:
            case s.CreateTable():
                return self._create_table(node, source)
            case s.CreateView():
                return Done(self._definitions.create_view(node, source))
            case s.Drop():
                return Done(self._definitions.drop(node, source))
            case s.AlterTable():
                return Done(self._definitions.alter_table(node, source))
            case s.AlterView():
                return Done(self._definitions.alter_view(node, source))
        return None

    def _sinks(self, node: n.Node, source: Source) -> tuple[Sink, ...]:
        match node:
            case s.Insert():
                sinks = [InsertBinder(node, self._names, source).bind()]
            case s.StatementSet():
                sinks = [InsertBinder(i, self._names, source).bind() for i in node.args["inserts"]]
            case n.Query():
                plan = QueryBinder(self._names, source).bind(node, outermost=True)
                sinks = [Sink(schema=plan.schema, input=plan, table=None, location=at(node, source))]
        plans = guard(
            optimize(tuple(sinks)),
            drop_nulls=known.value(self.settings, "table.exec.sink.not-null-enforcer") == "drop",
            materialize=known.value(self.settings, "table.exec.sink.upsert-materialize"),
        )
        check(plans)
        return plans

    def _create_table(self, node: s.CreateTable, source: Source) -> Statement:
        query = n.get(node, "query")
        if query is None:
            return Done(self._definitions.create_table(node, source))
        given = QueryBinder(self._names, source).bind(query, outermost=True).schema
        before = self._names.copy()
        try:
            filling = self._definitions.create_table_as(node, given, source)
            return Insert(self._sinks(filling, source), dict(self.settings))
        except (TailraceError, RecursionError):
            self._names.take(before)
            raise

    def _set(self, node: s.SetOption, source: Source) -> Statement:
        if n.get(node, "key") is None:
            return Show(settings_frame(self.settings))
        key, value = str(node.args["key"].this), str(node.args["value"].this)
        known.check(key, value, key_at=at(node.args["key"], source), value_at=at(node.args["value"], source))
        self.settings |= {key: value} | self._fixed
        return Done(f"{key} = {value}{self._note(key)}")

    def _note(self, key: str) -> str:
        if not known.has_effect(key):
            return " (has no effect here)"
        return f" (but {self._fixed[key]} goes before it)" if key in self._fixed else ""

    def _reset(self, node: s.ResetOption) -> Statement:
        key = n.get(node, "key")
        keys = list(self.settings) if key is None else [str(key.this)]
        for name in keys:
            self.settings.pop(name, None)
        self.settings |= {k: v for k, v in self._first_settings.items() if k in keys or key is None}
        return Done("all settings reset" if key is None else f"{key.this} reset")
