"""What a statement becomes when it is bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tailrace.plan.nodes import Sink


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO, or all INSERTs of a statement set: they run together. `settings` are those in force."""

    sinks: tuple[Sink, ...]
    settings: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT: its rows go to whoever runs it. `settings` are those in force."""

    plan: Sink
    settings: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN: the plans to be shown."""

    sinks: tuple[Sink, ...]


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW, DESCRIBE or SET without a key: a table to print."""

    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Done:
    """A statement that has taken effect in the session, and what to say of it."""

    message: str


Statement = Insert | Query | Explain | Show | Done
