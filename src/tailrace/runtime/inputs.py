"""Inputs that are not there: found before anything runs, wherever in the script they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from tailrace.connectors import registry
from tailrace.connectors.base import Context, Report
from tailrace.errors import ConfigError, Location
from tailrace.plan import nodes
from tailrace.plan.catalog import Table


def require(scans: Iterable[nodes.Scan], written: Sequence[Table], context: Context) -> None:
    """
    Reach the tables that are read, except what the script itself writes.

    A system that is away for now is left to the job, which waits for it.

    Raises:
        ConfigError: one is not there, or can't be read so.
    """
    for scan in {n.table.name: n for n in scans}.values():
        reach(scan.table, partial(_check, scan, context), written, scan.table.location)


def _check(scan: nodes.Scan, context: Context) -> Report:
    return registry.source(scan.table, scan.schema, context).check()


def reach(read: Table, look: Callable[[], Report], written: Sequence[Table], location: Location | None) -> None:
    """
    Reach a table that is read by a `look` at it, unless it is `written` meanwhile.

    Raises:
        ConfigError: it is not there, or can't be read so. One that is away for now is waited for later.
    """
    if any(feeds(table, read) for table in written):
        return
    error = look().error
    if isinstance(error, ConfigError):
        error.location = error.location or location
        raise error


def feeds(written: Table, read: Table) -> bool:
    """Tell whether what is written to one table is read from the other: they have one name, or stand for one place."""
    if written.name == read.name:
        return True
    place = registry.connector_of(written).place
    if written.connector != read.connector or not place:
        return False
    into, out_of = written.option(place), read.option(place)
    return into is not None and out_of is not None and _within(into.value, out_of.value)


def _within(folder: str, path: str) -> bool:
    """
    Tell whether a place is, or is below, another.

    >>> _within("./out", "out/*.json"), _within("out", "output")
    (True, False)
    """
    whole, part = (Path(p.removeprefix("file://")).resolve() for p in (folder, path))
    return part.is_relative_to(whole)
