"""The spans of a checkpoint: its snapshot, what is written, and what each sink does."""

from __future__ import annotations

import random
import time

from tailrace.engine.tracing import Call, Span, SpanKind, Tracer


class CheckpointTrace:
    """Follows one checkpoint at a time, some of them."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._span: Span | None = None
        self._began: dict[str, int] = {}

    def begin(self, epoch: int, stall: float) -> None:
        """Hear of a checkpoint whose snapshot has just been taken; for so long (seconds) the engine stood still."""
        tracer = self._tracer
        if tracer is None or random.random() >= tracer.ratio:  # noqa: S311  no secret
            return
        now = time.time_ns()
        began = now - int(stall * 1e9)
        self._span = tracer.begin("checkpoint", SpanKind.INTERNAL, "", began, {"tailrace.epoch": epoch})
        tracer.record(Call("snapshot", SpanKind.INTERNAL, began, now), self._span.header)
        self._began = {"": now}

    def step(self, name: str) -> None:
        """Hear that something begins."""
        if self._span is not None:
            self._began[name] = time.time_ns()

    def done(self, name: str) -> None:
        """Hear that something that has begun, or began with the checkpoint, is over."""
        if self._span is not None and self._tracer is not None:
            began = self._began.pop(name, self._began[""])
            self._tracer.record(Call(name, SpanKind.INTERNAL, began, time.time_ns()), self._span.header)

    def end(self) -> None:
        """Hear that it is complete."""
        span, self._span = self._span, None
        if span is not None:
            span.end()
