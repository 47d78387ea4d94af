"""Which windows are open: those that will still be put out, as a computation row by row says."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest

from tailrace.clock import ManualClock
from tailrace.engine.executor import Executor, Input
from tailrace.engine.open_windows import OpenWindow
from tailrace.engine.taps import LOOK_SECONDS, MOST, ROWS
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLE = """
CREATE TABLE t (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.02' SECOND)
WITH ('connector' = 'memory', 'scan.watermark.idle-timeout' = '5 s');
"""
SIZE, SLIDE = 60, 20
TVFS = {
    "tumble": f"TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '0.0{SIZE}' SECOND)",
    "hop": f"HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '0.0{SLIDE}' SECOND, INTERVAL '0.0{SIZE}' SECOND)",
    "cumulate": f"CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '0.0{SLIDE}' SECOND, INTERVAL '0.0{SIZE}' SECOND)",
    "session": f"SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '0.0{SIZE}' SECOND)",
}


def started(select: str, clock: ManualClock, settings: dict[str, str] | None = None) -> Executor:
    """Give an executor of a query over `t`, with partitions 0 and 1."""
    session = Session(settings=settings)
    query = session.bind(TABLE + select, "t.sql")[-1]
    assert isinstance(query, Query)
    executor = Executor(optimize((query.plan,)), session.settings, clock)
    for partition in "01":
        executor.assign("scan-t", partition)
    return executor


def rows(partition: str, *given: tuple[str, int]) -> Input:
    """Give rows of a partition: key and time in ms."""
    frame = pl.DataFrame({"k": [k for k, _ in given], "ts": pl.Series([t for _, t in given], dtype=pl.Int64)})
    return Input("scan-t", partition, frame.with_columns(pl.col("ts").cast(pl.Datetime("ms"))))


def counting(kind: str) -> str:
    """Give a query that counts by key and window."""
    return f"SELECT k, window_start, window_end, COUNT(*) FROM TABLE({TVFS[kind]}) GROUP BY k, window_start, window_end"


def windows_of(kind: str, time: int) -> list[tuple[int, int]]:
    """Give start and end of the windows of a time, from the definition."""
    if kind == "tumble":
        return [(time // SIZE * SIZE, time // SIZE * SIZE + SIZE)]
    if kind == "hop":
        last = time // SLIDE * SLIDE
        return [(s, s + SIZE) for s in range(last - SIZE + SLIDE, last + 1, SLIDE)]
    start = time // SIZE * SIZE
    return [(start, e) for e in range(start + SLIDE, start + SIZE + 1, SLIDE) if time < e]


@pytest.mark.parametrize("kind", ["tumble", "hop", "cumulate"])
@pytest.mark.parametrize("seed", range(3))
def test_the_windows_that_will_still_be_put_out(kind: str, seed: int) -> None:
    """Each with its edges, its last moment and its rows of state; those that close first come first, at most as many as asked for."""
    rng = random.Random(seed)  # noqa: S311  test data
    executor = started(counting(kind), ManualClock(10_000))
    given: dict[tuple[int, int], set[tuple[str, int]]] = {}
    mark = -(2**63)
    for batch in range(20):
        part = [(rng.choice("abc"), batch * 15 + rng.randint(0, 40)) for _ in range(5)]
        executor.tick([rows("0", *part), rows("1", ("z", batch * 15 + 40))])
        for key, time in [*part, ("z", batch * 15 + 40)]:
            for start, end in windows_of(kind, time):
                if end - 1 > mark:
                    slice_ = time // (SIZE if kind == "tumble" else SLIDE)
                    given.setdefault((start, end), set()).add((key, slice_))
        mark = max(mark, min(max(t for _, t in part), batch * 15 + 40) - 20)
        wanted = sorted((e, s) for s, e in given if e - 1 > mark)
        [state] = executor.open_windows(3)
        assert state.windows.count == len(wanted)
        assert [(w.end, w.start) for w in state.windows.first] == wanted[:3]
        assert [w.last for w in state.windows.first] == [e - 1 for e, _ in wanted[:3]]
        assert state.reached == mark
        if kind == "tumble":  # a row that came late for some windows is kept by window, and not by slice
            assert [w.rows for w in state.windows.first] == [len(given[s, e]) for e, s in wanted[:3]]
        assert all(w.rows for w in state.windows.first)
    assert not state.windows.processing_time


def test_sessions() -> None:
    """One entry for each open session, the one that ends first first; a window of another query's kind is not among them."""
    executor = started(counting("session"), ManualClock(10_000))
    executor.tick([rows("0", ("a", 100), ("b", 50), ("a", 150), ("c", 400)), rows("1", ("d", 90))])
    [state] = executor.open_windows(2)
    assert state.windows.count == 4
    assert state.windows.first == (OpenWindow(50, 110, 109, 1), OpenWindow(90, 150, 149, 1))


def test_a_window_in_local_time_closes_at_its_moment_in_utc() -> None:
    """Its edges are those of its columns."""
    table = TABLE.replace("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)")
    session = Session(settings={"table.local-time-zone": "Asia/Kolkata"})
    hour = "SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end"
    query = session.bind(table + hour, "t.sql")[-1]
    assert isinstance(query, Query)
    executor = Executor(optimize((query.plan,)), session.settings, ManualClock(10_000_000))
    executor.assign("scan-t", "0")
    frame = pl.DataFrame({"ts": pl.Series([5000], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))})
    executor.tick([Input("scan-t", "0", frame)])
    [window] = executor.open_windows(9)[0].windows.first
    local = datetime(1970, 1, 1, 5, 30, tzinfo=UTC)
    assert window.start == int(local.replace(minute=0).timestamp() * 1000)
    assert window.last == 1_800_000 - 1


