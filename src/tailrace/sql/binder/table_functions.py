"""Table functions of the user: the rows of a relation with the rows that a function gives for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Expr, Literal
from tailrace.expressions.user_calls import user_call
from tailrace.plan.nodes import Unnest
from tailrace.plan.rewrite.predicates import filtered
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Relation, Scope
from tailrace.sql.binder.unnest import UnnestBinder
from tailrace.sql.dialect import nodes as n


def table_function(node: n.Node) -> n.TableFunction | None:
    """Give the call of a function of the user that stands in FROM, with LATERAL before it or not."""
    called = n.get(node, "function") if isinstance(node, n.FunctionSource) else node.this
    found = meant(called) if isinstance(called, n.TableFunction) else None
    return called if found is not None and found.is_table else None


@dataclass(frozen=True, slots=True)
class TableFunctionBinder(UnnestBinder):
    """Binds TABLE(f(...)): the function gives an array of rows, which is unnested."""

    word: ClassVar[str] = "LATERAL TABLE(...)"

    def _collection(self) -> Expr:
        node = table_function(self.node)
        known = meant(node) if node is not None else None
        assert node is not None
        assert known is not None
        arguments = n.get(node, "arguments") or []
        lateral = isinstance(self.node, n.LateralSource)
        named = next((name for a in arguments for name in a.find_all(n.Name)), None)
        if named is not None and not lateral:
            message = f"TABLE({known.name}(...)) can't use columns of what stands left of it"
            raise ConfigError(message, hint="write LATERAL before it", location=at(named, self.source))
        binder = ExpressionBinder(Scope(self.left.plan.schema, self.left.members), self.source)
        return user_call(known, [binder.bind(a) for a in arguments], at(node, self.source))

    def _filtered(self, relation: Relation, condition: n.Node, made: Unnest) -> Relation:
        binder = ExpressionBinder(Scope(relation.plan.schema, relation.members), self.source)
        found = binder.condition(condition, "ON")
        if isinstance(found, Literal) and found.value is True:
            return relation
        if made.outer:
            message = "LEFT JOIN LATERAL TABLE takes ON TRUE only, as in Flink"
            hint = "write INNER JOIN, or compute what is to be compared in the function"
            raise ConfigError(message, hint=hint, location=at(condition, self.source))
        return Relation(filtered(relation.plan, found), relation.members)
