"""The sink of tables of databases: rows and the number of their epoch are one transaction."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import sqlalchemy as sa
import structlog

from tailrace.connectors.base import Report, TransactionalSink
from tailrace.connectors.bulk import refuse_changes
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.connectors.jdbc.database import reported
from tailrace.connectors.jdbc.source import check_table
from tailrace.connectors.jdbc.tables import DatabaseTable
from tailrace.connectors.refusing import accepted
from tailrace.errors import DataError, TerminalError

_log = structlog.get_logger("tailrace.connectors.jdbc")

MARKS = "_tailrace_epochs"
_MARKS = sa.Table(
    MARKS,
    sa.MetaData(),
    sa.Column("job", sa.String(200), primary_key=True),
    sa.Column("sink", sa.String(200), primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)


class JdbcSink(TransactionalSink):
    """Inserts rows; with a primary key it updates and deletes by it."""

    def __init__(self, table: DatabaseTable, rows: EpochRows, job: str, name: str, *, create: bool) -> None:
        self._table = table
        self._rows = rows
        self._job = job
        self._name = name
        self._create = create
        self._engine: sa.Engine | None = None
        self._epoch = 0

    def open(self) -> int:
        self.close()  # what an open that failed has left
        self._engine = self._table.database.engine()
        self._rows.clear()
        self._make(_MARKS)
        if self._create:
            self._make(self._table.table)
        with reported(self._table.database), self._engine.begin() as connection:
            self._table.refuse_other_columns(connection)
            self._epoch = self._mark(connection)
        return self._epoch

    def _make(self, table: sa.Table) -> None:
        """Create a table if it is not there."""
        assert self._engine is not None
        try:
            with reported(self._table.database), self._engine.begin() as connection:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        except (DataError, TerminalError):
            # PostgreSQL looks, and then creates: another sink did it in between, and is in its way
            if not self._is_there(table):
                raise
            _log.info("another has just created the table", table=table.name)

    def _is_there(self, table: sa.Table) -> bool:
        assert self._engine is not None
        with reported(self._table.database):
            return sa.inspect(self._engine).has_table(table.name, schema=table.schema)

    def _mark(self, connection: sa.Connection) -> int:
        query = sa.select(_MARKS.c.epoch).where(_MARKS.c.job == self._job, _MARKS.c.sink == self._name)
        found = connection.execute(query).scalar()
        if found is None:
            connection.execute(sa.insert(_MARKS).values(job=self._job, sink=self._name, epoch=0))
        return int(found or 0)

    def write(self, batch: pl.DataFrame) -> None:
        if not self._table.key:
            refuse_changes(batch, self._table.name)
        self._rows.add(batch)

    def prepare(self, epoch: int) -> None:
        if self.refusals.tolerates:
            self._rows.replace(self.sift(self._rows.batches()))

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        """Try the rows in a transaction that is taken back; those that the database refuses are found by halves."""
        assert self._engine is not None
        with reported(self._table.database), self._engine.connect() as connection, connection.begin() as transaction:
            try:
                return [
                    accepted(b, lambda rows: self._try(connection, rows), self.refusals, "constraint") for b in batches
                ]
            finally:
                transaction.rollback()

    def _try(self, connection: sa.Connection, rows: pl.DataFrame) -> None:
        """
        Write some rows, all or none.

        Raises:
            DataError: the database refuses one of them.
        """
        with reported(self._table.database), connection.begin_nested():
            self._table.apply(connection, rows)

    def commit(self, epoch: int) -> None:
        assert self._engine is not None
        with reported(self._table.database), self._engine.begin() as connection:
            self._fence(connection, epoch)
            for batch in self._rows.batches():
                self._table.apply(connection, batch)
        self._epoch = epoch
        self._rows.clear()

    def _fence(self, connection: sa.Connection, epoch: int) -> None:
        """
        Write the epoch's number where the last one stands; a run that was replaced finds another there.

        Raises:
            TerminalError: another run of the job has written here since.
        """
        here = sa.and_(_MARKS.c.job == self._job, _MARKS.c.sink == self._name, _MARKS.c.epoch == self._epoch)
        if connection.execute(sa.update(_MARKS).where(here).values(epoch=epoch)).rowcount != 1:
            message = (
                f"table '{self._table.name}': another run of job '{self._job}' has written here since this one began"
            )
            raise TerminalError(message, hint="let one of them go on; no row is written twice")

    def check(self) -> Report:
        return check_table(self._table, create=self._create)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
