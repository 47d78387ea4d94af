"""The metrics of a job in the words of OpenTelemetry."""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.metadata import version

from opentelemetry.sdk.metrics import export as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from tailrace.engine.histogram import BOUNDS, Counted
from tailrace.observe.exporting.otlp_answers import explained
from tailrace.observe.metrics import Kind, Metric
from tailrace.observe.process import process_samples
from tailrace.observe.samples import Sample, samples
from tailrace.runtime.observation import Observation

_UNITS = {"seconds": "s", "bytes": "By", "": "1"}
_SO_FAR = sdk.AggregationTemporality.CUMULATIVE


class OtlpMetrics:
    """Sends what is seen of a job by an exporter of OpenTelemetry."""

    def __init__(self, exporter: sdk.MetricExporter, resource: Resource) -> None:

        def export(data: sdk.MetricsData) -> bool:
            return exporter.export(data) is sdk.MetricExportResult.SUCCESS

        self._send = explained(export)
        self._resource = resource
        self._scope = InstrumentationScope("tailrace", version("tailrace"))
        self._began = time.time_ns()

    def send(self, seen: Observation) -> int:
        """
        Send all values; tell how many.

        Raises:
            ConnectionError, PartlyRefusedError: they were not taken, or not all.
        """
        given = [*samples(seen), *process_samples()]
        metrics = [self._metric(of) for of in _by_metric(given)]
        scoped = sdk.ScopeMetrics(self._scope, metrics, "")
        data = sdk.MetricsData([sdk.ResourceMetrics(self._resource, [scoped], "")])
        self._send(data)
        return len(given)

    def _metric(self, given: list[Sample]) -> sdk.Metric:
        metric = given[0].metric
        return sdk.Metric(name_of(metric), metric.help, _UNITS.get(metric.unit, metric.unit), self._data(metric, given))

    def _data(self, metric: Metric, given: list[Sample]) -> sdk.DataT:
        if metric.kind is Kind.HISTOGRAM:
            return sdk.Histogram([self._histogram(s) for s in given], _SO_FAR)
        points = [self._number(s) for s in given]
        if metric.kind is Kind.GAUGE:
            return sdk.Gauge(points)
        return sdk.Sum(points, _SO_FAR, is_monotonic=metric.kind is Kind.COUNTER)

    def _number(self, sample: Sample) -> sdk.NumberDataPoint:
        assert not isinstance(sample.value, Counted)
        return sdk.NumberDataPoint(labels_of(sample), self._began, time.time_ns(), sample.value)

    def _histogram(self, sample: Sample) -> sdk.HistogramDataPoint:
        value, now = sample.value, time.time_ns()
        assert isinstance(value, Counted)
        # the least and the greatest are not kept: the ends of the classes that have any stand for them
        filled = [i for i, n in enumerate(value.counts) if n]
        least = BOUNDS[filled[0] - 1] if filled and filled[0] else 0.0
        most = BOUNDS[min(filled[-1], len(BOUNDS) - 1)] if filled else 0.0
        return sdk.HistogramDataPoint(
            labels_of(sample), self._began, now, value.count, value.total, value.counts, BOUNDS, least, most
        )


def _by_metric(given: Iterable[Sample]) -> list[list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in given:
        found.setdefault(sample.metric.name, []).append(sample)
    return list(found.values())


def name_of(metric: Metric) -> str:
    """
    Give the name outside of Prometheus, where the kind of a metric is no part of it.

    >>> from tailrace.observe.metrics import METRICS
    >>> name_of(METRICS["source_rows"])
    'tailrace.source_rows'
    """
    return metric.name if metric.prometheus else f"tailrace.{metric.name}"


def labels_of(sample: Sample) -> dict[str, str]:
    """Give the labels of a value by their names."""
    return dict(zip(sample.metric.labels, sample.labels, strict=True))
