"""The metrics of a job: what is counted, how it is written, and that the list of metrics is true."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

import tailrace as tr
from tailrace.engine.executor import OperatorStatistics
from tailrace.engine.histogram import BOUNDS, Counted, Histogram
from tailrace.engine.operator import FunctionUse
from tailrace.observe.exposition import Exposition
from tailrace.observe.metrics import METRICS, Kind
from tailrace.observe.samples import MOST_PARTITIONS, samples
from tailrace.runtime.observation import ExportStatus, LookupCacheStatus, Observation, PartitionStatus
from tailrace.runtime.script import Script
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SOURCE = SourceStatus("scan-t", "t", 7, 70, 3, 5_000, {"late": 2}, 1, 10, "", behind_ms=2500)
SINK = SinkStatus("sink-o", "o", 5, 20, 4, {"write: TR1": 6}, 2, readings={"lag": 7.0})
FULL = Observation(
    Status("j", "running", 1.5, (SOURCE,), (SINK,), CheckpointStatus(3, 0.1, 0.2, 99)),
    (
        OperatorStatistics("scan-t", 7, 7, 0, 0, None, 0.5),
        OperatorStatistics("agg", 7, 5, 2, 4, 4_000, 0.25, functions={"f": FunctionUse(1, 7, 1, 1000)}),
    ),
    (PartitionStatus("scan-t", "t", "0", 7, 5_000, lag=3, behind_ms=1500),),
    Counted((1, 2, *(0,) * (len(BOUNDS) - 1)), 0.004),
    {"scan-t": Counted((0, 7, *(0,) * (len(BOUNDS) - 1)), 0.014)},
    3,
    1,
    (ExportStatus("traces", "otlp", 10, 2, 1),),
    {"scan-t": Counted((7, *(0,) * len(BOUNDS)), 0.001)},
    (LookupCacheStatus("dim", "memcached", 9, 4, 2, 1, up=False),),
)
"""A job of which everything is known."""


def values(text: str, *, openmetrics: bool = False) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read an exposition by the library that Prometheus' own project gives for it."""
    read: Any = read_openmetrics if openmetrics else read_text
    families = read(text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def run_of(frame: pl.DataFrame) -> Script:
    """Run a small pipeline to its end, and give what ran it."""
    rows = tr.from_polars(frame, name="payments")
    pipeline = rows.filter(tr.col("amount") > 10).to("blackhole")
    script = Script("j", [pipeline.bound({})], pipeline.definitions.session({}).tables, {})
    script.run()
    return script


def test_a_run_is_counted() -> None:
    """Rows in and out, by source, operator and sink, and each row has a latency."""
    seen = run_of(pl.DataFrame({"amount": [5, 20, 30]})).observe()
    assert seen is not None
    text, _ = Exposition(lambda: [seen]).write("")
    found = values(text.decode())

    assert (
        found["tailrace_source_rows_total", (("job_name", "j"), ("source", "scan-payments"), ("table", "payments"))]
        == 3
    )
    sinks = [v for (name, _), v in found.items() if name == "tailrace_sink_rows_total"]
    assert sinks == [2]
    assert found["tailrace_engine_latency_seconds_count", (("job_name", "j"),)] == 3
    assert found["tailrace_engine_latency_seconds_bucket", (("job_name", "j"), ("le", "+Inf"))] == 3
    busy = [v for (name, _), v in found.items() if name == "tailrace_operator_busy_seconds_total"]
    assert len(busy) >= 2
    assert sum(busy) > 0


def test_each_metric_of_the_list_is_given_and_no_other() -> None:
    """The page of metrics is made from the list, so the list must be what comes out."""
    assert {s.metric.name for s in samples(FULL)} == set(METRICS)


def test_labels_are_those_of_the_list() -> None:
    for sample in samples(FULL):
        assert len(sample.labels) == len(sample.metric.labels), sample.metric.name


@pytest.mark.parametrize("openmetrics", [False, True])
def test_both_formats_can_be_read_and_say_the_same(openmetrics: bool) -> None:
    text, content_type = Exposition(lambda: [FULL]).write(OPENMETRICS if openmetrics else "text/plain")
    found = values(text.decode(), openmetrics=openmetrics)

    assert content_type.startswith("application/openmetrics-text" if openmetrics else "text/plain")
    source = (("job_name", "j"), ("source", "scan-t"), ("table", "t"))
    assert found["tailrace_source_lag_rows", source] == 3
    assert found["tailrace_source_watermark_seconds", source] == 5
    assert found["tailrace_rows_dropped_total", (("job_name", "j"), ("reason", "late"), *source[1:])] == 2
    assert found["tailrace_source_delay_seconds_sum", source] == 0.014
    assert found["tailrace_source_delay_seconds_bucket", (("job_name", "j"), ("le", "0.001"), *source[1:])] == 0
    assert found["tailrace_source_delay_seconds_bucket", (("job_name", "j"), ("le", "0.0025"), *source[1:])] == 7


def test_names_that_are_no_names_are_quoted() -> None:
    """A job, table or partition may be called anything."""
    name = 'a"b\\c\nd{}'
    odd = replace(FULL, status=replace(FULL.status, name=name))
    text, _ = Exposition(lambda: [odd]).write("")
    assert values(text.decode())["tailrace_job_up", (("job_name", name),)] == 1


def test_no_more_partitions_than_a_receiver_wants() -> None:
    """And none that has ended: names of files would grow without end."""
    one = FULL.partitions[0]
    many = replace(FULL, partitions=tuple(replace(one, name=str(i), ended=i % 2 == 1) for i in range(5_000)))
    lags = [s for s in samples(many) if s.metric.name == "partition_lag_rows"]
    assert len(lags) == MOST_PARTITIONS
    assert all(int(s.labels[-1]) % 2 == 0 for s in lags)


def test_names_are_as_prometheus_wants_them() -> None:
    """Units at the end (base units), counters with `_total`."""
    for metric in METRICS.values():
        assert metric.full_name.endswith("_total") == (metric.kind is Kind.COUNTER)
        bare = metric.full_name.removesuffix("_total")
        assert not metric.unit or bare.endswith(metric.unit), metric.name
        assert metric.help.endswith("."), metric.name


def test_classes_of_a_histogram() -> None:
    """A value at an end belongs to the class below it; what is above all ends, and below zero, is counted too."""
    taken = Histogram()
    taken.add([BOUNDS[0], BOUNDS[-1] + 1, -5.0])
    counted = taken.counted()
    assert (counted.counts[0], counted.counts[-1], counted.count) == (2, 1, 3)
    assert counted.total == BOUNDS[0] + BOUNDS[-1] + 1
    assert counted.quantile(0.99) is None


@pytest.fixture
def slow_job() -> Iterator[tr.Running]:
    """Give a job that runs until it is stopped."""
    columns = {"id": int, "ts": "TIMESTAMP_LTZ(3)"}
    time = tr.event_time("ts", delay="1 s")
    rows = tr.read("datagen", columns, time=time, options={"rows-per-second": "1000"}, name="t")
    with rows.to("blackhole").start("live") as job:
        yield job


def test_a_job_is_seen_while_it_runs(slow_job: tr.Running) -> None:
    """Event time, its partitions and delays."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        seen = slow_job.observe()
        if seen is not None and seen.partitions and seen.partitions[0].watermark is not None:
            break
        time.sleep(0.05)
    assert seen is not None
    assert seen.status.state == "running"
    assert seen.partitions[0].rows > 0
    assert seen.delays["scan-t"].count > 0
