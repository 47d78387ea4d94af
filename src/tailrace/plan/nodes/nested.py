"""Nodes that put out several rows for one."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expressions.nodes import Expr
from tailrace.plan.nodes.base import Unary


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnest(Unary):
    """
    Each row once for each element of its `collection`, an ARRAY or MAP, for which `condition` is true.

    `elements` are the new columns: one, or one for each field of a ROW, or key and value of a MAP. A NULL among ROWs is
    no element. With `outer` a row without elements is put out once, with NULLs. The schema is any of the input's columns,
    then the elements, then the `ordinality`, which counts from 1.
    """

    collection: str
    elements: tuple[str, ...]
    ordinality: str | None = None
    outer: bool = False
    condition: Expr | None = None

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that the input does not have."""
        return self.elements if self.ordinality is None else (*self.elements, self.ordinality)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Unary):
    """Each row as often as `count` says, a column that the schema leaves out."""

    count: str
