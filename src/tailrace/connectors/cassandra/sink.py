"""The sink: prepared statements, many under way at a time; each row's own outcome is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cassandra
import polars as pl
from cassandra import cluster as driver
from cassandra.concurrent import execute_concurrent

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused
from tailrace.connectors.cassandra.client import Found, Place, check, look, quote
from tailrace.connectors.cassandra.types import cql_type
from tailrace.connectors.python_rows import rows_of
from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.schema import Schema

_BAD_VALUES = (cassandra.InvalidRequest, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written: columns, the primary key among them, and how."""

    schema: Schema
    key: tuple[str, ...]
    concurrency: int
    ttl: int | None
    timestamp: str | None
    create: bool


class CassandraSink(BulkSink):
    """Writes rows by key and deletes them; written twice is the same as once."""

    def __init__(self, place: Place, writing: Writing, bulk: Bulk) -> None:
        super().__init__(bulk, effectively_once=True)
        self._place = place
        self._writing = writing
        self._session: driver.Session | None = None
        self._insert: Any = None
        self._delete: Any = None

    def open(self) -> None:
        self.close()
        self._session = session = self._place.connect()
        try:
            if self._writing.create:
                session.execute(create(self._place, self._writing))
                session.cluster.refresh_table_metadata(self._place.keyspace, self._place.table)
            self._refuse_other_key(look(session, self._place, self._writing.schema))
            self._insert, self._delete = (session.prepare(s) for s in statements(self._place, self._writing))
        except Exception as error:  # noqa: BLE001  the driver raises of many kinds
            raise self._place.as_ours(error) from None

    def _refuse_other_key(self, found: Found) -> None:
        if set(found.primary) != set(self._writing.key):
            there, here = ", ".join(found.primary), ", ".join(self._writing.key)
            message = f"table '{self._place.table}' has the primary key ({there}), and is declared with ({here})"
            raise ConfigError(message, hint=f"declare PRIMARY KEY ({there}) NOT ENFORCED")

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._session is not None
        refused: list[Refused] = []
        again: list[int] = []
        why: TransientError | None = None
        numbers, bound = [], []
        for number, statement, values in self._values(rows):
            try:
                bound.append((statement.bind(values), ()))
                numbers.append(number)
            except _BAD_VALUES as error:
                refused.append(Refused(number, "refused", _reason(error)))
        results = execute_concurrent(self._session, bound, self._writing.concurrency, raise_on_first_error=False)
        for number, (taken, answer) in zip(numbers, results, strict=True):
            if taken:
                continue
            if isinstance(answer, _BAD_VALUES):
                refused.append(Refused(number, "refused", _reason(answer)))
                continue
            ours = self._place.as_ours(answer)
            if isinstance(ours, TerminalError):
                raise ours
            again.append(number)
            why = ours if isinstance(ours, TransientError) else why
        return Outcome(refused, again, why)

    def _values(self, rows: pl.DataFrame) -> Iterator[tuple[int, Any, Sequence[Any]]]:
        """Give the number of each row with its statement and values."""
        w = self._writing
        values = rows_of(rows, w.schema)
        gone = rows[KIND].is_in(REMOVED).to_list() if KIND in rows.columns else [False] * len(rows)
        times = [()] * len(rows) if w.timestamp is None else [(t,) for t in _microseconds(rows, w.timestamp)]
        ttl = () if w.ttl is None else (w.ttl,)
        at = [w.schema.names.index(name) for name in w.key]
        for number, (row, removed, time) in enumerate(zip(values, gone, times, strict=True)):
            if removed:
                yield number, self._delete, (*time, *(row[i] for i in at))
            else:
                yield number, self._insert, (*row, *ttl, *time)

    def check(self) -> Report:
        return check(self._place, self._writing.schema, created=self._writing.create, then=self._refuse_other_key)

    def close(self) -> None:
        super().close()
        if self._session is not None:
            self._session.cluster.shutdown()
            self._session = None


def _microseconds(rows: pl.DataFrame, name: str) -> list[int]:
    """Give the time of each write; a row without one counts as the oldest."""
    return rows[name].dt.epoch("us").fill_null(0).to_list()


def _reason(error: Exception) -> str:
    return str(getattr(error, "message", "") or error)


def create(place: Place, writing: Writing) -> str:
    """Give the statement that makes the table if it is missing."""
    columns = ", ".join(f"{quote(f.name)} {cql_type(f.type)}" for f in writing.schema)
    key = ", ".join(map(quote, writing.key))
    return f"CREATE TABLE IF NOT EXISTS {place.name} ({columns}, PRIMARY KEY ({key}))"


def statements(place: Place, writing: Writing) -> tuple[str, str]:
    """Give the statements that write and delete a row."""
    names = writing.schema.names
    marks = ", ".join("?" * len(names))
    given = [word for word, there in (("TTL ?", writing.ttl), ("TIMESTAMP ?", writing.timestamp)) if there is not None]
    using = f" USING {' AND '.join(given)}" if given else ""
    before = " USING TIMESTAMP ?" if writing.timestamp is not None else ""
    where = " AND ".join(f"{quote(name)} = ?" for name in writing.key)
    return (
        f"INSERT INTO {place.name} ({', '.join(map(quote, names))}) VALUES ({marks}){using}",  # noqa: S608  quoted
        f"DELETE FROM {place.name}{before} WHERE {where}",  # noqa: S608  quoted
    )
