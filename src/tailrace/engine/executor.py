"""
The loop's one step: a tick takes what the sources have ready, pushes it through the operators, and gives what came out.

A tick is a consistent cut: between two ticks all rows taken in are either in the state or put out, so that a checkpoint
needs no barriers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from tailrace.clock import Clock
from tailrace.engine.batch import KIND, MAX_WATERMARK, MIN_WATERMARK, ORIGIN, TRACE, TRACEPARENT, Batch
from tailrace.engine.build import HOUR, Builder
from tailrace.engine.histogram import Counted
from tailrace.engine.lookups import Askers
from tailrace.engine.open_windows import WindowState
from tailrace.engine.operator import AT_WORK, FunctionUse, Operator, Outbox, Rejected, Times
from tailrace.engine.operators.assign_watermark import AssignWatermarkOperator, Run
from tailrace.engine.progress import PartitionProgress, Progress, SourceTime
from tailrace.engine.row_traces import Came, RowTraces
from tailrace.engine.taps import Taps
from tailrace.engine.trace_memory import TraceMemory
from tailrace.engine.tracing import CURRENT, Span, Tracer
from tailrace.plan import nodes
from tailrace.plan.changelog import changelog_modes
from tailrace.plan.describe import describe
from tailrace.state.delta import StateDelta


def _no_offset(_row: int) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Input:
    """
    Rows of one partition: the columns of the scan's schema, and perhaps `$traceparent`.

    For traces: `offset` gives that of a row of the frame, `read_at` is when it was read (nanoseconds since 1970).
    """

    scan: str
    partition: str
    frame: pl.DataFrame
    offset: Callable[[int], int | None] = _no_offset
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class TickResult:
    """
    What came out of a tick: batches by sink, and rows that operators could not take.

    `spans` has, by the place of a batch in `outputs`, what is to be ended when the batch has been written.
    """

    outputs: list[tuple[str, Batch]]
    rejected: list[Rejected]
    spans: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatorStatistics:
    """
    Counters of one operator since the start.

    `title` is its line in EXPLAIN, `inputs` the names of those whose rows it takes. It was at work for `busy_seconds`,
    those in `functions` of the user, by name, among them.
    """

    name: str
    rows_in: int
    rows_out: int
    late: int
    state_rows: int
    watermark: int | None
    busy_seconds: float = 0.0
    title: str = ""
    inputs: tuple[str, ...] = ()
    functions: Mapping[str, FunctionUse] = field(default_factory=dict)


@dataclass(slots=True)
class _Vertex:
    name: str
    node: nodes.Node
    operator: Operator
    parents: list[_Vertex]
    children: list[tuple[_Vertex, int]] = field(default_factory=list)
    pending: list[tuple[int, Batch]] = field(default_factory=list)
    watermark_in: int = MIN_WATERMARK
    watermark_out: int = MIN_WATERMARK
    rows_in: int = 0
    rows_out: int = 0
    busy_nanoseconds: int = 0
    scans: frozenset[str] = frozenset()


@dataclass(slots=True)
class _ScanState:
    vertex: _Vertex
    partitions: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    complete: bool = False

    @property
    def over(self) -> bool:
        return self.complete and self.partitions <= self.ended


class Executor:
    """
    Runs the plans of one job, tick by tick, on the caller's thread.

    `bounded` names the tables whose sources end by themselves, `askers` makes those who answer lookups, `max_future` is the
    bound of endless tables that name none (`tailrace.watermark.max-future`), `tracer` follows rows. Scans, sinks and
    operators have ids that stay the same as long as the plan does. `taps` is where others look at the rows that pass.
    """

    def __init__(
        self,
        sinks: Sequence[nodes.Sink],
        settings: Mapping[str, str],
        clock: Clock,
        bounded: Collection[str] = (),
        askers: Askers | None = None,
        max_future: int | None = HOUR,
        tracer: Tracer | None = None,
    ) -> None:
        self._clock = clock
        self._outbox = Outbox()
        self.taps: Taps = Taps()
        self._names: Counter[str] = Counter()
        self._vertices: dict[int, _Vertex] = {}
        builder = Builder(settings, clock, changelog_modes(sinks), askers, max_future)
        for sink in sinks:
            for node in nodes.walk(sink):
                if id(node) not in self._vertices:
                    self._vertices[id(node)] = self._vertex(node, builder, bounded)
        self._order = list(self._vertices.values())
        self._scans = {v.name: _ScanState(v) for v in self._order if isinstance(v.node, nodes.Scan)}
        self.scans: dict[str, nodes.Scan] = {
            n: s.vertex.node for n, s in self._scans.items() if isinstance(s.vertex.node, nodes.Scan)
        }
        self.nodes: dict[str, nodes.Node] = {v.name: v.node for v in self._order}
        self.sinks: dict[str, nodes.Sink] = {v.name: v.node for v in self._order if isinstance(v.node, nodes.Sink)}
        self._traces = None if tracer is None else self._row_traces(tracer)

    def _row_traces(self, tracer: Tracer) -> RowTraces:
        memories = {v.name: TraceMemory(v.node) for v in self._order if not v.operator.passes_rows}
        return RowTraces(tracer, {n: s.table.name if s.table else n for n, s in self.sinks.items()}, memories)

    def _vertex(self, node: nodes.Node, builder: Builder, bounded: Collection[str]) -> _Vertex:
        parents = [self._vertices[id(n)] for n in node.inputs]
        scans = frozenset(s for p in parents for s in p.scans)
        ends = isinstance(node, nodes.AssignWatermark) and node.table.name in bounded
        name = self._name(node)
        vertex = _Vertex(name, node, builder.operator(node, bounded=ends), parents)
        vertex.scans = frozenset([name]) if isinstance(node, nodes.Scan) else scans
        vertex.operator.name, vertex.operator.outbox = name, self._outbox
        for port, parent in enumerate(parents):
            parent.children.append((vertex, port))
        return vertex

    def _name(self, node: nodes.Node) -> str:
        """Name a node by its kind and table or uid, numbered from the second of a name on."""
        kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(node).__name__).lstrip("-")
        table = node.table.name if isinstance(node, nodes.Scan | nodes.Sink) and node.table else ""
        label = node.uid if isinstance(node, nodes.Process) else table
        base = f"{kind}-{label}" if label else kind
        self._names[base] += 1
        return base if self._names[base] == 1 else f"{base}-{self._names[base]}"

    def assign(self, scan: str, partition: str) -> None:
        """Hear that a scan reads a partition; its watermark waits for it from now on."""
        self._scans[scan].partitions.add(partition)
        self._scans[scan].ended.discard(partition)
        for operator in self._assigners(scan):
            operator.progress.assign(partition, self._clock.monotonic())

    def keep(self, scan: str, partitions: Collection[str]) -> None:
        """Hear which partitions have rows that are still on their way: these are not idle, until the next call."""
        for operator in self._assigners(scan):
            operator.progress.keep(partitions, self._clock.monotonic())

    def revoke(self, scan: str, partition: str) -> None:
        """Hear that a scan no longer reads a partition."""
        self._scans[scan].partitions.discard(partition)
        for operator in self._assigners(scan):
            operator.progress.revoke(partition)

    def reach(self, scan: str, partition: str, watermark: int) -> bool:
        """Hear how far the time of a partition has come, without a row; False if nobody counts watermarks there."""
        assigners = self._assigners(scan)
        for operator in assigners:
            operator.progress.saw(partition, watermark, self._clock.monotonic())
        return bool(assigners)

    def end(self, scan: str, partition: str) -> None:
        """Hear that a partition has no more rows."""
        self._scans[scan].ended.add(partition)
        for operator in self._assigners(scan):
            operator.progress.end(partition)

    def partitions(self, scan: str) -> frozenset[str]:
        """Give the partitions that a scan reads now."""
        return frozenset(self._scans[scan].partitions)

    def scans_behind(self, operator: str) -> frozenset[str]:
        """Give the scans whose rows come to an operator; none for a name that there is not."""
        return next((v.scans for v in self._order if v.name == operator), frozenset())

    def end_scan(self, scan: str) -> None:
        """Hear that a scan gets no more partitions: with the end of those that it has, it ends."""
        self._scans[scan].complete = True

    def _assigners(self, scan: str) -> list[AssignWatermarkOperator]:
        return [v.operator for v in self._order if scan in v.scans and isinstance(v.operator, AssignWatermarkOperator)]

    def notes(self) -> list[str]:
        """Give what operators have to say of the rows that they have seen."""
        return list(dict.fromkeys(v.operator.note for v in self._order if v.operator.note))

    def tick(self, inputs: Sequence[Input]) -> TickResult:
        """Take rows (or none: what is due by time alone) through all operators."""
        if self._traces is None:
            self._feed(inputs, None)
            return self._pass(None)
        try:
            self._feed(inputs, self._traces.begin([self._came(i) for i in inputs]))
            result = self._pass(self._traces)
        except BaseException as error:
            self._traces.end(error)
            raise
        self._traces.end()
        return result

    def _came(self, given: Input) -> Came:
        table = self.scans[given.scan].table.name
        return Came(table, given.partition, given.frame, given.offset, given.read_at)

    def _pass(self, traces: RowTraces | None) -> TickResult:
        """Take what was fed through all operators."""
        self._outbox.rejected = []
        outputs: list[tuple[str, Batch]] = []
        spans: dict[int, tuple[Span, ...]] = {}
        now = self._clock.now_ms()
        for vertex in self._order:
            for batch in self._run(vertex, now) if traces is None else self._traced(vertex, now, traces):
                vertex.rows_out += len(batch)
                if self.taps.active:
                    self.taps.offer(vertex.name, batch, self._clock.monotonic())
                if isinstance(vertex.node, nodes.Sink):
                    shown, sent = (batch, ()) if traces is None else traces.out(vertex.name, batch)
                    if sent:
                        spans[len(outputs)] = sent
                    outputs.append((vertex.name, _visible(shown)))
                for child, port in vertex.children:
                    child.pending.append((port, batch))
        rejected = [replace(r, scan=self._scan_of(r.operator)) for r in self._outbox.rejected]
        return TickResult(outputs, rejected, spans)

    def _traced(self, vertex: _Vertex, now: int, traces: RowTraces) -> list[Batch]:
        """Run an operator, and let the traces of its rows know."""
        began, self._outbox.calls = time.time_ns(), []
        vertex.pending[:] = traces.enter(vertex.pending, passes=vertex.operator.passes_rows)
        token = CURRENT.set(traces.current)
        try:
            out = self._run(vertex, now)
        finally:
            CURRENT.reset(token)
        return traces.leave(vertex.name, out, self._outbox.calls, began)

    def _feed(self, inputs: Sequence[Input], numbers: np.ndarray | None) -> None:
        """Hand each scan its rows, with their places in the tick, and tell who counts watermarks whose they are."""
        frames: dict[str, list[pl.DataFrame]] = {}
        runs: dict[str, list[Run]] = {}
        place = 0
        for item in inputs:
            stop = place + len(item.frame)
            frames.setdefault(item.scan, []).append(item.frame.drop(TRACEPARENT, strict=False))
            runs.setdefault(item.scan, []).append(Run(item.partition, place, stop))
            place = stop
        for scan, parts in frames.items():
            places = np.concatenate([np.arange(r.start, r.stop, dtype=np.int64) for r in runs[scan]])
            # in one piece: each operator would else put its columns together by itself
            hidden = [pl.Series(ORIGIN, places)]
            hidden += [] if numbers is None else [pl.Series(TRACE, numbers[places])]
            batch = pl.concat(parts, rechunk=True).hstack(hidden)
            self._scans[scan].vertex.pending.append((0, batch))
            for operator in self._assigners(scan):
                operator.runs = runs[scan]

    def _run(self, vertex: _Vertex, now: int) -> list[Batch]:
        began = time.perf_counter_ns()
        operator = vertex.operator
        AT_WORK.set(operator)
        out: list[Batch] = []
        before = Times(vertex.watermark_in, now)
        for port, batch in vertex.pending:
            if len(batch):
                vertex.rows_in += len(batch)
                out += operator.process(port, batch, before)
        vertex.pending.clear()
        vertex.watermark_in = max(vertex.watermark_in, self._reached(vertex))
        times = Times(vertex.watermark_in, now)
        out += operator.advance(times)
        vertex.watermark_out = MAX_WATERMARK if operator.satisfied else operator.watermark(times)
        vertex.busy_nanoseconds += time.perf_counter_ns() - began
        return [b for b in out if len(b)]

    def _reached(self, vertex: _Vertex) -> int:
        if isinstance(vertex.node, nodes.Scan):
            return MAX_WATERMARK if self._scans[vertex.name].over else MIN_WATERMARK
        return min((p.watermark_out for p in vertex.parents), default=MIN_WATERMARK)

    def _scan_of(self, operator: str) -> str | None:
        scans = self.scans_behind(operator)
        return next(iter(scans)) if len(scans) == 1 else None

    @property
    def done(self) -> bool:
        """Tell that nothing will come out any more: all input has ended, or every LIMIT is reached."""
        return all(v.watermark_out == MAX_WATERMARK for v in self._order if isinstance(v.node, nodes.Sink))

    def next_timer(self) -> float | None:
        """Give the seconds until a tick is due even without input; None if only input can change anything."""
        now, monotonic = self._clock.now_ms(), self._clock.monotonic()
        timers = [t for v in self._order if (t := v.operator.next_timer()) is not None]
        waits = [max(0.0, (t - now) / 1000) for t in timers]
        idle = [
            wait
            for v in self._order
            if isinstance(v.operator, AssignWatermarkOperator)
            and (wait := v.operator.progress.next_idle(monotonic)) is not None
        ]
        return min(waits + idle, default=None)

    def snapshot(self) -> dict[str, StateDelta]:
        """Give what changed in each operator since the last call, by the operator's id."""
        deltas = {v.name: v.operator.snapshot() for v in self._order}
        return {name: delta for name, delta in deltas.items() if delta is not None}

    def restore(self, deltas: Mapping[str, Sequence[StateDelta]]) -> None:
        """Take up the state of a checkpoint; called before the first tick."""
        for vertex in self._order:
            if vertex.name in deltas:
                vertex.operator.restore(deltas[vertex.name])

    def fingerprint(self) -> dict[str, str]:
        """Describe each operator that keeps state, so that a changed pipeline is found before it meets old state."""
        return {v.name: _describe(v.node) for v in self._order if _keeps_state(v.operator)}

    def watermarks(self) -> dict[str, dict[str, int]]:
        """Give the watermark of each partition of each scan, in milliseconds."""
        return {s: {n: w for a in self._assigners(s) for n, w in a.progress.state()} for s in self._scans}

    def progress(self) -> dict[str, dict[str, PartitionProgress]]:
        """Give how far event time has come in each partition of each scan."""
        return {
            s: {n: replace(p) for a in self._assigners(s) for n, p in list(a.progress.partitions.items())}
            for s in self._scans
        }

    def delays(self) -> dict[str, Counted]:
        """Give how far the row times of each scan that has such were behind the wall clock when they came."""
        return {s: a.delay.counted() for s in self._scans for a in self._assigners(s)}

    def open_windows(self, most: int) -> list[WindowState]:
        """Tell which windows are open; of each operator the first `most` one by one. Called between two ticks."""
        asked = [(v, v.operator.open_windows(most)) for v in self._order]
        return [
            WindowState(v.name, describe(v.node), found, _known(v.watermark_in), tuple(sorted(v.scans)))
            for v, found in asked
            if found is not None
        ]

    def source_times(self) -> dict[str, SourceTime]:
        """Tell of each scan that has row times how far event time has come there. Called between two ticks."""
        now = self._clock.monotonic()
        return {
            s: _source_time(v.node, v.operator.progress, now)
            for s in self._scans
            for v in self._order
            if s in v.scans and isinstance(v.operator, AssignWatermarkOperator)
        }

    def statistics(self) -> list[OperatorStatistics]:
        """Give the counters of all operators, sources first."""
        used = list(self._outbox.functions.items())
        return [_statistics(v, {f: replace(u) for (o, f), u in used if o == v.name}) for v in self._order]


