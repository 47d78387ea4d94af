"""The names that a SELECT writes for its columns, and those that it writes more than once."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.errors import ConfigError
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source


def name_of(item: n.SelectItem) -> str | None:
    """Give the name that an item of a SELECT has; None if it has none of its own."""
    alias = n.get(item, "alias")
    if alias is not None:
        return str(alias.this)
    if isinstance(item.this, n.Name):
        return item.this.texts[-1]
    return str(item.this.args["field"].this) if isinstance(item.this, n.Access) else None


def repeated(query: n.Node) -> dict[str, n.Node]:
    """Give the names that the SELECT of a query writes again, each with the place; those behind a `*` are not looked at."""
    while isinstance(query, n.Query):
        query = query.args["body"]
    if not isinstance(query, n.Select):
        return {}
    seen: set[str] = set()
    found: dict[str, n.Node] = {}
    for item in query.args["items"]:
        name = name_of(item) if isinstance(item, n.SelectItem) else None
        if name in seen:
            found[name] = item
        elif name is not None:
            seen.add(name)
    return found


def refuse_repeated(query: n.Node, what: str, source: Source) -> None:
    """
    Make sure that all columns of a query that has a name can be told apart.

    Raises:
        ConfigError: two have one name; points at the second.
    """
    for name, item in repeated(query).items():
        hint = "give one of them another name, with AS"
        raise ConfigError(f"{what} has two columns '{name}'", hint=hint, location=at(item, source))


def given_names(columns: Sequence[n.Node], source: Source) -> list[str]:
    """
    Give the names that stand behind an alias.

    Raises:
        ConfigError: one is there twice; points at the first.
    """
    names = [str(c.this) for c in columns]
    for column in columns:
        if names.count(str(column.this)) > 1:
            raise ConfigError(f"the name '{column.this}' is given twice", location=at(column, source))
    return names
