"""The events of the tests: made by the generator alone, as one table for the engine and as three for the oracles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from tailrace.connectors.nexmark.columns import COLUMNS
from tailrace.connectors.nexmark.events import Events
from tailrace.connectors.nexmark.shape import EventKind, Shape
from tailrace.connectors.nexmark.wide import rows, wide

COUNT = 20_000


def shape(start: str = "2015-07-14 23:58:40", rate: int = 100, **other: int) -> Shape:
    """
    Give events so slow that there are many windows, sessions and finished auctions; in their middle a new day begins.

    At up to 1,000 a second no two have the same time.
    """
    start_time = int(datetime.fromisoformat(start + "+00:00").timestamp() * 1000)
    return Shape(seed=11, rate=rate, start_time=start_time, **other)


@dataclass(frozen=True, slots=True)
class Auction:
    """All that happens: `number` is the order of arrival."""

    events: pl.DataFrame
    persons: pl.DataFrame
    auctions: pl.DataFrame
    bids: pl.DataFrame


def auction(of: Shape, count: int = COUNT) -> Auction:
    """Make the first `count` events."""
    events = Events.numbered(of, np.arange(count, dtype=np.int64))
    every = {name: kind.names for name, kind in COLUMNS.items()}
    kinds = [_kind(events, kind) for kind in EventKind]
    return Auction(wide(events, every), *kinds)


def _kind(events: Events, kind: EventKind) -> pl.DataFrame:
    numbers = pl.Series("number", np.flatnonzero(events.of_kind(kind)))
    return rows(events, kind, COLUMNS[kind.name.lower()].names).with_columns(numbers)
