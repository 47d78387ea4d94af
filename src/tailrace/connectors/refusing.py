"""Rows that a system can't take: found alone, so that their neighbours go on."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.connectors.base import Refusals
from tailrace.errors import DataError

Attempt = Callable[[pl.DataFrame], object]
"""Does something with rows, and has no effect where it fails; it is tried with some of them too."""


def accepted(batch: pl.DataFrame, attempt: Attempt, refusals: Refusals, code: str) -> pl.DataFrame:
    """
    Give the rows with which an attempt goes well; the others are refused, by halves until each stands alone.

    Raises:
        DataError: a row is refused, and that is not tolerated.
    """
    try:
        attempt(batch)
    except DataError as error:
        if len(batch) <= 1:
            refusals.refuse(batch.head(1), code, error.message, error.hint)
            return batch.clear()
    else:
        return batch
    middle = len(batch) // 2
    halves = (batch.head(middle), batch.slice(middle))
    return pl.concat([accepted(half, attempt, refusals, code) for half in halves])
