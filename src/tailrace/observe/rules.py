"""
Alert rules for Prometheus: what the operator of a job should hear of, without asking.

Each rule has a section of its name in the runbook (`docs/runbook.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tailrace.observe.queries import Selector

RUNBOOK = "docs/runbook.md"
"""Where the runbook is, if no other place is named."""

LATE, NOT_LATE = 'reason="late"', 'reason!="late"'


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: it fires when the query has given something for so long."""

    name: str
    query: str
    after: str
    severity: str
    summary: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job has, and so which rules and charts make sense for it."""

    event_time: bool
    bounded: bool
    functions: bool = False


def rules(job: str, needs: Needs) -> list[Rule]:
    """Give the rules for a job."""
    of = Selector(job)
    found = [*_always(of)]
    if not needs.bounded:
        found += _endless(of)
    if needs.event_time:
        found += _event_time(of)
    return found


def _always(of: Selector) -> Iterator[Rule]:
    away = "Source {{ $labels.table }} is away and is tried again."
    yield Rule("TailraceSourceAway", f"{of('source_up')} == 0", "1m", "warning", away)
    held = "Sink {{ $labels.table }} is away and is tried again."
    yield Rule("TailraceSinkAway", f"{of('sink_up')} == 0", "1m", "warning", held)
    share = (
        f"{of.rate_of_any(('rows_dropped', 'dead_letters'), NOT_LATE)} / on (job_name) {of.rate('source_rows')} > 0.01"
    )
    yield Rule("TailraceBadRows", share, "5m", "warning", "More than 1 % of the rows can't be taken.")
    letters = f"sum by (job_name, table) (increase({of('dead_letters')}[5m])) > 0"
    yield Rule("TailraceDeadLetters", letters, "0m", "info", "Dead letters arrive from {{ $labels.table }}.")
    refused = f"sum by (job_name, table) (increase({of('sink_dead_letters')}[5m])) > 0"
    yield Rule("TailraceRowsRefused", refused, "0m", "info", "Sink {{ $labels.table }} refuses rows.")
    restarts = f"increase({of('job_restarts')}[15m]) > 0"
    yield Rule("TailraceRestarted", restarts, "0m", "warning", "The job was interrupted and went on by itself.")
    waits = f"rate({of('sink_waits')}[5m]) > 1"
    yield Rule("TailraceSlowSink", waits, "10m", "warning", "The engine waits for sink {{ $labels.table }}.")
    busy = f"rate({of('operator_busy_seconds')}[5m]) > 0.9"
    yield Rule("TailraceBusyOperator", busy, "10m", "warning", "Operator {{ $labels.operator }} is the bottleneck.")
    large = f"sum by (job_name) ({of('operator_state_rows')}) > 10000000"
    yield Rule("TailraceStateLarge", large, "15m", "warning", "More than 10 million rows of state are kept.")
    quantile = of.quantile("engine_latency_seconds", 0.99)
    yield Rule("TailraceSlowResults", f"{quantile} > 10", "5m", "warning", "1 % of the rows take more than 10 s.")


def _endless(of: Selector) -> Iterator[Rule]:
    """For jobs that should never end."""
    down = f"{of('job_up')} == 0 or absent({of('job_up')})"
    yield Rule("TailraceJobDown", down, "2m", "critical", "The job does not run.")
    none = f"sum by (job_name, table) (rate({of('source_rows')}[10m])) == 0"
    yield Rule("TailraceNoData", none, "5m", "warning", "No rows come from {{ $labels.table }}.")
    lag = of("source_lag_rows")
    grows = f"{lag} > 10000 and deriv({lag}[10m]) > 0"
    yield Rule("TailraceLagGrows", grows, "15m", "warning", "The job falls behind {{ $labels.table }}.")
    still = f"increase({of('checkpoints')}[10m]) == 0"
    yield Rule("TailraceNoCheckpoint", still, "5m", "critical", "No checkpoint was completed for 10 minutes.")
    now, usual = f"{of.rate('source_rows', over='10m')}", f"{of.rate('source_rows', over='1h offset 1d')}"
    unusual = f"{now} < 0.3 * {usual} or {now} > 3 * {usual}"
    text = "The rate of rows is far from that of the same hour yesterday."
    yield Rule("TailraceUnusualRate", unusual, "15m", "info", text)


def _event_time(of: Selector) -> Iterator[Rule]:
    """For jobs with row times."""
    stuck = f"changes({of('source_watermark_seconds')}[10m]) == 0 and rate({of('source_rows')}[10m]) > 0"
    text = "Event time of {{ $labels.table }} stands still though rows come."
    yield Rule("TailraceWatermarkStuck", stuck, "5m", "warning", text)
    late = f"{of.rate('rows_dropped', LATE)} / on (job_name) {of.rate('source_rows')} > 0.01"
    yield Rule("TailraceLateRows", late, "10m", "warning", "More than 1 % of the rows come too late.")


def rule_group(job: str, needs: Needs, runbook: str = RUNBOOK) -> dict[str, Any]:
    """Give the rules of a job as a group of a rule file."""
    return {"name": f"tailrace {job}", "rules": [_entry(r, runbook) for r in rules(job, needs)]}


def _entry(rule: Rule, runbook: str) -> dict[str, Any]:
    annotations = {"summary": rule.summary, "runbook_url": f"{runbook}#{rule.name.lower()}"}
    return {
        "alert": rule.name,
        "expr": rule.query,
        "for": rule.after,
        "labels": {"severity": rule.severity},
        "annotations": annotations,
    }
