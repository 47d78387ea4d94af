"""Makes a question that fails smaller, as long as it still fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from query_check import Question
from query_nodes import Aggregate, Base, Expr, Relation, null


def reduced(question: Question, fails: Callable[[Question], bool], seconds: float) -> Question:
    """Give a smaller question that fails, within so many seconds; one that can't be asked does not fail."""
    end = time.monotonic() + seconds
    while smaller_one := _first(question, fails, end):
        question = smaller_one
    return question


def _first(question: Question, fails: Callable[[Question], bool], end: float) -> Question | None:
    for candidate in _smaller_questions(question):
        if time.monotonic() > end:
            return None
        if fails(candidate):
            return candidate
    return None


def _smaller_questions(question: Question) -> Iterator[Question]:
    yield from (question.with_query(query) for query in _smaller(question.query) if isinstance(query, Relation))
    for place, table in enumerate(question.tables):
        size = len(table.rows)
        step = size
        while step:
            for start in range(0, size, step):
                less = table.with_rows(table.rows[:start] + table.rows[start + step :])
                yield replace(question, tables=(*question.tables[:place], less, *question.tables[place + 1 :]))
            step //= 2


def _smaller(node: Any) -> Iterator[Any]:
    """Give the same node with less in it: its inputs in its place, parts left out, parts made smaller."""
    if isinstance(node, Relation):
        yield from (part for part in _values(node) if isinstance(part, Relation))
    if isinstance(node, Expr):
        yield from (part for part in node.parts if part.type is node.type)
        if node.parts:
            yield null(node.type)
    if isinstance(node, Aggregate) and node.argument is not None:
        yield Aggregate("COUNT")
    if is_dataclass(node) and not isinstance(node, Base | type):
        for field in fields(node):
            # a call without its argument is COUNT(*), see above
            optional = str(field.type).endswith("| None") and not (
                isinstance(node, Aggregate) and field.name == "argument"
            )
            for value in _smaller_values(getattr(node, field.name), optional=optional):
                yield replace(node, **{field.name: value})


def _smaller_values(value: Any, *, optional: bool) -> Iterator[Any]:
    """Give smaller values for one field of a node."""
    if isinstance(value, tuple):
        for i, part in enumerate(value):
            if not isinstance(part, Expr):
                yield (*value[:i], *value[i + 1 :])
            yield from ((*value[:i], less, *value[i + 1 :]) for less in _smaller(part))
        return
    if value is not None and optional:
        yield None
    yield from _smaller(value)


def _values(node: Any) -> list[Any]:
    return [getattr(node, field.name) for field in fields(node)]
