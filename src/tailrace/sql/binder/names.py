"""What a script has defined so far, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tailrace.errors import ConfigError, UnsupportedError, did_you_mean
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Node as Plan
from tailrace.sql.binder.places import at
from tailrace.sql.dialect.nodes import Name
from tailrace.sql.dialect.statement_nodes import CreateTable, CreateView
from tailrace.sql.source import Source

_CATALOG, _DATABASE = "default_catalog", "default_database"


@dataclass(frozen=True, slots=True)
class View:
    """A view: its plan, which is shared by all that read it, and how it was written."""

    name: str
    plan: Plan
    definition: CreateView


@dataclass(slots=True)
class Names:
    """Tables and views, with the text of each table (LIKE resolved)."""

    tables: dict[str, Table] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    definitions: dict[str, CreateTable] = field(default_factory=dict)


def plain(name: Name, source: Source) -> str:
    """
    Give the one part that names a table or view; the default catalog and database may stand before it.

    Raises:
        UnsupportedError: another catalog or database.
    """
    texts = name.texts
    prefixes = {1: (), 2: (_DATABASE,), 3: (_CATALOG, _DATABASE)}
    if prefixes.get(len(texts)) != texts[:-1]:
        raise UnsupportedError(
            f"'{'.'.join(texts)}' is in another catalog or database",
            hint=f"there is one only: {_CATALOG}.{_DATABASE}",
            location=at(name, source),
        )
    return texts[-1]


def unknown(what: str, text: str, known: Iterable[str], name: Name, source: Source) -> ConfigError:
    """Give the error of a table or view that is not there."""
    listed = sorted(known)
    hint = did_you_mean(text, listed) or (
        "known: " + ", ".join(listed) if listed else "define it first with CREATE TABLE"
    )
    return ConfigError(f"there is no {what} '{text}'", hint=hint, location=at(name, source))
