"""Why a window is open, in words."""

from __future__ import annotations

from typing import Any

from tailrace.engine.batch import MIN_WATERMARK
from tailrace.engine.open_windows import OpenWindow, OpenWindows, WindowState
from tailrace.engine.progress import PartitionProgress, SourceTime
from tailrace.observe.window_reasons import OperatorReason, WindowReasons

RULE = "Watermark of ts: ts - 5000 ms"


def partition(watermark: int = MIN_WATERMARK, *, idle: bool = False, ended: bool = False) -> PartitionProgress:
    """Give a partition that has come so far."""
    return PartitionProgress(watermark, idle=idle, ended=ended)


def source(
    reached: int | None, idle_timeout: float | None = None, silent: float = 2.0, table: str = "t", **given: Any
) -> SourceTime:
    """Give a source with these partitions."""
    return SourceTime(table, RULE, reached, idle_timeout, given, dict.fromkeys(given, silent))


def asked(
    reached: int | None, *sources: SourceTime, reasons: WindowReasons | None = None, now: float = 0
) -> OperatorReason:
    """Ask why a window up to 60 s is open."""
    scans = {f"scan-{s.table}": s for s in sources}
    windows = OpenWindows(1, (OpenWindow(0, 60_000, 59_999, 3),))
    state = WindowState("window", "a window", windows, reached, tuple(scans))
    [found] = (reasons or WindowReasons()).look([state], scans, now, 100_000)
    return found


def test_a_partition_that_is_behind() -> None:
    """It is named, with how far the others are, and what will happen if it stays silent."""
    found = asked(40_000, source(40_000, 5.0, a=partition(40_000), b=partition(55_000), c=partition(1, idle=True)))
    assert found.text == (
        "Event time here is 1970-01-01 00:00:40.000. It is held back by partition 'a' of 't' (Watermark of ts: ts - 5000 ms); "
        "the other is at 1970-01-01 00:00:55.000. Its last row came 2.0 s ago; without a row it is left out as idle in 3.0 s. "
        "Partition 'c' is idle and not waited for."
    )
    assert found.holding == (("t", "a"),)
    [window] = found.windows
    assert (window.missing, window.seconds) == (19_999, None)
    assert window.text == "closes when event time passes 1970-01-01 00:00:59.999: 20 s more"


def test_the_pace_tells_how_long_it_takes() -> None:
    """Known from the second look on; where time stands nothing is said."""
    reasons = WindowReasons()
    asked(40_000, source(40_000, a=partition(40_000)), reasons=reasons)
    found = asked(45_000, source(45_000, a=partition(45_000)), reasons=reasons, now=10)
    assert found.windows[0].seconds == 14.999 / 0.5
    assert found.windows[0].text.endswith("15 s more, about 30 s at its present pace")
    stands = asked(45_000, source(45_000, a=partition(45_000)), reasons=reasons, now=20)
    assert stands.windows[0].seconds is None


def test_a_partition_that_has_not_begun() -> None:
    found = asked(None, source(None, a=partition(), b=partition(70_000), silent=70.0))
    assert found.text == (
        "Event time has not begun here. Partition 'a' of 't' has not had a row with a time yet. Its last row came 70 s ago; "
        "it is waited for without end ('scan.watermark.idle-timeout' is not set)."
    )
    assert found.windows[0].missing is None


def test_all_are_idle() -> None:
    found = asked(40_000, source(40_000, 5.0, a=partition(40_000, idle=True), b=partition(1, ended=True)))
    assert "All partitions of 't' are idle: event time stands until a row comes." in found.text


def test_several_sources() -> None:
    """The one that is behind is told of, and where the others are."""
    near, far = source(70_000, table="near", a=partition(70_000)), source(40_000, table="far", x=partition(40_000))
    found = asked(40_000, near, far)
    assert (
        "the least of its sources: 'near' is at 1970-01-01 00:01:10.000, 'far' is at 1970-01-01 00:00:40.000."
        in found.text
    )
    assert (
        "It comes from 'far' (Watermark of ts: ts - 5000 ms): Partition 'x' is its only active partition." in found.text
    )
    assert found.holding == (("far", "x"),)


def test_many_partitions_are_not_all_named() -> None:
    many: dict[str, Any] = {f"p{i}": partition(40_000) for i in range(9)}
    assert (
        "partitions 'p0', 'p1', 'p2' and 6 more of 't'"
        in asked(40_000, source(40_000, z=partition(50_000), **many)).text
    )


def test_windows_by_the_clock() -> None:
    state = WindowState(
        "w", "w", OpenWindows(1, (OpenWindow(90_000, 110_000, 109_999, 1),), processing_time=True), None, ()
    )
    [found] = WindowReasons().look([state], {}, 0, 100_000)
    assert found.windows[0].text == "closes by the wall clock in 10 s"


def test_no_window() -> None:
    state = WindowState("w", "w", OpenWindows(0, ()), 5, ("scan-t",))
    [found] = WindowReasons().look([state], {"scan-t": source(5, a=partition(5))}, 0, 0)
    assert found.text == "No window is open."
