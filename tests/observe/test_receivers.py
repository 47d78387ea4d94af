"""Real receivers of traces, metrics and logs: Jaeger, a collector, a StatsD exporter, OpenSearch."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka_kit import new_topic, produce
from server_kit import free_ports

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Start = Callable[[str, dict[str, str]], str]
TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = [("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())]
SCRIPT = """
SET 'pipeline.name' = '{name}';
CREATE TABLE came (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{one}', 'tailrace.on-error' = 'drop',
  'properties.bootstrap.servers' = '{broker}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset');
CREATE TABLE went (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{two}',
  'properties.bootstrap.servers' = '{broker}', 'format' = 'json');
INSERT INTO went SELECT id * 10 FROM came;
"""


def run(kafka: str, folder: Path, settings: dict[str, str], *names: str) -> str:
    """Run pipelines one behind the other over a row with a trace and a bad row; give what the last one said."""
    topics = [new_topic(kafka) for _ in range(len(names) + 1)]
    produce(
        kafka, topics[0], [{"value": b'{"id": 1}', "headers": HEADERS}, {"value": b'{"id": "x"}', "headers": HEADERS}]
    )
    said = ""
    for name, one, two in zip(names, topics, topics[1:], strict=False):
        path = folder / f"{name}.sql"
        path.write_text(SCRIPT.format(name=name, one=one, two=two, broker=kafka))
        options = [x for k, v in settings.items() for x in ("--set", f"{k}={v}")]
        command = [sys.executable, "-m", "tailrace", "run", str(path), "--state", str(folder / name), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        said = done.stderr
    return said


def given(text: str) -> dict[str, str]:
    """Read what a recipe prints."""
    return dict(part.split("=", 1) for part in text.split())


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """Look until there is something."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.5)
    return found


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_jaeger_shows_one_trace_over_two_pipelines(kafka: str, service: Start, tmp_path: Path, protocol: str) -> None:
    """Both pipelines are services of one trace, which goes from one to the other."""
    jaeger = given(service("jaeger", {f"JAEGER_{name}_PORT": str(free_ports(1)) for name in ("GRPC", "HTTP")}))
    settings = {
        "tailrace.traces.exporter": "otlp",
        "tailrace.otlp.protocol": protocol,
        "tailrace.otlp.endpoint": jaeger[f"otlp.{protocol}"],
    }
    run(kafka, tmp_path, settings, "first", "second")

    def spans() -> list[dict[str, Any]]:
        answer = httpx.get(f"{jaeger['jaeger']}/api/traces/{TRACE}", timeout=10).json()
        found: list[dict[str, Any]] = answer["data"][0]["spans"] if answer.get("data") else []
        return found if sum(s["operationName"] == "send went" for s in found) == 2 else []

    found = until(spans)
    assert found
    by_id = {s["spanID"]: s for s in found}
    last = [s for s in found if s["operationName"] == "send went"]
    above = [s["references"][0]["spanID"] for s in found if s["operationName"] == "process came"]
    assert {"b7ad6b7169203331"} < set(above)
    assert set(above) & {s["spanID"] for s in last}
    assert len({s["processID"] for s in by_id.values()}) == 2


def test_a_collector_takes_all_and_refuses_a_wrong_key(kafka: str, service: Start, tmp_path: Path) -> None:
    """Traces, metrics and logs arrive; with a wrong key nothing does, the job ends well, and says that it was so."""
    collector = given(service("otelcol", {"OTELCOL_USER": "tailrace:right", "OTELCOL_GRPC_PORT": str(free_ports(1))}))
    settings = {f"tailrace.{signal}.exporter": "otlp" for signal in ("traces", "metrics", "logs")}
    settings["tailrace.otlp.endpoint"] = collector["otlp.http"]
    log = Path(collector["log"])

    wrong = run(
        kafka, tmp_path, settings | {"tailrace.otlp.headers": "Authorization=Basic dGFpbHJhY2U6d3Jvbmc="}, "bad"
    )
    assert "Str(bad)" not in log.read_text()
    assert "could not be sent" in wrong
    assert "status 401" in wrong
    assert "the key is missing or wrong: look at 'tailrace.otlp.headers'" in wrong

    run(kafka, tmp_path, settings | {"tailrace.otlp.headers": "Authorization=Basic dGFpbHJhY2U6cmlnaHQ="}, "good")
    text = until(lambda: (t := log.read_text()) and "a row was dropped" in t and "send went" in t and t)
    assert text
    assert "service.name: Str(good)" in text
    assert f"Trace ID       : {TRACE}" in text
    assert "-> Name: tailrace.source_rows" in text


