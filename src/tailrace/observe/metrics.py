"""
The list of metrics: name, kind, unit, labels, and what each says.

Names and units are those of OpenMetrics: base units (seconds, bytes), counters that end in `_total`. All labels come from
the plan or from lists that are bounded; none from rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a metric's value does: it only grows, goes up and down (and can be summed or not), or counts lengths of time in classes."""

    COUNTER = "counter"
    GAUGE = "gauge"
    UP_DOWN = "up-down counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """
    One metric, without the `tailrace_` before its name and the `_total` behind that of a counter.

    One that has a name for `prometheus` is not of a job: its `name` is that of OpenTelemetry's conventions.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    unit: str = ""
    prometheus: str = ""

    @property
    def full_name(self) -> str:
        """
        Give the name as Prometheus shows it.

        >>> METRICS["source_rows"].full_name, METRICS["job_up"].full_name
        ('tailrace_source_rows_total', 'tailrace_job_up')
        """
        return self.prometheus or f"tailrace_{self.name}" + ("_total" if self.kind is Kind.COUNTER else "")


_JOB = ("job_name",)
_SOURCE = ("job_name", "source", "table")
_PARTITION = (*_SOURCE, "partition")
_SINK = ("job_name", "sink", "table")
_OPERATOR = ("job_name", "operator")
_FUNCTION = (*_OPERATOR, "function")

_CACHE = ("job_name", "table", "cache")
_EXPORT = ("job_name", "signal", "exporter")

_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

