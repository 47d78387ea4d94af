"""Metrics and traces on their way out: bounded, counted, and never in the way of a job."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import export as sdk
from opentelemetry.sdk.resources import Resource
from structlog.testing import capture_logs
from test_metrics import FULL

import tailrace as tr
from tailrace.errors import ConfigError, is_secret
from tailrace.observe.exporting.dogstatsd import DogStatsdMetrics
from tailrace.observe.exporting.otlp_metrics import OtlpMetrics
from tailrace.observe.exporting.push import Push
from tailrace.observe.exporting.queue import ExportQueue
from tailrace.observe.exporting.telemetry import telemetry
from tailrace.observe.metrics import METRICS
from tailrace.observe.process import PROCESS


def test_a_full_queue_drops_and_counts() -> None:
    """While an exporter hangs, so much waits; what comes beyond is dropped, at once."""
    release, taken = threading.Event(), list[int]()

    def send(items: Sequence[int]) -> bool:
        release.wait(20)
        taken.extend(items)
        return True

    queue = ExportQueue("traces", "test", send, most=600)
    began = time.monotonic()
    for i in range(2000):
        queue.put(i)
    assert time.monotonic() - began < 1
    release.set()
    queue.close()

    status = queue.status
    assert status.sent == len(taken)
    assert status.sent + status.dropped == 2000
    assert 600 <= status.sent <= 1200
    assert taken == sorted(taken)


@pytest.mark.parametrize("error", [None, OSError("away")])
def test_failures_are_counted_and_told_once(error: Exception | None) -> None:
    """What is not taken is counted; it is told once a minute, not each time."""

    def send(_: Sequence[int]) -> bool:
        if error is not None:
            raise error
        return False

    with capture_logs() as lines:
        queue = ExportQueue("logs", "test", send)
        for i in range(1500):
            queue.put(i)
        queue.close()

    assert (queue.status.sent, queue.status.failed) == (0, 1500)
    assert [line["event"] for line in lines] == ["logs could not be sent"]


def test_metrics_are_sent_at_the_end_too() -> None:
    """A short job's metrics go out once; an exporter that fails costs that round alone."""
    seen = [0]

    def send(_: object) -> int:
        seen[0] += 1
        if seen[0] == 1:
            raise OSError("away")
        return 5

    push = Push("test", send, lambda: FULL, 0.01)
    time.sleep(0.2)
    push.close()

    assert push.status.failed == 1
    assert push.status.sent == 5 * (seen[0] - 1) > 0


class _Kept(sdk.MetricExporter):
    def __init__(self) -> None:
        super().__init__()
        self.metrics: dict[str, sdk.Metric] = {}

    def export(
        self, metrics_data: sdk.MetricsData, timeout_millis: float = 10_000, **_: object
    ) -> sdk.MetricExportResult:
        scopes = metrics_data.resource_metrics[0].scope_metrics
        self.metrics = {m.name: m for m in scopes[0].metrics}
        return sdk.MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        pass


def test_otlp_metrics() -> None:
    """Each metric of the list is sent, by its kind, with its labels and its unit."""
    kept = _Kept()
    count = OtlpMetrics(kept, Resource({})).send(FULL)

    assert count >= len(METRICS) + len(PROCESS)
    assert set(kept.metrics) == {f"tailrace.{name}" for name in METRICS} | set(PROCESS)
    rows = kept.metrics["tailrace.source_rows"]
    assert isinstance(rows.data, sdk.Sum)
    assert rows.data.is_monotonic
    assert [(p.attributes, p.value) for p in rows.data.data_points] == [
        ({"job_name": "j", "source": "scan-t", "table": "t"}, 7)
    ]
    memory, used = kept.metrics["process.memory.usage"], kept.metrics["process.cpu.time"]
    assert isinstance(memory.data, sdk.Sum)
    assert (memory.unit, memory.data.is_monotonic) == ("By", False)
    assert isinstance(used.data, sdk.Sum)
    assert (used.unit, used.data.is_monotonic) == ("s", True)
    assert [p.attributes for p in used.data.data_points] == [{"cpu.mode": "user"}, {"cpu.mode": "system"}]
    assert kept.metrics["process.thread.count"].unit == "{thread}"
    latency = kept.metrics["tailrace.engine_latency_seconds"]
    assert isinstance(latency.data, sdk.Histogram)
    assert (latency.unit, latency.data.data_points[0].count, latency.data.data_points[0].sum) == ("s", 3, 0.004)


