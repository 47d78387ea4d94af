"""The executor: watermarks by partition, idle and future times, ends, and restarts."""

from __future__ import annotations

import polars as pl
import pytest

from tailrace.clock import ManualClock
from tailrace.engine.executor import Executor, Input, TickResult
from tailrace.expressions.nodes import AggregateCall, Call, Column, Literal
from tailrace.options import OptionText
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, INTERVAL_SECOND, STRING, Field, Schema, timestamp

INPUT = Schema((Field("k", STRING), Field("ts", timestamp(3))))
SCAN = "scan-t"


def plan(**options: str) -> nodes.Sink:
    """Plan a 10-second count by key with a delay of one second."""
    table = Table("t", (), INPUT, {k.replace("__", "."): OptionText(v) for k, v in options.items()})
    scan = nodes.Scan(schema=INPUT, table=table)
    delay = Call(timestamp(3), "-", (Column(timestamp(3), "ts"), Literal(INTERVAL_SECOND, 1000)))
    marked = nodes.AssignWatermark(schema=INPUT, input=scan, column="ts", expr=delay, table=table)
    spec = nodes.WindowSpec(nodes.WindowKind.TUMBLE, "ts", 10_000, 10_000)
    out = Schema((INPUT["k"], Field("n", BIGINT), Field("window_end", timestamp(3))))
    counted = nodes.WindowAggregate(
        schema=out,
        input=marked,
        window=spec,
        keys=("k",),
        aggregates=(AggregateCall("COUNT", BIGINT),),
        properties=(nodes.WindowProperty.END,),
    )
    return nodes.Sink(schema=out, input=counted, table=None)


def rows(partition: str, *times: int | None, key: str = "a") -> Input:
    """Give rows at these milliseconds."""
    ts = pl.Series("ts", times, dtype=pl.Int64).cast(pl.Datetime("ms"))
    return Input(SCAN, partition, pl.DataFrame({"k": [key] * len(times), "ts": ts}))


