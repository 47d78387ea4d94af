"""What the tables of a pipeline are defined as, and what a query over them is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tailrace.api.places import place
from tailrace.connectors.discovery import discover
from tailrace.errors import ConfigError
from tailrace.sql.dialect import nodes as n
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query, Statement


@dataclass(frozen=True)
class Definitions:
    """CREATE TABLE and CREATE VIEW statements by the name that they define, in order."""

    by_name: Mapping[str, n.Node] = field(default_factory=dict)

    def with_one(self, name: str, node: n.Node) -> Definitions:
        """Give these with one more."""
        return self.joined(Definitions({name: node}))

    def joined(self, other: Definitions) -> Definitions:
        """
        Give these and those of another table.

        Raises:
            ConfigError: two differ that have the same name.
        """
        for name, node in other.by_name.items():
            if name in self.by_name and self.by_name[name] != node:
                message = f"there are two different tables '{name}'"
                raise ConfigError(message, hint="give one of them another name=", location=place().location())
        return Definitions({**self.by_name, **other.by_name})

    @cached_property
    def _plain(self) -> Session:
        """The session without settings: binding a query leaves nothing behind, so one is enough."""
        return self._made({})

    def session(self, settings: Mapping[str, str] | None = None) -> Session:
        """Give a session that knows them, with these settings; it is read only."""
        return self._made(settings) if settings else self._plain

    def _made(self, settings: Mapping[str, str]) -> Session:
        made = Session(settings=settings, discover=discover)
        for node in self.by_name.values():
            made.bind_tree(node, place())
        return made

    def query(self, tree: n.Query, settings: Mapping[str, str] | None = None) -> Query:
        """
        Bind a query.

        Raises:
            ConfigError: it is wrong; points at the caller's line.
        """
        found = self._bound(tree, settings)
        assert isinstance(found, Query)
        return found

    def insert(self, tree: n.Node, settings: Mapping[str, str] | None = None) -> Insert:
        """
        Bind an INSERT.

        Raises:
            ConfigError: it is wrong; points at the caller's line.
        """
        found = self._bound(tree, settings)
        assert isinstance(found, Insert)
        return found

    def _bound(self, tree: n.Node, settings: Mapping[str, str] | None) -> Statement:
        return self.session(settings).bind_tree(tree, place())
