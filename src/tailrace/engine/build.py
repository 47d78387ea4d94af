"""Plan nodes to operators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tailrace.clock import Clock
from tailrace.engine.lookups import Askers
from tailrace.engine.operator import Operator, PassOperator
from tailrace.engine.operators.assign_watermark import AssignWatermarkOperator, WatermarkOptions
from tailrace.engine.operators.calc import CalcOperator
from tailrace.engine.operators.enforce import EnforceOperator
from tailrace.engine.operators.group_aggregate import GroupAggregateOperator
from tailrace.engine.operators.interval_join import IntervalJoinOperator
from tailrace.engine.operators.join import JoinInput, JoinOperator
from tailrace.engine.operators.keep_first import KeepEarliestOperator, KeepFirstOperator
from tailrace.engine.operators.limit import LimitOperator
from tailrace.engine.operators.lookup_join import LookupJoinOperator
from tailrace.engine.operators.match_recognize import MatchRecognizeOperator
from tailrace.engine.operators.normalize import NormalizeOperator
from tailrace.engine.operators.over_aggregate import OverAggregateOperator
from tailrace.engine.operators.over_updates import OverUpdatesOperator
from tailrace.engine.operators.process_batches import ProcessBatchesOperator
from tailrace.engine.operators.process_rows import ProcessRowsOperator
from tailrace.engine.operators.rank import RankOperator
from tailrace.engine.operators.session_aggregate import SessionAggregateOperator
from tailrace.engine.operators.sort import SortByClockOperator, SortOperator
from tailrace.engine.operators.temporal_join import TemporalJoinOperator, VersionsOperator
from tailrace.engine.operators.union import UnionOperator
from tailrace.engine.operators.unnest import RepeatOperator, UnnestOperator
from tailrace.engine.operators.values import ValuesOperator
from tailrace.engine.operators.window_aggregate import WindowAggregateOperator
from tailrace.engine.operators.window_join import WindowJoinOperator
from tailrace.engine.operators.window_rank import WindowRankOperator
from tailrace.engine.operators.window_table import WindowTableOperator
from tailrace.engine.ranked_rows import Identity
from tailrace.errors import UnsupportedError
from tailrace.options import duration
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import INSERT_ONLY, Mode
from tailrace.plan.keys import unique_keys
from tailrace.settings import value
from tailrace.user_functions.declarations import Form

HOUR = 3_600_000


class Builder:
    """
    Makes operators for one job.

    `modes` has the changes that each node gives, by the node's id; `askers` makes those who answer lookups. `max_future`
    (ms, None: no bound) is how far beyond the clock a row of an endless table may be that says nothing of it.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        clock: Clock,
        modes: Mapping[int, Mode],
        askers: Askers | None = None,
        max_future: int | None = HOUR,
    ) -> None:
        self.askers = askers
        self._max_future = max_future
        self._settings = settings
        self._clock = clock
        self._modes = modes
        self.ttl = value(settings, "table.exec.state.ttl")
        self.timezone = value(settings, "table.local-time-zone")

    def operator(self, node: nodes.Node, *, bounded: bool) -> Operator:
        """
        Make the operator of a node; `bounded` tells of a watermark whether its source ends.

        Raises:
            UnsupportedError: a node that this engine does not run.
        """
        if isinstance(node, nodes.AssignWatermark):
            options = self._watermark_options(node.table, bounded=bounded)
            return AssignWatermarkOperator(node, options, self._clock)
        make = _MAKERS.get(type(node))
        if make is None:
            raise UnsupportedError(f"{type(node).__name__} can't be run here", location=node.location)
        return make(node, self)

    def updates(self, node: nodes.Node) -> bool:
        """Tell whether a node gives more than inserts."""
        return self._modes[id(node)] != INSERT_ONLY

    def _watermark_options(self, table: Table, *, bounded: bool) -> WatermarkOptions:
        future = self._option(table, "tailrace.watermark.max-future")
        max_future = duration(future) if future else None if bounded else self._max_future
        timeout = self._idle_timeout(table, bounded=bounded) / 1000
        return WatermarkOptions(self._per_row(table), max_future, timeout or None, self.timezone)

    def _idle_timeout(self, table: Table, *, bounded: bool) -> int:
        own = self._option(table, "scan.watermark.idle-timeout")
        if own:
            return duration(own)
        key = "table.exec.source.idle-timeout"
        return 0 if bounded and key not in self._settings else int(value(self._settings, key))

    def _per_row(self, table: Table) -> bool:
        strategy = self._option(table, "scan.watermark.emit.strategy")
        if strategy:
            return strategy == "on-event"
        return bool(value(self._settings, "pipeline.auto-watermark-interval") == 0)

    @staticmethod
    def _option(table: Table, key: str) -> str:
        text = table.option(key)
        return text.value if text else ""


def _window_aggregate(node: nodes.WindowAggregate, builder: Builder) -> Operator:
    session = node.window.kind is nodes.WindowKind.SESSION
    make = SessionAggregateOperator if session else WindowAggregateOperator
    return make(node, builder.timezone, retract=builder.updates(node.input))