def test_processing_time() -> None:
    """Such windows wait for the clock."""
    tvf = "TUMBLE(TABLE p, DESCRIPTOR(pt), INTERVAL '10' SECOND)"
    view = "CREATE VIEW p AS SELECT k, PROCTIME() AS pt FROM t; "
    select = f"SELECT window_end, COUNT(*) FROM TABLE({tvf}) GROUP BY window_start, window_end"
    executor = started(view + select, ManualClock(12_000))
    executor.tick([rows("0", ("a", 1))])
    [state] = executor.open_windows(5)
    assert state.windows.processing_time
    assert [(w.start, w.end, w.rows) for w in state.windows.first] == [(10_000, 20_000, 1)]


def test_windows_of_ranks_and_joins() -> None:
    """Their rows are kept by the window's end alone."""
    tumbled = f"TABLE({TVFS['tumble']})"
    ranked = (
        f"SELECT k FROM (SELECT k, window_end, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY ts) AS n "
        f"FROM {tumbled}) WHERE n <= 5"
    )
    joined = (
        f"SELECT a.k FROM {tumbled} a JOIN {tumbled} b ON a.k = b.k AND a.window_start = b.window_start "
        f"AND a.window_end = b.window_end"
    )
    for select, each in ((ranked, 1), (joined, 2)):
        executor = started(select, ManualClock(10_000))
        executor.tick([rows("0", ("a", 5), ("b", 70), ("b", 130)), rows("1", ("a", 85))])
        [state] = executor.open_windows(2)
        ends = Counter(w.end for w in state.windows.first)
        assert state.windows.count == 2, select
        assert dict(ends) == {120: 1, 180: 1}, select
        assert state.windows.first[1].rows == each, select


def test_how_far_time_has_come() -> None:
    """Of each partition, with how long it has been silent."""
    clock = ManualClock(10_000)
    executor = started(counting("tumble"), clock)
    executor.tick([rows("0", ("a", 500))])
    clock.advance(4000)
    executor.tick([rows("1", ("a", 300))])
    found = executor.source_times()["scan-t"]
    assert (found.table, found.reached, found.idle_timeout) == ("t", 280, 5.0)
    assert {n: p.watermark for n, p in found.partitions.items()} == {"0": 480, "1": 280}
    assert found.silent == pytest.approx({"0": 4.0, "1": 0.0})
    clock.advance(1500)
    executor.tick([])
    assert executor.source_times()["scan-t"].reached == 280  # it never goes back, and only the silent one is left out
    assert [p.idle for p in executor.source_times()["scan-t"].partitions.values()] == [True, False]


def test_rows_are_taken_only_while_somebody_looks() -> None:
    """The newest of them, at most so many, no more often than a quarter of a second."""
    clock = ManualClock(10_000)
    executor = started("SELECT k FROM t", clock)
    executor.tick([rows("0", ("before", 1))])
    assert executor.taps.active == {}
    tap = executor.taps.look("scan-t", clock.monotonic())
    assert tap.frame is None
    executor.tick([rows("0", *((str(i), i) for i in range(100)))])
    assert tap.frame is not None
    assert tap.frame["k"].to_list() == [str(i) for i in range(100 - ROWS, 100)]
    assert tap.frame.columns in (["k", "ts"], ["k"])
    executor.tick([rows("0", ("too soon", 1))])
    assert "too soon" not in tap.frame["k"].to_list()
    clock.advance(1000)
    executor.tick([rows("0", ("later", 1))])
    assert tap.frame["k"].to_list() == ["later"]
    assert tap.passed == 102
    clock.advance(1000 * (LOOK_SECONDS + 1))
    executor.tick([rows("0", ("nobody looks", 1))])
    assert tap.frame["k"].to_list() == ["later"]
    assert executor.taps.active == {}


def test_only_so_many_places_are_looked_at() -> None:
    """The one that was looked at longest ago is dropped."""
    clock = ManualClock(10_000)
    executor = started("SELECT k FROM t", clock)
    for i in range(MOST + 2):
        executor.taps.look(str(i), clock.monotonic() + i / 100)
    assert set(executor.taps.active) == {str(i) for i in range(2, MOST + 2)}