def test_a_collector_that_drops_what_has_a_wrong_key(kafka: str, service: Start, tmp_path: Path) -> None:
    """By a header `api-key`: with the right one all is there; without, nothing is, and 200 is all that the sender hears."""
    collector = given(service("otelcol", {"OTELCOL_API_KEY": "right", "OTELCOL_GRPC_PORT": str(free_ports(1))}))
    settings = {f"tailrace.{signal}.exporter": "otlp" for signal in ("traces", "metrics", "logs")}
    settings["tailrace.otlp.endpoint"] = collector["otlp.http"]
    log = Path(collector["log"])

    wrong = run(kafka, tmp_path, settings | {"tailrace.otlp.headers": "api-key=wrong"}, "bad")
    assert "could not be sent" not in wrong
    run(kafka, tmp_path, settings | {"tailrace.otlp.headers": "api-key=right"}, "good")

    text = until(lambda: (t := log.read_text()) and "a row was dropped" in t and "send went" in t and t)
    assert "service.name: Str(good)" in text
    assert "-> Name: tailrace.source_rows" in text
    assert "Str(bad)" not in text


def test_statsd_takes_dogstatsd(kafka: str, service: Start, tmp_path: Path) -> None:
    """Prometheus' exporter reads each line with its tags, and has no fault to find."""
    statsd = given(service("statsd", {}))
    run(
        kafka,
        tmp_path,
        {"tailrace.metrics.exporter": "dogstatsd", "tailrace.dogstatsd.address": statsd["statsd"]},
        "told",
    )

    text = until(lambda: (t := httpx.get(statsd["metrics"], timeout=10).text) and "tailrace_source_rows{" in t and t)
    rows = [line for line in text.splitlines() if line.startswith("tailrace_source_rows{")]
    assert len(rows) == 1
    assert rows[0].endswith(" 2")
    assert 'service="told"' in rows[0]
    assert "statsd_exporter_sample_errors_total{" not in text
    assert "statsd_exporter_tag_errors_total 0" in text


def test_opensearch_finds_a_line_by_its_trace(kafka: str, service: Start, tmp_path: Path) -> None:
    """The line about a bad row is found by the trace of the row, in a data stream made by the template."""
    url = service("opensearch", {}).rpartition("=")[2]
    command = [sys.executable, "-m", "tailrace", "observe", "index-template"]
    template = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    httpx.put(f"{url}/_index_template/logs-tailrace", json=template, timeout=30).raise_for_status()
    settings = {"tailrace.traces.exporter": "zipkin", "tailrace.traces.max-per-second": "0"}  # passed on, and not sent
    settings |= {"tailrace.logs.exporter": "opensearch", "tailrace.opensearch.url": url}
    run(kafka, tmp_path, settings, "logged")

    def hits() -> list[dict[str, Any]]:
        httpx.post(f"{url}/logs-tailrace/_refresh", timeout=30)
        query = {"query": {"term": {"trace.id": TRACE}}}
        answer = httpx.post(f"{url}/logs-tailrace/_search", json=query, timeout=30).json()
        found: list[dict[str, Any]] = answer.get("hits", {}).get("hits", [])
        return found

    (found,) = until(hits)
    assert found["_source"]["message"] == "a row was dropped"
    assert found["_source"]["service"]["name"] == "logged"
    assert found["_source"]["tailrace"]["offset"] == 1
