"""What the tests of traces share: scripts that run with spans kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tailrace.cli.run import make_job
from tailrace.cli.script import load
from tailrace.observe.exporting.spans import OtelTracer, span_queue

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def run(script: str, folder: Path, settings: Mapping[str, str] | None = None, ratio: float = 0) -> list[ReadableSpan]:
    """Run a script; give the spans."""
    path = folder / "job.sql"
    path.write_text(script)
    exporter = InMemorySpanExporter()
    queue = span_queue("memory", exporter, Resource({}))
    loaded = load([path], None, [f"{k}={v}" for k, v in (settings or {}).items()])
    job = make_job(loaded, None, {}, allow_state_drop=False, tracer=OtelTracer([queue], ratio))
    job.run()
    queue.close()
    return list(exporter.get_finished_spans())


def header(span: ReadableSpan) -> str:
    """Give the `traceparent` of what goes on from a span."""
    assert span.context is not None
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"
