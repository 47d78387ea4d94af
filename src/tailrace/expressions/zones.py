"""Between the wall clock of a zone and the time line, on Polars expressions."""

from __future__ import annotations

import polars as pl


def to_local(instant: pl.Expr, zone: str) -> pl.Expr:
    """Give the wall clock of a zone for UTC timestamps."""
    if zone != "UTC":
        instant = instant.dt.convert_time_zone(zone)
    return instant.dt.replace_time_zone(None)


def to_instant(local: pl.Expr, zone: str) -> pl.Expr:
    """
    Give UTC timestamps for the wall clock of a zone.

    As in Java, of a time that comes twice the first is meant, and a time that the clocks skip is as much later as they skip.
    """
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    day = pl.duration(days=1)
    first = _instant(local, zone)
    return pl.coalesce(first, _instant(local - day, zone) + day)


def _instant(local: pl.Expr, zone: str) -> pl.Expr:
    found = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return found.dt.convert_time_zone("UTC")