def _group_aggregate(node: nodes.Aggregate, builder: Builder) -> Operator:
    ttl = builder.ttl if node.ttl is None else node.ttl
    return GroupAggregateOperator(node, retract=builder.updates(node.input), ttl=ttl)


def _join(node: nodes.Join, builder: Builder) -> Operator:
    left, right = (_join_input(node, port, builder) for port in (0, 1))
    return JoinOperator(node, (left, right), builder.timezone, updates=builder.updates(node))


def _rank(node: nodes.Rank | nodes.Materialize, builder: Builder) -> Operator:
    partition = node.partition if isinstance(node, nodes.Rank) else node.keys
    return RankOperator(node, _identity(node.input, partition, builder), builder.ttl)


def _identity(below: nodes.Node, partition: Collection[str], builder: Builder) -> Identity | None:
    """Tell how rows of an input that are taken back are known."""
    if not builder.updates(below):
        return None
    # a key among the columns of the partition needs no index of its own
    keys = sorted(unique_keys(below), key=lambda k: (not k <= set(partition), len(k), sorted(k)))
    if not keys:
        return Identity(below.schema.names)
    return Identity(() if keys[0] <= set(partition) else tuple(sorted(keys[0])), unique=True)


def _process(node: nodes.Process, builder: Builder) -> Operator:
    by_row = node.declaration.form is Form.SCALAR
    return (ProcessRowsOperator if by_row else ProcessBatchesOperator)(node, builder.ttl)


def _over_updates(node: nodes.OverUpdates, builder: Builder) -> Operator:
    return OverUpdatesOperator(node, _identity(node.input, node.partition, builder), builder.ttl)


def _deduplicate(node: nodes.Deduplicate, builder: Builder) -> Operator:
    if node.last:
        return RankOperator(node, None, builder.ttl)
    return (KeepFirstOperator if node.processing_time else KeepEarliestOperator)(node, builder.ttl)


def _lookup_join(node: nodes.LookupJoin, builder: Builder) -> Operator:
    if builder.askers is None:
        raise UnsupportedError("nobody answers lookups here", location=node.location)
    return LookupJoinOperator(node, builder.askers(node), builder.timezone)


def _sort(node: nodes.Sort, _builder: Builder) -> Operator:
    return (SortByClockOperator if node.processing_time else SortOperator)(node)


def _join_input(node: nodes.Join, port: int, builder: Builder) -> JoinInput:
    own = node.ttl[port]
    ttl = builder.ttl if own is None else own
    below = node.inputs[port]
    if not builder.updates(below):
        return JoinInput(ttl=ttl)
    on = {k.right if port else k.left for k in node.keys}
    # a key among the columns of the join needs no index of its own
    keys = sorted(unique_keys(below), key=lambda k: (not k <= on, len(k), sorted(k)))
    return JoinInput(updates=True, key=tuple(sorted(keys[0])) if keys else None, ttl=ttl)


_MAKERS: dict[type[nodes.Node], Callable[[Any, Builder], Operator]] = {
    nodes.Scan: lambda _node, _builder: PassOperator(),
    nodes.Sink: lambda _node, _builder: PassOperator(),
    nodes.Calc: lambda node, builder: CalcOperator(node, builder.timezone),
    nodes.Aggregate: _group_aggregate,
    nodes.IntervalJoin: lambda node, builder: IntervalJoinOperator(node, builder.timezone),
    nodes.Join: _join,
    nodes.TemporalJoin: lambda node, builder: TemporalJoinOperator(node, builder.timezone, builder.ttl),
    nodes.LookupJoin: _lookup_join,
    nodes.Versions: lambda node, builder: VersionsOperator(node, builder.ttl),
    nodes.Rank: _rank,
    nodes.Materialize: _rank,
    nodes.Normalize: lambda node, builder: NormalizeOperator(node, builder.ttl),
    nodes.Enforce: lambda node, _builder: EnforceOperator(node),
    nodes.Deduplicate: _deduplicate,
    nodes.Sort: _sort,
    nodes.WindowAggregate: _window_aggregate,
    nodes.WindowJoin: lambda node, builder: WindowJoinOperator(node, builder.timezone),
    nodes.WindowRank: lambda node, builder: WindowRankOperator(node, builder.timezone),
    nodes.WindowTable: lambda node, builder: WindowTableOperator(node, builder.timezone),
    nodes.MatchRecognize: lambda node, builder: MatchRecognizeOperator(node, builder.timezone),
    nodes.Process: _process,
    nodes.OverUpdates: _over_updates,
    nodes.OverAggregate: lambda node, _builder: OverAggregateOperator(node),
    nodes.Union: lambda node, _builder: UnionOperator(node),
    nodes.Unnest: lambda node, builder: UnnestOperator(node, builder.timezone),
    nodes.Repeat: lambda node, _builder: RepeatOperator(node),
    nodes.Limit: lambda node, _builder: LimitOperator(node),
    nodes.Values: lambda node, builder: ValuesOperator(node, builder.timezone),
}
