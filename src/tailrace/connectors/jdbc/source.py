"""Tables of databases as sources: in the order of their key, and behind that of a column that grows."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.jdbc.database import reported
from tailrace.connectors.jdbc.tables import DatabaseTable
from tailrace.connectors.python_rows import rows_of
from tailrace.connectors.texts import read_texts, text
from tailrace.errors import TailraceError
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class Scan:
    """
    How a table is read: `schema` has the columns asked for, `order` those that rows are read in the order of.

    Without an order (no key) it is that of all columns, and rows are counted. With `seconds` it is looked for more rows so often; else it ends.
    """

    table: DatabaseTable
    schema: Schema
    order: tuple[str, ...]
    fetch_size: int
    seconds: float | None


def check_table(table: DatabaseTable, *, create: bool = False) -> Report:
    """Reach a table, and say whether it has the columns."""
    engine = table.database.engine()
    try:
        with reported(table.database), engine.connect() as connection:
            if create and not table.columns(connection):
                return Report(True, f"table '{table.name}' will be created in {table.database.shown}")
            table.refuse_other_columns(connection)
    except TailraceError as error:
        return Report.failed(error)
    finally:
        engine.dispose()
    return Report(True, f"table '{table.name}' of {table.database.shown}")


class JdbcSource(Source):
    """Reads a table by its order, so that a position (the values of the order in the last row) tells what is behind it."""

    def __init__(self, scan: Scan) -> None:
        self.bounded = scan.seconds is None
        self._scan = scan

    def open(self, positions: Positions) -> JdbcReader:
        return JdbcReader(self._scan, positions.get(self._scan.table.name))

    def check(self) -> Report:
        return check_table(self._scan.table)


class JdbcReader(Reader):
    """Reads the rows behind the last one, a bounded number at a time."""

    def __init__(self, scan: Scan, position: Any) -> None:
        self._scan = scan
        given = None if position is None else json.loads(position)
        self._position: list[str] | None = given if isinstance(given, list) else None
        self._count = given if isinstance(given, int) else 0
        self._next = 0.0
        self._changes: list[Change] = [Assigned(scan.table.name)]
        self._ended = False
        self._engine = scan.table.database.engine()
        wanted = dict.fromkeys((*scan.schema.names, *scan.order))
        self._read = Schema(tuple(scan.table.schema[n] for n in wanted))
        try:
            with reported(scan.table.database), self._engine.connect() as connection:
                scan.table.refuse_other_columns(connection)
        except BaseException:
            self._engine.dispose()
            raise

    def poll(self, limit: Limit) -> list[Block]:
        wait = self._next - time.monotonic()
        if self._ended or wait > 0:
            time.sleep(min(max(wait, 0.0), limit.wait_seconds))
            return []
        count = min(limit.rows, self._scan.fetch_size)
        with reported(self._scan.table.database), self._engine.connect() as connection:
            rows, rejects = self._scan.table.read(connection, self._read, self._query(count))
        if len(rows) < count:
            self._drained()
        if not len(rows):
            return []
        if self._scan.order:
            self._position = list(rows.tail(1).select([text(self._read[n]).alias(n) for n in self._scan.order]).row(0))
        numbers = np.arange(self._count, self._count + len(rows), dtype=np.int64)
        self._count += len(rows)
        position = json.dumps(self._position if self._scan.order else self._count)
        return [
            Block(
                self._scan.table.name, rows.select(self._scan.schema.names), position, numbers, rejects=tuple(rejects)
            )
        ]

    def _drained(self) -> None:
        if self._scan.seconds is None:
            self._ended = True
            self._changes.append(Ended(self._scan.table.name))
        else:
            self._next = time.monotonic() + self._scan.seconds

    def _query(self, count: int) -> sa.Select[Any]:
        table = self._scan.table.table
        order = [table.c[n] for n in self._scan.order or table.c.keys()]
        query = sa.select(*(table.c[n] for n in self._read.names)).order_by(*order).limit(count)
        if not self._scan.order:
            return query.offset(self._count)
        # a row without a value in the order has no place in it
        query = query.where(*(c.is_not(None) for c in order))
        return query if self._position is None else query.where(_behind(order, self._last(self._position)))

    def _last(self, position: list[str]) -> tuple[Any, ...]:
        """Give the values of the order in the last row, of their texts."""
        schema = self._read.select(self._scan.order)
        texts = pl.DataFrame([pl.Series(n, [v], dtype=pl.String) for n, v in zip(schema.names, position, strict=True)])
        return rows_of(read_texts(texts, schema)[0], schema)[0]

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._engine.dispose()


def _behind(order: list[sa.Column[Any]], last: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    """Give the condition of rows behind one, by several columns: a > 1 OR (a = 1 AND b > 2)."""
    cases = [
        sa.and_(*(c == v for c, v in zip(order[:i], last[:i], strict=True)), order[i] > last[i])
        for i in range(len(order))
    ]
    return sa.or_(*cases)