METRICS = {
    m.name: m
    for m in (
        Metric("job_up", _GAUGE, _JOB, "1 while the job reads rows, 0 before and after."),
        Metric("job_uptime_seconds", _GAUGE, _JOB, "Time since the job was started.", "seconds"),
        Metric("job_restarts", _COUNTER, _JOB, "How often the job went on from its last checkpoint by itself."),
        Metric("source_rows", _COUNTER, _SOURCE, "Rows read."),
        Metric("source_bytes", _COUNTER, _SOURCE, "Bytes of rows read, before they were decoded.", "bytes"),
        Metric("source_queue_bytes", _GAUGE, _SOURCE, "Decoded rows that wait for the engine.", "bytes"),
        Metric(
            "source_held_seconds",
            _COUNTER,
            _SOURCE,
            "Time that the source was held back: its rows waited for the engine.",
            "seconds",
        ),
        Metric("source_up", _GAUGE, _SOURCE, "0 while the source's system is away and is tried again, else 1."),
        Metric(
            "source_throttled_seconds",
            _COUNTER,
            _SOURCE,
            "Time for which the source's system has held it back, as by a quota.",
            "seconds",
        ),
        Metric("source_lag_rows", _GAUGE, _SOURCE, "Rows that wait at the source, where it can tell."),
        Metric(
            "source_behind_seconds",
            _GAUGE,
            _SOURCE,
            "How far what was read is behind the newest row at the source, in its slowest partition, where it can tell (Kinesis).",
            "seconds",
        ),
        Metric(
            "source_watermark_seconds",
            _GAUGE,
            _SOURCE,
            "Event time that the source has reached, since 1970.",
            "seconds",
        ),
        Metric(
            "source_delay_seconds",
            _HISTOGRAM,
            _SOURCE,
            "How far row times were behind the wall clock when they came (some rows of each batch).",
            "seconds",
        ),
        Metric(
            "source_broker_delay_seconds",
            _HISTOGRAM,
            _SOURCE,
            "How long ago the source's system had taken rows when they were read (some of each read).",
            "seconds",
        ),
        Metric("partition_lag_rows", _GAUGE, _PARTITION, "Rows that wait in one partition, where the source can tell."),
        Metric(
            "partition_behind_seconds",
            _GAUGE,
            _PARTITION,
            "How far what was read of one partition is behind its newest row, where the source can tell (Kinesis).",
            "seconds",
        ),
        Metric(
            "partition_watermark_seconds", _GAUGE, _PARTITION, "Event time that one partition has reached.", "seconds"
        ),
        Metric("partition_idle", _GAUGE, _PARTITION, "1 if the partition is idle: it does not hold event time back."),
        Metric("rows_dropped", _COUNTER, (*_SOURCE, "reason"), "Rows that were late or bad, and dropped."),
        Metric("dead_letters", _COUNTER, _SOURCE, "Rows that were sent as dead letters."),
        Metric("operator_rows_in", _COUNTER, _OPERATOR, "Rows that an operator took."),
        Metric("operator_rows_out", _COUNTER, _OPERATOR, "Rows that an operator put out."),
        Metric("operator_late_rows", _COUNTER, _OPERATOR, "Rows that came too late for an operator."),
        Metric("operator_busy_seconds", _COUNTER, _OPERATOR, "Time that an operator was at work.", "seconds"),
        Metric("operator_state_rows", _GAUGE, _OPERATOR, "Rows of state that an operator keeps."),
        Metric("operator_watermark_seconds", _GAUGE, _OPERATOR, "Event time that an operator has reached.", "seconds"),
        Metric("udf_calls", _COUNTER, _FUNCTION, "How often a function of the user was called: once for many rows."),
        Metric("udf_rows", _COUNTER, _FUNCTION, "Rows that a function of the user was given."),
        Metric("udf_failed_rows", _COUNTER, _FUNCTION, "Rows for which it raised, or gave what does not fit."),
        Metric("udf_busy_seconds", _COUNTER, _FUNCTION, "Time in a function of the user.", "seconds"),
        Metric(
            "engine_latency_seconds",
            _HISTOGRAM,
            _JOB,
            "From when rows were read until what came of them was handed to the sinks.",
            "seconds",
        ),
        Metric("sink_rows", _COUNTER, _SINK, "Rows written."),
        Metric("sink_queue_bytes", _GAUGE, _SINK, "Rows that wait to be written.", "bytes"),
        Metric("sink_waits", _COUNTER, _SINK, "How often the engine had to wait for the sink."),
        Metric("sink_retries", _COUNTER, _SINK, "How often the sink tried again what its system could not do for now."),
        Metric("sink_up", _GAUGE, _SINK, "0 while the sink's system is away and is tried again, else 1."),
        Metric("sink_held_seconds", _COUNTER, _SINK, "Time that the engine waited for the sink.", "seconds"),
        Metric("sink_busy_seconds", _COUNTER, _SINK, "Time that the sink was at work.", "seconds"),
        Metric(
            "sink_throttled_seconds",
            _COUNTER,
            _SINK,
            "Time for which the sink's system has held it back, as by a quota.",
            "seconds",
        ),
        Metric("sink_rows_dropped", _COUNTER, (*_SINK, "reason"), "Rows that the sink could not take, and dropped."),
        Metric("sink_dead_letters", _COUNTER, _SINK, "Rows that the sink could not take, sent as dead letters."),
        Metric(
            "sink_reading",
            _GAUGE,
            (*_SINK, "reading"),
            "What else is measured of the sink's system, by `reading`: see the page of its connector.",
        ),
        Metric("checkpoints", _COUNTER, _JOB, "Complete checkpoints since the start."),
        Metric("checkpoint_epoch", _GAUGE, _JOB, "The number of the last complete checkpoint."),
        Metric("checkpoint_seconds", _GAUGE, _JOB, "How long the last checkpoint took.", "seconds"),
        Metric("checkpoint_stall_seconds", _GAUGE, _JOB, "How long the engine stood still for it.", "seconds"),
        Metric("checkpoint_bytes", _GAUGE, _JOB, "How much the last checkpoint wrote.", "bytes"),
        Metric("lookup_cache_hits", _COUNTER, _CACHE, "Keys whose rows were in the shared cache of a lookup."),
        Metric("lookup_cache_negative_hits", _COUNTER, _CACHE, "Keys that it knew to have no rows."),
        Metric("lookup_cache_misses", _COUNTER, _CACHE, "Keys that it did not know, so that the table was asked."),
        Metric(
            "lookup_cache_errors",
            _COUNTER,
            _CACHE,
            "Calls of it that failed or took too long, so that it was passed by.",
        ),
        Metric("lookup_cache_up", _GAUGE, _CACHE, "0 while it is passed by, as it is away or slow, else 1."),
        Metric("export_sent", _COUNTER, _EXPORT, "Spans, values or log lines that were sent to another system."),
        Metric("export_failed", _COUNTER, _EXPORT, "Spans, log lines or rounds of metrics that it did not take."),
        Metric("export_dropped", _COUNTER, _EXPORT, "Those that were not even sent, as too many waited already."),
    )
}
"""All metrics of jobs, by name; those of the process are `process.PROCESS`."""