def _visible(batch: Batch) -> Batch:
    return batch.select([c for c in batch.columns if not c.startswith("$") or c in (KIND, TRACEPARENT)])


def _keeps_state(operator: Operator) -> bool:
    return type(operator).snapshot is not Operator.snapshot


def _describe(node: nodes.Node) -> str:
    fields = ", ".join(f"{f.name} {f.type}" for f in node.schema)
    return f"{describe(node)} -> {fields}"


def _known(watermark: int) -> int | None:
    return None if watermark in (MIN_WATERMARK, MAX_WATERMARK) else watermark


def _source_time(node: nodes.Node, progress: Progress, now: float) -> SourceTime:
    assert isinstance(node, nodes.AssignWatermark)
    partitions = {n: replace(p) for n, p in progress.partitions.items()}
    silent = {n: now - p.last_row for n, p in partitions.items()}
    reached = _known(progress.current(now))
    return SourceTime(node.table.name, describe(node), reached, progress.idle_timeout, partitions, silent)


def _statistics(vertex: _Vertex, functions: Mapping[str, FunctionUse]) -> OperatorStatistics:
    operator = vertex.operator
    return OperatorStatistics(
        vertex.name,
        vertex.rows_in,
        vertex.rows_out,
        operator.late_rows,
        operator.state_rows,
        _known(vertex.watermark_out),
        vertex.busy_nanoseconds / 1e9,
        describe(vertex.node),
        tuple(p.name for p in vertex.parents),
        functions,
    )
