"""The query around a query: whose columns may be read inside."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Protocol

from tailrace.expressions.nodes import Column, Expr, Outer, transform
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import nodes as n

_SCOPES = count()


def new_scope() -> int:
    """Give a number that no other query has."""
    return next(_SCOPES)


class Around(Protocol):
    """What binds the names of the query around."""

    @property
    def scope(self) -> Scope:
        """The columns of the query around."""

    @property
    def enclosing(self) -> Enclosing | None:
        """The query around that one."""

    def name(self, node: n.Name) -> Expr:
        """Give what a name means."""


@dataclass(frozen=True, slots=True)
class Enclosing:
    """The query around, by the binder of its expressions; `scope` tells its columns from those of others."""

    binder: Around
    scope: int

    def find(self, name: n.Name) -> Expr | None:
        """Give what a name means around; None if it means nothing there either."""
        if not self.binder.scope.knows(name):
            return self.binder.enclosing.find(name) if self.binder.enclosing is not None else None
        found = self.binder.name(name)
        return transform(found, lambda e: Outer(e.type, self.scope, e.name) if isinstance(e, Column) else e)
