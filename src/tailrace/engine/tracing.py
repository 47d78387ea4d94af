"""What the engine asks of who keeps traces: spans that begin and end, and leave to follow a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum

Attributes = Mapping[str, str | int | float | bool]
Header = str
"""
Where in a trace something stands, to be passed on: a W3C `traceparent`, which has 55 characters, and behind it the `tracestate` as it came.
"""

PARENT = 55
"""So long is a `traceparent`."""

CURRENT: ContextVar[Header] = ContextVar("tailrace_trace", default="")
"""The trace that an operator works on, of the last followed row that went into it: what it asks of other systems goes on from it."""


class SpanKind(Enum):
    """What a span stands for: work of our own, taking a row, giving one away, asking another system."""

    INTERNAL = "internal"
    CONSUMER = "consumer"
    PRODUCER = "producer"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Call:
    """Something that an operator called while it worked; times in nanoseconds since 1970."""

    name: str
    kind: SpanKind
    began: int
    ended: int
    attributes: Attributes = field(default_factory=dict)


class Span(ABC):
    """A span that has begun; `header` is what stands below it in the trace goes on from."""

    header: Header

    @abstractmethod
    def end(self, at: int | None = None, error: BaseException | None = None) -> None:
        """End it, at a time in nanoseconds since 1970 (None: now), perhaps by an error. From any thread, and only once."""


class Tracer(ABC):
    """Keeps spans, from any thread; never fails and never waits."""

    ratio: float = 0.0
    """The share of what has no trace yet for which one is begun."""

    @abstractmethod
    def allow(self, wanted: int, *, new: bool = False) -> int:
        """Tell how many of so many rows may be followed now; the bounds are for each second, `new`: of traces that begin here."""

    @abstractmethod
    def begin(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Header = "",
        at: int | None = None,
        attributes: Attributes | None = None,
        links: Sequence[Header] = (),
    ) -> Span:
        """Begin a span below `parent` (empty: one with a trace of its own), and link it with others."""

    def record(self, call: Call, parent: Header) -> None:
        """Keep what is over."""
        self.begin(call.name, call.kind, parent, call.began, call.attributes).end(call.ended)
