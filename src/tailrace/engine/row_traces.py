"""
How traces go with rows through a tick.

Where rows have traces, the hidden column `$trace` has a number for each: -1 for none; from 0 up the place in the tick of a
row whose trace is only passed on; below -1 a trace that is followed: of which each step is a span. Only the followed ones,
which are few, are looked at one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.batch import TRACE, TRACEPARENT, Batch
from tailrace.engine.trace_memory import TraceMemory
from tailrace.engine.tracing import PARENT, Attributes, Call, Header, Span, SpanKind, Tracer

Numbers = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
_NONE, _FIRST = -1, -2
_NO_PLACES = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Came:
    """Where rows of a tick came from, and when they were read (nanoseconds since 1970); `offset` tells that of a row."""

    table: str
    partition: str
    frame: pl.DataFrame
    offset: Callable[[int], int | None]
    read_at: int | None


@dataclass(slots=True)
class _Followed:
    parent: Header
    links: tuple[Header, ...] = ()


class RowTraces:
    """The traces of one executor's rows; `tables` names the table of each sink, `memories` belong to operators by name."""

    def __init__(self, tracer: Tracer, tables: Mapping[str, str], memories: Mapping[str, TraceMemory]) -> None:
        self._tracer = tracer
        self._tables = tables
        self._memories = memories
        self._random = np.random.default_rng()
        self._followed: list[_Followed] = []
        self._open: list[Span] = []
        self._headers = _NO_HEADERS
        self._entered: list[tuple[int, Batch]] = []
        self._passing: list[int] = []
        """The numbers of the followed traces that went into the operator."""
        self._numbered = False
        """Whether any batch of the tick has numbers."""

    def begin(self, came: Sequence[Came]) -> Numbers | None:
        """Begin a tick; give the numbers of the traces of its rows, None if no row has one."""
        self._followed, self._open, self._entered, self._passing = [], [], [], []
        self._numbered = False
        total = sum(len(c.frame) for c in came)
        traced = any(TRACEPARENT in c.frame.columns for c in came)
        self._headers = pl.concat([_headers_of(c.frame) for c in came]) if traced else _NO_HEADERS
        has = self._headers.is_not_null().to_numpy() if traced else None
        chosen = np.concatenate([self._chosen(has), self._begun(total, has)])
        if has is None and not len(chosen):
            return None
        self._numbered = True
        numbers = np.full(total, _NONE, np.int32)
        if has is not None:
            numbers[has] = np.flatnonzero(has)
        if len(chosen):
            self._follow_rows(came, chosen, numbers)
        return numbers

    def _chosen(self, has: npt.NDArray[np.bool_] | None) -> Places:
        """Give the places of rows to follow that were chosen where their traces began."""
        if has is None:
            return _NO_PLACES
        came = np.flatnonzero(has)
        flags = self._headers.gather(came).str.slice(PARENT - 1, 1)
        sampled: Places = came[(flags == "1").to_numpy()]
        return sampled[: self._tracer.allow(len(sampled))] if len(sampled) else sampled

    def _begun(self, total: int, has: npt.NDArray[np.bool_] | None) -> Places:
        """Give the places of rows without a trace for which one is begun: drawn, without a look at the others."""
        without = total if has is None else total - int(np.count_nonzero(has))
        wanted = int(self._random.binomial(without, self._tracer.ratio)) if without and self._tracer.ratio > 0 else 0
        count = self._tracer.allow(wanted, new=True) if wanted else 0
        if not count:
            return _NO_PLACES
        drawn = np.sort(self._random.choice(without, count, replace=False))
        return drawn if has is None else np.flatnonzero(~has)[drawn]

    def _follow_rows(self, came: Sequence[Came], chosen: Places, numbers: Numbers) -> None:
        ends = np.cumsum([len(c.frame) for c in came])
        now, total = time.time_ns(), len(numbers)
        for place in chosen.tolist():
            at = int(np.searchsorted(ends, place, side="right"))
            item = came[at]
            attributes: dict[str, str | int] = {"messaging.destination.partition.id": item.partition}
            offset = item.offset(place - int(ends[at]) + len(item.frame))
            if offset is not None:
                attributes["tailrace.offset"] = offset
            parent = (self._headers[place] or "") if len(self._headers) else ""
            read = self._begin(f"process {item.table}", SpanKind.CONSUMER, parent, item.read_at or now, attributes)
            batch = self._begin("batch", SpanKind.INTERNAL, read.header, now, {"tailrace.rows": total})
            numbers[place] = self._follow(batch.header)

    def _begin(self, name: str, kind: SpanKind, parent: Header, at: int, attributes: Attributes) -> Span:
        span = self._tracer.begin(name, kind, parent, at, attributes)
        self._open.append(span)
        return span

    def _follow(self, parent: Header, links: Sequence[Header] = ()) -> int:
        self._followed.append(_Followed(parent, tuple(links)))
        return _FIRST - len(self._followed) + 1

    def enter(self, pending: list[tuple[int, Batch]], *, passes: bool) -> list[tuple[int, Batch]]:
        """Take note of what goes into an operator; one that keeps rows gets them without the numbers."""
        if not self._numbered:
            return pending
        self._entered = [(port, batch) for port, batch in pending if TRACE in batch.columns]
        self._passing = self._followed_of(self._entered) if self._entered and self._followed else []
        if passes or not self._entered:
            return pending
        return [(port, batch.drop(TRACE, strict=False)) for port, batch in pending]

    @property
    def current(self) -> Header:
        """The last followed trace of what was entered; empty if there is none."""
        return self._followed[_FIRST - self._passing[0]].parent if self._passing else ""

    def leave(self, name: str, out: list[Batch], calls: Sequence[Call], began: int) -> list[Batch]:
        """Make the spans of what an operator did; give what came out, with the numbers of its traces."""
        memory = self._memories.get(name)
        headers = {n: self._span(name, self._followed[_FIRST - n], calls, began) for n in self._passing}
        if memory is None:
            return out
        for port, batch in self._entered if headers else ():
            numbers = batch[TRACE].to_numpy()
            places = np.flatnonzero(numbers < _NONE)
            memory.add(port, batch, places, [headers[n] for n in numbers[places].tolist()])
        return [self._gone_on(name, memory, b, set(headers.values()), began) for b in out] if len(memory) else out

    def _followed_of(self, entered: Sequence[tuple[int, Batch]]) -> list[int]:
        numbers = np.concatenate([batch[TRACE].to_numpy() for _, batch in entered])
        return [int(n) for n in np.unique(numbers[numbers < _NONE])]

    def _span(self, name: str, followed: _Followed, calls: Sequence[Call], began: int) -> Header:
        span = self._tracer.begin(name, SpanKind.INTERNAL, followed.parent, began)
        for call in calls:
            self._tracer.record(call, span.header)
        span.end()
        return span.header

    def _gone_on(self, name: str, memory: TraceMemory, batch: Batch, new: set[Header], began: int) -> Batch:
        """Give rows that came of kept ones the traces that went into them: the last goes on, the others are linked."""
        if not len(memory) or not len(batch):
            return batch
        numbers = np.full(len(batch), _NONE, np.int32)
        for places, headers in memory.take(batch):
            *others, last = headers
            if last not in new:  # it went in before this tick
                span = self._tracer.begin(name, SpanKind.INTERNAL, last, began, None, others)
                span.end()
                last, others = span.header, []
            numbers[places] = self._follow(last, others)
        if not (numbers < _NONE).any():
            return batch
        self._numbered = True
        return batch.with_columns(pl.Series(TRACE, numbers))

    def out(self, sink: str, batch: Batch) -> tuple[Batch, tuple[Span, ...]]:
        """Give a batch for a sink with the headers of its rows, and the spans of sending it."""
        if not self._numbered or TRACE not in batch.columns:
            return batch.with_columns(_no_headers(len(batch))), ()
        numbers = batch[TRACE].to_numpy()
        places = np.flatnonzero(numbers < _NONE)
        followed, which = np.unique(numbers[places], return_inverse=True)
        spans = [self._send(sink, self._followed[_FIRST - n]) for n in followed.tolist()]
        headers = self._passed_on(numbers)
        if len(places):
            headers = headers.scatter(places, [spans[i].header for i in which.tolist()])
        return batch.drop(TRACE).with_columns(headers), tuple(spans)

    def _passed_on(self, numbers: Numbers) -> pl.Series:
        """Give the headers that rows came with, NULL for the others."""
        if not len(self._headers):
            return _no_headers(len(numbers))
        # most often few have one
        places = np.flatnonzero(numbers >= 0)
        return _no_headers(len(numbers)).scatter(places, self._headers.gather(numbers[places]))

    def _send(self, sink: str, followed: _Followed) -> Span:
        return self._tracer.begin(
            f"send {self._tables[sink]}",
            SpanKind.PRODUCER,
            followed.parent,
            None,
            {"tailrace.sink": sink},
            followed.links,
        )

    def end(self, error: BaseException | None = None) -> None:
        """End the tick."""
        for span in reversed(self._open):
            span.end(error=error)
        self._open = []


def _headers_of(frame: pl.DataFrame) -> pl.Series:
    return frame[TRACEPARENT] if TRACEPARENT in frame.columns else _no_headers(len(frame))


def _no_headers(count: int) -> pl.Series:
    return pl.Series(TRACEPARENT, [None], dtype=pl.String).new_from_index(0, count)


_NO_HEADERS = _no_headers(0)
