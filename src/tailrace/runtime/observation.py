"""All that can be seen of a running job at one moment: what metrics, health and the dashboard show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.executor import OperatorStatistics
from tailrace.engine.histogram import Counted
from tailrace.engine.progress import PartitionProgress
from tailrace.runtime.summary import Status


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """
    One partition of a source: `rows` were read. `watermark` is in milliseconds since 1970; `lag` rows wait at the source (None: not known).

    It is `behind_ms` milliseconds behind the newest of them (None: its system does not say so). An `idle` one does not hold event time back; those that are `holding` are the ones that it waits for.
    """

    source: str
    table: str
    name: str
    rows: int = 0
    watermark: int | None = None
    idle: bool = False
    ended: bool = False
    holding: bool = False
    lag: int | None = None
    behind_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """
    What became of one kind of data (traces, metrics, logs) on one way out.

    What was `dropped` was not even tried, as too much waited already.
    """

    signal: str
    exporter: str
    sent: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class LookupCacheStatus:
    """
    What the shared cache in front of a table that is looked up in was good for.

    Of the keys asked for it had `hits` with rows, `negative_hits` that are known to have none, and `misses`; `errors` are calls that failed.
    """

    table: str
    cache: str
    hits: int = 0
    negative_hits: int = 0
    misses: int = 0
    errors: int = 0
    up: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """
    A job at one moment.

    `latency` is from when rows were read until what came of them was handed to the sinks; `delays` how far the row times
    of each source were behind the wall clock when they came (from some rows of each batch), `broker_delays` how long ago
    the source's system had taken them (where it says so). `checkpoints` are complete; after an
    interruption the job went on by itself `restarts` times, and all else is counted since the last.
    """

    status: Status
    operators: tuple[OperatorStatistics, ...] = ()
    partitions: tuple[PartitionStatus, ...] = ()
    latency: Counted = field(default_factory=Counted)
    delays: Mapping[str, Counted] = field(default_factory=dict)
    checkpoints: int = 0
    restarts: int = 0
    exports: tuple[ExportStatus, ...] = ()
    broker_delays: Mapping[str, Counted] = field(default_factory=dict)
    caches: tuple[LookupCacheStatus, ...] = ()


def partition_status(
    source: str,
    table: str,
    progress: Mapping[str, PartitionProgress],
    rows: Mapping[str, int],
    lags: Mapping[str, int | None],
    behind_ms: Mapping[str, int],
) -> list[PartitionStatus]:
    """Give the partitions of a source, from what is known of their event time and of the rows that wait."""
    active = {n: p.watermark for n, p in progress.items() if not p.idle and not p.ended}
    least = min(active.values(), default=MAX_WATERMARK)
    found = []
    for name in dict.fromkeys([*rows, *progress, *lags]):
        known = progress.get(name, PartitionProgress())
        mark = known.watermark if known.watermark not in (MIN_WATERMARK, MAX_WATERMARK) else None
        holding = len(active) > 1 and active.get(name) == least
        count, lag = rows.get(name, 0), lags.get(name)
        found.append(
            PartitionStatus(
                source, table, name, count, mark, known.idle, known.ended, holding, lag, behind_ms.get(name)
            )
        )
    return found
