"""Events as one table: the kind, and a ROW for each kind, of which one has a value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from tailrace.connectors.nexmark.events import I64, Events, Mask
from tailrace.connectors.nexmark.fields import FIELDS, Column
from tailrace.connectors.nexmark.shape import EventKind
from tailrace.connectors.nexmark.texts import Text

TYPE = "event_type"
TIMES = ("dateTime", "expires")
Wanted = Mapping[str, tuple[str, ...]]
"""The columns to make; for those of a kind which of its fields."""


def rows(events: Events, kind: EventKind, fields: tuple[str, ...]) -> pl.DataFrame:
    """
    Give the events of one kind alone.

    >>> from tailrace.connectors.nexmark.shape import Shape
    >>> rows(Events(Shape(), np.arange(55)), EventKind.AUCTION, ("id", "seller"))["id"].to_list()
    [1000, 1001, 1002, 1003, 1004, 1005]
    """
    some = events.where(events.of_kind(kind))
    everywhere = np.ones(len(some), dtype=np.bool_)
    return pl.DataFrame([_spread(FIELDS[kind][name](some), everywhere, name) for name in fields])


def wide(events: Events, wanted: Wanted) -> pl.DataFrame:
    """Give all events, one a row."""
    columns = [_kind_column(events) if name == TYPE else _row(events, name, fields) for name, fields in wanted.items()]
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(events))


def _kind_column(events: Events) -> pl.Series:
    return pl.Series(TYPE, events.kinds)


def _row(events: Events, name: str, fields: tuple[str, ...]) -> pl.Series:
    kind = EventKind[name.upper()]
    mask = events.of_kind(kind)
    some = events.where(mask)
    inner = pl.DataFrame([_spread(FIELDS[kind][field](some), mask, field) for field in fields])
    # the fields keep some value in the rows of other kinds: only the ROW itself is marked as NULL, which costs nothing
    return pl.select(pl.when(pl.Series(mask)).then(inner.to_struct(name)).alias(name)).to_series()


def _spread(column: Column, mask: Mask, name: str) -> pl.Series:
    """Give a field of some events a place for all of them."""
    if isinstance(column, pl.Series):
        column = Text(column, np.arange(len(column), dtype=np.int64))
    if isinstance(column, Text):
        return _texts(column, mask).alias(name)
    numbers = pl.Series(name, _placed(column, mask))
    return numbers.cast(pl.Datetime("ms")) if name in TIMES else numbers


def _texts(column: Text, mask: Mask) -> pl.Series:
    if not len(column.words):
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(mask))
    return column.words.gather(_placed(column.at, mask))


def _placed(values: I64, mask: Mask) -> I64:
    if len(values) == len(mask):
        return values
    placed = np.zeros(len(mask), dtype=np.int64)
    placed[mask] = values
    return placed
