"""The tracer of OpenTelemetry: who is followed, and what is sent of it."""

from __future__ import annotations

import time

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind as OtelKind
from opentelemetry.trace import StatusCode

from tailrace.engine.tracing import SpanKind
from tailrace.observe.exporting.spans import OtelTracer, span_queue

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01a=1"


def test_new_traces_begin_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a second may come at once; then there is none until the next. Rows chosen elsewhere have a bound of their own."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tracer = OtelTracer([], 1.0, 50, 10)
    assert (tracer.allow(7, new=True), tracer.allow(7, new=True), tracer.allow(7, new=True)) == (7, 3, 0)
    assert (tracer.allow(70), tracer.allow(1)) == (50, 0)
    now = 100.5
    assert (tracer.allow(7, new=True), tracer.allow(70)) == (0, 25)
    now = 101.0
    assert tracer.allow(70, new=True) == 10
    assert OtelTracer([], 1.0, 0, 10).allow(70, new=True) == 0


def test_what_is_sent_of_a_span() -> None:
    """Its place in the trace, its times, its links, and of an error the kind alone."""
    exporter = InMemorySpanExporter()
    queue = span_queue("memory", exporter, Resource({"service.name": "j"}))
    tracer = OtelTracer([queue])
    above = tracer.begin("one", SpanKind.CONSUMER, PARENT, 5, {"tailrace.offset": 7})
    below = tracer.begin("two", SpanKind.INTERNAL, above.header, links=[PARENT])
    below.end(error=ValueError("card 4711"))
    above.end(9)
    alone = tracer.begin("three")
    alone.end()
    queue.close()

    two, one, three = exporter.get_finished_spans()
    assert one.context is not None
    assert one.parent is not None
    assert f"{one.parent.span_id:016x}" == "b7ad6b7169203331"
    assert above.header == f"00-{PARENT[3:35]}-{one.context.span_id:016x}-01a=1"
    assert one.context.trace_state.to_header() == "a=1"
    assert (one.kind, one.start_time, one.end_time, one.attributes) == (
        OtelKind.CONSUMER, 5, 9, {"tailrace.offset": 7},
    )  # fmt: skip
    assert one.resource.attributes["service.name"] == "j"
    assert (one.status.status_code, two.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert two.attributes == {"error.type": "ValueError"}
    assert two.parent is not None
    assert two.parent.span_id == one.context.span_id
    assert [link.context.span_id for link in two.links] == [one.parent.span_id]
    assert three.parent is None
    assert three.context is not None
    assert three.context.trace_id != one.context.trace_id