@pytest.mark.parametrize("unix", [False, True])
def test_dogstatsd(tmp_path: Path, *, unix: bool) -> None:
    """Lines of the protocol come over UDP and over a Unix socket; counters as what they have grown by."""
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(str(tmp_path / "dsd") if unix else ("127.0.0.1", 0))
        agent.settimeout(5)
        agent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        address = f"unix://{tmp_path / 'dsd'}" if unix else f"127.0.0.1:{agent.getsockname()[1]}"
        metrics = DogStatsdMetrics(address, {"service": "j", "env": "test"})
        metrics.send(FULL)
        metrics.send(FULL)
        lines: list[str] = []
        agent.settimeout(0.5)
        try:
            while True:
                lines += agent.recv(65_536).decode().splitlines()
        except TimeoutError:
            pass

    rows = [line for line in lines if line.startswith("tailrace.source_rows:")]
    assert [line.split("|")[0] for line in rows] == ["tailrace.source_rows:7"]
    assert set(rows[0].split("#")[1].split("|")[0].split(",")) >= {"service:j", "env:test", "table:t", "source:scan-t"}
    assert sum(line.startswith("tailrace.job_up:1.0|g") for line in lines) == 2
    assert {line.split(":")[0] for line in lines} >= set(PROCESS) - {"process.disk.io", "system.network.io"}
    (threads, _) = (line for line in lines if line.startswith("process.thread.count:"))
    assert threads.split("|")[1] == "g"
    used = [line for line in lines if line.startswith("process.cpu.time:") and "cpu.mode:user" in line]
    assert used[0].split("|")[1] == "c"
    assert float(used[0].split(":")[1].split("|")[0]) > 0
    assert [line.split("|")[0] for line in lines if ".count:3" in line] == ["tailrace.engine_latency_seconds.count:3"]


def test_nothing_listens() -> None:
    """A job whose receivers are all away runs to its end, and its metrics say that they were."""
    settings = {
        "tailrace.traces.exporter": "otlp;zipkin",
        "tailrace.traces.sample": "1",
        "tailrace.metrics.exporter": "otlp",
        "tailrace.otlp.endpoint": "http://127.0.0.1:9",
        "tailrace.otlp.timeout": "1 s",
        "tailrace.zipkin.endpoint": "http://127.0.0.1:9/api/v2/spans",
    }
    job = tr.from_rows([{"v": i} for i in range(10)]).to("blackhole").start(settings=settings)

    assert job.wait().rows_out == 10


@pytest.mark.parametrize(
    ("key", "given", "told"),
    [
        ("tailrace.traces.exporter", "jaeger", "otlp, zipkin"),
        ("tailrace.traces.sample", "2", "from 0 to 1"),
        ("tailrace.otlp.headers", "secret", "names and values"),
        ("tailrace.dogstatsd.address", "agent", "host:port"),
        ("tailrace.traces.max-per-second", "many", "whole number"),
    ],
)
def test_wrong_settings(key: str, given: str, told: str) -> None:
    base = {"tailrace.metrics.exporter": "dogstatsd;otlp", "tailrace.metrics.interval": "1 h"}
    settings = base | {"tailrace.traces.exporter": "zipkin", key: given}
    with pytest.raises(ConfigError) as caught, telemetry("j", settings, lambda: None):
        pass
    assert told in f"{caught.value.message} {caught.value.hint}"


def test_headers_are_secret() -> None:
    assert is_secret("tailrace.otlp.headers")
