"""
Spans in the words of OpenTelemetry.

While a job works, a span is a few numbers and texts; what the SDK makes of it is made where it is sent, on the exporter's
thread.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from tailrace.engine.tracing import PARENT, Attributes, Header, Span, SpanKind, Tracer
from tailrace.observe.exporting.otlp_answers import explained
from tailrace.observe.exporting.queue import ExportQueue

_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}
_SCOPE = InstrumentationScope("tailrace", version("tailrace"))
_FLAGS = TraceFlags(TraceFlags.SAMPLED)


class OtelSpan(Span):
    """A span that is followed; `done` takes it when it has ended."""

    __slots__ = ("_done", "attributes", "began", "ended", "error", "header", "kind", "links", "name", "parent")

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        parent: Header,
        began: int,
        attributes: Attributes | None,
        links: Sequence[Header],
        done: Callable[[OtelSpan], None],
    ) -> None:
        self.name, self.kind, self.parent, self.links = name, kind, parent, links
        self.began, self.ended = began, 0
        self.attributes = attributes
        self.error: str | None = None
        self._done = done
        trace_id = parent[3:35] or f"{_id(128):032x}"
        self.header = f"00-{trace_id}-{_id(64):016x}-01{parent[PARENT:]}"

    def end(self, at: int | None = None, error: BaseException | None = None) -> None:
        # the kind of the error alone: its words may have values of rows
        self.error = None if error is None else type(error).__name__
        self.ended = time.time_ns() if at is None else at
        self._done(self)


def _id(bits: int) -> int:
    """Draw an id; zero is none."""
    return random.getrandbits(bits) or 1


class _Sender(Resource):
    """A resource whose hash is known: the SDK asks for it with each span, and writes it as JSON to find it."""

    def __init__(self, of: Resource) -> None:
        super().__init__(of.attributes, of.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def span_queue(name: str, exporter: SpanExporter, resource: Resource) -> ExportQueue[OtelSpan]:
    """Make the way out of spans."""
    sender = _Sender(resource)

    def export(spans: Sequence[OtelSpan]) -> bool:
        return exporter.export([_readable(span, sender) for span in spans]) is SpanExportResult.SUCCESS

    return ExportQueue("traces", name, explained(export))


def _readable(span: OtelSpan, resource: Resource) -> ReadableSpan:
    attributes = dict(span.attributes or {}) | ({} if span.error is None else {"error.type": span.error})
    return ReadableSpan(
        span.name,
        _place(span.header, is_remote=False),
        _place(span.parent) if span.parent else None,
        resource,
        attributes,
        (),
        [Link(_place(header)) for header in span.links],
        _KINDS[span.kind],
        status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR),
        start_time=span.began,
        end_time=span.ended,
        instrumentation_scope=_SCOPE,
    )


def _place(header: Header, *, is_remote: bool = True) -> SpanContext:
    state = header[PARENT:]
    known = TraceState.from_header([state]) if state else None
    return SpanContext(int(header[3:35], 16), int(header[36:52], 16), is_remote, _FLAGS, known)


class OtelTracer(Tracer):
    """
    Follows at most `most` rows a second whose traces were chosen elsewhere.

    Of what has no trace the share `ratio` gets one, at most `new` a second: those of a second are taken together, so that
    most batches have none and cost nothing.
    """

    def __init__(
        self, queues: Sequence[ExportQueue[OtelSpan]], ratio: float = 0.0, most: int = 50, new: int = 10
    ) -> None:
        self.ratio = ratio
        self._most, self._new = most, min(new, most)
        self._left, self._since = float(most), time.monotonic()
        self._left_new, self._since_new = self._new, self._since
        self._queues = queues

    def allow(self, wanted: int, *, new: bool = False) -> int:
        now = time.monotonic()
        return self._allow_new(wanted, now) if new else self._allow(wanted, now)

    def _allow(self, wanted: int, now: float) -> int:
        self._left = min(self._most, self._left + (now - self._since) * self._most)
        self._since = now
        allowed = min(wanted, int(self._left))
        self._left -= allowed
        return allowed

    def _allow_new(self, wanted: int, now: float) -> int:
        if now - self._since_new >= 1:
            self._left_new, self._since_new = self._new, now
        allowed = min(wanted, self._left_new)
        self._left_new -= allowed
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
        return OtelSpan(name, kind, parent, time.time_ns() if at is None else at, attributes, links, self._done)

    def _done(self, span: OtelSpan) -> None:
        for queue in self._queues:
            queue.put(span)
