"""Functions of times: what Java would refuse is refused where it stands, zones and clocks are those of the session."""

from __future__ import annotations

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
