"""Two calcs, one over the other, become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tailrace.expressions.nodes import Call, Column, Expr, Literal, is_changing, substitute, walk
from tailrace.plan.nodes import Calc, Node
from tailrace.plan.rewrite.predicates import joined

_CHANGING = frozenset(("RAND", "RAND_INTEGER", "UUID"))
"""Functions that give another value at each call."""


def fuse(node: Node) -> Node:
    """Merge a calc into the one that reads it, and drop one that changes nothing."""
    if not isinstance(node, Calc):
        return node
    if not node.exprs:
        # rows without columns can't be counted: it has all columns until those that nobody reads are left out
        node = replace(node, schema=node.input.schema, exprs=tuple(Column(f.type, f.name) for f in node.input.schema))
    if isinstance(node.input, Calc) and _may_merge(node, node.input):
        return fuse(merge(node, node.input))
    return node.input if _is_identity(node) else node


def merge(upper: Calc, lower: Calc) -> Calc:
    """Give one calc that does what two do."""
    by_name = {f.name: e for f, e in zip(lower.schema, lower.exprs, strict=True)}
    parts = [lower.predicate, substitute(upper.predicate, by_name) if upper.predicate is not None else None]
    return Calc(
        schema=upper.schema,
        input=lower.input,
        exprs=tuple(substitute(e, by_name) for e in upper.exprs),
        predicate=joined(p for p in parts if p is not None),
        location=upper.location,
    )


def _is_identity(node: Calc) -> bool:
    same = node.predicate is None and node.schema == node.input.schema
    return same and all(
        isinstance(e, Column) and e.name == n for e, n in zip(node.exprs, node.schema.names, strict=True)
    )


def _may_merge(upper: Calc, lower: Calc) -> bool:
    """Tell whether merging computes nothing twice that costs something or changes."""
    used = Counter(c.name for e in _expressions(upper) for c in walk(e) if isinstance(c, Column))
    for field, expr in zip(lower.schema, lower.exprs, strict=True):
        if used[field.name] > 1 and not isinstance(expr, (Column, Literal)):
            return False
        # what the condition below lets through decides how often a changing function is called
        if _changes(expr) and upper.predicate is not None:
            return False
    return True


def _expressions(node: Calc) -> Iterator[Expr]:
    yield from node.exprs
    if node.predicate is not None:
        yield node.predicate


def _changes(expr: Expr) -> bool:
    return is_changing(expr) or any(isinstance(e, Call) and e.function in _CHANGING for e in walk(expr))
