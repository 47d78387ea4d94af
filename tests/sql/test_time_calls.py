"""Functions of times: what Java would refuse is refused where it stands, zones and clocks are those of the session."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tailrace.errors import ConfigError
from tailrace.testing import Drive

TABLE = "CREATE TABLE t (s STRING, p STRING, z TIMESTAMP_LTZ(3)) WITH ('connector' = 'datagen');\n"


@pytest.mark.parametrize("call", ["TO_TIMESTAMP(s, 'w')", "TO_DATE(s, 'w')", "UNIX_TIMESTAMP(s, 'w')"])
def test_a_pattern_that_can_not_be_read_is_refused_before_rows_come(call: str) -> None:
    with pytest.raises(ConfigError, match="a time can't be read by the letter 'w'") as caught:
        Drive(f"{TABLE}SELECT {call} AS x FROM t")
    assert caught.value.location is not None
    assert (caught.value.location.line, caught.value.location.column) == (2, 8)


def test_a_pattern_of_a_row_that_can_not_be_read_is_refused_with_its_place() -> None:
    drive = Drive(f"{TABLE}SELECT TO_DATE(s, p) AS x FROM t")
    assert [c.row["x"] is None for c in drive.push("t", [{"s": "2026", "p": "yyyy"}])] == [False]
    with pytest.raises(ConfigError, match="<test>:2:8: TO_DATE: a time can't be read by the letter 'w'"):
        drive.push("t", [{"s": "2026", "p": "w"}])


@pytest.mark.parametrize(
    ("call", "day", "hour"),
    [
        ("FLOOR(z TO DAY)", 4, 3),
        ("FLOOR(z TO MONTH)", 1, 3),
        ("CEIL(z TO DAY)", 5, 2),
    ],
)
def test_a_day_whose_midnight_the_clocks_skip_begins_an_hour_later(call: str, day: int, hour: int) -> None:
    """In Brazil summer time began at midnight: 2018-11-04 has no 00:00."""
    drive = Drive(f"{TABLE}SELECT {call} AS x FROM t", settings={"table.local-time-zone": "America/Sao_Paulo"})
    (change,) = drive.push("t", [{"z": "2018-11-04T15:30:00Z"}])
    assert change.row == {"x": datetime(2018, 11, day, hour, tzinfo=UTC)}


def test_a_zone_that_only_one_database_knows_is_none() -> None:
    """An unknown zone is UTC, as in Flink."""
    drive = Drive(f"{TABLE}SELECT CONVERT_TZ(s, 'posix/Europe/Paris', 'Asia/Tokyo') AS x FROM t")
    (change,) = drive.push("t", [{"s": "2026-01-01 00:00:00"}])
    assert change.row == {"x": "2026-01-01 09:00:00"}
