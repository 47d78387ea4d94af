"""The options of the connector `jdbc`; where Flink has one, by its name."""

from __future__ import annotations

from tailrace.options import Option, OptionSet, at_least, boolean, duration, memory_size, string

OPTIONS = OptionSet(
    "connector 'jdbc'",
    (
        Option(
            "url",
            string,
            doc="the database: `jdbc:postgresql://host:5432/database`, `jdbc:mysql://host/database` or `jdbc:duckdb:file`",
            required=True,
        ),
        Option(
            "table-name",
            string,
            doc="the name in the database, as `table` or `schema.table`; without it, that of the table",
        ),
        Option("username", string, doc="the user"),
        Option("password", string, doc="the user's password", secret=True),
        Option("driver", string, doc="taken as in Flink; the driver goes by the URL"),
        Option("connection.max-retry-timeout", duration, 60_000, "how long a connection or a statement may take"),
        Option("scan.fetch-size", at_least(1), 50_000, "how many rows to read at a time"),
        Option(
            "scan.poll.column",
            string,
            doc="a column that grows: read also the rows that come, by its value; without it the source ends",
        ),
        Option("scan.poll.interval", duration, 1000, "how often to look for new rows"),
        Option("sink.buffer-flush.max-bytes", memory_size, 64 << 20, "more rows of an epoch wait in a file"),
        Option("tailrace.create-table", boolean, False, "create the table in the database if it is missing"),
    ),
)
