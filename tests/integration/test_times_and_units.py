"""Clocks that jump, and times in another unit than was declared."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import script_kit as kit

from tailrace.bench import events, pipelines
from tailrace.clock import SystemClock
from tailrace.errors import DataError

HOUR, DAY = 3_600_000, 86_400_000
SECONDS = 1_700_000_000
"""As seconds since 1970 a time in November 2023."""


class JumpingClock(SystemClock):
    """A wall clock that is set forward and back, by up to a day, all the time."""

    def __init__(self) -> None:
        self._rng = random.Random(3)  # noqa: S311  no secret
        self.jumps = 0

    def now_ms(self) -> int:
        self.jumps += 1
        return super().now_ms() + self._rng.choice((0, HOUR, -HOUR, DAY, -DAY))


def test_a_wall_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    """T1: results by event time are the same, checkpoints go on, and no duration is negative."""
    count = 200_000
    events.write_file(tmp_path / "events.json", count)
    source = pipelines.options(connector="filesystem", path=str(tmp_path / "events.json"), format="json")
    sink = pipelines.options(connector="filesystem", path=str(tmp_path / "out"), format="json")
    clock = JumpingClock()
    sql = pipelines.script("file", source, sink).replace("'1 s'", "'20 ms'")
    summary = kit.Running(sql, tmp_path / "state", clock=clock).finish()
    lines = [line for p in (tmp_path / "out").glob("part-*") for line in p.read_bytes().splitlines()]

    assert pipelines.read_totals(lines).equals(events.expected(count))
    assert clock.jumps > 5
    assert summary.seconds > 0
    assert summary.checkpoints > 0


def read(folder: Path, number: int, column: str) -> str:
    """Read one row with a time, and count it in a window; give the columns, or what the summary notes."""
    (folder / "times.json").write_text(f'{{"t": {number}}}\n')
    table = f"CREATE TABLE t ({column}, WATERMARK FOR ts AS ts) WITH ("
    options = pipelines.options(connector="filesystem", path=str(folder / "times.json"), format="json")
    _, summary = kit.run(table + options + ", 'tailrace.watermark.max-future' = '1 h'); SELECT * FROM t;")
    return "; ".join(summary.notes)


@pytest.mark.parametrize(
    ("factor", "hint"),
    [
        (
            1,
            "as seconds since 1970 it is 2023-11-14 22:13:20: declare a BIGINT x, and the time AS TO_TIMESTAMP_LTZ(x, 0)",
        ),
        (1000, "as milliseconds since 1970 it is 2023-11-14 22:13:20: "),
        (1_000_000, "as microseconds since 1970 it is 2023-11-14 22:13:20: "),
        (1_000_000_000, "as nanoseconds since 1970 it is 2023-11-14 22:13:20: "),
    ],
)
def test_a_number_where_a_timestamp_is_expected(tmp_path: Path, factor: int, hint: str) -> None:
    """T3: the error says in which unit the number makes sense, and what to write."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, SECONDS * factor, "`t` TIMESTAMP_LTZ(3), ts AS `t`")
    assert hint in caught.value.message
    with pytest.raises(DataError) as caught:
        read(tmp_path, 12, "`t` TIMESTAMP_LTZ(3), ts AS `t`")
    assert "since 1970" not in caught.value.message


def test_seconds_that_are_taken_for_milliseconds(tmp_path: Path) -> None:
    """T3: times in the first weeks of 1970 are noted, with what they would be; others are not."""
    column = "`t` BIGINT, ts AS TO_TIMESTAMP_LTZ(`t`, 3)"
    assert "as seconds since 1970 they would be at 2023-11-14 22:13:20" in read(tmp_path, SECONDS, column)
    assert read(tmp_path, SECONDS * 1000, column) == ""
    assert read(tmp_path, 10_000, column) == ""


def test_microseconds_that_are_taken_for_milliseconds(tmp_path: Path) -> None:
    """T2, T3: they are no time before the year 10000, so the row has none and goes the way of the error policy."""
    with pytest.raises(DataError, match="the row time 'ts' is NULL"):
        read(tmp_path, SECONDS * 1_000_000, "`t` BIGINT, ts AS TO_TIMESTAMP_LTZ(`t`, 3)")


def test_milliseconds_that_are_taken_for_seconds(tmp_path: Path) -> None:
    """T3: the other way round the time is NULL as well."""
    with pytest.raises(DataError, match="the row time 'ts' is NULL"):
        read(tmp_path, SECONDS * 1000, "`t` BIGINT, ts AS TO_TIMESTAMP_LTZ(`t`, 0)")
