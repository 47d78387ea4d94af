"""CREATE, ALTER and DROP of tables and views: what a session knows by name."""

from __future__ import annotations

from dataclasses import replace

from tailrace.errors import ConfigError
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Schema
from tailrace.sql.binder import create_as
from tailrace.sql.binder.alter import Alteration
from tailrace.sql.binder.like import merge, settled
from tailrace.sql.binder.names import Names, View, plain, unknown
from tailrace.sql.binder.places import at, inherited
from tailrace.sql.binder.projection import renamed
from tailrace.sql.binder.queries import QueryBinder
from tailrace.sql.binder.tables import TableBinder
from tailrace.sql.binder.views import read_by, readers, reads_itself
from tailrace.sql.binder.written_names import refuse_repeated
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.source import Source


class Definitions:
    """Changes the names of a session; each change gives what is to be said of it."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def create_table(self, node: s.CreateTable, source: Source) -> str:
        """Create a table, from its columns or by LIKE."""
        name = plain(node.args["name"], source)
        if not self._is_free(name, node, source):
            return f"table '{name}' exists already"
        definition = self._without_like(node, source)
        self._put(name, settled(inherited(definition, source)), source)
        self._follow(name)
        return f"table '{name}' created"

    def create_table_as(self, node: s.CreateTable, given: Schema, source: Source) -> s.Insert:
        """Create a table for the columns of a query, in place of an old one with REPLACE; gives the INSERT that fills it."""
        name = plain(node.args["name"], source)
        replaced = n.get(node, "replace") and name in self._names.tables
        if replaced or self._is_free(name, node, source):
            definition = create_as.definition(node, given, source)
            self._put(name, settled(inherited(definition, source)), source)
            self._follow(name)
        return create_as.filling(node, given)

    def create_view(self, node: s.CreateView, source: Source) -> str:
        """Create a view."""
        name = plain(node.args["name"], source)
        if not self._is_free(name, node, source):
            return f"view '{name}' exists already"
        self._names.views[name] = self._view(name, node, source)
        self._follow(name)
        return f"view '{name}' created"

    def drop(self, node: s.Drop, source: Source) -> str:
        """Drop a table or view."""
        name, kind = plain(node.args["name"], source), str(node.args["kind"]).lower()
        known = self._names.tables if kind == "table" else self._names.views
        if name not in known:
            if n.get(node, "exists"):
                return f"there is no {kind} '{name}'"
            raise unknown(kind, name, self._names, node.args["name"], source)
        self._forget(name)
        self._follow(name)
        return f"{kind} '{name}' dropped"

    def alter_table(self, node: s.AlterTable, source: Source) -> str:
        """Change a table, or its name."""
        written, action = node.args["name"], node.args["action"]
        name = plain(written, source)
        if name not in self._names.tables:
            if n.get(node, "exists"):
                return f"there is no table '{name}'"
            raise unknown("table", name, self._names, written, source)
        definition = self._names.definitions[name]
        self._refuse_temporary("table", n.get(definition, "temporary"), written, source)
        if isinstance(action, s.RenameTo):
            return self._rename("table", name, action, source)
        self._put(name, settled(Alteration(definition, source).applied(action)), source)
        self._follow(name)
        return f"table '{name}' altered"

    def alter_view(self, node: s.AlterView, source: Source) -> str:
        """Change a view, or its name."""
        written, action = node.args["name"], node.args["action"]
        name = plain(written, source)
        if name not in self._names.views:
            raise unknown("view", name, self._names, written, source)
        view = self._names.views[name]
        self._refuse_temporary("view", n.get(view.definition, "temporary"), written, source)
        if isinstance(action, s.RenameTo):
            return self._rename("view", name, action, source)
        made = s.CreateView(name=view.definition.args["name"].copy(), query=action)
        made.meta.update(node.meta)
        altered = self._view(name, made, source)
        if reads_itself(name, altered.reads, self._names.views):
            hint = "write what it reads now in place of its name"
            raise ConfigError(f"the view '{name}' would read itself", hint=hint, location=at(written, source))
        self._names.views[name] = altered
        self._follow(name)
        return f"view '{name}' altered"

    def _put(self, name: str, definition: s.CreateTable, source: Source) -> None:
        self._names.tables[name] = TableBinder(definition, name, source, self._names.discover).bind()
        self._names.definitions[name] = definition

    def _forget(self, name: str) -> None:
        for known in (self._names.tables, self._names.views, self._names.definitions):
            known.pop(name, None)

    def _rename(self, kind: str, old: str, action: s.RenameTo, source: Source) -> str:
        new = plain(action.args["name"], source)
        if new in self._names.tables or new in self._names.views:
            message = f"there is a table or view '{new}' already"
            raise ConfigError(message, location=at(action.args["name"], source))
        view, definition = self._names.views.get(old), self._names.definitions.get(old)
        self._forget(old)
        if definition is not None:
            made = definition.copy()
            made.args["name"].args["parts"][-1].set("this", new)
            self._put(new, made, source)
        if view is not None:
            shown = view.definition.copy()
            shown.args["name"].args["parts"][-1].set("this", new)
            self._names.views[new] = replace(view, name=new, definition=shown)
        self._follow(old, new)
        return f"{kind} '{old}' is now '{new}'"

    def _follow(self, *changed: str) -> None:
        """Bind the views that read these names again; one that means nothing any more is kept, and says so."""
        for name in readers(self._names.views, changed):
            view = self._names.views[name]
            try:
                self._names.views[name] = replace(view, plan=self._view_plan(view.definition, view.source), broken=None)
            except ConfigError as error:
                self._names.views[name] = replace(view, broken=error)

    def _view(self, name: str, node: s.CreateView, source: Source) -> View:
        return View(name, self._view_plan(node, source), node, source, read_by(node.args["query"]))

    def _view_plan(self, node: s.CreateView, source: Source) -> Plan:
        plan = QueryBinder(self._names, source).bind(node.args["query"], outermost=True)
        columns = n.get(node, "columns")
        if not columns:
            refuse_repeated(node.args["query"], f"view '{plain(node.args['name'], source)}'", source)
            return plan
        names = [str(c.this) for c in columns]
        if len(names) != len(plan.schema) or len(set(names)) != len(names):
            message = f"the view needs {len(plan.schema)} different names of columns"
            raise ConfigError(message, location=at(columns[0], source))
        return renamed(plan, names, at(node, source))

    def _without_like(self, node: s.CreateTable, source: Source) -> s.CreateTable:
        like = n.get(node, "like")
        if like is None:
            return node
        base = plain(like.args["name"], source)
        if base not in self._names.definitions:
            raise unknown("table", base, self._names, like.args["name"], source)
        return merge(node, self._names.definitions[base], source)

    def _is_free(self, name: str, node: n.Node, source: Source) -> bool:
        taken = "table" if name in self._names.tables else "view" if name in self._names.views else ""
        if taken and not n.get(node, "exists"):
            hint = f"drop it first, or write CREATE {taken.upper()} IF NOT EXISTS"
            raise ConfigError(f"there is a {taken} '{name}' already", hint=hint, location=at(node.args["name"], source))
        return not taken

    def _refuse_temporary(self, kind: str, temporary: bool, node: n.Name, source: Source) -> None:
        if temporary:
            hint = f"leave TEMPORARY out of its CREATE {kind.upper()}, or drop and create it"
            message = f"'{node.texts[-1]}' is temporary and can't be altered, as in Flink"
            raise ConfigError(message, hint=hint, location=at(node, source))
