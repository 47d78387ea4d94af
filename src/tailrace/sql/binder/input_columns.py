"""The columns that an operator reads beside those of its input: what expressions below it compute."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailrace.expressions.nodes import Column, Expr
from tailrace.sql.binder.expressions import ExpressionBinder


@dataclass
class InputColumns:
    """Helper columns of the input, `__p0` and so on, that hold what arguments and keys compute."""

    below: ExpressionBinder
    columns: dict[str, Expr] = field(default_factory=dict)

    def column(self, expr: Expr) -> str:
        """Give the input column that holds an expression."""
        if isinstance(expr, Column):
            return expr.name
        known = next((name for name, e in self.columns.items() if e == expr), None)
        if known is None:
            known = f"__p{len(self.columns)}"
            self.columns[known] = expr
        return known

    def argument(self, name: str) -> Expr:
        """Give the expression that an input column holds."""
        return self.columns.get(name) or self.below.scope.column(name)
