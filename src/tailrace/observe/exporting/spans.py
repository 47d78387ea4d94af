"""Spans by the SDK of OpenTelemetry."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TraceState

from tailrace.engine.tracing import PARENT, Attributes, Header, Span, SpanKind, Tracer
from tailrace.observe.exporting.queue import ExportQueue

_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}


def span_queue(name: str, exporter: SpanExporter) -> ExportQueue[ReadableSpan]:
    """Make the way out of spans."""
    return ExportQueue("traces", name, lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS)


class _Queued(SpanProcessor):
    def __init__(self, queues: Sequence[ExportQueue[ReadableSpan]]) -> None:
        self._queues = queues

    def on_end(self, span: ReadableSpan) -> None:
        for queue in self._queues:
            queue.put(span)


class _Span(Span):
    def __init__(self, span: trace.Span, state: str) -> None:
        self._span = span
        context = span.get_span_context()
        self.header = f"00-{context.trace_id:032x}-{context.span_id:016x}-01{state}"

    def end(self, at: int | None = None, error: BaseException | None = None) -> None:
        if error is not None:
            # the kind of the error alone: its words may have values of rows
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(at)


class OtelTracer(Tracer):
    """Follows at most `most` rows a second; of what has no trace the share `ratio` gets one."""

    def __init__(
        self, resource: Resource, queues: Sequence[ExportQueue[ReadableSpan]], ratio: float = 0.0, most: int = 50
    ) -> None:
        self.ratio = ratio
        self._most = most
        self._left, self._since = float(most), time.monotonic()
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(_Queued(queues))
        self._tracer = provider.get_tracer("tailrace", version("tailrace"))

    def allow(self, wanted: int) -> int:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._since) * self._most)
        self._since = now
        allowed = min(wanted, int(self._left))
        self._left -= allowed
        return allowed

    def begin(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Header = "",
        at: int | None = None,
        attributes: Attributes | None = None,
        links: Sequence[Header] = (),
    ) -> Span:
        linked = [Link(_place(h)) for h in links]
        above = trace.set_span_in_context(NonRecordingSpan(_place(parent)), Context()) if parent else Context()
        span = self._tracer.start_span(name, above, _KINDS[kind], attributes, linked, at)
        assert isinstance(span, SdkSpan)
        return _Span(span, parent[PARENT:])


def _place(header: Header) -> SpanContext:
    state = header[PARENT:]
    return SpanContext(
        int(header[3:35], 16),
        int(header[36:52], 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([state]) if state else None,
    )
