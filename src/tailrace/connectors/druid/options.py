"""The options of the connector `druid`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import (
    Option,
    OptionSet,
    Values,
    at_least,
    boolean,
    choice,
    duration,
    memory_size,
    name_list,
    positive,
    string,
    utc_time,
)

TIME = "__time"
"""The column of a datasource that has the time of its rows."""
STREAMING, BATCH = "streaming", "batch"
_METRIC = re.compile(r"\s*(?P<name>[^=]+?)\s*=\s*(?P<type>\w+)\s*(?:\(\s*(?P<field>[^)]*?)\s*\))?\s*")
_TYPES = ("count", *(f"{kind}{how}" for how in ("Sum", "Min", "Max") for kind in ("long", "double", "float")))
_GRANULARITIES = ("all", "none", "second", "minute", "five_minute", "fifteen_minute", "hour", "day", "week", "month")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the datasource: its name, how it is made, and of which column (empty: of none)."""

    name: str
    type: str
    field: str = ""

    @property
    def spec(self) -> dict[str, str]:
        """As a spec of Druid has it."""
        given = {"type": self.type, "name": self.name}
        return given | ({"fieldName": self.field} if self.field else {})


def metrics(text: str) -> tuple[Metric, ...]:
    """
    Read metrics.

    >>> metrics("n = count; total = doubleSum(amount)")[1]
    Metric(name='total', type='doubleSum', field='amount')
    """
    found = []
    for part in (p for p in text.split(";") if p.strip()):
        match = _METRIC.fullmatch(part)
        if match is None or match["type"] not in _TYPES or (match["type"] == "count") is bool(match["field"]):
            raise ValueError("expected 'n = count; total = doubleSum(amount)', of " + ", ".join(_TYPES))
        found.append(Metric(match["name"], match["type"], match["field"] or ""))
    return tuple(found)


_SOURCE = (
    Option("query", string, doc="a source: the SELECT of Druid's SQL that gives the rows, instead of a `datasource`"),
    Option("scan.time-start", utc_time, doc="a source: only rows from this time on, as `2026-01-01 00:00:00`"),
    Option("scan.time-end", utc_time, doc="a source: only rows before this time"),
    Option(
        "scan.poll.interval",
        positive(duration),
        doc="a source: look for later rows so often; without it the table is read once",
    ),
    Option("scan.timeout", positive(duration), 300_000, "a source: how long Druid may take for one query"),
)

_INGESTED = (
    Option(
        "dimensions",
        name_list,
        doc="a sink: the columns that are dimensions, as `a;b`; by default all but those of metrics",
    ),
    Option(
        "metrics",
        metrics,
        (),
        "a sink: what is computed where rows are rolled up, as `n = count; total = doubleSum(amount)`",
    ),
    Option("rollup", boolean, False, "a sink: rows with the same time and dimensions become one"),
    Option("query-granularity", choice(*_GRANULARITIES), "none", "a sink: what the time of rows is cut to"),
    Option("segment-granularity", choice(*_GRANULARITIES), "day", "a sink: what span of time a segment has"),
)

_STREAMING = (
    Option("topic", string, doc="`streaming`: the topic of Kafka that is written, and that Druid reads"),
    Option("properties.bootstrap.servers", string, doc="`streaming`: the brokers of Kafka"),
    Option("properties.*", string, doc="`streaming`: any property of the Kafka client that writes", secret=True),
    Option(
        "sink.delivery-guarantee",
        choice("exactly-once", "at-least-once"),
        "exactly-once",
        "`streaming`: `exactly-once` by transactions of Kafka, or `at-least-once`",
    ),
    Option("sink.transactional-id-prefix", string, "tailrace", "`streaming`: as for the connector `kafka`"),
    Option("tailrace.kafka.topic.*", string, doc="`streaming`: how the topic is made, as for the connector `kafka`"),
    Option("supervisor.submit", boolean, True, "`streaming`: give Druid the supervisor; `false`: it is there already"),
    Option(
        "supervisor.properties.*",
        string,
        doc="`streaming`: properties of Druid's own Kafka consumer, beside the brokers",
        secret=True,
    ),
    Option("supervisor.task-count", at_least(1), 1, "`streaming`: how many tasks read the topic"),
    Option("supervisor.task-duration", positive(duration), 3_600_000, "`streaming`: how long a task reads"),
    Option("supervisor.watch-interval", positive(duration), 10_000, "`streaming`: how often its state is looked at"),
    Option(
        "supervisor.on-unhealthy",
        choice("warn", "fail"),
        "warn",
        "`streaming`: `fail` ends the job when the supervisor is unhealthy, `warn` says so in the log",
    ),
)

_BATCH = (
    Option("sink.task.max-size", positive(memory_size), 8 << 20, "`batch`: how many bytes of rows a task has, about"),
    Option("sink.task.timeout", positive(duration), 900_000, "`batch`: how long the tasks of a checkpoint may take"),
    Option(
        "sink.task.attempts",
        at_least(1),
        3,
        "`batch`: how often rows are given to a task, if it fails before it has published",
    ),
    Option(
        "sink.staging-folder",
        string,
        doc="`batch`: a folder that Druid's workers see too: its tasks read rows there; else they are inside the tasks",
    ),
)

OPTIONS = OptionSet(
    "connector 'druid'",
    (
        Option("url", string, doc="the router, as `http://localhost:8888`", required=True),
        Option("datasource", string, doc="the datasource; by default the name of the table"),
        Option("username", string, doc="the user of basic authentication"),
        Option("password", string, doc="the password of the user", secret=True),
        Option("ssl.ca-location", string, doc="a file with the certificates that the router's is checked by"),
        Option("request-timeout", positive(duration), 30_000, "how long a request may take; queries: their next bytes"),
        Option(
            "time-column",
            string,
            TIME,
            "the column that stands for `__time`: a TIMESTAMP(3), or a BIGINT of milliseconds",
        ),
        *_SOURCE,
        Option(
            "sink.ingestion",
            choice(STREAMING, BATCH),
            doc="a sink: `streaming` by a topic of Kafka that Druid reads, or `batch` by tasks; by default `streaming` if there is a `topic`",
        ),
        *_INGESTED,
        *_STREAMING,
        *_BATCH,
    ),
)


def ingestion(options: Values) -> str:
    """
    Tell how rows are ingested.

    Raises:
        ConfigError: an option does not go with it, or one is missing.
    """
    way: str = options["sink.ingestion"] or (STREAMING if options["topic"] else BATCH)
    if way == STREAMING:
        for key in ("topic", "properties.bootstrap.servers"):
            if not options[key]:
                hint = f"give '{key}', or 'sink.ingestion' = 'batch'"
                at = options.location("sink.ingestion") or options.location("topic")
                raise ConfigError(f"streaming ingestion needs '{key}'", hint=hint, location=at)
        return way
    odd = next((k for k in options.given if k == "topic" or k.startswith(("properties.", "supervisor."))), None)
    if odd is not None:
        at = options.given[odd].key_location or options.given[odd].location
        raise ConfigError(f"'{odd}' is for streaming ingestion alone", hint="leave it out", location=at)
    return way


def known_column(name: str, key: str, known: tuple[str, ...], options: Values) -> str:
    """
    Make sure that an option names a column.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in known:
        hint = did_you_mean(name, known) or f"columns: {', '.join(known)}"
        raise ConfigError(f"'{key}' names no column '{name}'", hint=hint, location=options.location(key))
    return name
