"""The envelopes in which tools for change data capture wrap rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailrace.formats.base import MetadataKey


@dataclass(frozen=True, slots=True)
class Source:
    """
    A metadata column: where its value is, and how that is read (`type`: as SQL).

    `path` is a field of the envelope, or an object in it and a field of that; "" first is what is around the envelope.
    """

    path: tuple[str] | tuple[str, str]
    doc: str
    type: str = "STRING"


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    One way to say that a row was inserted, updated or deleted.

    `before` and `after` are the fields with the row as it was and as it is; where they are the same, that field has the row
    that was inserted, deleted or is new, and `old` the fields that an update has changed, as they were. `operation` is the
    field that says what was done; `inserts`, `updates` and `deletes` are its values, the first of which are written, and
    `ignored` those that change no rows. With `lists` the fields have arrays of rows. `filters` has options that name what
    counts, each with the field that is looked at.
    """

    name: str
    before: str
    after: str
    operation: str
    inserts: tuple[str, ...]
    updates: tuple[str, ...]
    deletes: tuple[str, ...]
    old: str = ""
    ignored: tuple[str, ...] = ()
    lists: bool = False
    filters: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Source] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the envelope that tell what has changed."""
        return tuple(dict.fromkeys(f for f in (self.before, self.after, self.operation, self.old) if f))

    @property
    def keys(self) -> tuple[MetadataKey, ...]:
        """The metadata columns, as connectors offer theirs."""
        return tuple(MetadataKey(f"value.{key}", s.type, s.doc) for key, s in self.metadata.items())


_TIME = "TIMESTAMP_LTZ(3)"

DEBEZIUM = Dialect(
    "debezium-json",
    before="before",
    after="after",
    operation="op",
    inserts=("c", "r"),
    updates=("u",),
    deletes=("d",),
    metadata={
        "schema": Source(("", "schema"), "the schema of the message, as JSON, with `schema-include`"),
        "ingestion-timestamp": Source(("ts_ms",), "when the connector handled the change", _TIME),
        "source.timestamp": Source(("source", "ts_ms"), "when the change was made", _TIME),
        "source.database": Source(("source", "db"), "the database of the table"),
        "source.schema": Source(("source", "schema"), "the schema of the table"),
        "source.table": Source(("source", "table"), "the table"),
        "source.properties": Source(("source",), "all fields of `source`, as texts", "MAP<STRING, STRING>"),
    },
)
"""Debezium."""

OGG = Dialect(
    "ogg-json",
    before="before",
    after="after",
    operation="op_type",
    inserts=("I",),
    updates=("U",),
    deletes=("D",),
    metadata={
        "table": Source(("table",), "the table, with its schema"),
        "primary-keys": Source(("primary_keys",), "the columns of the primary key", "ARRAY<STRING>"),
        "ingestion-timestamp": Source(("current_ts",), "when the change was handled", "TIMESTAMP_LTZ(6)"),
        "event-timestamp": Source(("op_ts",), "when the change was made", "TIMESTAMP_LTZ(6)"),
    },
)
"""Oracle GoldenGate."""

MAXWELL = Dialect(
    "maxwell-json",
    before="data",
    after="data",
    operation="type",
    inserts=("insert", "bootstrap-insert"),
    updates=("update",),
    deletes=("delete",),
    old="old",
    metadata={
        "database": Source(("database",), "the database of the table"),
        "table": Source(("table",), "the table"),
        "primary-key-columns": Source(("primary_key_columns",), "the columns of the primary key", "ARRAY<STRING>"),
        "ingestion-timestamp": Source(("ts",), "when the change was made", _TIME),
    },
)
"""Maxwell's daemon for MySQL."""

CANAL = Dialect(
    "canal-json",
    before="data",
    after="data",
    operation="type",
    inserts=("INSERT",),
    updates=("UPDATE",),
    deletes=("DELETE",),
    old="old",
    ignored=("CREATE",),
    lists=True,
    filters={"database.include": "database", "table.include": "table"},
    metadata={
        "database": Source(("database",), "the database of the table"),
        "table": Source(("table",), "the table"),
        "sql-type": Source(("sqlType",), "the columns with the numbers of their types in JDBC", "MAP<STRING, INT>"),
        "pk-names": Source(("pkNames",), "the columns of the primary key", "ARRAY<STRING>"),
        "ingestion-timestamp": Source(("ts",), "when the change was handled", _TIME),
        "event-timestamp": Source(("es",), "when the change was made", _TIME),
    },
)
"""Alibaba's Canal for MySQL."""
