"""Nodes that make one kind of changes of another, at sources and sinks."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.plan.nodes.base import Unary


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize(Unary):
    """
    Of rows that say what stands at a key, the changes, each with the row before it.

    A row that is the same as the one before it, and a deletion where nothing stands, give nothing.
    """

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialize(Unary):
    """
    Of each key the row that came last and was not taken back.

    It stands before a sink with these columns as its primary key where they don't tell the rows of the query apart.
    """

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforce(Unary):
    """Rows without a value in one of `columns` don't go on: with `drop` in silence, else as errors."""

    columns: tuple[str, ...]
    drop: bool
