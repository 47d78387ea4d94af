"""Defining tables: CREATE TABLE out of what Python has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tailrace.api import trees
from tailrace.api.contracts import column_mapping
from tailrace.api.durations import Span, span
from tailrace.api.expr import call
from tailrace.api.schemas import Columns, column_trees
from tailrace.api.trees import placed
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s


@dataclass(frozen=True, slots=True)
class Time:
    """The time column of a table: of events, with how late they may be, or of processing."""

    column: str
    delay: Span | None = None
    processing: bool = False


def event_time(column: str, delay: Span = "0s") -> Time:
    """
    Take a column as the time of each event; the watermark is `delay` behind the greatest seen.

    >>> import tailrace as tr
    >>> tr.event_time("ts", delay="5s").column
    'ts'
    """
    return Time(column, delay)


def processing_time(column: str = "proctime") -> Time:
    """
    Add a column with the time at which a row is processed.

    >>> import tailrace as tr
    >>> tr.processing_time().column
    'proctime'
    """
    return Time(column, processing=True)


def create_table(
    name: str,
    connector: str,
    columns: Columns,
    time: Time | None,
    primary_key: str | Sequence[str],
    options: Mapping[str, str],
    partitioned_by: str | Sequence[str] = (),
) -> s.CreateTable:
    """Give the CREATE TABLE of a table."""
    keys = [primary_key] if isinstance(primary_key, str) else list(primary_key)
    partitions = [partitioned_by] if isinstance(partitioned_by, str) else list(partitioned_by)
    given = {"connector": connector} | dict(options)
    return placed(
        s.CreateTable(
            name=trees.name(name),
            temporary=False,
            exists=False,
            replace=False,
            columns=[*column_trees(column_mapping(columns)), *_time_columns(time)],
            watermark=_watermark(time),
            primary_key=placed(s.PrimaryKey(columns=trees.texts(keys))) if keys else None,
            partitioned_by=trees.texts(partitions),
            options=[placed(s.Option(key=trees.literal(k), value=trees.literal(v))) for k, v in given.items()],
        )
    )


def _time_columns(time: Time | None) -> list[n.Node]:
    if time is None or not time.processing:
        return []
    return [placed(s.ComputedColumn(name=trees.identifier(time.column), expr=call("PROCTIME").tree))]


def _watermark(time: Time | None) -> s.Watermark | None:
    if time is None or time.delay is None:
        return None
    expr: n.Node = trees.name(time.column)
    delay = span(time.delay)
    if delay:
        expr = placed(n.Binary(op="-", left=expr, right=trees.interval(delay)))
    return placed(s.Watermark(column=trees.identifier(time.column), expr=expr))
