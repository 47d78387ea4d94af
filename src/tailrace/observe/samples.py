"""The values of all metrics of a job at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tailrace.engine.executor import OperatorStatistics
from tailrace.engine.histogram import Counted
from tailrace.observe.metrics import METRICS, Metric
from tailrace.runtime.observation import Observation, PartitionStatus
from tailrace.runtime.summary import SinkStatus, SourceStatus

MOST_PARTITIONS = 1000
"""Of so many partitions the metrics tell; those of more would be more series than a receiver wants."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; `labels` are in the metric's order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float | Counted


def samples(seen: Observation) -> Iterator[Sample]:
    """Give the values of all metrics of a job."""
    job = seen.status.name
    yield from _job(seen, job)
    for source in seen.status.sources:
        yield from _source(source, seen.delays.get(source.name), seen.broker_delays.get(source.name), job)
    for partition in [p for p in seen.partitions if not p.ended][:MOST_PARTITIONS]:
        yield from _partition(partition, job)
    for operator in seen.operators:
        yield from _operator(operator, job)
    for sink in seen.status.sinks:
        yield from _sink(sink, job)
    for cache in seen.caches:
        at = (job, cache.table, cache.cache)
        yield _sample("lookup_cache_hits", at, cache.hits)
        yield _sample("lookup_cache_negative_hits", at, cache.negative_hits)
        yield _sample("lookup_cache_misses", at, cache.misses)
        yield _sample("lookup_cache_errors", at, cache.errors)
        yield _sample("lookup_cache_up", at, float(cache.up))
    for export in seen.exports:
        at = (job, export.signal, export.exporter)
        yield _sample("export_sent", at, export.sent)
        yield _sample("export_failed", at, export.failed)
        yield _sample("export_dropped", at, export.dropped)


def _sample(name: str, labels: tuple[str, ...], value: float | Counted) -> Sample:
    return Sample(METRICS[name], labels, value)


def _job(seen: Observation, job: str) -> Iterator[Sample]:
    at, last = (job,), seen.status.checkpoint
    yield _sample("job_up", at, float(seen.status.state == "running"))
    yield _sample("job_uptime_seconds", at, seen.status.seconds)
    yield _sample("job_restarts", at, seen.restarts)
    yield _sample("engine_latency_seconds", at, seen.latency)
    yield _sample("checkpoints", at, seen.checkpoints)
    yield _sample("checkpoint_epoch", at, last.epoch)
    yield _sample("checkpoint_seconds", at, last.seconds)
    yield _sample("checkpoint_stall_seconds", at, last.stall_seconds)
    yield _sample("checkpoint_bytes", at, last.bytes)


def _source(source: SourceStatus, delay: Counted | None, broker: Counted | None, job: str) -> Iterator[Sample]:
    at = (job, source.name, source.table)
    yield _sample("source_rows", at, source.rows)
    yield _sample("source_bytes", at, source.bytes)
    yield _sample("source_queue_bytes", at, source.queued_bytes)
    yield _sample("source_held_seconds", at, source.held_seconds)
    yield _sample("source_up", at, float(not source.waiting))
    yield _sample("source_throttled_seconds", at, source.throttled)
    if source.lag is not None:
        yield _sample("source_lag_rows", at, source.lag)
    if source.behind_ms is not None:
        yield _sample("source_behind_seconds", at, source.behind_ms / 1000)
    if source.watermark is not None:
        yield _sample("source_watermark_seconds", at, source.watermark / 1000)
    if delay is not None:
        yield _sample("source_delay_seconds", at, delay)
    if broker is not None:
        yield _sample("source_broker_delay_seconds", at, broker)
    for reason, count in source.dropped.items():
        yield _sample("rows_dropped", (*at, reason), count)
    yield _sample("dead_letters", at, source.dead_letters)


def _partition(partition: PartitionStatus, job: str) -> Iterator[Sample]:
    at = (job, partition.source, partition.table, partition.name)
    if partition.lag is not None:
        yield _sample("partition_lag_rows", at, partition.lag)
    if partition.behind_ms is not None:
        yield _sample("partition_behind_seconds", at, partition.behind_ms / 1000)
    if partition.watermark is not None:
        yield _sample("partition_watermark_seconds", at, partition.watermark / 1000)
        yield _sample("partition_idle", at, float(partition.idle))


def _operator(operator: OperatorStatistics, job: str) -> Iterator[Sample]:
    at = (job, operator.name)
    yield _sample("operator_rows_in", at, operator.rows_in)
    yield _sample("operator_rows_out", at, operator.rows_out)
    yield _sample("operator_late_rows", at, operator.late)
    yield _sample("operator_busy_seconds", at, operator.busy_seconds)
    yield _sample("operator_state_rows", at, operator.state_rows)
    if operator.watermark is not None:
        yield _sample("operator_watermark_seconds", at, operator.watermark / 1000)
    for name, used in operator.functions.items():
        yield _sample("udf_calls", (*at, name), used.calls)
        yield _sample("udf_rows", (*at, name), used.rows)
        yield _sample("udf_failed_rows", (*at, name), used.failed)
        yield _sample("udf_busy_seconds", (*at, name), used.nanoseconds / 1e9)


def _sink(sink: SinkStatus, job: str) -> Iterator[Sample]:
    at = (job, sink.name, sink.table)
    yield _sample("sink_rows", at, sink.rows)
    yield _sample("sink_queue_bytes", at, sink.queued_bytes)
    yield _sample("sink_waits", at, sink.waited)
    yield _sample("sink_retries", at, sink.retries)
    yield _sample("sink_up", at, float(not sink.waiting))
    yield _sample("sink_throttled_seconds", at, sink.throttled)
    yield _sample("sink_held_seconds", at, sink.held_seconds)
    yield _sample("sink_busy_seconds", at, sink.busy_seconds)
    for reason, count in sink.dropped.items():
        yield _sample("sink_rows_dropped", (*at, reason), count)
    yield _sample("sink_dead_letters", at, sink.dead_letters)
    for name, reading in sink.readings.items():
        yield _sample("sink_reading", (*at, name), reading)
