"""Expressions that begin with no column: CASE, the count of rows, and what is written in SQL."""

from __future__ import annotations

from tailrace.api import trees
from tailrace.api.expr import Expr, IntoExpr, tree_of
from tailrace.api.trees import placed
from tailrace.sql.dialect import nodes as n


class When:
    """A CASE that is being written: `when(condition).then(value)...otherwise(value)`."""

    def __init__(self, whens: tuple[n.When, ...], condition: Expr) -> None:
        self._whens = whens
        self._condition = condition

    def then(self, value: IntoExpr) -> Then:
        """Say what it gives where the condition holds."""
        return Then((*self._whens, placed(n.When(condition=self._condition.tree.copy(), value=tree_of(value)))))


class Then(Expr):
    """A CASE with at least one branch; NULL where no condition holds, unless `otherwise` says something else."""

    __slots__ = ()

    def __init__(self, whens: tuple[n.When, ...]) -> None:
        Expr.__init__(self, placed(n.Case(whens=[w.copy() for w in whens])))

    def when(self, condition: Expr) -> When:
        """Go on with a further condition, for the rows for which none before it held."""
        return When(tuple(self.tree.args["whens"]), condition)

    def otherwise(self, value: IntoExpr) -> Expr:
        """Say what it gives where no condition holds."""
        made = self.tree.copy()
        made.set("default", tree_of(value))
        return Expr(placed(made))


def when(condition: Expr) -> When:
    """
    Begin a CASE.

    >>> import tailrace as tr
    >>> print(tr.when(tr.col("a") > 1).then("many").otherwise("few"))
    CASE WHEN `a` > 1 THEN 'many' ELSE 'few' END
    """
    return When((), condition)


def count() -> Expr:
    """
    Count rows.

    >>> import tailrace as tr
    >>> print(tr.count())
    COUNT(*)
    """
    return Expr(placed(n.Call(this="COUNT", arguments=[placed(n.Star())], distinct=False)))


def expr(text: str) -> Expr:
    """
    Give an expression that is written in SQL.

    Raises:
        ConfigError: it is none.

    >>> import tailrace as tr
    >>> print(tr.expr("a + 1"))
    `a` + 1
    """
    return Expr(trees.expression(text))
