"""Conditions as lists of parts that must all be true."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Call, Column, Expr, Literal
from tailrace.plan.nodes import Calc, Node

TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""Comparisons, and what each is with its sides changed."""


def conjuncts(predicate: Expr | None) -> list[Expr]:
    """Give the parts of a condition that AND joins, from left to right."""
    if predicate is None or (isinstance(predicate, Literal) and predicate.value is True):
        return []
    if isinstance(predicate, Call) and predicate.function == "AND":
        return [part for arg in predicate.args for part in conjuncts(arg)]
    return [predicate]


def joined(parts: Iterable[Expr]) -> Expr | None:
    """Give one condition of these parts; None if there are none."""
    found: Expr | None = None
    for part in parts:
        found = part if found is None else catalogue.call("AND", [found, part])
    return found


def filtered(node: Node, predicate: Expr | None) -> Node:
    """Give a node with a condition over its columns above it."""
    if predicate is None:
        return node
    exprs = tuple(Column(f.type, f.name) for f in node.schema)
    return Calc(schema=node.schema, input=node, exprs=exprs, predicate=predicate, location=node.location)
