"""
The settings of a job, as `SET` and `--set` give them.

One list for all parts. Flink's settings that mean nothing in one process may be set too, so that a script that was
written for Flink runs as it is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.options import Option, OptionSet, OptionText, boolean, duration, memory_size, number, string


def time_zone(text: str) -> str:
    """Read the name of a time zone."""
    try:
        pl.Series([datetime(2000, 1, 1, tzinfo=UTC)]).dt.convert_time_zone(text)
    except pl.exceptions.PolarsError:
        raise ValueError("expected a time zone, as 'Europe/Berlin' or 'UTC'") from None
    return text


def rows(text: str) -> int:
    """Read a number of rows."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("expected a whole number from 1")
    return int(text)


def count(text: str) -> int:
    """Read a number from zero."""
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number from 0")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """
    Read a list of names.

    >>> names("card; email")
    ('card', 'email')
    """
    return tuple(name for part in re.split("[;,]", text) if (name := part.strip().strip("`")))


def streaming(text: str) -> str:
    """Read the one way of running that there is."""
    if text.strip().lower() != "streaming":
        raise ValueError("only 'streaming' is supported; with sources that end, it ends too")
    return "streaming"


def _one_of(*words: str) -> Callable[[str], str]:
    """Read one of some words, in any case."""

    def read(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(f"expected one of: {', '.join(words)}")
        return text.strip().lower()

    return read


def share(text: str) -> float:
    """Read a share, from 0 to 1."""
    if not 0 <= (given := number(text)) <= 1:
        raise ValueError("expected a number from 0 to 1")
    return given


def pairs(text: str) -> dict[str, str]:
    """
    Read names and values.

    >>> pairs("api-key=abc=, x=1")
    {'api-key': 'abc=', 'x': '1'}
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        name, sign, given = part.partition("=")
        if part.strip() and not (sign and name.strip()):
            raise ValueError("expected names and values, as 'a=1,b=2'")
        if part.strip():
            found[name.strip()] = given.strip()
    return found


def several(*words: str) -> Callable[[str], tuple[str, ...]]:
    """
    Read some of these words, as `a;b`; `none` is none of them.

    >>> several("otlp", "zipkin")("otlp; zipkin")
    ('otlp', 'zipkin')
    """

    def read(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(w.strip() for w in text.lower().split(";") if w.strip() not in ("", "none")))
        if not set(given) <= set(words):
            raise ValueError(f"expected some of: {', '.join(words)}, with ';' between")
        return given

    return read


_ALERTS = (
    Option("tailrace.alerts.slack.url", string, None, "tell Slack, by this webhook, how the job is", secret=True),
    Option("tailrace.alerts.teams.url", string, None, "tell Microsoft Teams, by this webhook", secret=True),
    Option(
        "tailrace.alerts.pagerduty.routing-key", string, None, "tell the PagerDuty service of this key", secret=True
    ),
    Option("tailrace.alerts.pagerduty.url", string, "https://events.pagerduty.com/v2/enqueue", "where PagerDuty is"),
    Option("tailrace.alerts.webhook.url", string, None, "tell any web address, by JSON", secret=True),
    Option("tailrace.alerts.webhook.secret", string, None, "signs what goes to the web address", secret=True),
    Option(
        "tailrace.alerts.email.url", string, None, "tell people by mail, over this server (`smtp://…`)", secret=True
    ),
    Option("tailrace.alerts.email.from", string, None, "the sender of mails"),
    Option("tailrace.alerts.email.to", string, None, "who gets mails; several with `;` between"),
    Option("tailrace.alerts.no-data", duration, 300_000, "tell when a source has given no rows for so long"),
    Option("tailrace.alerts.stuck", duration, 300_000, "tell when event time or checkpoints stand still for so long"),
    Option("tailrace.alerts.lag", count, 10_000, "tell when more rows than this wait, and they become more"),
    Option("tailrace.alerts.bad-share", share, 0.01, "tell when more than this share of the rows can't be taken"),
    Option("tailrace.alerts.state-rows", count, 0, "tell when more rows of state are kept; `0`: never"),
    Option("tailrace.alerts.usual-factor", number, 3.0, "tell when a rate is so many times above or below its usual"),
    Option("tailrace.alerts.cool-down", duration, 300_000, "so long the same is not told again"),
    Option("tailrace.alerts.repeat", duration, 0, "what still holds is told again after so long; `0`: never"),
    Option("tailrace.alerts.max-rate", count, 30, "at most so many messages a minute"),
    Option("tailrace.alerts.keep", duration, 3_600_000, "so long a message is kept for a channel that does not answer"),
    Option("tailrace.alerts.runbook", string, None, "the address of the runbook, for links"),
    Option(
        "tailrace.alerts.dashboard",
        string,
        None,
        "the address of the job's dashboard, for links in place of the runbook's",
    ),
)
"""Alerts of the job itself, on by naming a channel."""

