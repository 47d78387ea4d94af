"""What Druid is told of a datasource: the schema, the supervisor that reads a topic, and tasks that ingest rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tailrace.connectors.druid.columns import dimension_spec, refuse_types, wire_schema
from tailrace.connectors.druid.options import Metric, known_column
from tailrace.errors import ConfigError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import TIMESTAMPS, Field, Kind, Schema

_INPUT = {"type": "json"}
_CONTEXT = {"useConcurrentLocks": True}
"""Tasks that append hold no lock that keeps others, as compaction, away."""


@dataclass(frozen=True, slots=True)
class Datasource:
    """A datasource as it is filled: the columns of the table, which of them is the time, and how rows are rolled up."""

    name: str
    schema: Schema
    time: Field
    dimensions: tuple[str, ...]
    metrics: tuple[Metric, ...]
    rollup: bool
    query_granularity: str
    segment_granularity: str

    @classmethod
    def of(cls, table: Table, options: Values) -> Datasource:
        """
        Read the options of a table that is written.

        Raises:
            ConfigError: a column is missing, or of a type that Druid has not.
        """
        schema = table.written
        refuse_types(schema, table.location)
        time = time_field(table, options, schema)
        names = schema.names
        metrics: tuple[Metric, ...] = options["metrics"]
        for field in (m.field for m in metrics if m.field):
            known_column(field, "metrics", names, options)
        measured = {m.field for m in metrics}
        rest = tuple(n for n in names if n not in (time.name, *measured))
        given: tuple[str, ...] | None = options["dimensions"]
        chosen = rest if given is None else tuple(known_column(n, "dimensions", names, options) for n in given)
        taken = next((m.name for m in metrics if m.name in chosen), None)
        if taken is not None:
            hint = "give it another name, or name the 'dimensions'"
            message = f"'{taken}' of 'metrics' is the name of a dimension too"
            raise ConfigError(message, hint=hint, location=options.location("metrics"))
        return cls(
            options["datasource"] or table.name,
            schema,
            time,
            chosen,
            metrics,
            options["rollup"],
            options["query-granularity"].upper(),
            options["segment-granularity"].upper(),
        )

    @property
    def wire(self) -> Schema:
        """The columns as rows of JSON have them."""
        return wire_schema(self.schema)

    @property
    def data_schema(self) -> dict[str, Any]:
        """The part that is the same however rows come in."""
        return {
            "dataSource": self.name,
            "timestampSpec": {"column": self.time.name, "format": "millis"},
            "dimensionsSpec": {"dimensions": [dimension_spec(self.schema[n]) for n in self.dimensions]},
            "metricsSpec": [m.spec for m in self.metrics],
            "granularitySpec": {
                "type": "uniform",
                "segmentGranularity": self.segment_granularity,
                "queryGranularity": self.query_granularity,
                "rollup": self.rollup,
            },
        }


def time_field(table: Table, options: Values, schema: Schema) -> Field:
    """
    Give the column that stands for the time of rows.

    Raises:
        ConfigError: the table has none, or it is no time.
    """
    name = options["time-column"]
    if name not in schema:
        at = options.location("time-column") or table.location
        times = [f.name for f in schema if f.type.kind in TIMESTAMPS]
        hint = f"set 'time-column' = '{times[0]}'" if times else "name it by 'time-column'"
        message = f"table '{table.name}' has no column '{name}' for the time of rows, which Druid needs"
        raise ConfigError(message, hint=hint, location=at)
    field = schema[name]
    if field.type.kind not in (*TIMESTAMPS, Kind.BIGINT):
        message = f"column '{name}' of type {field.type.sql()} can't be the time of rows"
        hint = "it is a TIMESTAMP(3), a TIMESTAMP_LTZ(3), or a BIGINT of milliseconds since 1970"
        raise ConfigError(message, hint=hint, location=options.location("time-column") or table.location)
    return field


@dataclass(frozen=True, slots=True)
class Reading:
    """How Druid reads the topic: by which consumer, with how many tasks, each for how long."""

    topic: str
    consumer: Mapping[str, str]
    tasks: int
    task_ms: int

    @classmethod
    def of(cls, options: Values) -> Reading:
        """Read the options. Druid's consumer gets the brokers, and what is given for it; logins of the writer are not handed on."""
        brokers = {"bootstrap.servers": options["properties.bootstrap.servers"]}
        given = brokers | options.family("supervisor.properties")
        return cls(options["topic"], given, options["supervisor.task-count"], options["supervisor.task-duration"])


def supervisor_spec(of: Datasource, reading: Reading) -> dict[str, Any]:
    """Give the spec of the supervisor. What was written before it began is read too; open transactions are not, by Druid's default."""
    return {
        "type": "kafka",
        "spec": {
            "dataSchema": of.data_schema,
            "ioConfig": {
                "type": "kafka",
                "topic": reading.topic,
                "inputFormat": _INPUT,
                "consumerProperties": dict(reading.consumer),
                "useEarliestOffset": True,
                "taskCount": reading.tasks,
                "replicas": 1,
                "taskDuration": iso_duration(reading.task_ms),
            },
            "tuningConfig": {"type": "kafka"},
        },
        "context": _CONTEXT,
    }


def task_spec(of: Datasource, task: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Give the spec of a task that appends the rows of an input source; a row that can't be parsed fails it."""
    return {
        "type": "index_parallel",
        "id": task,
        "spec": {
            "dataSchema": of.data_schema,
            "ioConfig": {
                "type": "index_parallel",
                "appendToExisting": True,
                "inputSource": dict(source),
                "inputFormat": _INPUT,
            },
            "tuningConfig": {"type": "index_parallel", "maxParseExceptions": 0, "logParseExceptions": True},
        },
        "context": _CONTEXT,
    }


def iso_duration(milliseconds: int) -> str:
    """
    Give a duration as Druid writes it.

    >>> iso_duration(3_600_000), iso_duration(1500)
    ('PT3600S', 'PT1.500S')
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"PT{seconds}.{rest:03}S" if rest else f"PT{seconds}S"


def differs(wanted: Any, there: Any) -> str:
    """
    Name the first part of a spec that is not there as it is wanted; empty if all of it is. Druid adds defaults.

    >>> differs({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}), differs({"a": 1}, {"a": 1, "c": 3})
    ('a.b', '')
    """
    if isinstance(wanted, dict) and isinstance(there, dict):
        for key, value in wanted.items():
            if found := differs(value, there.get(key)):
                return key if found == "." else f"{key}.{found}"
        return ""
    if isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        return next((f for w, t in zip(wanted, there, strict=True) if (f := differs(w, t))), "")
    return "" if _plain(wanted) == _plain(there) else "."


def _plain(value: Any) -> Any:
    """Give a value as it is compared: names of types are written in either case."""
    return value.upper() if isinstance(value, str) else value
