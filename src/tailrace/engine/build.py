"""Plan nodes to operators."""

from __future__ import annotations

from collections.abc import Mapping

from tailrace.clock import Clock
from tailrace.engine.operator import Operator
from tailrace.engine.operators.assign_watermark import AssignWatermarkOperator, WatermarkOptions
from tailrace.engine.operators.calc import CalcOperator
from tailrace.engine.operators.group_aggregate import GroupAggregateOperator
from tailrace.engine.operators.limit import LimitOperator
from tailrace.engine.operators.union import UnionOperator
from tailrace.engine.operators.values import ValuesOperator
from tailrace.engine.operators.window_aggregate import WindowAggregateOperator
from tailrace.engine.operators.window_table import WindowTableOperator
from tailrace.errors import UnsupportedError
from tailrace.options import duration
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import INSERT_ONLY, Mode

HOUR = 3_600_000
IDLE_TIMEOUT = "5 s"
"""How long an unbounded source waits for a silent partition, unless its table or the job says otherwise."""


class Builder:
    """Makes operators for one job; `modes` has the changes that each node gives, by the node's id."""

    def __init__(self, settings: Mapping[str, str], clock: Clock, modes: Mapping[int, Mode]) -> None:
        self._settings = settings
        self._clock = clock
        self._modes = modes
        self._ttl = duration(settings.get("table.exec.state.ttl", "0 ms"))
        self._timezone = settings.get("table.local-time-zone", "UTC")

    def operator(self, node: nodes.Node, *, bounded: bool) -> Operator:
        """
        Make the operator of a node; `bounded` tells of a watermark whether its source ends.

        Raises:
            UnsupportedError: a node that this engine does not run.
        """
        match node:
            case nodes.Scan() | nodes.Sink():
                return Operator()
            case nodes.Calc():
                return CalcOperator(node, self._timezone)
            case nodes.AssignWatermark():
                return AssignWatermarkOperator(node, self._watermark_options(node.table, bounded=bounded), self._clock)
            case nodes.Aggregate():
                return GroupAggregateOperator(node, retract=self._updates(node.input), ttl=self._ttl)
            case nodes.WindowAggregate():
                return WindowAggregateOperator(node, self._timezone)
            case nodes.WindowTable():
                return WindowTableOperator(node, self._timezone)
            case nodes.Union():
                return UnionOperator(node)
            case nodes.Limit():
                return LimitOperator(node)
            case nodes.Values():
                return ValuesOperator(node, self._timezone)
        raise UnsupportedError(f"{type(node).__name__} can't be run here", location=node.location)

    def _updates(self, node: nodes.Node) -> bool:
        return self._modes[id(node)] != INSERT_ONLY

    def _watermark_options(self, table: Table, *, bounded: bool) -> WatermarkOptions:
        idle = self._option(table, "scan.watermark.idle-timeout") or self._settings.get(
            "table.exec.source.idle-timeout", "0" if bounded else IDLE_TIMEOUT
        )
        future = self._option(table, "tailrace.watermark.max-future")
        max_future = duration(future) if future else None if bounded else HOUR
        timeout = duration(idle) / 1000
        return WatermarkOptions(self._per_row(table), max_future, timeout or None, self._timezone)

    def _per_row(self, table: Table) -> bool:
        strategy = self._option(table, "scan.watermark.emit.strategy")
        if strategy:
            return strategy == "on-event"
        return duration(self._settings.get("pipeline.auto-watermark-interval", "200 ms")) == 0

    @staticmethod
    def _option(table: Table, key: str) -> str:
        text = table.option(key)
        return text.value if text else ""