OPTIONS = OptionSet(
    "the job",
    (
        Option(
            "execution.checkpointing.interval",
            duration,
            1000,
            "how often a checkpoint is taken and output becomes visible; `0`: only at the end",
        ),
        Option("execution.checkpointing.timeout", duration, 600_000, "how long one checkpoint may take"),
        Option("execution.runtime-mode", streaming, "streaming", "`streaming` is the only one"),
        Option("tailrace.source.queue-size", memory_size, 32 << 20, "decoded rows that wait for the engine, a source"),
        Option("tailrace.sink.queue-size", memory_size, 32 << 20, "rows that wait for a sink, before sources wait"),
        Option("tailrace.tick.rows", rows, 100_000, "about how many rows go through the operators at a time"),
        Option(
            "tailrace.source.start-limit",
            duration,
            20_000,
            "how long a source or a sink may be away when the job starts",
        ),
        Option("tailrace.source.retry-limit", duration, 300_000, "how long a source may be away before the job stops"),
        Option(
            "tailrace.sink.retry-limit",
            duration,
            300_000,
            "how long a system that is written to may be away before the job stops, where the sink keeps the rows",
        ),
        Option(
            "tailrace.stop.limit",
            duration,
            30_000,
            "how long a job that is stopped may take to put through what it has read; then it ends without that",
        ),
        Option(
            "tailrace.restart.attempts",
            count,
            10,
            "how often in a row, without a checkpoint between, a job goes on from its last checkpoint by itself after a"
            " system that it writes to was away; `0`: it stops",
        ),
        Option(
            "pipeline.name",
            string,
            None,
            "the name of the job, and of its folder in `.tailrace`; that of the last file, if it is not set",
        ),
        Option(
            "table.local-time-zone",
            time_zone,
            "UTC",
            "the time zone in which `TIMESTAMP_LTZ` values are turned into dates and texts",
        ),
        Option(
            "table.exec.source.idle-timeout",
            duration,
            5000,
            "after how long without rows a partition is idle, in sources that do not end; `0`: never",
        ),
        Option(
            "table.exec.state.ttl",
            duration,
            0,
            "how long the state of a key that no row touches is kept, by the wall clock; `0`: for ever",
        ),
        Option(
            "table.exec.source.cdc-events-duplicate",
            boolean,
            False,
            "whether tables of changes with a PRIMARY KEY may give an event twice; they are then put right by key",
        ),
        Option(
            "table.exec.sink.not-null-enforcer",
            _one_of("error", "drop"),
            "error",
            "what happens to a row with NULL in a NOT NULL column of the table that it is written to: `error`, or `drop`"
            " in silence",
        ),
        Option(
            "table.exec.sink.upsert-materialize",
            _one_of("auto", "force", "none"),
            "auto",
            "whether the last row of each primary key is found before it is written: where the query's own key is another"
            " one (`auto`), always (`force`) or never (`none`)",
        ),
        Option(
            "tailrace.redact",
            names,
            (),
            "columns whose values are shown nowhere, nor what is computed of them, as `card; email`: in samples of rows,"
            " dead letters on the dashboard, and the starts of bad rows in errors",
        ),
        Option("pipeline.auto-watermark-interval", duration, 200, "`0`: the watermark moves with each row"),
        Option("tailrace.traces.exporter", several("otlp", "zipkin"), (), "where traces go: `otlp`, `zipkin`, or both"),
        Option(
            "tailrace.traces.sample",
            share,
            0.01,
            "the share of rows that come without a trace, and of checkpoints, for which one is begun; rows whose trace"
            " was chosen where it began are followed in any case",
        ),
        Option(
            "tailrace.traces.max-per-second",
            count,
            50,
            "so many rows a second whose trace was chosen where it began are followed at most; the traces of others are"
            " only passed on; with `0` no trace is begun either",
        ),
        Option(
            "tailrace.traces.max-new-per-second",
            count,
            10,
            "so many traces a second are begun at most, for rows that come without one; no more than may be followed",
        ),
        Option(
            "tailrace.traces.propagation",
            several("w3c", "b3", "b3-multi"),
            ("w3c",),
            "the headers in which sinks write traces; sources read all of them",
        ),
        Option("tailrace.metrics.exporter", several("otlp", "dogstatsd"), (), "where metrics go: `otlp`, `dogstatsd`"),
        Option("tailrace.metrics.interval", duration, 10_000, "how often metrics are sent"),
        Option("tailrace.logs.exporter", several("otlp", "opensearch"), (), "where log lines go: `otlp`, `opensearch`"),
        Option(
            "tailrace.logs.format",
            _one_of("console", "json"),
            None,
            "how `tailrace run` writes log lines: `console`, or `json` in the Elastic Common Schema; `--log-format` goes"
            " before it",
        ),
        Option(
            "tailrace.telemetry.attributes",
            pairs,
            {},
            "what else tells of the job, as `deployment.environment.name=prod,team=payments`",
        ),
        Option("tailrace.otlp.protocol", _one_of("http", "grpc"), "http", "`http` or `grpc`"),
        Option(
            "tailrace.otlp.endpoint",
            string,
            None,
            "the collector, as `https://otlp.example:4318`; without it `OTEL_EXPORTER_OTLP_ENDPOINT`, or localhost",
        ),
        Option(
            "tailrace.otlp.headers",
            pairs,
            {},
            "headers of each request, as `api-key=...`; without it those of `OTEL_EXPORTER_OTLP_HEADERS`",
            secret=True,
        ),
        Option("tailrace.otlp.timeout", duration, 10_000, "how long one request may take"),
        Option("tailrace.zipkin.endpoint", string, "http://localhost:9411/api/v2/spans", "where Zipkin takes spans"),
        Option(
            "tailrace.dogstatsd.address",
            string,
            "localhost:8125",
            "the agent: `host:port`, or `unix:///path/dsd.socket`",
        ),
        Option(
            "tailrace.opensearch.url", string, "http://localhost:9200", "OpenSearch or Elasticsearch, for log lines"
        ),
        Option("tailrace.opensearch.index", string, "logs-tailrace", "the index or data stream of log lines"),
        Option("tailrace.opensearch.user", string, None, "the user, with a password"),
        Option("tailrace.opensearch.password", string, None, "the password of the user", secret=True),
        Option("tailrace.opensearch.api-key", string, None, "an API key in the place of a user", secret=True),
        *_ALERTS,
    ),
)

