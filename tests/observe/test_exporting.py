"""Metrics and traces on their way out: bounded, counted, and never in the way of a job."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.metrics import export as sdk
from opentelemetry.sdk.resources import Resource
from structlog.testing import capture_logs
from test_metrics import FULL

import tailrace as tr
from tailrace.errors import ConfigError, is_secret
from tailrace.observe.exporting.dogstatsd import DogStatsdMetrics
from tailrace.observe.exporting.otlp import Otlp
from tailrace.observe.exporting.otlp_logs import OtlpLines
from tailrace.observe.exporting.otlp_metrics import OtlpMetrics
from tailrace.observe.exporting.push import Push
from tailrace.observe.exporting.queue import ExportQueue
from tailrace.observe.exporting.telemetry import telemetry
from tailrace.observe.logs.tee import Line
from tailrace.observe.metrics import METRICS
from tailrace.observe.process import PROCESS
from tailrace.runtime.observation import ExportStatus


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
    counts = [line.split("|")[0] for line in lines if line.startswith("tailrace.engine_latency_seconds.count:")]
    assert counts == ["tailrace.engine_latency_seconds.count:3"]


class _Collector(BaseHTTPRequestHandler):
    """Answers as it is told: a status, and of OTLP that some items were refused."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, refused, why = self.server.says  # type: ignore[attr-defined]
        partial = ExportTracePartialSuccess(rejected_spans=refused, error_message=why)
        body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def collector() -> Iterator[Any]:
    """Give a collector; `says` has its status, how many items it refuses, and why."""
    server: Any = HTTPServer(("127.0.0.1", 0), _Collector)
    server.says = (200, 0, "")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _sent(collector: Any) -> tuple[ExportStatus, list[str]]:
    """Send three log lines by OTLP; give what became of them, and what was said of it."""
    otlp = Otlp("http", f"http://127.0.0.1:{collector.server_port}", {"api-key": "k"}, 2.0)
    lines = OtlpLines(otlp.logs(), Resource({}))
    with capture_logs() as said:
        queue = ExportQueue("logs", "otlp", lines.send)
        for i in range(3):
            queue.put(Line(1_767_225_600_000_000_000 + i, "warning", "t", {"event": "a row was dropped"}))
        queue.close()
    return queue.status, [str(line["error"]) for line in said]


@pytest.mark.parametrize(
    ("says", "counts", "told"),
    [
        ((200, 0, ""), (3, 0), ""),
        ((200, 2, "the key has no right to write logs"), (1, 2), "2 were refused: the key has no right to write logs"),
        ((200, 3, ""), (0, 3), "3 were refused: the receiver does not say why"),
        ((401, 0, ""), (0, 3), "status 401: Unauthorized; the key is missing or wrong: look at"),
        ((403, 0, ""), (0, 3), "status 403: Forbidden; the key is missing or wrong"),
        ((400, 0, ""), (0, 3), "status 400: Bad Request"),
    ],
)
def test_why_a_receiver_does_not_take_it(
    collector: Any, says: tuple[int, int, str], counts: tuple[int, int], told: str
) -> None:
    """What it answers is counted and said in words."""
    collector.says = says
    status, lines = _sent(collector)
    assert (status.sent, status.failed) == counts
    assert len(lines) == bool(told)
    assert told in "".join(lines)


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
