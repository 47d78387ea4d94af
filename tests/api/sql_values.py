"""Values of expressions, computed by a pipeline of one row."""

from __future__ import annotations

from typing import Any

import tailrace as tr


def value_of(expr: tr.Expr) -> Any:
    """Compute an expression."""
    return tr.from_rows([{"one": 1}]).select(value=expr).collect().item()