def counts(result: TickResult) -> list[tuple[object, ...]]:
    """Give key, count and window end in seconds of what came out."""
    return [
        (k, n, e // 1000)
        for _, batch in result.outputs
        for k, n, e in batch.with_columns(pl.col("window_end").to_physical()).iter_rows()
    ]


def started(clock: ManualClock, *partitions: str, settings: dict[str, str] | None = None, **options: str) -> Executor:
    """Make an executor that reads these partitions."""
    executor = Executor([plan(**options)], settings or {}, clock)
    for partition in partitions:
        executor.assign(SCAN, partition)
    return executor


def test_the_slowest_partition_holds_the_watermark() -> None:
    """A window is put out when every active partition has passed its end, and not before."""
    executor = started(ManualClock(100_000), "0", "1")

    assert counts(executor.tick([rows("0", 1000, 25_000)])) == []
    assert counts(executor.tick([rows("1", 2000, 10_998)])) == []
    assert counts(executor.tick([rows("1", 10_999)])) == [("a", 2, 10)]


def test_an_idle_partition_is_left_out_until_its_next_row() -> None:
    """After the idle time-out the others decide; rows of the idle one that come after are judged as late."""
    clock = ManualClock(100_000)
    executor = started(clock, "0", "1", settings={"table.exec.source.idle-timeout": "5 s"})
    assert counts(executor.tick([rows("0", 1000, 25_000)])) == []
    assert executor.next_timer() == pytest.approx(5.0)
    clock.advance(5000)
    assert counts(executor.tick([rows("0", 26_000)])) == [("a", 1, 10)]

    result = executor.tick([rows("1", 3000)])
    assert [r.stage for r in result.rejected] == ["late"]
    assert result.rejected[0].origin.tolist() == [0]
    assert result.rejected[0].scan == SCAN


def test_a_partition_with_rows_on_their_way_is_not_idle() -> None:
    """However long its rows take; the time-out begins when there is nothing more of it on the way."""
    clock = ManualClock(100_000)
    executor = started(clock, "0", "1", settings={"table.exec.source.idle-timeout": "5 s"})
    assert counts(executor.tick([rows("0", 1000, 25_000)])) == []
    clock.advance(4000)
    executor.keep(SCAN, ["1"])
    clock.advance(60_000)
    assert counts(executor.tick([rows("0", 26_000)])) == []

    executor.keep(SCAN, [])
    clock.advance(1)
    assert counts(executor.tick([])) == [("a", 1, 10)]


def test_an_idle_partition_counts_again_when_rows_are_on_their_way() -> None:
    """It does not wait for them to arrive: what it holds open must not be closed before."""
    clock = ManualClock(100_000)
    executor = started(clock, "0", "1", settings={"table.exec.source.idle-timeout": "5 s"})
    clock.advance(6000)
    executor.tick([rows("0", 1000)])
    executor.keep(SCAN, ["1"])
    assert counts(executor.tick([rows("0", 25_000)])) == []
    assert counts(executor.tick([rows("1", 2000, 30_000)])) == [("a", 2, 10), ("a", 1, 30)][:1]


def test_a_time_far_in_the_future_moves_nothing() -> None:
    """A row beyond the bound is reported with its place and does not close windows."""
    executor = started(ManualClock(100_000), "0")
    result = executor.tick([rows("0", 1000, 100_000 + 3_600_001, 2000)])

    assert counts(result) == []
    assert [(r.stage, r.origin.tolist()) for r in result.rejected] == [("future", [1])]
    assert counts(executor.tick([rows("0", 11_000)])) == [("a", 2, 10)]


def test_a_row_without_time_is_reported() -> None:
    """A NULL row time rejects its row alone."""
    executor = started(ManualClock(100_000), "0")
    result = executor.tick([rows("0", 1000, None, 11_000)])

    assert [(r.stage, r.origin.tolist()) for r in result.rejected] == [("time", [1])]
    assert counts(result) == [("a", 1, 10)]


def test_the_end_puts_everything_out() -> None:
    """When all partitions have ended, open windows come out and the executor is done."""
    executor = started(ManualClock(100_000), "0", "1")
    executor.tick([rows("0", 1000), rows("1", 2000, 12_000)])
    executor.end(SCAN, "0")
    executor.end(SCAN, "1")
    assert not executor.done
    executor.end_scan(SCAN)

    assert counts(executor.tick([])) == [("a", 2, 10), ("a", 1, 20)]
    assert executor.done


def test_an_ended_partition_holds_nobody() -> None:
    """A file read to its end does not hold the watermark of the others."""
    executor = started(ManualClock(100_000), "0", "1")
    executor.tick([rows("0", 1000), rows("1", 12_000)])
    executor.end(SCAN, "0")

    assert counts(executor.tick([])) == [("a", 1, 10)]


def test_a_watermark_after_each_row_judges_by_the_rows_before() -> None:
    """With on-event the cut of the batches does not matter: a row late by the rows before it is late."""
    times = (1000, 12_000, 5000, 13_000)
    whole = started(ManualClock(100_000), "0", settings={"pipeline.auto-watermark-interval": "0"})
    result = whole.tick([rows("0", *times)])
    assert counts(result) == [("a", 1, 10)]
    assert [r.origin.tolist() for r in result.rejected] == [[2]]

    between_ticks = started(ManualClock(100_000), "0")
    assert counts(between_ticks.tick([rows("0", *times)])) == [("a", 2, 10)]


def test_a_restart_goes_on() -> None:
    """State, watermarks and lateness are as they were."""
    clock = ManualClock(100_000)
    executor = started(clock, "0")
    executor.tick([rows("0", 1000, 12_000)])
    deltas = {name: [delta] for name, delta in executor.snapshot().items()}

    other = Executor([plan()], {}, clock)
    other.restore(deltas)
    other.assign(SCAN, "0")
    result = other.tick([rows("0", 2000, 15_000)])
    assert [r.stage for r in result.rejected] == ["late"]
    assert counts(other.tick([rows("0", 22_000)])) == [("a", 2, 20)]
    assert other.fingerprint() == executor.fingerprint()


def test_statistics_name_operators_and_count_rows() -> None:
    """Rows in and out, late rows and watermarks are told by operator."""
    executor = started(ManualClock(100_000), "0")
    executor.tick([rows("0", 1000, 12_000)])
    executor.tick([rows("0", 1000)])
    found = {s.name: s for s in executor.statistics()}

    assert found["window-aggregate"].late == 1
    assert found["window-aggregate"].rows_in == 3
    assert found["sink"].rows_in == 1
    assert executor.watermarks() == {SCAN: {"0": 11_000}}