_FLINK = frozenset(
    re.findall(
        r"[\w-]+",
        """akka blob classloader client cluster collect-sink env execution fs heartbeat high-availability historyserver
    io jobmanager jobstore kubernetes metrics parallelism pekko pipeline python query queryable-state rest
    restart-strategy s3 security slot slotmanager sql-client sql-gateway state table task taskmanager traces web yarn
    zookeeper""",
    )
)
"""How the keys of Flink's own settings begin."""

_NEAR = 0.9
"""From this likeness on a key is one of ours, mistyped; none of Flink's own comes as near."""


def has_effect(key: str) -> bool:
    """
    Tell whether a setting means something here.

    >>> has_effect("pipeline.name"), has_effect("parallelism.default")
    (True, False)
    """
    return OPTIONS.find(key) is not None


def check(key: str, value: str, *, key_at: Location | None = None, value_at: Location | None = None) -> None:
    """
    Check a setting.

    Raises:
        ConfigError: there is no such setting, or the value can't be read; points at the place.
    """
    if has_effect(key):
        OPTIONS.parse({key: OptionText(value, value_at, key_at)})
    elif not _flinks(key):
        known = [o.key for o in OPTIONS.options]
        hint = did_you_mean(key, known) or "known: " + ", ".join(sorted(known))
        raise ConfigError(f"there is no setting '{key}'", hint=hint, location=key_at)


def _flinks(key: str) -> bool:
    """Tell whether a key that is none of ours is likely one of Flink's, and not mistyped."""
    if key.partition(".")[0] not in _FLINK:
        return False
    return not difflib.get_close_matches(key, [o.key for o in OPTIONS.options], n=1, cutoff=_NEAR)


def value(settings: Mapping[str, str], key: str) -> Any:
    """
    Give the value of a setting, or its default.

    >>> value({}, "pipeline.auto-watermark-interval"), value({"tailrace.tick.rows": "7"}, "tailrace.tick.rows")
    (200, 7)

    Raises:
        ConfigError: it can't be read.
    """
    given = {key: OptionText(settings[key])} if key in settings else {}
    return OPTIONS.parse(given)[key]
