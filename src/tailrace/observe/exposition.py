"""The metrics as text, for Prometheus and whoever reads its formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tailrace.engine.histogram import BOUNDS, Counted
from tailrace.observe.metrics import METRICS, Kind, Metric
from tailrace.observe.process import BY_LIBRARY, PROCESS, process_samples
from tailrace.observe.samples import Sample, samples
from tailrace.runtime.observation import Observation

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
Look = Callable[[], Iterable[Observation]]
"""Gives what is seen of each running job now."""


class ProcessMetrics(Collector):
    """Gives prometheus_client what it does not know of the process by itself."""

    def describe(self) -> list[Family]:
        """Give all metrics, without values."""
        return [_family(m) for m in PROCESS.values() if m.name not in BY_LIBRARY]

    def collect(self) -> Iterator[Family]:
        """Give all metrics that have values."""
        yield from _families(s for s in process_samples() if s.metric.name not in BY_LIBRARY)


class JobCollector(Collector):
    """Gives prometheus_client the metrics of jobs, as they are when they are asked for."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def describe(self) -> list[Family]:
        """Give all metrics, without values."""
        return [_family(m) for m in METRICS.values()]

    def collect(self) -> Iterator[Family]:
        """Give all metrics that have values."""
        yield from _families(sample for seen in self._look() for sample in samples(seen))


def _families(given: Iterable[Sample]) -> Iterable[Family]:
    families: dict[str, Family] = {}
    for sample in given:
        _add(families.setdefault(sample.metric.name, _family(sample.metric)), sample)
    return families.values()


def _family(metric: Metric) -> Family:
    # the library puts the ending of counters there by itself
    name, labels = metric.full_name.removesuffix("_total"), [label.replace(".", "_") for label in metric.labels]
    match metric.kind:
        case Kind.COUNTER:
            return CounterMetricFamily(name, metric.help, labels=labels)
        case Kind.GAUGE | Kind.UP_DOWN:
            return GaugeMetricFamily(name, metric.help, labels=labels)
        case Kind.HISTOGRAM:
            return HistogramMetricFamily(name, metric.help, labels=labels)


def _add(family: Family, sample: Sample) -> None:
    if isinstance(family, HistogramMetricFamily):
        assert isinstance(sample.value, Counted)
        ends = [*(str(b) for b in BOUNDS), "+Inf"]
        reached = list(zip(ends, accumulate(sample.value.counts), strict=True))
        family.add_metric(sample.labels, reached, sample.value.total)
    else:
        assert not isinstance(sample.value, Counted)
        family.add_metric(sample.labels, sample.value)


class Exposition:
    """
    Writes the metrics of jobs, and of this process, in the format that the reader asks for.

    >>> text, kind = Exposition(lambda: []).write("")
    >>> b"process_cpu_seconds_total" in text, kind.partition(";")[0]
    (True, 'text/plain')
    """

    def __init__(self, look: Look) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(ProcessMetrics())
        self._registry.register(JobCollector(look))

    def write(self, accept: str) -> tuple[bytes, str]:
        """Give the text, and its content type; `accept` is what the reader takes (an HTTP header)."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
