"""The metrics of a job for a Datadog agent, by DogStatsD over UDP or a Unix socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datadog.dogstatsd.base import DogStatsd

from tailrace.engine.histogram import Counted
from tailrace.errors import ConfigError
from tailrace.observe.exporting.otlp_metrics import labels_of, name_of
from tailrace.observe.metrics import Kind
from tailrace.observe.process import process_samples
from tailrace.observe.samples import Sample, samples
from tailrace.runtime.observation import Observation

_QUANTILES = {"median": 0.5, "95percentile": 0.95, "99percentile": 0.99}
_UNIX = "unix://"


class DogStatsdMetrics:
    """
    Sends what is seen of a job to an agent.

    The agent adds up what counters have grown by; of a histogram it gets how many more there are, by how much their sum has
    grown, and quantiles.
    """

    def __init__(self, address: str, tags: Mapping[str, str]) -> None:
        self._before: dict[tuple[str, tuple[str, ...]], float] = {}
        constant = [f"{k}:{v}" for k, v in tags.items()]
        self._client = DogStatsd(
            constant_tags=constant, disable_telemetry=True, disable_buffering=False, **_place(address)
        )

    def send(self, seen: Observation) -> int:
        """Send all values; tell how many. Nobody answers on this way."""
        count = 0
        for sample in (*samples(seen), *process_samples()):
            self._send(sample)
            count += 1
        self._client.flush()
        return count

    def _send(self, sample: Sample) -> None:
        name, tags = name_of(sample.metric), [f"{k}:{v}" for k, v in labels_of(sample).items()]
        if isinstance(sample.value, Counted):
            self._grown(f"{name}.count", sample.labels, sample.value.count, tags)
            self._grown(f"{name}.sum", sample.labels, sample.value.total, tags)
            for which, share in _QUANTILES.items():
                if (value := sample.value.quantile(share)) is not None:
                    self._client.gauge(f"{name}.{which}", value, tags)
        elif sample.metric.kind is Kind.COUNTER:
            self._grown(name, sample.labels, sample.value, tags)
        else:
            self._client.gauge(name, sample.value, tags)

    def _grown(self, name: str, labels: tuple[str, ...], value: float, tags: list[str]) -> None:
        """Send by how much a counter has grown; one that has begun anew has grown from zero."""
        before = self._before.get((name, labels), 0)
        self._before[name, labels] = value
        more = value - before if value >= before else value
        if more:
            self._client.increment(name, more, tags)


def _place(address: str) -> dict[str, Any]:
    """
    Say where the agent is.

    >>> _place("localhost:8125"), _place("unix:///var/run/datadog/dsd.socket")
    ({'host': 'localhost', 'port': 8125}, {'socket_path': '/var/run/datadog/dsd.socket'})
    """
    if address.startswith(_UNIX):
        return {"socket_path": address.removeprefix(_UNIX)}
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        message = f"'tailrace.dogstatsd.address' = '{address}' is no address"
        raise ConfigError(message, hint="write 'host:port' or 'unix:///path/to/dsd.socket'")
    return {"host": host, "port": int(port)}
