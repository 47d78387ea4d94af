"""ALTER TABLE: a new definition of a table out of its old one."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.errors import ConfigError, did_you_mean
from tailrace.sql.binder.places import at, inherited
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.source import Source

_KEYS = {"primary_key": "primary key", "watermark": "watermark"}


class Alteration:
    """What one ALTER TABLE makes of a definition, which stays as it is."""

    def __init__(self, definition: s.CreateTable, source: Source) -> None:
        self._made = definition.copy()
        self._source = source

    def applied(self, action: n.Node) -> s.CreateTable:
        """
        Give the new definition.

        Raises:
            ConfigError: what is to change is not there, what is to be added is there, or something else needs what goes.
        """
        match action:
            case s.SetOptions():
                self._set(action)
            case s.ResetOptions():
                self._reset(action)
            case s.RenameColumn():
                self._rename(action)
            case s.ChangeColumns():
                for element in action.args["elements"]:
                    self._change(str(action.args["kind"]), inherited(element, self._source))
            case s.DropColumns():
                self._drop(action)
            case s.DropConstraint():
                self._drop_constraint(action)
        return self._made

    def _error(self, message: str, node: n.Node, hint: str = "") -> ConfigError:
        return ConfigError(message, hint=hint, location=at(node, self._source))

    @property
    def _columns(self) -> list[n.Node]:
        return list(n.get(self._made, "columns") or [])

    def _names(self) -> list[str]:
        return [_name(c) for c in self._columns]

    def _place(self, name: str, node: n.Node) -> int:
        names = self._names()
        if name not in names:
            hint = did_you_mean(name, names) or "columns: " + ", ".join(names)
            raise self._error(f"there is no column '{name}'", node, hint)
        return names.index(name)

    def _set(self, action: s.SetOptions) -> None:
        found = {o.args["key"].this: o for o in n.get(self._made, "options") or []}
        given = {o.args["key"].this: inherited(o, self._source) for o in action.args["options"]}
        self._made.set("options", list((found | given).values()))

    def _reset(self, action: s.ResetOptions) -> None:
        keys = {k.this for k in action.args["keys"]}
        if "connector" in keys:
            raise self._error("the option 'connector' can't be reset", action, "write SET ('connector' = '...')")
        self._made.set("options", [o for o in n.get(self._made, "options") or [] if o.args["key"].this not in keys])

    def _rename(self, action: s.RenameColumn) -> None:
        old, new = self._one(action.args["column"]), str(action.args["name"].this)
        place = self._place(old, action.args["column"])
        if new in self._names():
            raise self._error(f"there is a column '{new}' already", action.args["name"])
        self._refuse_read(old, action)
        self._columns[place].args["name"].set("this", new)
        for key in (
            n.get(n.get(self._made, "primary_key") or n.Star(), "columns"),
            n.get(self._made, "partitioned_by"),
        ):
            for column in key or []:
                if column.this == old:
                    column.set("this", new)

    def _one(self, name: n.Name) -> str:
        if len(name.texts) > 1:
            raise self._error("a field inside of a column can't be changed", name, "change the whole column")
        return name.texts[0]

    def _refuse_read(self, column: str, node: n.Node) -> None:
        """Refuse to take a column away that an expression of the table reads."""
        for other in self._columns:
            if isinstance(other, s.ComputedColumn) and column in _read(other.args["expr"]):
                raise self._error(f"the computed column '{_name(other)}' reads '{column}'", node, "change that first")
        watermark = n.get(self._made, "watermark")
        if watermark is not None and column in (watermark.args["column"].this, *_read(watermark.args["expr"])):
            raise self._error(f"the watermark is made of '{column}'", node, "drop the watermark first")

    def _change(self, kind: str, element: n.Node) -> None:
        if isinstance(element, s.PlacedColumn):
            self._put(kind, element)
            return
        key = "watermark" if isinstance(element, s.Watermark) else "primary_key"
        there = n.get(self._made, key) is not None
        if there and kind == "ADD":
            raise self._error(f"there is a {_KEYS[key]} already", element, "write MODIFY, or drop it first")
        if not there and kind == "MODIFY":
            raise self._error(f"there is no {_KEYS[key]} to modify", element, "write ADD")
        self._made.set(key, element)

    def _put(self, kind: str, element: s.PlacedColumn) -> None:
        """Add a column, at the end if it says nothing else, or put one in place of that of its name."""
        column = element.args["column"]
        name, columns = _name(column), self._columns
        if kind == "ADD" and name in self._names():
            raise self._error(f"there is a column '{name}' already", element, "write MODIFY")
        place = len(columns) if kind == "ADD" else self._place(name, element)
        if kind == "MODIFY":
            columns.pop(place)
            self._made.set("columns", columns)
        after = n.get(element, "after")
        if n.get(element, "first"):
            place = 0
        elif after is not None:
            place = self._place(self._one(after), after) + 1
        self._made.set("columns", [*columns[:place], column, *columns[place:]])

    def _drop(self, action: s.DropColumns) -> None:
        going = [self._one(c) for c in action.args["columns"]]
        for name, node in zip(going, action.args["columns"], strict=True):
            self._place(name, node)
            if going.count(name) > 1:
                raise self._error(f"the column '{name}' is named twice", node)
            self._refuse_key(name, node)
        self._made.set("columns", [c for c in self._columns if _name(c) not in going])
        for name in going:
            self._refuse_read(name, action)

    def _refuse_key(self, column: str, node: n.Node) -> None:
        key = n.get(self._made, "primary_key")
        if key is not None and column in [c.this for c in key.args["columns"]]:
            raise self._error(f"'{column}' is in the primary key", node, "drop the primary key first")
        if column in [c.this for c in n.get(self._made, "partitioned_by") or []]:
            raise self._error(f"the table is partitioned by '{column}'", node)

    def _drop_constraint(self, action: s.DropConstraint) -> None:
        kind = str(action.args["kind"])
        key = "watermark" if kind == "WATERMARK" else "primary_key"
        found = n.get(self._made, key)
        if found is None:
            raise self._error(f"there is no {_KEYS[key]} to drop", action)
        if kind == "CONSTRAINT" and (named := n.get(found, "name")) != action.args["name"]:
            hint = f"the primary key is called '{named.this}'" if named is not None else "write DROP PRIMARY KEY"
            raise self._error(f"there is no constraint '{action.args['name'].this}'", action, hint)
        self._made.set(key, None)


def _name(column: n.Node) -> str:
    return str(column.args["name"].this)


def _read(expr: n.Node) -> Iterable[str]:
    return {name.texts[0] for name in expr.find_all(n.Name)}
