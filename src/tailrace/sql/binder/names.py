"""What a script has defined so far, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tailrace.errors import ConfigError, Location, UnsupportedError, did_you_mean
from tailrace.plan.catalog import Discover, Table
from tailrace.plan.nodes import Node as Plan
from tailrace.sql.binder.places import at
from tailrace.sql.dialect.nodes import Name
from tailrace.sql.dialect.statement_nodes import CreateTable, CreateView
from tailrace.sql.source import Source
from tailrace.user_functions.known import Known

_CATALOG, _DATABASE = "default_catalog", "default_database"


@dataclass(frozen=True, slots=True)
class View:
    """
    A view: its plan, which is shared by all that read it, and how it was written, in `source`.

    `reads` are the names of the tables and views that it reads itself; `broken` is why it can't be read any more, as these
    have changed.
    """

    name: str
    plan: Plan
    definition: CreateView
    source: Source
    reads: frozenset[str]
    broken: ConfigError | None = None


@dataclass(slots=True)
class Names:
    """
    Tables and views, with the text of each table (LIKE resolved), and functions of the user in lower case.

    `settings` are those of the session as they stand; `discover` finds the columns of tables that are declared without.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    definitions: dict[str, CreateTable] = field(default_factory=dict)
    functions: dict[str, Known] = field(default_factory=dict)
    discover: Discover | None = None

    def copy(self) -> Names:
        """Give what is known now, to come back to."""
        return replace(self, tables=dict(self.tables), views=dict(self.views), definitions=dict(self.definitions))

    def take(self, other: Names) -> None:
        """Know what another one knows, and nothing else."""
        self.tables, self.views, self.definitions = other.tables, other.views, other.definitions


def plain(name: Name, source: Source) -> str:
    """
    Give the one part that names a table or view; the default catalog and database may stand before it.

    Raises:
        UnsupportedError: another catalog or database.
    """
    *before, last = name.texts
    return in_default_database(before, last, at(name, source))


def in_default_database(before: Sequence[str], name: str, location: Location) -> str:
    """
    Give a name that may have the default catalog and database before it.

    Raises:
        UnsupportedError: another catalog or database.
    """
    if tuple(before) not in {(), (_DATABASE,), (_CATALOG, _DATABASE)}:
        raise UnsupportedError(
            f"'{'.'.join([*before, name])}' is in another catalog or database",
            hint=f"there is one only: {_CATALOG}.{_DATABASE}",
            location=location,
        )
    return name


def qualified(name: str) -> tuple[str, str, str]:
    """Give the whole name of a table or view."""
    return _CATALOG, _DATABASE, name


def in_default(database: Name, source: Source) -> None:
    """
    Refuse a database that is not the one that there is.

    Raises:
        UnsupportedError: it is another one.
    """
    if database.texts not in {(_DATABASE,), (_CATALOG, _DATABASE)}:
        message = f"there is no database '{'.'.join(database.texts)}'"
        raise UnsupportedError(message, hint=f"there is one only: {_DATABASE}", location=at(database, source))


def unknown(what: str, text: str, names: Names, name: Name, source: Source, *, more: Iterable[str] = ()) -> ConfigError:
    """Give the error of a `table`, `view` or `table or view` that is not there; `more` are names that would do too."""
    tables, views = ("table" in what, names.tables), ("view" in what, names.views)
    listed = sorted({*more, *(n for wanted, known in (tables, views) if wanted for n in known)})
    other = next((known for wanted, known in (tables, views) if not wanted and text in known), None)
    if other is not None:
        hint = f"'{text}' is a {'table' if other is names.tables else 'view'}"
    else:
        hint = did_you_mean(text, listed) or ("known: " + ", ".join(listed) if listed else f"there is no {what} yet")
    return ConfigError(f"there is no {what} '{text}'", hint=hint, location=at(name, source))
