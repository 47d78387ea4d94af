"""The connector's face: from the options of a table to a source or sink."""

from __future__ import annotations

from pathlib import Path

from tailrace.connectors.base import Connector, Context, Sink
from tailrace.connectors.druid.batch import DruidBatchSink, Staging
from tailrace.connectors.druid.client import Server
from tailrace.connectors.druid.columns import refuse_types
from tailrace.connectors.druid.options import OPTIONS, STREAMING, TIME, ingestion
from tailrace.connectors.druid.source import DruidSource, Scan
from tailrace.connectors.druid.spec import Datasource, Reading
from tailrace.connectors.druid.streaming import stream_sink
from tailrace.connectors.druid.supervisor import Supervisor
from tailrace.connectors.druid.tasks import Tasks
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

_EPOCH_BYTES = 64 << 20
"""Rows of an epoch beyond that wait in files."""


class DruidConnector(Connector):
    """Datasources of Druid."""

    name = "druid"
    doc = "Datasources of Apache Druid: read by SQL, and filled by streaming or batch ingestion."
    options = OPTIONS
    place = "datasource"
    formats = False

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> DruidSource:
        refuse_types(schema, table.location)
        query = options["query"]
        _refuse_beside_query(options)
        seconds = options["scan.poll.interval"] / 1000 if options["scan.poll.interval"] else None
        time = options["time-column"]
        return DruidSource(
            Scan(
                Server.of(options),
                options["datasource"] or table.name,
                query,
                schema,
                tuple(TIME if query is None and name == time else name for name in schema.names),
                options["scan.time-start"],
                options["scan.time-end"],
                seconds,
                options["scan.timeout"],
            )
        )

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        datasource = Datasource.of(table, options)
        server = Server.of(options)
        if ingestion(options) == STREAMING:
            supervisor = Supervisor(server, datasource, Reading.of(options))
            return stream_sink(table, datasource, (supervisor, options), context)
        folder = options["sink.staging-folder"]
        staging = Staging(
            Path(folder).expanduser() if folder else context.folder, options["sink.task.max-size"], bool(folder)
        )
        tasks = Tasks(server, seconds=options["sink.task.timeout"] / 1000, attempts=options["sink.task.attempts"])
        return DruidBatchSink(server, datasource, staging, EpochRows(context.folder, _EPOCH_BYTES), tasks)


def _refuse_beside_query(options: Values) -> None:
    """
    Make sure that what needs a datasource is not asked of a query.

    Raises:
        ConfigError: it is.
    """
    if options["query"] is None:
        return
    odd = next(
        (k for k in ("datasource", "scan.poll.interval", "scan.time-start", "scan.time-end") if k in options.given),
        None,
    )
    if odd is not None:
        hint = "leave one of them out; a query says itself which rows it wants"
        raise ConfigError(f"'query' and '{odd}' don't go together", hint=hint, location=options.location(odd))


CONNECTOR = DruidConnector()
